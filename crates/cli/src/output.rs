//! Standard output and error.

use serde::Serialize;
use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line.
pub fn line(text: impl Display) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// Prints a value as one line of JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?)
}

/// Says on standard error why the command failed. Where standard error is closed there is nobody to tell.
pub fn error(error: &anyhow::Error) {
    let _ = writeln!(io::stderr(), "error: {error:#}");
}

/// Says on standard error what looks wrong.
pub fn warning(text: impl Display) {
    let _ = writeln!(io::stderr(), "warning: {text}");
}

/// Whether the reader of our output has gone, as `head` does.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
