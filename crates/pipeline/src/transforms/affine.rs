use lenslet_dataset::ImageShape;
use serde::{Deserialize, Serialize};

use super::Transform;
use crate::draw::Draw;
use crate::error::{Error, require};
use crate::picture::{PaddingMode, Picture};

/// Rotates, shifts, zooms and shears a picture about its centre, in one bilinear interpolation.
///
/// Parameters are those of
/// [torchvision's `RandomAffine`](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAffine.html);
/// by default nothing is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomAffine {
    /// It is turned by an angle from `-degrees` to `degrees`.
    pub degrees: f64,
    /// It is shifted by whole pixels, up to this share of the width to the left or right, and up to that of the
    /// height up or down; each from 0 to 1.
    pub translate: [f64; 2],
    /// It is enlarged by a factor from the first to the second; above 0.
    pub scale: [f64; 2],
    /// It is sheared along its rows by an angle from `-shear` to `shear`, in degrees, below 90.
    pub shear: f64,
    /// What is beyond its edges.
    pub padding_mode: PaddingMode,
}

impl Default for RandomAffine {
    fn default() -> Self {
        Self {
            degrees: 0.0,
            translate: [0.0; 2],
            scale: [1.0; 2],
            shear: 0.0,
            padding_mode: PaddingMode::Zeros,
        }
    }
}

const KIND: &str = "random-affine";

impl Transform for RandomAffine {
    fn check(&self) -> Result<(), Error> {
        let Self { degrees, translate, scale, shear, .. } = self;
        require((0.0..=180.0).contains(degrees), KIND, "degrees", degrees, "from 0 to 180")?;
        let valid = translate.iter().all(|share| (0.0..=1.0).contains(share));
        require(valid, KIND, "translate", translate, "two shares from 0 to 1")?;
        // A picture of a pixel, or a pixel as large as any picture, is the end of all sensible zooming.
        let valid = 1e-4 <= scale[0] && scale[0] <= scale[1] && scale[1] <= 1e4;
        require(valid, KIND, "scale", scale, "a smallest and a largest factor from 0.0001 to 10000")?;
        require((0.0..90.0).contains(shear), KIND, "shear", shear, "from 0 to below 90")
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        self.draw(picture.shape(), draw).warp(picture, self.padding_mode);
    }
}

impl RandomAffine {
    fn draw(&self, shape: ImageShape, draw: &mut Draw) -> Affine {
        let angle = draw.between([-self.degrees, self.degrees]);
        let mut shift = |share: f64, size: usize| {
            let most = share * size as f64;
            draw.between([-most, most]).round()
        };
        let translate = [shift(self.translate[0], shape.width), shift(self.translate[1], shape.height)];
        let scale = draw.between(self.scale);
        let shear = [draw.between([-self.shear, self.shear]), 0.0];
        Affine { angle, translate, scale, shear, ..Affine::identity(shape) }
    }
}

/// What becomes of a picture, in this order: shear, rotation and scale about the centre, then translation.
pub(crate) struct Affine {
    /// Column and row, where the centres of pixels are whole numbers.
    pub(crate) centre: [f64; 2],
    /// In degrees, clockwise.
    pub(crate) angle: f64,
    /// In pixels, to the right and down.
    pub(crate) translate: [f64; 2],
    pub(crate) scale: f64,
    /// In degrees, along rows and along columns.
    pub(crate) shear: [f64; 2],
}

impl Affine {
    /// Nothing, about the picture's centre.
    pub(crate) fn identity(shape: ImageShape) -> Self {
        let centre = [(shape.width as f64 - 1.0) / 2.0, (shape.height as f64 - 1.0) / 2.0];
        Self { centre, angle: 0.0, translate: [0.0; 2], scale: 1.0, shear: [0.0; 2] }
    }

    /// From a pixel of the result to where it comes from: `[a, b, c, d, e, f]`, that is column
    /// `a x + b y + c` and row `d x + e y + f`. The parametrisation is torchvision's.
    fn inverse(&self) -> [f64; 6] {
        let [angle, shear_x, shear_y] = [self.angle, self.shear[0], self.shear[1]].map(f64::to_radians);
        let (sin, cos) = (angle - shear_y).sin_cos();
        let a = cos / shear_y.cos();
        let b = -cos * shear_x.tan() / shear_y.cos() - angle.sin();
        let c = sin / shear_y.cos();
        let d = -sin * shear_x.tan() / shear_y.cos() + angle.cos();
        let [a, b, c, d] = [d, -b, -c, a].map(|value| value / self.scale);
        let [centre_x, centre_y] = self.centre;
        let [x, y] = [centre_x + self.translate[0], centre_y + self.translate[1]];
        [a, b, centre_x - a * x - b * y, c, d, centre_y - c * x - d * y]
    }

