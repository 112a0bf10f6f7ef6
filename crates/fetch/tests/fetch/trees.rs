//! Sets that are known as an archive of a folder, whose files have no published sums.

use std::fs;

use lenslet_fetch::{
    Archive, ArchiveFault, DataSet, ErrorKind, Failure, Members, RemoteFile, SUMS, Source, State, Sum,
};
use tar::{Builder, EntryType};

use crate::archives::{add, directory, fault, files_below, gzip, mirror};
use crate::common::{Run, Server, content, failures, ranged, reply, sum};

const PICTURES: [&str; 3] = ["train/n1/a.JPEG", "train/n2/b.JPEG", "val/n1/c.JPEG"];

/// The set "tiny", of which only the archive is known.
fn tiny(versions: &[RemoteFile], urls: &'static [&'static str]) -> DataSet {
    DataSet {
        name: "tiny",
        title: "a test",
        licence: "none",
        page: "none",
        base_urls: urls,
        files: &[],
        archive: Some(Archive {
            versions: versions.to_vec().leak(),
            members: Members::Tree { folder: "tiny-1" },
        }),
    }
}

fn version(name: &'static str, bytes: &[u8]) -> RemoteFile {
    RemoteFile { name, size: bytes.len() as u64, sum: Sum::Sha256(sum(bytes).leak()) }
}

fn tar(more: impl FnOnce(&mut Builder<Vec<u8>>)) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    add(&mut tar, EntryType::Directory, "tiny-1/", b"");
    for name in PICTURES {
        add(&mut tar, EntryType::Regular, &format!("./tiny-1/{name}"), name.as_bytes());
    }
    add(&mut tar, EntryType::Regular, "tiny-1/noisy.csv", &content());
    add(&mut tar, EntryType::Regular, "elsewhere/d.JPEG", b"not wanted");
    more(&mut tar);
    tar.into_inner().unwrap()
}

fn assert_complete(run: &Run) {
    let set = run.data.path().join("tiny");
    assert_eq!(files_below(&set), [&[SUMS, "noisy.csv"], &PICTURES[..]].concat());
    for name in PICTURES {
        assert_eq!(fs::read(set.join(name)).unwrap(), name.as_bytes());
    }
}

#[test]
fn a_tree_lies_in_the_sets_folder_with_its_sums_whether_compressed_or_not() {
    for (name, archive) in [("tiny.tar", tar(|_| ())), ("tiny.tgz", gzip(&tar(|_| ())))] {
        let mirror = mirror(&[(name, &archive)]);
        let dataset = tiny(&[version(name, &archive)], &[]);
        let mut run = Run::new();
        assert_eq!(dataset.state(run.data.path()), State::Absent);
        let fetched = run.fetch(&dataset, directory(&mirror)).unwrap();
        assert!(
            matches!(&fetched[..], [one] if !one.was_present && one.path == run.data.path().join("tiny"))
        );
        assert_complete(&run);
        let sums = fs::read_to_string(run.data.path().join("tiny").join(SUMS)).unwrap();
        assert!(sums.contains(&format!("{}  {}\n", sum(PICTURES[1].as_bytes()), PICTURES[1])), "{sums}");
        assert_eq!(dataset.state(run.data.path()), State::Complete);
        assert!(run.fetch(&dataset, directory(&mirror)).unwrap()[0].was_present);
        assert_eq!(run.events, ["from 0", "unpacking", "done", "present"]);
    }
}

#[test]
fn a_damaged_or_missing_file_brings_the_archive_again_and_other_files_stay() {
    let archive = tar(|_| ());
    let mirror = mirror(&[("tiny.tar", &archive)]);
    let dataset = tiny(&[version("tiny.tar", &archive)], &[]);
    let mut run = Run::new();
    run.fetch(&dataset, directory(&mirror)).unwrap();
    let set = run.data.path().join("tiny");
    let damages: [&dyn Fn(); 4] = [
        &|| fs::write(set.join(PICTURES[0]), "damaged").unwrap(),
        &|| fs::remove_file(set.join(PICTURES[2])).unwrap(),
        &|| fs::remove_file(set.join(SUMS)).unwrap(),
        &|| fs::write(set.join(SUMS), "").unwrap(),
    ];
    for damage in damages {
        damage();
        assert!(!run.fetch(&dataset, directory(&mirror)).unwrap()[0].was_present);
        assert_complete(&run);
    }
    fs::write(set.join("train/n1/mine.png"), "mine").unwrap();
    fs::write(set.join(PICTURES[0]), "damaged").unwrap();
    run.fetch(&dataset, directory(&mirror)).unwrap();
    assert_eq!(fs::read(set.join("train/n1/mine.png")).unwrap(), b"mine");
    assert_eq!(fs::read(set.join(PICTURES[0])).unwrap(), PICTURES[0].as_bytes());
}

#[test]
fn what_was_downloaded_when_a_process_was_killed_is_unpacked_without_a_server() {
    let archive = gzip(&tar(|_| ()));
    let served = archive.clone();
    let server = Server::start(move |_, request| ranged(&served, request));
    let url: &'static str = format!("{}/", server.url).leak();
    let dataset = tiny(&[version("tiny.tgz", &archive)], vec![url].leak());
    for (left, asked) in [(300, vec![Some(300)]), (archive.len(), vec![])] {
        let mut run = Run::new();
        fs::create_dir_all(run.data.path().join("tiny/tiny.tgz.unpacked/tiny-1/train/n1")).unwrap();
        fs::write(run.data.path().join("tiny/tiny.tgz.part"), &archive[..left]).unwrap();
        assert_eq!(dataset.state(run.data.path()), State::Partial);
        let before = server.ranges().len();
        run.fetch(&dataset, Source::Catalogue).unwrap();
        assert_complete(&run);
        assert_eq!(server.ranges()[before..], asked);
    }
}

