//! Tones and sharpness, as torchvision defines them for 8-bit pictures. Pixels come channel by channel.

use lenslet_dataset::ImageShape;

use super::color::map;
use crate::picture::Picture;

/// Keeps the `bits` most significant bits of each pixel, 8 at most.
pub(crate) fn posterize(pixels: &mut [u8], bits: u32) {
    let mask = !(0xff_u32 >> bits) as u8;
    map(pixels, |pixel| pixel & mask);
}

/// Inverts pixels from the threshold on.
pub(crate) fn solarize(pixels: &mut [u8], threshold: f64) {
    map(pixels, |pixel| if f64::from(pixel) >= threshold { 255 - pixel } else { pixel });
}

/// Stretches each channel so that its darkest pixel becomes 0 and its brightest 255.
pub(crate) fn auto_contrast(pixels: &mut [u8], channels: usize) {
    for plane in pixels.chunks_exact_mut(pixels.len() / channels) {
        let (min, max) = plane.iter().fold((255, 0), |(min, max), &pixel| (pixel.min(min), pixel.max(max)));
        if min < max {
            let scale = f32::from(max - min) / 255.0;
            map(plane, |pixel| (f32::from(pixel.saturating_sub(min)) / scale) as u8);
        }
    }
}

/// Spreads the pixels of each channel evenly over all values.
pub(crate) fn equalize(pixels: &mut [u8], channels: usize) {
    for plane in pixels.chunks_exact_mut(pixels.len() / channels) {
        let mut counts = [0; 256];
        plane.iter().for_each(|&pixel| counts[usize::from(pixel)] += 1);
        let brightest = plane.iter().max().map_or(0, |&pixel| counts[usize::from(pixel)]);
        let step = (plane.len() - brightest) / 255;
        if step > 0 {
            let darker = |pixel: u8| counts[..usize::from(pixel)].iter().sum::<usize>();
            map(plane, |pixel| ((darker(pixel) + step / 2) / step).min(255) as u8);
        }
    }
}

/// Blends a picture with its blurred self: 0 blurs, 1 changes nothing, 2 sharpens. Pixels at the edges stay.
pub(crate) fn scale_sharpness(picture: &mut Picture<'_>, factor: f64) {
    let ImageShape { height, width, .. } = picture.shape();
    if height < 3 || width < 3 {
        return;
    }
    let pixels = picture.pixels_mut();
    for plane in pixels.chunks_exact_mut(height * width) {
        let source = plane.to_vec();
        for row in 1..height - 1 {
            for column in 1..width - 1 {
                let at = row * width + column;
                let around: u32 = [at - width, at, at + width]
                    .into_iter()
                    .flat_map(|middle| &source[middle - 1..=middle + 1])
                    .map(|&pixel| u32::from(pixel))
                    .sum();
                let pixel = f32::from(source[at]);
                let blurred = ((around + 4 * u32::from(source[at])) as f32 / 13.0).round();
                plane[at] = (pixel + (blurred - pixel) * (1.0 - factor) as f32) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lenslet_dataset::Image;

    use super::*;
    use crate::transforms::testing::{picture, torchvision};

    #[test]
    fn agrees_with_torchvision() {
        let check = |name, change: &dyn Fn(&mut Picture<'_>)| {
            let (shape, pixels) = picture();
            let image = Image::new(shape, pixels).unwrap();
            let mut picture = Picture::new(&image, &[0; 3]);
            change(&mut picture);
            torchvision(name, picture.pixels());
        };
        check("posterize", &|picture| posterize(picture.pixels_mut(), 3));
        check("solarize", &|picture| solarize(picture.pixels_mut(), 100.0));
        check("auto-contrast", &|picture| auto_contrast(picture.pixels_mut(), 3));
        check("sharpness", &|picture| scale_sharpness(picture, 1.9));
        check("blur", &|picture| scale_sharpness(picture, 0.1));
    }

    #[test]
    fn equalizing_agrees_with_torchvision() {
        // Of few values and enough pixels, as the script says.
        let levels: Vec<u8> =
            (0..1800_usize).map(|at| (20 * (1 + at / 600) + at * at / 7 % 12 * 5) as u8).collect();
        let mut pixels = levels.clone();
        equalize(&mut pixels, 3);
        assert_ne!(pixels, levels);
        torchvision("equalize", &pixels);
    }

    #[test]
    fn extremes() {
        let all: Vec<u8> = (0..=255).collect();
        let mut pixels = all.clone();
        posterize(&mut pixels, 8);
        assert_eq!(pixels, all);
        solarize(&mut pixels, 255.5);
        assert_eq!(pixels, all);
        auto_contrast(&mut pixels, 1);
        equalize(&mut pixels, 1);
        assert_eq!(pixels, all);
        posterize(&mut pixels, 0);
        assert_eq!(pixels, [0; 256]);
        auto_contrast(&mut pixels, 1);
        equalize(&mut pixels, 1);
        assert_eq!(pixels, [0; 256]);
    }
}
