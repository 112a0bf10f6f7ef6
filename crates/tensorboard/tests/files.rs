//! Files on a disk: what others wrote, what a crash left, and what a run goes on with.

use lenslet_tensorboard::{Error, EventLog, What, read};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// The steps of a file and the values of one curve.
fn curve(path: &Path, tag: &str) -> Vec<(i64, f32)> {
    let events = read(path).expect("a whole file");
    assert_eq!(events[0].what, Some(What::FileVersion("brain.Event:2".to_owned())));
    assert!(events.iter().all(|event| event.wall_time > 1.6e9));
    let mut points = Vec::new();
    for event in events {
        let Some(What::Summary(summary)) = event.what else { continue };
        let of_curve = summary.value.into_iter().filter(|value| value.tag == tag);
        points.extend(of_curve.filter_map(|value| Some((event.step, value.simple_value?))));
    }
    points
}

/// Five steps.
fn some_log(folder: &Path) -> EventLog {
    let mut log = EventLog::create(folder).expect("room");
    for step in 1..=5 {
        log.write(step, &[("loss", 1.0 / step as f32), ("accuracy", 0.5)]).expect("room");
    }
    log
}

/// Written by `fixtures/tensorboard/check.py --make`.
#[test]
fn a_file_of_tensorboards_own_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tensorboard/from_python.tfevents");
    assert_eq!(curve(&path, "loss"), [(1, 0.5), (2, 0.25), (3, f32::INFINITY)]);
    assert_eq!(curve(&path, "accuracy"), [(1, 0.1)]);
}

#[test]
fn a_new_log_replaces_the_old_one() {
    let folder = tempfile::tempdir().expect("a folder");
    some_log(folder.path());
    let mut log = EventLog::create(folder.path()).expect("room");
    log.write(1, &[("loss", 9.0)]).expect("room");
    assert_eq!(curve(log.path(), "loss"), [(1, 9.0)]);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn a_resumed_log_has_no_step_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    some_log(folder.path());
    let mut log = EventLog::resume(folder.path(), 3).expect("whole");
    log.write(4, &[("loss", 9.0)]).expect("room");
    assert_eq!(curve(log.path(), "loss"), [(1, 1.0), (2, 0.5), (3, 1.0 / 3.0), (4, 9.0)]);
    // Where there was none, it begins with what comes.
    let mut log = EventLog::resume(&folder.path().join("new"), 3).expect("room");
    log.write(4, &[("loss", 9.0)]).expect("room");
    assert_eq!(curve(log.path(), "loss"), [(4, 9.0)]);
}

proptest! {
    /// Whatever a crash leaves, the whole records before it are kept and the log goes on.
    #[test]
    fn a_torn_file_is_mended(left in 0usize..600, mut garbage in prop::collection::vec(any::<u8>(), 0..40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let log = some_log(folder.path());
        let whole = fs::read(log.path()).expect("a file");
        let left = left % whole.len();
        // What follows must not be what was there.
        if let Some(first) = garbage.first_mut() {
            *first = !whole[left];
        }
        fs::write(log.path(), [&whole[..left], &garbage[..]].concat()).expect("room");

        let mut log = EventLog::resume(folder.path(), 5).expect("room");
        log.write(6, &[("loss", 9.0)]).expect("room");
        let curve = curve(log.path(), "loss");
        let (last, before) = curve.split_last().expect("at least one");
        prop_assert_eq!(*last, (6, 9.0));
        let all: Vec<_> = (1..=5).map(|step| (step, 1.0 / step as f32)).collect();
        prop_assert_eq!(before, &all[..before.len()]);
        // Steps have one length, but for the first event's.
        let head = fs::read(EventLog::create(&folder.path().join("head")).expect("room").path()).expect("a file").len();
        let step = (whole.len() - head) / 5;
        prop_assert_eq!(before.len(), left.saturating_sub(head) / step);
    }
}

#[test]
fn what_is_no_event_file_is_refused_with_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = some_log(folder.path());
    let mut bytes = fs::read(log.path()).expect("a file");
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(log.path(), &bytes).expect("room");
    let error = read(log.path()).expect_err("it is damaged");
    assert!(matches!(&error, Error::Record { offset, .. } if *offset > 100), "{error}");
    assert!(error.to_string().contains("the checksum of its message is another"), "{error}");

    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "these are notes, and no events").expect("room");
    let error = read(&notes).expect_err("no event file").to_string();
    assert!(error.contains("notes.txt: the record at byte 0 cannot be read"), "{error}");
    // A file stands where the folder should be.
    assert!(matches!(EventLog::create(&notes), Err(Error::Io { action: "make the folder", .. })));
}
