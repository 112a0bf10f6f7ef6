//! Standard output and error, and files.

use anyhow::Context;
use image::{ImageFormat, RgbImage};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, Cursor, Write};
use std::path::Path;

/// Prints a line.
pub fn line(text: impl Display) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("cannot write to standard output")
}

/// Prints a value as one line of JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?)
}

/// Cells as a line of CSV (RFC 4180).
pub fn csv<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cell = |cell: &str| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    };
    cells.into_iter().map(cell).collect::<Vec<_>>().join(",")
}

/// Writes a file whole or not at all.
pub fn file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    lenslet_checkpoint::replace(path, |file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a picture as a PNG file, whole or not at all.
pub fn png(path: &Path, picture: &RgbImage) -> anyhow::Result<()> {
    file(path, &png_bytes(picture)?)
}

/// A picture as the bytes of a PNG file.
pub fn png_bytes(picture: &RgbImage) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// Says on standard error, in one line, why the command failed. Where that is closed there is nobody to tell.
pub fn error(error: &anyhow::Error) {
    // Some libraries end their messages with a line break.
    let message = format!("{error:#}").lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let _ = writeln!(io::stderr(), "error: {}", message.trim_end());
}

/// A number of things: `1 picture`, `2 pictures`.
pub fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_and_quotation_marks_are_quoted() {
        assert_eq!(csv(["plain", "a,b", "say \"b\"", ""]), "plain,\"a,b\",\"say \"\"b\"\"\",");
    }
}
