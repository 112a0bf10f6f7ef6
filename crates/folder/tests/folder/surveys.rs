//! What is said about a whole tree.

use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use lenslet_folder::{ErrorKind, Spread, Survey, Tree, contact_sheet};

use crate::common::{encode, png, shape, tree};

fn colour(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    encode(RgbImage::from_pixel(width, height, Rgb(colour)), ImageFormat::Png)
}

#[test]
fn counts_sizes_colours_and_faults() {
    let grey = encode(GrayImage::from_pixel(6, 2, Luma([255])), ImageFormat::Png);
    let root = tree(&[
        ("a/1.png", &colour(2, 1, [255, 0, 51])),
        ("a/2.png", &grey),
        ("a/3.png", b"bad"),
        ("b/4.png", &colour(10, 8, [255, 0, 51])),
        ("b/5.txt", b"ignored"),
    ]);
    let tree = Tree::open(root.path()).unwrap();
    let survey = Survey::of(&tree);
    assert_eq!((survey.files, survey.grey, survey.coloured), (vec![3, 1], 1, 2));
    assert_eq!(survey.width, Some(Spread { min: 2, median: 6, max: 10 }));
    assert_eq!(survey.height, Some(Spread { min: 1, median: 2, max: 8 }));
    let [error] = &survey.unreadable[..] else { panic!("{:?}", survey.unreadable) };
    assert!(matches!(error.kind(), ErrorKind::NotAPicture) && error.path().ends_with("a/3.png"));
    // 94 pixels in all, 12 of them white.
    let stats = survey.stats.unwrap();
    let expected = [1.0, 12.0 / 94.0, (82.0 * 0.2 + 12.0) / 94.0];
    assert!(stats.mean.iter().zip(expected).all(|(mean, expected)| (mean - expected).abs() < 1e-6));
    assert_eq!(stats.std[0], 0.0);
}

#[test]
fn grey_trees_have_one_channel_and_unreadable_ones_none() {
    let grey = encode(GrayImage::from_pixel(6, 2, Luma([51])), ImageFormat::Png);
    let root = tree(&[("a/1.png", &grey)]);
    assert_eq!(Survey::of(&Tree::open(root.path()).unwrap()).stats.unwrap().mean, [0.2]);
    let root = tree(&[("a/1.png", b"")]);
    let survey = Survey::of(&Tree::open(root.path()).unwrap());
    assert_eq!((survey.stats, survey.width, survey.unreadable.len()), (None, None, 1));
}

#[test]
fn a_contact_sheet_has_a_row_for_each_class() {
    let root = tree(&[
        ("a/1.png", &colour(2, 2, [1, 2, 3])),
        ("a/2.png", &png(9)),
        ("b/3.png", b"bad"),
        ("b/4.png", &colour(4, 2, [7, 8, 9])),
    ]);
    let sheet = contact_sheet(&Tree::open(root.path()).unwrap(), 3, 2);
    assert_eq!(sheet.shape(), shape(3, 4, 6));
    let rows: Vec<&[u8]> = sheet.pixels().chunks_exact(6).collect();
    assert_eq!(rows[..4], [[1, 1, 9, 9, 0, 0], [1, 1, 9, 9, 0, 0], [0, 0, 7, 7, 0, 0], [0; 6]]);
    assert_eq!((rows[4], rows[8]), (&[2, 2, 9, 9, 0, 0][..], &[3, 3, 9, 9, 0, 0][..]));

    // Few of many are spread over all.
    let names: Vec<String> = (0..10).map(|number| format!("a/{number}.png")).collect();
    let root = tree(&[]);
    names.iter().zip(0..).for_each(|(name, value)| crate::common::write(root.path(), name, &png(value)));
    let sheet = contact_sheet(&Tree::open(root.path()).unwrap(), 3, 1);
    assert_eq!(sheet.pixels()[..3], [0, 3, 6]);
}
