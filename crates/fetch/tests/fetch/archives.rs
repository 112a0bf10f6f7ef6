//! Sets that come as an archive: from where, and what can be wrong with one.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use lenslet_fetch::{
    Archive, ArchiveFault, DataSet, Error, ErrorKind, Failure, Members, RemoteFile, Source, State, Sum,
};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use crate::common::{Run, Server, content, failures, ranged, reply, sum};

const A: &str = "inner/a.bin";
const B: &str = "inner/b.bin";
const NAMES: &str = "inner/names.txt";

/// The set "tiny" with [`A`], which is `content()`, and [`B`], five bytes, in an archive at `url`.
fn tiny(archive: &[u8], url: &str) -> DataSet {
    let remote = |name, bytes: &[u8]| RemoteFile {
        name,
        size: bytes.len() as u64,
        sum: Sum::Sha256(sum(bytes).leak()),
    };
    DataSet {
        name: "tiny",
        title: "a test",
        licence: "none",
        page: "none",
        base_urls: vec![&*format!("{url}/").leak()].leak(),
        files: vec![remote(A, &content()), remote(B, b"five!")].leak(),
        archive: Some(Archive {
            versions: vec![remote("tiny.tar.gz", archive)].leak(),
            members: Members::Listed { extras: &[NAMES] },
        }),
    }
}

/// A member whose path is written as it is, whatever a well-behaved archiver would say to it.
pub fn add(tar: &mut Builder<Vec<u8>>, kind: EntryType, path: &str, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(bytes.len() as u64);
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    tar.append(&header, bytes).unwrap();
}

/// What the set's own archive holds, and then what `more` adds.
fn tar_with(more: impl FnOnce(&mut Builder<Vec<u8>>)) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    add(&mut tar, EntryType::Directory, "inner/", b"");
    add(&mut tar, EntryType::Regular, "./inner/a.bin", &content());
    add(&mut tar, EntryType::Regular, "inner/readme.html", b"<html>not wanted");
    add(&mut tar, EntryType::Regular, NAMES, b"one\ntwo\n");
    add(&mut tar, EntryType::Regular, B, b"five!");
    more(&mut tar);
    tar.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn good() -> Vec<u8> {
    gzip(&tar_with(|_| ()))
}

/// A mirror directory with these files of the set.
pub fn mirror(files: &[(&str, &[u8])]) -> TempDir {
    let mirror = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = mirror.path().join("tiny").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    mirror
}

pub fn directory(mirror: &TempDir) -> Source {
    Source::Directory(mirror.path().to_owned())
}

/// All files below `folder`, sorted.
pub fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    files.sort();
    files
}

fn assert_complete(run: &Run, expected: &[&str]) {
    let set = run.data.path().join("tiny");
    assert_eq!(files_below(&set), expected);
    assert!(fs::read(set.join(A)).unwrap() == content());
    assert_eq!(fs::read(set.join(B)).unwrap(), b"five!");
}

/// The error of fetching from a mirror with this archive, which the catalogue takes for the right one.
fn refuse(archive: &[u8]) -> Error {
    let mirror = mirror(&[("tiny.tar.gz", archive)]);
    let mut run = Run::new();
    let error = run.fetch(&tiny(archive, "none"), directory(&mirror)).unwrap_err();
    assert_eq!(error.path(), run.data.path().join("tiny/tiny.tar.gz"));
    assert_eq!(files_below(run.data.path()), [""; 0], "something is left: {error}");
    error
}

pub fn fault(error: &Error) -> &ArchiveFault {
    match error.kind() {
        ErrorKind::Archive(fault) => fault,
        other => panic!("not a fault of the archive: {other}"),
    }
}

#[test]
fn the_archive_is_resumed_unpacked_verified_and_removed() {
    let archive = good();
    let served = archive.clone();
    let server = Server::start(move |_, request| ranged(&served, request));
    let dataset = tiny(&archive, &server.url);
    let mut run = Run::new();
    fs::create_dir(run.data.path().join("tiny")).unwrap();
    fs::write(run.data.path().join("tiny/tiny.tar.gz.part"), &archive[..1000]).unwrap();
    assert_eq!(dataset.state(run.data.path()), State::Partial);

    let fetched = run.fetch(&dataset, Source::Catalogue).unwrap();
    assert!(fetched.iter().all(|file| !file.was_present));
    assert_complete(&run, &[A, B, NAMES]);
    assert_eq!(server.ranges(), [Some(1000)], "the archive is all that is asked for");
    assert_eq!(run.events, ["from 1000", "unpacking", "done", "done"]);
    assert_eq!(dataset.state(run.data.path()), State::Complete);

    run.fetch(&dataset, Source::Catalogue).unwrap();
    assert_eq!(run.events[4..], ["present", "present"]);
    assert_eq!(server.ranges().len(), 1);
}

