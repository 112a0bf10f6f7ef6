//! Trees that the tests write.

mod agreement;
mod bad_pictures;
mod colours;
mod common;
mod fitting;
mod orientation;
mod reduced;
mod skipping;
mod surveys;
mod trees;
