//! The lessons of the course work one after the other: each prints what it promises and leaves its files.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What an example must print and leave.
struct Lesson {
    name: &'static str,
    prints: &'static [&'static str],
    /// How a line begins, and the least percentage that it may name.
    at_least: &'static [(&'static str, f64)],
    files: &'static [&'static str],
}

const COURSE: [Lesson; 11] = [
    Lesson {
        name: "01_read_idx",
        prints: &["images: [10000, 28, 28] of u8", "picture 0 is a 7:", "@@@@"],
        at_least: &[],
        files: &[],
    },
    Lesson {
        name: "02_batches",
        prints: &["epoch 3 begins with samples", "epoch 1 once more: the same bits"],
        at_least: &[],
        files: &[],
    },
    Lesson {
        name: "03_network",
        prints: &[
            "conv1      conv(24, 5x5)  24x24x24",
            "end it in dense(classes)",
            "but the data have 3x32x32",
        ],
        at_least: &[],
        files: &[],
    },
    Lesson {
        name: "04_train",
        prints: &["79510 parameters, 60000 pictures", "epoch 3:"],
        at_least: &[("test digits:", 95.0)],
        files: &[],
    },
    Lesson {
        name: "05_checkpoint",
        prints: &["resumed in epoch 2", "the same, byte for byte"],
        at_least: &[],
        files: &["mlp.safetensors"],
    },
    Lesson {
        name: "06_predict",
        prints: &[],
        at_least: &[
            ("test-0-is-7.png: 7", 90.0),
            ("test-1-is-2.png: 2", 90.0),
            ("test-2-is-1.png: 1", 90.0),
            ("test-3-is-0.png: 0", 90.0),
            ("test-4-is-4.png: 4", 90.0),
        ],
        files: &[],
    },
    Lesson {
        name: "07_convolution",
        prints: &[],
        at_least: &[("dense:", 90.0), ("convolutional:", 95.0)],
        files: &["conv.safetensors"],
    },
    Lesson {
        name: "08_move_features",
        prints: &["taken: conv2.weight", "left as it was: dense1.weight"],
        at_least: &[("from nothing:", 75.0), ("with moved features:", 87.0)],
        files: &[],
    },
    Lesson {
        name: "09_explain",
        // Which classes come first may differ from processor to processor.
        prints: &["8 maps of 24x24", "speaks-for-"],
        at_least: &[],
        files: &["conv1.png", "max_pool2.png"],
    },
    Lesson {
        name: "10_own_pictures",
        prints: &["96 pictures of disc, square, triangle"],
        at_least: &[("24 held out:", 75.0)],
        files: &["shapes/disc/00.png"],
    },
    Lesson {
        name: "11_export",
        prints: &["lenslet.network = course-convolutional", "Gemm: flatten1", "dense1.weight [10, 400]"],
        at_least: &[],
        files: &["conv.onnx"],
    },
];

#[test]
fn every_lesson_does_what_it_promises() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for Lesson { name, prints, at_least, files } in COURSE {
        let output = run(name, temporary.path());
        for text in prints {
            assert!(output.contains(text), "{name} does not print '{text}', but\n{output}");
        }
        for (begin, least) in at_least {
            let found = percentage(&output, begin);
            assert!(
                found.is_some_and(|found| found >= *least),
                "{name}: '{begin}' must be followed by {least} % or more:\n{output}"
            );
        }
        for file in files {
            let path = temporary.path().join("lenslet-course").join(file);
            assert!(path.is_file(), "{name} does not write {file}");
        }
    }
}

#[test]
fn lessons_are_short_and_all_are_run() {
    let mut names = Vec::new();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).expect("the examples") {
        let path = entry.expect("an entry").path();
        let lines = fs::read_to_string(&path).expect("a source file").lines().count();
        assert!(lines < 80, "{} has {lines} lines: a lesson has fewer than 80", path.display());
        names.push(path.file_stem().expect("a name").to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names, COURSE.map(|lesson| lesson.name));
}

/// What an example prints. It is built beside this test, and takes `temporary` for the folder of temporary files.
fn run(name: &str, temporary: &Path) -> String {
    let path = examples().join(format!("{name}{EXE_SUFFIX}"));
    let source = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let [built, written] = [&path, Path::new(&source)]
        .map(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok());
    // `cargo test --test course` builds no examples.
    assert!(
        built.is_some() && built >= written,
        "{} is missing or older than its source: `cargo test -p lenslet` builds it",
        path.display()
    );
    let output = Command::new(&path)
        .env("TMPDIR", temporary)
        .env("TMP", temporary)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} fails with {}:\n{error}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// `target/PROFILE/examples`, where this test is in `target/PROFILE/deps`.
fn examples() -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    test.ancestors().nth(2).expect("two folders above it").join("examples")
}

/// The first percentage in the line that begins so.
fn percentage(output: &str, begin: &str) -> Option<f64> {
    let line = output.lines().find(|line| line.starts_with(begin))?;
    line.split(" %").next()?.rsplit(' ').next()?.parse().ok()
}
