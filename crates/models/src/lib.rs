//! The networks that Lenslet ships, one file each.