#[test]
fn only_what_is_missing_is_replaced_and_other_files_stay() {
    let archive = good();
    let mirror = mirror(&[("tiny.tar.gz", &archive)]);
    let mut run = Run::new();
    let inner = run.data.path().join("tiny/inner");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("b.bin"), "wrong").unwrap();
    fs::write(inner.join("mine.txt"), "mine").unwrap();
    // As a process that was killed leaves it.
    fs::create_dir_all(run.data.path().join("tiny/tiny.tar.gz.unpacked/inner")).unwrap();
    fs::write(run.data.path().join("tiny/tiny.tar.gz.unpacked/inner/a.bin"), "half").unwrap();
    run.fetch(&tiny(&archive, "none"), directory(&mirror)).unwrap();
    assert_complete(&run, &[A, B, "inner/mine.txt", NAMES]);

    fs::remove_file(inner.join("b.bin")).unwrap();
    run.events.clear();
    let fetched = run.fetch(&tiny(&archive, "none"), directory(&mirror)).unwrap();
    assert_eq!(fetched.iter().map(|file| file.was_present).collect::<Vec<_>>(), [true, false]);
    assert_eq!(run.events, ["present", "failed", "from 0", "unpacking", "done"]);
    assert_complete(&run, &[A, B, "inner/mine.txt", NAMES]);
}

#[test]
fn nothing_is_left_beside_a_complete_set() {
    let archive = good();
    let mirror = mirror(&[("tiny.tar.gz", &archive)]);
    let mut run = Run::new();
    let set = run.data.path().join("tiny");
    // A mirror broke off within a file, and another one has the archive.
    fs::create_dir_all(set.join("inner")).unwrap();
    fs::write(set.join("inner/a.bin.part"), &content()[..10]).unwrap();
    run.fetch(&tiny(&archive, "none"), directory(&mirror)).unwrap();
    assert_complete(&run, &[A, B, NAMES]);

    // A process was killed after the last rename.
    let leave = |name: &str| {
        fs::create_dir(set.join("tiny.tar.gz.unpacked")).unwrap();
        fs::write(set.join(name), b"left").unwrap();
    };
    leave("tiny.tar.gz.part");
    run.fetch(&tiny(&archive, "none"), directory(&mirror)).unwrap();
    assert_complete(&run, &[A, B, NAMES]);
    assert!(!set.join("tiny.tar.gz.unpacked").exists());

    // What another process holds is its own.
    leave("tiny.tar.gz.part");
    let other = fs::File::options().write(true).open(set.join("tiny.tar.gz.part")).unwrap();
    other.lock().unwrap();
    run.fetch(&tiny(&archive, "none"), directory(&mirror)).unwrap();
    assert!(set.join("tiny.tar.gz.unpacked").exists());
    assert_complete(&run, &[A, B, NAMES, "tiny.tar.gz.part"]);
}

#[test]
fn a_mirror_may_have_the_files_by_themselves() {
    let mirror = mirror(&[(A, &content()), (B, b"five!"), ("tiny.tar.gz", b"not to be read")]);
    let mut run = Run::new();
    run.fetch(&tiny(&good(), "none"), directory(&mirror)).unwrap();
    assert_complete(&run, &[A, B]);
    assert_eq!(run.events, ["from 0", "done", "from 0", "done"]);
}

#[test]
fn a_mirror_by_url_has_the_files_or_the_archive() {
    let archive = good();
    let served = archive.clone();
    let server = Server::start(move |_, request| match &*request.path {
        "/data/tiny/inner/a.bin" => ranged(&content(), request),
        "/data/tiny/tiny.tar.gz" => ranged(&served, request),
        _ => reply("404 Not Found", "Content-Length: 0\r\n", b""),
    });
    let mut run = Run::new();
    run.fetch(&tiny(&archive, "none"), Source::Url(format!("{}/data", server.url))).unwrap();
    assert_complete(&run, &[A, B, NAMES]);
    assert_eq!(run.events, ["from 0", "done", "failed", "from 0", "unpacking", "done"]);
}

#[test]
fn every_place_is_named_when_neither_files_nor_archive_are_to_be_had() {
    let empty = tempfile::tempdir().unwrap();
    let error = Run::new().fetch(&tiny(&good(), "none"), directory(&empty)).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Read(_), Failure::Read(_)]), "{error}");
    let message = error.to_string();
    assert!(message.contains("tiny/inner/a.bin: ") && message.contains("tiny/tiny.tar.gz: "), "{message}");
}

#[test]
fn an_archive_with_another_sum_is_not_opened() {
    let mirror = mirror(&[("tiny.tar.gz", &gzip(&tar_with(|tar| add(tar, EntryType::Regular, "x", b"x"))))]);
    let mut archive = fs::read(mirror.path().join("tiny/tiny.tar.gz")).unwrap();
    archive[100] ^= 1;
    let mut run = Run::new();
    let error = run.fetch(&tiny(&archive, "none"), directory(&mirror)).unwrap_err();
    assert!(matches!(failures(&error)[..], [_, Failure::Checksum { .. }]), "{error}");
    assert_eq!(files_below(run.data.path()), [""; 0]);
}

