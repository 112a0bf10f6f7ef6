//! Every file in `fixtures/bad/idx` is an error of the expected kind that says where. The files are made by
//! `examples/make_bad_fixtures.rs`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lenslet_idx::{ElementType, Error, ErrorKind, Idx, IdxDataset};

/// The expected offset and kind of the error for a file or a pair of files.
fn is_expected(name: &str, offset: u64, kind: &ErrorKind) -> bool {
    use ErrorKind::*;
    const FOUR_GIB: u64 = 8 + u32::MAX as u64;
    match (name, offset) {
        ("empty.idx" | "empty.gz", 0) => matches!(kind, Empty),
        ("magic-truncated.idx", 3) => matches!(kind, Truncated { expected: 4, found: 3 }),
        ("header-truncated.idx", 10) => matches!(kind, Truncated { expected: 16, found: 10 }),
        ("body-truncated.idx" | "truncated-within-gzip.gz", 20) => {
            matches!(kind, Truncated { expected: 28, found: 20 })
        }
        ("oversized.idx", 28) => matches!(kind, Trailing { expected: 28, found: 33 }),
        ("bomb.gz" | "gzip-then-second-file.gz", 28) => matches!(kind, Trailing { expected: 28, found: 29 }),
        ("wrong-magic.idx", 0) => matches!(kind, WrongMagic { found: [0x89, b'P'] }),
        ("unknown-type.idx", 2) => matches!(kind, UnknownType { found: 0x0a }),
        ("web-page.gz" | "web-page-compressed.gz", 0) => matches!(kind, WebPage),
        ("claims-4-gib.idx" | "claims-4-gib.gz", 20) => {
            matches!(kind, Truncated { expected: FOUR_GIB, found: 20 })
        }
        ("claims-overflow.idx", 4) => matches!(kind, TooLarge { dims } if dims == &[u32::MAX as usize; 3]),
        ("gzip-truncated.gz", _) => {
            matches!(kind, Gzip(error) if error.kind() == io::ErrorKind::UnexpectedEof)
        }
        ("gzip-block.gz", 0) => matches!(kind, Gzip(_)),
        ("gzip-checksum.gz", 28) => matches!(kind, Gzip(error) if error.to_string().contains("checksum")),
        ("gzip-then-garbage.gz", 28) => matches!(kind, Gzip(error) if error.to_string().contains("follow")),
        ("pair-counts-mismatched", 4) => {
            matches!(kind, CountMismatch { images: 2, labels: 3, images_path } if images_path.ends_with("images.idx"))
        }
        ("pair-swapped", 3) => matches!(kind, Swapped { images } if images.ends_with("labels.idx")),
        ("pair-labels-twice", 3) => matches!(kind, NotImages { found: ElementType::U8, rank: 1 }),
        ("pair-images-twice", 3) => matches!(kind, NotLabels { found: ElementType::U8, rank: 3 }),
        ("pair-float-images", 2) => matches!(kind, NotImages { found: ElementType::F32, rank: 3 }),
        ("pair-float-labels", 2) => matches!(kind, NotLabels { found: ElementType::F32, rank: 1 }),
        ("pair-negative-label", 10) => matches!(kind, LabelOutOfRange { index: 1, label: -1, .. }),
        ("pair-huge-label", 12) => matches!(kind, LabelOutOfRange { index: 1, label: 0x7fff_ffff, .. }),
        _ => false,
    }
}

/// Opens a file by itself and a directory as a pair.
fn open(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        IdxDataset::open(path.join("images.idx"), path.join("labels.idx"), None).map(drop)
    } else {
        Idx::open(path).map(drop)
    }
}

fn corpus() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bad/idx");
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn each_bad_file_is_an_error_that_says_what_and_where() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 28, "each kind of damage is there");
    for path in corpus {
        let name = path.file_name().unwrap().to_str().unwrap();
        let error = open(&path).expect_err(name);
        let offset = error.offset().unwrap_or_else(|| panic!("{name}: no offset in: {error}"));
        assert!(
            is_expected(name, offset, error.kind()),
            "{name}: not the expected error: {error} ({error:?})"
        );

        let file = error.path().unwrap_or_else(|| panic!("{name}: no path in: {error}"));
        assert!(file.starts_with(&path), "{name}: another file is blamed in: {error}");
        let message = error.to_string();
        assert!(message.starts_with(&format!("{}: byte {offset}", file.display())), "{name}: {message}");
    }
}

#[test]
fn a_reader_and_bytes_meet_the_same_errors() {
    for path in corpus().into_iter().filter(|path| path.is_file()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        for error in [Idx::from_bytes(&bytes).expect_err(name), Idx::read(bytes.as_slice()).expect_err(name)]
        {
            // A stream cannot tell how much follows.
            let stopped_early = matches!(error.kind(), ErrorKind::Trailing { expected: 28, found: 29 })
                && name == "oversized.idx";
            assert!(
                stopped_early || is_expected(name, error.offset().unwrap(), error.kind()),
                "{name}: not the expected error: {error}"
            );
        }
    }
}
