//! Every way in which a file can be wrong is an error that names it.

use std::fs;

use image::{DynamicImage, ImageFormat};
use lenslet_folder::{Error, ErrorKind, MAX_BYTES, MAX_SIDE, Picture};

use crate::common::{crc32, encode, flat_jpeg, gradient, open};

fn refuse(bytes: &[u8]) -> Error {
    let error = open(bytes).unwrap_err();
    assert!(error.to_string().starts_with(&error.path().display().to_string()), "{error}");
    error
}

const FORMATS: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif];

fn samples() -> Vec<(ImageFormat, Vec<u8>)> {
    // A GIF needs few colours.
    let image = |format| match format {
        ImageFormat::Gif => DynamicImage::from(gradient(5, 4)).into_rgba8().into(),
        _ => DynamicImage::from(gradient(21, 17)),
    };
    FORMATS.map(|format| (format, encode(image(format), format))).to_vec()
}

#[test]
fn files_that_are_cut_off_are_refused_wherever_they_end() {
    for (format, whole) in samples() {
        open(&whole).unwrap();
        // The last bytes of a file may say no more than that it ends.
        let needed = match format {
            ImageFormat::Png => whole.len() - 16,
            ImageFormat::Gif => whole.len() - 3,
            _ => whole.len(),
        };
        for end in (0..needed).step_by(7).chain(needed.saturating_sub(20)..needed) {
            let error = refuse(&whole[..end]);
            match error.kind() {
                ErrorKind::Empty => assert_eq!(end, 0),
                ErrorKind::NotAPicture => assert!(end < 16, "{format:?}, {end} bytes: {error}"),
                ErrorKind::Truncated { found, .. } => assert_eq!(*found, end),
                ErrorKind::Damaged(_) => {}
                _ => panic!("{format:?}, {end} bytes: {error}"),
            }
        }
    }
}

#[test]
fn bytes_that_are_wrong_may_give_wrong_pixels_but_no_panic() {
    for (_, whole) in samples() {
        for at in (0..whole.len().min(200)).chain((200..whole.len()).step_by(11)) {
            for value in [0, 0x7F, 0xFF] {
                let mut bad = whole.clone();
                bad[at] = value;
                let _ = open(&bad);
            }
        }
    }
}

#[test]
fn a_jpeg_whose_thumbnail_ends_does_not_end() {
    let thumbnail = [&[0xFF, 0xE1, 0, 10][..], &flat_jpeg(&[], &[1])[..6], &[0xFF, 0xD9]].concat();
    let whole = flat_jpeg(&thumbnail, &[50]);
    open(&whole).unwrap();
    assert!(matches!(refuse(&whole[..whole.len() - 2]).kind(), ErrorKind::Truncated { format: "JPEG", .. }));
}

#[test]
fn what_is_no_picture_is_told_by_content() {
    for content in
        [&b"<!DOCTYPE html><html>404 Not Found</html>"[..], b"II*\0\x08\0\0\0", &[0; 1000], b"\xFF\xD8"]
    {
        assert!(matches!(refuse(content).kind(), ErrorKind::NotAPicture), "{content:?}");
    }
    assert!(matches!(refuse(&[]).kind(), ErrorKind::Empty));
}

#[test]
fn a_name_may_say_another_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really-a-png.jpg");
    fs::write(&path, encode(gradient(3, 2), ImageFormat::Png)).unwrap();
    let picture = Picture::open(&path).unwrap();
    assert_eq!((picture.width(), picture.height()), (3, 2));
}

#[test]
fn headers_may_claim_no_more_than_is_decoded() {
    let claim = |format, width: u32, height: u32| {
        let mut bytes = encode(gradient(8, 8), format);
        let (w16, h16) = (width as u16, height as u16);
        match format {
            ImageFormat::Png => {
                bytes[16..24].copy_from_slice(&[width.to_be_bytes(), height.to_be_bytes()].concat());
                let crc = crc32(&bytes[12..29]);
                bytes[29..33].copy_from_slice(&crc.to_be_bytes());
            }
            ImageFormat::Bmp => {
                bytes[18..26].copy_from_slice(&[width.to_le_bytes(), height.to_le_bytes()].concat());
            }
            ImageFormat::Gif => {
                bytes[6..10].copy_from_slice(&[w16.to_le_bytes(), h16.to_le_bytes()].concat());
            }
            _ => {
                let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
                bytes[frame + 5..frame + 9].copy_from_slice(&[h16.to_be_bytes(), w16.to_be_bytes()].concat());
            }
        }
        refuse(&bytes)
    };
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::Jpeg] {
        for (width, height) in [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (MAX_SIDE, MAX_SIDE), (65535, 65535)] {
            let error = claim(format, width, height);
            let ErrorKind::TooManyPixels { width: w, height: h } = *error.kind() else {
                panic!("{format:?}: {error}");
            };
            assert_eq!((w, h), (width, height));
        }
    }
    for (width, height) in [(u32::MAX / 2, u32::MAX / 2), (0, 5), (u32::MAX, 1)] {
        claim(ImageFormat::Png, width, height);
        claim(ImageFormat::Bmp, width, height);
    }
}

#[test]
fn a_very_long_file_is_not_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(MAX_BYTES + 1).unwrap();
    let error = Picture::open(file.path()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::FileTooLong { limit: MAX_BYTES }), "{error}");
}

#[test]
fn missing_and_locked_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone.png");
    assert!(matches!(Picture::open(&path).unwrap_err().kind(), ErrorKind::Io(_)));
    assert!(matches!(Picture::open(folder.path()).unwrap_err().kind(), ErrorKind::Io(_)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::write(&path, encode(gradient(3, 2), ImageFormat::Png)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        // To root nothing is locked.
        if fs::File::open(&path).is_err() {
            let error = Picture::open(&path).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Io(_)) && error.path() == path, "{error}");
        }
    }
}