#[test]
fn no_member_may_lead_out_of_the_folder() {
    for path in ["../evil", "inner/../../evil", "/tmp/evil", "..", "inner/.."] {
        for kind in [EntryType::Regular, EntryType::Directory] {
            let error = refuse(&gzip(&tar_with(|tar| add(tar, kind, path, b""))));
            assert!(matches!(fault(&error), ArchiveFault::Outside { name } if name == path), "{error}");
            assert!(error.to_string().contains(path), "{error}");
        }
    }
}

#[test]
fn links_and_special_files_are_refused_even_under_wanted_names() {
    use EntryType as E;
    for kind in [E::Symlink, E::Link, E::Char, E::Block, E::Fifo, E::Continuous] {
        for path in ["inner/link", B, NAMES] {
            let error = refuse(&gzip(&tar_with(|tar| add(tar, kind, path, b""))));
            assert!(
                matches!(fault(&error), ArchiveFault::NotAFile { name } if name == path),
                "{kind:?}: {error}"
            );
        }
    }
}

#[test]
fn a_member_must_not_be_larger_than_the_catalogues_or_there_twice() {
    let other = |path, bytes: &[u8]| {
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, EntryType::Regular, path, bytes);
        refuse(&gzip(&tar.into_inner().unwrap()))
    };
    let error = other(B, b"six!!!");
    assert!(matches!(fault(&error), ArchiveFault::MemberTooLarge { limit: 5, found: 6, .. }), "{error}");
    let error = other(NAMES, &[b'x'; (1 << 16) + 1]);
    assert!(matches!(fault(&error), ArchiveFault::MemberTooLarge { limit: 65_536, .. }), "{error}");
    let error = refuse(&gzip(&tar_with(|tar| add(tar, EntryType::Regular, B, b"five!"))));
    assert!(matches!(fault(&error), ArchiveFault::Twice { .. }), "{error}");
}

#[test]
fn more_than_there_should_be_is_not_unpacked_to_its_end() {
    // Compressed it is small: zeros as a member that nobody wants, behind the last member, and as a sum of many.
    let zeros = vec![0; 1 << 25];
    let archives = [
        tar_with(|tar| add(tar, EntryType::Regular, "zeros", &zeros)),
        [tar_with(|_| ()), zeros.clone()].concat(),
        tar_with(|tar| (0..40_000).for_each(|_| add(tar, EntryType::Regular, "many", b"x"))),
    ];
    for tar in archives {
        let error = refuse(&gzip(&tar));
        assert!(matches!(fault(&error), ArchiveFault::TooLarge { .. }), "{error}");
    }
}

#[test]
fn a_missing_and_a_changed_member_are_named() {
    let members = |members: &[(&str, &[u8])]| {
        let mut tar = Builder::new(Vec::new());
        members.iter().for_each(|(path, bytes)| add(&mut tar, EntryType::Regular, path, bytes));
        refuse(&gzip(&tar.into_inner().unwrap()))
    };
    let error = members(&[(A, &content())]);
    assert!(matches!(fault(&error), ArchiveFault::Missing { name } if name == B), "{error}");
    for bytes in [&b"fivE!"[..], b"four"] {
        let error = members(&[(A, &content()), (B, bytes)]);
        assert!(matches!(fault(&error), ArchiveFault::Checksum { name, .. } if name == B), "{error}");
        let message = error.to_string();
        assert!(message.contains(&sum(bytes)) && message.contains(&sum(b"five!")), "{message}");
    }
}

#[test]
fn what_is_cut_off_or_no_archive_is_damaged() {
    let (tar, archive) = (tar_with(|_| ()), good());
    let mut cut: Vec<Vec<u8>> =
        (0..archive.len()).step_by(archive.len() / 40).map(|end| archive[..end].into()).collect();
    cut.push(archive[..archive.len() - 1].into());
    cut.push(gzip(&tar[..100_000]));
    cut.push(gzip(b"no archive at all, but more than nothing"));
    cut.push(tar);
    for bytes in cut.iter().filter(|bytes| !bytes.is_empty()) {
        let error = refuse(bytes);
        assert!(matches!(fault(&error), ArchiveFault::Damaged(_)), "{} bytes: {error}", bytes.len());
    }
}

#[test]
fn an_archive_that_cannot_be_unpacked_here_is_kept() {
    let archive = good();
    let mirror = mirror(&[("tiny.tar.gz", &archive)]);
    let mut run = Run::new();
    // A folder where a file belongs: not ours to remove.
    fs::create_dir_all(run.data.path().join("tiny/inner/names.txt/precious")).unwrap();
    let error = run.fetch(&tiny(&archive, "none"), directory(&mirror)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Local { .. }), "{error}");
    assert!(run.data.path().join("tiny/inner/names.txt/precious").exists());
    let part = run.data.path().join("tiny/tiny.tar.gz.part");
    assert!(fs::read(part).unwrap() == archive, "the next try needs no download");
    assert!(!run.data.path().join("tiny/tiny.tar.gz.unpacked").exists());
}