    /// Carries it out: of every pixel of the result, the four around where it comes from are averaged.
    pub(crate) fn warp(&self, picture: &mut Picture<'_>, padding: PaddingMode) {
        let [a, b, c, d, e, f] = self.inverse();
        let shape = picture.shape();
        let ImageShape { height, width, .. } = shape;
        let pixels = picture.pixels();
        let mut out = vec![0; pixels.len()];
        for y in 0..height {
            for x in 0..width {
                let column = a * x as f64 + b * y as f64 + c;
                let row = d * x as f64 + e * y as f64 + f;
                let corners = corners([row, column], [height, width], padding);
                for channel in 0..shape.channels {
                    let plane = &pixels[channel * height * width..][..height * width];
                    let value = |(at, weight): (Option<usize>, f32)| {
                        at.map_or(0.0, |at| weight * f32::from(plane[at]))
                    };
                    let sum: f32 = corners.into_iter().map(value).sum();
                    out[(channel * height + y) * width + x] = (sum + 0.5) as u8;
                }
            }
        }
        picture.replace(out, [height, width]);
    }
}

/// The four pixels around a place, where there are any, each with its weight.
fn corners(
    [row, column]: [f64; 2],
    [height, width]: [usize; 2],
    padding: PaddingMode,
) -> [(Option<usize>, f32); 4] {
    let (top, left) = (row.floor(), column.floor());
    let (down, right) = ((row - top) as f32, (column - left) as f32);
    let (top, left) = (top as isize, left as isize);
    let rows = [top, top.saturating_add(1)].map(|row| padding.index(row, height));
    let columns = [left, left.saturating_add(1)].map(|column| padding.index(column, width));
    let corner = |i: usize, j: usize| rows[i].zip(columns[j]).map(|(row, column)| row * width + column);
    [
        (corner(0, 0), (1.0 - down) * (1.0 - right)),
        (corner(0, 1), (1.0 - down) * right),
        (corner(1, 0), down * (1.0 - right)),
        (corner(1, 1), down * right),
    ]
}

#[cfg(test)]
mod tests {
    use lenslet_dataset::Image;
    use proptest::prelude::*;

    use super::*;
    use crate::transforms::testing::{apply, message, picture, torchvision};

    fn warped(affine: &Affine, shape: ImageShape, pixels: &[u8], padding: PaddingMode) -> Vec<u8> {
        let image = Image::new(shape, pixels).unwrap();
        let mean = vec![0; shape.channels];
        let mut picture = Picture::new(&image, &mean);
        affine.warp(&mut picture, padding);
        picture.pixels().to_vec()
    }

