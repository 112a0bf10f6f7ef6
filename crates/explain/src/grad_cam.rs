//! The arithmetic of Grad-CAM.

/// Where a network sees a class: a number for each pixel of a feature map, not below zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    /// The layer whose feature maps it weighs.
    pub layer: String,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height x width`.
    pub values: Vec<f32>,
}

impl Heatmap {
    /// The maps (`channels x height x width`), each weighed by the mean of its gradient, added up; what speaks against
    /// the class counts as nothing.
    pub(crate) fn new(layer: &str, [height, width]: [usize; 2], maps: &[f32], gradient: &[f32]) -> Self {
        let pixels = height * width;
        let mut values = vec![0.0; pixels];
        for (map, gradient) in maps.chunks_exact(pixels).zip(gradient.chunks_exact(pixels)) {
            let weight = gradient.iter().sum::<f32>() / pixels as f32;
            values.iter_mut().zip(map).for_each(|(sum, value)| *sum += weight * value);
        }
        values.iter_mut().for_each(|value| *value = value.max(0.0));
        Self { layer: layer.to_owned(), height, width, values }
    }

    /// The heat at a place of the picture, both coordinates in `0..=1`, as a share of the largest: between the centres
    /// of pixels it changes linearly. Zero everywhere where nothing speaks for the class.
    pub fn at(&self, row: f32, column: f32) -> f32 {
        self.shares()(row, column)
    }

    /// [`at`](Self::at) for many places: the largest heat is looked for once.
    pub(crate) fn shares(&self) -> impl Fn(f32, f32) -> f32 {
        let most = self.values.iter().copied().fold(0.0, f32::max);
        let is_hot = most > 0.0 && most.is_finite();
        move |row, column| if is_hot { self.between(row, column) / most } else { 0.0 }
    }

    fn between(&self, row: f32, column: f32) -> f32 {
        let between = |place: f32, size: usize| {
            let place = (place * size as f32 - 0.5).clamp(0.0, (size - 1) as f32);
            let first = place as usize;
            (first, (first + 1).min(size - 1), place.fract())
        };
        let ((top, bottom, down), (left, right, across)) =
            (between(row, self.height), between(column, self.width));
        let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
        let value = |row: usize, column: usize| self.values[row * self.width + column];
        let upper = mix(value(top, left), value(top, right), across);
        let lower = mix(value(bottom, left), value(bottom, right), across);
        mix(upper, lower, down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_weighed_by_their_mean_gradients() {
        let maps = [1.0, 2.0, 3.0, 4.0, 1.0, 0.0, 5.0, 0.0];
        let gradient = [1.0, 0.0, 1.0, 0.0, -1.0, -1.0, -1.0, -1.0];
        // Half of the first map less the second one.
        let heat = Heatmap::new("relu1", [2, 2], &maps, &gradient);
        assert_eq!(heat.values, [0.0, 1.0, 0.0, 2.0]);
        assert_eq!((heat.at(0.25, 0.75), heat.at(0.75, 0.75), heat.at(1.0, 1.0)), (0.5, 1.0, 1.0));
        assert_eq!((heat.at(0.5, 0.75), heat.at(0.75, 0.5), heat.at(0.0, 0.0)), (0.75, 0.5, 0.0));
    }

    #[test]
    fn nothing_for_the_class_is_no_heat() {
        for values in [0.0, f32::NAN, f32::INFINITY] {
            let heat = Heatmap { layer: String::new(), height: 1, width: 2, values: vec![values; 2] };
            assert_eq!(heat.at(0.3, 0.7), 0.0);
        }
    }
}
