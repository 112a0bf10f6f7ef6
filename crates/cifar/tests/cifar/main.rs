//! Both versions on files that the tests write.

mod agreement;
mod bad_files;
mod common;
mod round_trip;