    #[test]
    fn quarter_turns_are_exact() {
        let shape = ImageShape { channels: 2, height: 3, width: 3 };
        let pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19];
        let turned = |angle| {
            let affine = Affine { angle, ..Affine::identity(shape) };
            warped(&affine, shape, &pixels, PaddingMode::Zeros)
        };
        let clockwise = [7, 4, 1, 8, 5, 2, 9, 6, 3, 17, 14, 11, 18, 15, 12, 19, 16, 13];
        assert_eq!(turned(0.0), pixels);
        assert_eq!(turned(90.0), clockwise);
        assert_eq!(turned(180.0), [9, 8, 7, 6, 5, 4, 3, 2, 1, 19, 18, 17, 16, 15, 14, 13, 12, 11]);
        assert_eq!(turned(-270.0), clockwise);
    }

    #[test]
    fn whole_shifts_are_exact_and_half_ones_average() {
        let shape = ImageShape { channels: 1, height: 1, width: 4 };
        let shifted = |x, padding| {
            let affine = Affine { translate: [x, 0.0], ..Affine::identity(shape) };
            warped(&affine, shape, &[10, 20, 40, 80], padding)
        };
        assert_eq!(shifted(1.0, PaddingMode::Zeros), [0, 10, 20, 40]);
        assert_eq!(shifted(1.0, PaddingMode::Edge), [10, 10, 20, 40]);
        assert_eq!(shifted(-2.0, PaddingMode::Reflect), [40, 80, 40, 20]);
        assert_eq!(shifted(0.5, PaddingMode::Zeros), [5, 15, 30, 60]);
    }

    #[test]
    fn agrees_with_torchvision() {
        let (shape, pixels) = picture();
        let whole = Affine::identity(shape);
        let affine = Affine { angle: 25.0, translate: [1.0, -2.0], scale: 1.2, shear: [10.0, 0.0], ..whole };
        let found = warped(&affine, shape, &pixels, PaddingMode::Zeros);
        torchvision("affine", &found);
        let affine = Affine { angle: -40.0, scale: 0.7, shear: [-15.0, 20.0], ..Affine::identity(shape) };
        let found = warped(&affine, shape, &pixels, PaddingMode::Zeros);
        torchvision("affine-two-shears", &found);
    }

    #[test]
    fn nothing_is_done_by_default() {
        let (shape, pixels) = picture();
        assert_eq!(apply(&RandomAffine::default(), shape, &pixels, 1, 1), pixels);
    }

    #[test]
    fn draws_cover_their_ranges_and_stay_within() {
        let shape = ImageShape { channels: 1, height: 20, width: 10 };
        let all = RandomAffine {
            degrees: 30.0,
            translate: [0.2, 0.3],
            scale: [0.8, 1.5],
            shear: 7.0,
            padding_mode: PaddingMode::Zeros,
        };
        let maps: Vec<Affine> =
            (0..2000).map(|index| all.draw(shape, &mut Draw::new([1, 1, index, 0]))).collect();
        let covers = |value: fn(&Affine) -> f64, [from, to]: [f64; 2]| {
            let (least, most) = maps
                .iter()
                .map(value)
                .fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
            let margin = (to - from) / 100.0;
            assert!((from..from + margin).contains(&least), "{least} of {from}");
            assert!((to - margin..=to).contains(&most), "{most} of {to}");
        };
        covers(|map| map.angle, [-30.0, 30.0]);
        covers(|map| map.translate[0], [-2.0, 2.0]);
        covers(|map| map.translate[1], [-6.0, 6.0]);
        covers(|map| map.scale, [0.8, 1.5]);
        covers(|map| map.shear[0], [-7.0, 7.0]);
        assert!(maps.iter().all(|map| map.shear[1] == 0.0));
        assert!(maps.iter().all(|map| map.translate.iter().all(|shift| shift.fract() == 0.0)));
    }

    proptest! {
        #[test]
        fn every_valid_setting_is_done_without_a_panic(
            degrees in 0f64..=180.0,
            translate in [0f64..=1.0, 0f64..=1.0],
            scale in prop_oneof![Just([1e-4, 1e-4]), Just([1e4, 1e4]), Just([0.5, 2.0])],
            shear in 0f64..90.0,
            index in 0usize..1000,
        ) {
            let (shape, pixels) = picture();
            for padding_mode in [PaddingMode::Zeros, PaddingMode::Reflect, PaddingMode::Edge] {
                let affine = RandomAffine { degrees, translate, scale, shear, padding_mode };
                affine.check().unwrap();
                apply(&affine, shape, &pixels, 1, index);
            }
        }
    }

    #[test]
    fn what_is_not_an_affine_map_is_refused() {
        let default = RandomAffine::default;
        let message = |affine| message(&affine, ImageShape { channels: 1, height: 2, width: 2 });
        assert_eq!(
            message(RandomAffine { degrees: -10.0, ..default() }),
            "augmentation random-affine: degrees is -10.0, but must be from 0 to 180"
        );
        assert!(message(RandomAffine { translate: [0.1, f64::NAN], ..default() }).contains("translate is"));
        assert!(message(RandomAffine { scale: [0.0, 1.0], ..default() }).contains("scale is [0.0, 1.0]"));
        assert!(message(RandomAffine { scale: [1.2, 0.8], ..default() }).contains("scale is [1.2, 0.8]"));
        assert!(message(RandomAffine { shear: 90.0, ..default() }).contains("shear is 90.0"));
    }
}
