//! The pictures that a command is given: files, folders, patterns, and standard input.

use anyhow::Context;
use lenslet_dataset::{Fit, ImageShape};
use lenslet_folder::{MAX_BYTES, Picture, is_picture};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The files that words stand for: a file for itself, a folder for the pictures in it and below, by name, and what is neither
/// for the files that it matches as a pattern, where the shell did not expand that.
pub fn expand(words: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for word in words {
        if word.is_dir() {
            let before = paths.len();
            add_folder(word, &mut paths)?;
            anyhow::ensure!(paths.len() > before, "{}: there are no pictures in this folder", word.display());
        } else if word.exists() || word.as_os_str() == STANDARD_INPUT {
            paths.push(word.clone());
        } else if let Some(pattern) = word.to_str().filter(|word| word.contains(['*', '?', '['])) {
            let found = glob::glob(pattern).with_context(|| format!("{pattern} is no pattern"))?;
            let before = paths.len();
            for path in found {
                paths.push(path?);
            }
            anyhow::ensure!(paths.len() > before, "{pattern}: no file matches");
        } else {
            // Opening it says what is wrong.
            paths.push(word.clone());
        }
    }
    let inputs = paths.iter().filter(|path| path.as_os_str() == STANDARD_INPUT).count();
    anyhow::ensure!(inputs <= 1, "- stands for standard input, which can be read once only");
    Ok(paths)
}

fn add_folder(folder: &Path, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        entries.push((entry.path(), entry.file_type().with_context(cannot)?));
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (path, kind) in entries {
        // A link to a folder may lead back here.
        if kind.is_dir() {
            add_folder(&path, paths)?;
        } else if is_picture(&path) && path.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

/// Reads a picture from a file, or standard input, to be fitted to a shape.
pub fn open(path: &Path, shape: ImageShape, fit: Fit) -> anyhow::Result<Picture> {
    if path.as_os_str() != STANDARD_INPUT {
        return Ok(Picture::open_for(path, shape, fit)?);
    }
    let mut bytes = Vec::new();
    io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes).context("cannot read standard input")?;
    Picture::decode_for(&bytes, shape, fit).context("standard input cannot be used as a picture")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("some/below")).expect("room");
        fs::create_dir_all(at("empty")).expect("room");
        for name in ["some/b.png", "some/a.JPG", "some/notes.txt", "some/below/c.gif", "[odd].png"] {
            fs::write(at(name), "").expect("room");
        }
        let expanded = |words: &[&str]| expand(&words.iter().map(|word| at(word)).collect::<Vec<_>>());
        let names = |words: &[&str]| {
            let paths = expanded(words).expect("all is there");
            let name =
                |path: &PathBuf| path.strip_prefix(folder.path()).map(|path| path.display().to_string());
            paths.iter().map(|path| name(path).expect("within")).collect::<Vec<_>>()
        };
        assert_eq!(names(&["some"]), ["some/a.JPG", "some/b.png", "some/below/c.gif"]);
        assert_eq!(names(&["some/*.png", "gone.png"]), ["some/b.png", "gone.png"]);
        assert_eq!(names(&["[odd].png"]), ["[odd].png"], "a file is no pattern");
        for (words, part) in
            [("empty", "no pictures"), ("some/*.webp", "no file matches"), ("some/***", "no pattern")]
        {
            let error = format!("{:#}", expanded(&[words]).expect_err(words));
            assert!(error.contains(part), "{error}");
        }
        let twice = [STANDARD_INPUT, STANDARD_INPUT].map(PathBuf::from);
        assert!(expand(&twice).expect_err("once only").to_string().contains("once"));
    }
}
