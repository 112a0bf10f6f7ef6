//! The lenslet command.
