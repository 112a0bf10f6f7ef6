//! Memory follows the data that are there, not what a header claims; mapped pixels take none.
#![allow(unsafe_code, reason = "a counting allocator implements `GlobalAlloc`")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};

use lenslet_idx::{Compression, ErrorKind, Idx};

thread_local! {
    /// Bytes that this thread holds, and the most it has held since the count was last reset.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

impl Counting {
    fn count(change: isize) {
        HELD.set(HELD.get() + change);
        PEAK.set(PEAK.get().max(HELD.get()));
    }
}

// SAFETY: every call is passed on to `System` unchanged; counting touches only thread-local cells without destructors
// and never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size() as isize);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::count(-(layout.size() as isize));
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that `work` held at one time beyond what was held before.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, (PEAK.get() - before) as usize)
}

fn bad(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bad/idx").join(name)
}

/// The decoder's chunk, the reader's buffer and gzip's window, with room to spare.
const SMALL: usize = 256 * 1024;

#[test]
fn a_small_file_that_claims_4_gib_takes_little_memory() {
    for name in ["claims-4-gib.idx", "claims-4-gib.gz"] {
        let path = bad(name);
        for (result, peak) in [peak(|| Idx::open(&path)), peak(|| Idx::read(File::open(&path)?))] {
            let error = result.unwrap_err();
            let expected = 8 + u64::from(u32::MAX);
            assert!(
                matches!(*error.kind(), ErrorKind::Truncated { expected: e, found: 20 } if e == expected),
                "{name}: {error}"
            );
            assert!(peak < SMALL, "{name}: {peak} bytes");
        }
    }
}

#[test]
fn a_gzip_bomb_is_left_at_the_first_byte_too_many() {
    let path = bad("bomb.gz");
    for (result, peak) in [peak(|| Idx::open(&path)), peak(|| Idx::read(File::open(&path)?))] {
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Trailing { expected: 28, found: 29 }), "{error}");
        assert!(peak < SMALL, "{peak} bytes");
    }
}

#[test]
fn mapped_pixels_are_borrowed_and_decompressed_ones_held_once() {
    let size = 8 << 20;
    let idx = Idx::new(vec![2, size / 2], vec![3u8; size]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pictures");

    idx.save(&path, Compression::None).unwrap();
    let (mapped, peak_mapped) = peak(|| Idx::open(&path).unwrap());
    assert_eq!(mapped.as_u8(), idx.as_u8());
    assert!(peak_mapped < SMALL, "{peak_mapped} bytes for a map");
    let (clone, peak_clone) = peak(|| mapped.clone());
    assert_eq!(clone, idx);
    assert!(peak_clone < SMALL, "{peak_clone} bytes for a clone");
    drop(mapped);

    idx.save(&path, Compression::Gzip).unwrap();
    let before = HELD.get();
    let decompressed = Idx::open(&path).unwrap();
    assert_eq!(decompressed.as_u8(), idx.as_u8());
    let held = (HELD.get() - before) as usize;
    assert!((size..size + SMALL).contains(&held), "{held} bytes held for {size} elements");
}
