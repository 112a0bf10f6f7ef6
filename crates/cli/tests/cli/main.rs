//! The real binary, end to end, on a few hundred real digits.

mod bad_checkpoints;
mod bad_data;
mod bad_words;
mod common;
mod interruptions;
mod output;
mod runs;
mod settings;
