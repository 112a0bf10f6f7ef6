//! Neural-network layers with compile-time shapes on dfdx, and the network! macro.
