//! The real binary, end to end, on a few hundred real digits and on made-up pictures.

mod augment;
mod bad_checkpoints;
mod bad_data;
mod bad_words;
mod cifar;
mod common;
mod explained;
mod export;
mod features;
mod folders;
mod interruptions;
mod machine;
mod output;
mod runs;
mod serving;
mod settings;
mod tensorboard;
mod transfer;
