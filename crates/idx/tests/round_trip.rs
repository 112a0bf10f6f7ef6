//! What is written is read back equal, and damaged or cut bytes are errors.

use std::fs;
use std::io::Read;

use lenslet_idx::{Compression, ElementType, Elements, ErrorKind, Idx};
use proptest::collection::vec;
use proptest::prelude::*;

const BOTH: [Compression; 2] = [Compression::None, Compression::Gzip];

fn bytes_of(idx: &Idx, compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    idx.write_to(&mut bytes, compression).unwrap();
    bytes
}

/// Two pictures of 2 x 3 pixels.
fn small() -> Idx {
    Idx::new(vec![2, 2, 3], (0..12).collect::<Vec<u8>>()).unwrap()
}

/// Gives a byte or two at a time, like a slow socket.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(1 + self.0.len() % 2);
        self.0.read(&mut buffer[..count])
    }
}

/// Files written by hand from the format's description, one for each type.
#[test]
fn each_type_has_its_bytes() {
    let files: [(&[u8], Elements, ElementType); 6] = [
        (&[0, 0, 0x08, 1, 0, 0, 0, 2, 0, 255], vec![0u8, 255].into(), ElementType::U8),
        (&[0, 0, 0x09, 1, 0, 0, 0, 2, 0x7f, 0x80], vec![127i8, -128].into(), ElementType::I8),
        (&[0, 0, 0x0b, 1, 0, 0, 0, 2, 0x01, 0x02, 0xff, 0xfe], vec![258i16, -2].into(), ElementType::I16),
        (&[0, 0, 0x0c, 1, 0, 0, 0, 1, 0x01, 0x02, 0x03, 0x04], vec![0x0102_0304i32].into(), ElementType::I32),
        (&[0, 0, 0x0d, 1, 0, 0, 0, 1, 0xc0, 0x20, 0, 0], vec![-2.5f32].into(), ElementType::F32),
        (&[0, 0, 0x0e, 1, 0, 0, 0, 1, 0xc0, 0x04, 0, 0, 0, 0, 0, 0], vec![-2.5f64].into(), ElementType::F64),
    ];
    for (bytes, elements, element_type) in files {
        let idx = Idx::from_bytes(bytes).unwrap();
        assert_eq!(idx.dims(), [elements.len()], "{element_type}");
        assert_eq!(idx.elements(), &elements, "{element_type}");
        assert_eq!(idx.element_type(), element_type);
        assert_eq!(bytes_of(&idx, Compression::None), bytes, "{element_type}");
        assert_eq!(ElementType::from_code(element_type.code()), Some(element_type));
    }
}

#[test]
fn every_rank_is_read_and_written() {
    for rank in 0..=255 {
        let mut dims = vec![1; rank];
        dims.iter_mut().step_by(100).for_each(|dim| *dim = 2);
        let count: usize = dims.iter().product();
        let idx = Idx::new(dims, (0..count as i16).collect::<Vec<_>>()).unwrap();
        for compression in BOTH {
            assert_eq!(Idx::from_bytes(&bytes_of(&idx, compression)).unwrap(), idx, "rank {rank}");
        }
    }
}

#[test]
fn dimensions_that_do_not_fit_the_elements_or_the_format_are_refused() {
    for dims in [vec![5], vec![2, 2], vec![], vec![usize::MAX, 2], vec![1; 256], vec![0, 1 << 32]] {
        let error = Idx::new(dims.clone(), vec![1u8, 2, 3]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidShape { elements: 3, .. }), "{dims:?}: {error}");
    }
}

#[test]
fn a_dimension_of_zero_means_no_elements_however_large_the_others() {
    let largest = u32::MAX as usize;
    let idx = Idx::new(vec![largest, largest, largest, 0], Vec::<f64>::new()).unwrap();
    for compression in BOTH {
        let back = Idx::from_bytes(&bytes_of(&idx, compression)).unwrap();
        assert_eq!(back, idx);
        assert!(back.elements().is_empty());
    }
}

/// More than one chunk of decoding, and a length that is no multiple of it.
#[test]
fn long_files_are_decoded_whole() {
    let values: Vec<f64> = (0..50_001).map(f64::from).collect();
    let idx = Idx::new(vec![3, 16_667], values).unwrap();
    for compression in BOTH {
        let bytes = bytes_of(&idx, compression);
        assert_eq!(Idx::from_bytes(&bytes).unwrap(), idx);
        assert_eq!(Idx::read(Trickle(&bytes)).unwrap(), idx);
    }
}

