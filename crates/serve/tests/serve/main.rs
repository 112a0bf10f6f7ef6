//! A server over real sockets, with networks made up for the purpose. The real ones are in the tests of the command.

mod batching;
mod common;
mod explaining;
mod limits;
mod pages;
mod pictures;
mod shutdown;