#[test]
fn either_version_will_do_and_another_one_will_not() {
    let (new, old) = (gzip(&tar(|_| ())), gzip(&tar(|tar| add(tar, EntryType::Regular, "old", b"larger"))));
    // Of the size of the new one, with a sum that nobody has: the next version of that size has the right one.
    let wrong = RemoteFile { sum: Sum::Md5("00000000000000000000000000000000"), ..version("tiny.tgz", &new) };
    let dataset = tiny(&[wrong, version("tiny.tgz", &new), version("tiny.tgz", &old)], &[]);
    for archive in [&new, &old] {
        let mut run = Run::new();
        let mirror = mirror(&[("tiny.tgz", archive)]);
        run.fetch(&dataset, directory(&mirror)).unwrap();
        assert_complete(&run);
    }
    let mut damaged = new.clone();
    damaged[20] ^= 1;
    let error = Run::new().fetch(&dataset, directory(&mirror(&[("tiny.tgz", &damaged)]))).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Checksum { .. }]), "{error}");
    assert!(error.to_string().contains("the MD5 sum should be 0000"), "{error}");
    let error = Run::new().fetch(&dataset, directory(&mirror(&[("tiny.tgz", b"other")]))).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Size { found: 5, .. }]), "{error}");

    // A server that does not say how much it has.
    for archive in [new, old] {
        let server = Server::start(move |_, _| reply("200 OK", "", &archive));
        Run::new().fetch(&dataset, Source::Url(server.url.clone())).unwrap();
    }
}

#[test]
fn md5_sums_are_compared_too() {
    let archive = tar(|_| ());
    let mirror = mirror(&[("tiny.tar", b"abc")]);
    let mut abc = version("tiny.tar", b"abc");
    // RFC 1321, A.5.
    abc.sum = Sum::Md5("900150983cd24fb0d6963f7d28e17f72");
    let error = Run::new().fetch(&tiny(&[abc], &[]), directory(&mirror)).unwrap_err();
    assert!(matches!(fault(&error), ArchiveFault::Damaged(_)), "{error}");
    abc.sum = version("tiny.tar", &archive).sum;
    let error = Run::new().fetch(&tiny(&[abc], &[]), directory(&mirror)).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Checksum { .. }]), "{error}");
}

#[test]
fn a_tree_is_not_trusted() {
    let refuse = |bytes: &[u8]| {
        let mut run = Run::new();
        let dataset = tiny(&[version("tiny.tar", bytes)], &[]);
        let error = run.fetch(&dataset, directory(&mirror(&[("tiny.tar", bytes)]))).unwrap_err();
        assert_eq!(files_below(run.data.path()), [""; 0], "something is left: {error}");
        error
    };
    for path in ["tiny-1/../evil", "/tiny-1/evil", "../tiny-1/evil"] {
        let error = refuse(&tar(|tar| add(tar, EntryType::Regular, path, b"")));
        assert!(matches!(fault(&error), ArchiveFault::Outside { .. }), "{error}");
    }
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo] {
        let error = refuse(&tar(|tar| add(tar, kind, "tiny-1/train/n1/link.JPEG", b"")));
        assert!(matches!(fault(&error), ArchiveFault::NotAFile { .. }), "{error}");
    }
    let error = refuse(&tar(|tar| add(tar, EntryType::Regular, "tiny-1/train/new\nline", b"")));
    assert!(matches!(fault(&error), ArchiveFault::Name { .. }), "{error}");
    let error = refuse(&tar(|tar| add(tar, EntryType::Regular, "tiny-1/noisy.csv", b"")));
    assert!(matches!(fault(&error), ArchiveFault::Twice { .. }), "{error}");
    let mut empty = Builder::new(Vec::new());
    add(&mut empty, EntryType::Regular, "tiny-2/train/n1/a.JPEG", b"");
    let error = refuse(&empty.into_inner().unwrap());
    assert!(matches!(fault(&error), ArchiveFault::Missing { name } if name == "tiny-1"), "{error}");
    let whole = tar(|_| ());
    let error = refuse(&whole[..whole.len() / 2]);
    assert!(matches!(fault(&error), ArchiveFault::Damaged(_)), "{error}");
}

#[test]
fn a_bomb_is_not_unpacked_to_its_end() {
    let zeros = vec![0; 1 << 25];
    let archive = gzip(&tar(|tar| add(tar, EntryType::Regular, "tiny-1/zeros.JPEG", &zeros)));
    let mut run = Run::new();
    let dataset = tiny(&[version("tiny.tgz", &archive)], &[]);
    let error = run.fetch(&dataset, directory(&mirror(&[("tiny.tgz", &archive)]))).unwrap_err();
    assert!(matches!(fault(&error), ArchiveFault::TooLarge { .. }), "{error}");
}

#[test]
fn a_set_that_no_server_has_asks_for_a_mirror() {
    let dataset = tiny(&[version("tiny.tar", b"x")], &[]);
    let error = Run::new().fetch(&dataset, Source::Catalogue).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable { failures } if failures.is_empty()));
    assert!(
        error.to_string().ends_with("tiny.tar: no public server has it; give a mirror that does"),
        "{error}"
    );
}
