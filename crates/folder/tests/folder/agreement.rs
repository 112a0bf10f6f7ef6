//! Decoders see one picture alike, pixel for pixel.

use image::ImageFormat;
use lenslet_cifar::{CifarDataset, Version};
use lenslet_dataset::Dataset;
use lenslet_folder::{FolderConfig, FolderDataset, Split};
use lenslet_idx::{Compression, Idx, IdxDataset};

use crate::common::{encode, gradient, open, planes, shape, tree, write};

#[test]
fn a_folder_cifar_and_idx_agree() {
    let picture = gradient(32, 32);
    let pixels = planes(&picture);
    let root = tree(&[("train/frog/a.png", &encode(picture.clone(), ImageFormat::Png))]);
    write(root.path(), "val/frog/b.png", &encode(picture, ImageFormat::Png));
    write(root.path(), "cifar/test_batch.bin", &[&[6][..], &pixels].concat());

    let folder = |channels| {
        let config = FolderConfig::new(shape(channels, 32, 32));
        FolderDataset::open(root.path(), Split::Test, config).unwrap()
    };
    let colour = folder(3);
    let sample = colour.get(0).unwrap();
    assert_eq!(colour.classes()[sample.label], "frog");
    let cifar =
        CifarDataset::open(root.path().join("cifar"), Version::Cifar10, lenslet_cifar::Split::Test).unwrap();
    assert_eq!(sample.image, cifar.get(0).unwrap().image);

    // IDX pictures are grey.
    let grey = folder(1).get(0).unwrap().image.into_owned();
    let (images, labels) = (root.path().join("images"), root.path().join("labels"));
    Idx::new(vec![1, 32, 32], grey.pixels().to_vec()).unwrap().save(&images, Compression::None).unwrap();
    Idx::new(vec![1], vec![0u8]).unwrap().save(&labels, Compression::None).unwrap();
    assert_eq!(IdxDataset::open(images, labels, None).unwrap().get(0).unwrap().image, grey);
}

#[test]
fn lossless_kinds_give_the_pixels_that_were_written_and_jpeg_nearly() {
    let picture = gradient(13, 9);
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP] {
        let opened = open(&encode(picture.clone(), format)).unwrap().into_image(3);
        assert_eq!((opened.shape(), opened.pixels()), (shape(3, 9, 13), &*planes(&picture)), "{format:?}");
    }
    let smooth = image::RgbImage::from_fn(16, 24, |x, y| image::Rgb([8 * x as u8, 5 * y as u8, 99]));
    let opened = open(&encode(smooth.clone(), ImageFormat::Jpeg)).unwrap().into_image(3);
    let difference = |(a, b): (&u8, &u8)| a.abs_diff(*b);
    assert!(opened.pixels().iter().zip(&planes(&smooth)).map(difference).max() < Some(16));
}

#[test]
fn the_first_frame_of_a_gif_counts() {
    use image::codecs::gif::GifEncoder;
    use image::{Frame, Rgba, RgbaImage};
    let mut bytes = Vec::new();
    let colours = [[250, 20, 30, 255], [0, 0, 0, 255]];
    let frames = colours.map(|colour| Frame::new(RgbaImage::from_pixel(3, 2, Rgba(colour))));
    GifEncoder::new(&mut bytes).encode_frames(frames).unwrap();
    let image = open(&bytes).unwrap().into_image(3);
    assert_eq!(image.pixels(), [[250; 6], [20; 6], [30; 6]].concat());
}