#[test]
fn members_of_a_gzip_file_are_read_as_one_stream() {
    let plain = bytes_of(&small(), Compression::None);
    for cut in 0..=plain.len() {
        let mut file = Vec::new();
        for part in [&plain[..cut], &plain[cut..]] {
            let mut encoder = flate2::read::GzEncoder::new(part, flate2::Compression::fast());
            encoder.read_to_end(&mut file).unwrap();
        }
        assert_eq!(Idx::from_bytes(&file).unwrap(), small(), "cut at {cut}");
        assert_eq!(Idx::read(Trickle(&file)).unwrap(), small(), "cut at {cut}");
    }
}

#[test]
fn every_prefix_is_an_error_and_so_is_every_byte_too_many() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.idx");
    for idx in [small(), Idx::new(vec![3], vec![1.5f32, f32::NAN, -0.0]).unwrap()] {
        for compression in BOTH {
            let whole = bytes_of(&idx, compression);
            let longer = [whole.as_slice(), &[7]].concat();
            for bytes in (0..whole.len()).map(|end| &whole[..end]).chain([longer.as_slice()]) {
                fs::write(&path, bytes).unwrap();
                for result in [Idx::from_bytes(bytes), Idx::read(bytes), Idx::open(&path)] {
                    let error = result.expect_err(&format!("{compression:?}, {} bytes", bytes.len()));
                    assert!(error.offset().is_some(), "{error}");
                }
            }
        }
    }
}

#[test]
fn saving_replaces_a_file_whole_and_leaves_nothing_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pictures");
    fs::write(&path, "something older and longer than the new file will be").unwrap();
    for compression in BOTH {
        small().save(&path, compression).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes_of(&small(), compression));
        assert_eq!(Idx::open(&path).unwrap(), small());
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// Windows refuses the rename instead.
#[cfg(unix)]
#[test]
fn a_map_outlives_the_replacement_of_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pictures");
    small().save(&path, Compression::None).unwrap();
    let mapped = Idx::open(&path).unwrap();
    Idx::new(vec![0], Vec::<u8>::new()).unwrap().save(&path, Compression::None).unwrap();
    assert_eq!(mapped, small());
}

#[test]
fn a_missing_file_a_directory_and_an_absent_parent_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent/file.idx");
    let errors = [
        (Idx::open(&absent).unwrap_err(), absent.as_path()),
        (small().save(&absent, Compression::None).unwrap_err(), &absent),
        (Idx::open(directory.path()).unwrap_err(), directory.path()),
    ];
    for (error, path) in errors {
        assert!(matches!(error.kind(), ErrorKind::Io(_)), "{error}");
        assert_eq!(error.path(), Some(path));
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    }
}

/// Any dimensions of up to five numbers and any elements, bit patterns of NaN included.
fn any_idx() -> impl Strategy<Value = Idx> {
    vec(0usize..5, 0..=5).prop_flat_map(|dims| {
        let count: usize = dims.iter().product();
        let elements = prop_oneof![
            vec(any::<u8>(), count).prop_map(Elements::from),
            vec(any::<i8>(), count).prop_map(Elements::from),
            vec(any::<i16>(), count).prop_map(Elements::from),
            vec(any::<i32>(), count).prop_map(Elements::from),
            vec(any::<u32>().prop_map(f32::from_bits), count).prop_map(Elements::from),
            vec(any::<u64>().prop_map(f64::from_bits), count).prop_map(Elements::from),
        ];
        elements.prop_map(move |elements| Idx::new(dims.clone(), elements).unwrap())
    })
}

proptest! {
    /// Compared as bytes, because NaN is not equal to itself.
    #[test]
    fn round_trips(idx in any_idx()) {
        let plain = bytes_of(&idx, Compression::None);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for compression in BOTH {
            let written = bytes_of(&idx, compression);
            idx.save(&path, compression).unwrap();
            prop_assert_eq!(&fs::read(&path).unwrap(), &written);
            for back in [Idx::from_bytes(&written), Idx::read(Trickle(&written)), Idx::open(&path)] {
                let back = back.unwrap();
                prop_assert_eq!(back.dims(), idx.dims());
                prop_assert_eq!(back.element_type(), idx.element_type());
                prop_assert_eq!(&bytes_of(&back, Compression::None), &plain);
            }
        }
    }

    /// Whatever the bytes, slice and stream agree, and what is accepted says exactly these bytes.
    #[test]
    fn damaged_bytes_are_errors_or_other_files(
        idx in any_idx(),
        compressed in any::<bool>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = bytes_of(&idx, if compressed { Compression::Gzip } else { Compression::None });
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let (from_slice, from_stream) = (Idx::from_bytes(&bytes), Idx::read(bytes.as_slice()));
        prop_assert_eq!(from_slice.is_ok(), from_stream.is_ok());
        if let (Ok(read), false) = (from_slice, compressed) {
            prop_assert_eq!(bytes_of(&read, Compression::None), bytes);
        }
    }
}
