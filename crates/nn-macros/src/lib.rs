//! The network! macro of lenslet-nn.
