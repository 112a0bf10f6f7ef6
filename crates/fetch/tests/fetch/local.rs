//! Directories as sources, and what can be wrong on this side.

use std::fs;
use std::path::Path;

use crate::common::{Run, Server, content, failures, ranged, tiny};
use lenslet_fetch::{ErrorKind, Failure, Source, State};

/// A mirror directory whose tiny/file.bin holds `bytes`.
fn mirror(bytes: &[u8]) -> tempfile::TempDir {
    let mirror = tempfile::tempdir().unwrap();
    fs::create_dir(mirror.path().join("tiny")).unwrap();
    fs::write(mirror.path().join("tiny/file.bin"), bytes).unwrap();
    mirror
}

fn directory(path: &Path) -> Source {
    Source::Directory(path.to_owned())
}

#[test]
fn a_directory_is_a_mirror() {
    let body = content();
    let mirror = mirror(&body);
    let mut run = Run::resuming(b"left by a download");
    let fetched = run.fetch(&tiny(&body, &[]), directory(mirror.path())).unwrap();
    run.assert_complete(&body);
    assert!(!fetched[0].was_present);
    let fetched = run.fetch(&tiny(&body, &[]), directory(mirror.path())).unwrap();
    assert!(fetched[0].was_present);
    assert_eq!(run.events, ["from 0", "done", "present"]);
}

#[test]
fn a_wrong_file_is_replaced_and_reported() {
    let body = content();
    let mirror = mirror(&body);
    let mut run = Run::new();
    fs::create_dir(run.data.path().join("tiny")).unwrap();
    fs::write(run.file(), "an old version").unwrap();
    run.fetch(&tiny(&body, &[]), directory(mirror.path())).unwrap();
    run.assert_complete(&body);
    assert_eq!(run.events, ["wrong", "from 0", "done"]);
}

#[test]
fn a_wrong_file_stays_until_there_is_a_right_one() {
    let body = content();
    let mut run = Run::new();
    fs::create_dir(run.data.path().join("tiny")).unwrap();
    fs::write(run.file(), "an old version").unwrap();
    run.fetch(&tiny(&body, &[]), directory(Path::new("no such mirror"))).unwrap_err();
    assert_eq!(fs::read(run.file()).unwrap(), b"an old version");
}

#[test]
fn a_directory_may_hold_the_wrong_thing() {
    let body = content();
    let mut flipped = content();
    flipped[7] ^= 1;
    let page = format!("<html><p>Moved{}", " ".repeat(body.len()));
    type Check = fn(&Failure) -> bool;
    let cases: [(&[u8], Check); 4] = [
        (b"short", |failure| matches!(failure, Failure::Size { expected: 200_000, found: 5 })),
        (b"", |failure| matches!(failure, Failure::Size { found: 0, .. })),
        (&flipped, |failure| matches!(failure, Failure::Checksum { .. })),
        (page.as_bytes(), |failure| matches!(failure, Failure::Html { words } if words == "Moved")),
    ];
    for (bytes, is_expected) in cases {
        let mirror = mirror(bytes);
        let mut run = Run::new();
        let error = run.fetch(&tiny(&body, &[]), directory(mirror.path())).unwrap_err();
        assert!(failures(&error).len() == 1 && is_expected(failures(&error)[0]), "{error}");
        assert!(error.to_string().contains(mirror.path().to_str().unwrap()), "{error}");
        assert!(!run.file().exists() && !run.part().exists());
        assert_eq!(run.events.last().unwrap(), "failed");
    }
}

#[test]
fn a_mirror_without_the_file_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    let error = run.fetch(&tiny(b"x", &[]), directory(empty.path())).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Read(_)]), "{error}");
    let path = empty.path().join("tiny").join("file.bin");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn bundled_files_come_before_the_network_and_the_network_after_wrong_ones() {
    let body = content();
    let server = Server::start(|_, request| ranged(&content(), request));
    let dataset = tiny(&body, &[&server.url]);
    let (good, wrong, empty) = (mirror(&body), mirror(b"wrong"), tempfile::tempdir().unwrap());
    let cases = [
        (&good, 0, vec!["from 0", "done"]),
        (&wrong, 1, vec!["failed", "from 0", "done"]),
        (&empty, 2, vec!["from 0", "done"]),
    ];
    for (bundled, requests, events) in cases {
        let mut run = Run::new();
        run.fetch(&dataset, Source::Bundled(bundled.path().to_owned())).unwrap();
        run.assert_complete(&body);
        assert_eq!(server.requests().len(), requests);
        assert_eq!(run.events, events);
    }
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    // Under a file nobody can create a directory, not even root.
    let body = content();
    let mirror = mirror(&body);
    let mut run = Run::new();
    fs::write(run.data.path().join("tiny"), "a file").unwrap();
    let error = run.fetch(&tiny(&body, &[]), directory(mirror.path())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Local { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("tiny") && message.contains("something else is in its place"), "{message}");
    assert_eq!(fs::read(run.data.path().join("tiny")).unwrap(), b"a file");
}

#[test]
fn a_directory_in_the_files_place_is_not_removed() {
    let body = content();
    let mirror = mirror(&body);
    let mut run = Run::new();
    fs::create_dir_all(run.file().join("precious")).unwrap();
    let error = run.fetch(&tiny(&body, &[]), directory(mirror.path())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Local { .. }), "{error}");
    assert!(run.file().join("precious").exists());
}

#[test]
fn two_processes_do_not_write_one_file() {
    let body = content();
    let mirror = mirror(&body);
    let mut run = Run::resuming(b"");
    let other = fs::File::options().write(true).open(run.part()).unwrap();
    other.lock().unwrap();
    let error = run.fetch(&tiny(&body, &[]), directory(mirror.path())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Busy), "{error}");
    drop(other);
    run.fetch(&tiny(&body, &[]), directory(mirror.path())).unwrap();
    run.assert_complete(&body);
}

#[test]
fn state_tells_what_is_here() {
    let body = content();
    let dataset = tiny(&body, &[]);
    let run = Run::new();
    assert_eq!(dataset.state(run.data.path()), State::Absent);
    fs::create_dir(run.data.path().join("tiny")).unwrap();
    assert_eq!(dataset.state(run.data.path()), State::Absent, "an empty directory is nothing");
    fs::write(run.part(), "").unwrap();
    assert_eq!(dataset.state(run.data.path()), State::Partial);
    fs::write(run.file(), "too short").unwrap();
    assert_eq!(dataset.state(run.data.path()), State::Partial);
    fs::write(run.file(), &body).unwrap();
    assert_eq!(dataset.state(run.data.path()), State::Complete);
}
