//! One test program: the modules share the loopback server.

mod archives;
mod catalogue;
mod common;
mod http;
mod local;
mod trees;
