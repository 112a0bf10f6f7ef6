//! One test program: the modules share the loopback server.

mod catalogue;
mod common;
mod http;
mod local;
