//! A learning-rate curve as a picture.

use lenslet_report::{Chart, Line, Scale};
use lenslet_train::{Curve, SweepPoint};

/// The losses, raw and smoothed, over the learning rate, with a mark at the suggestion.
pub fn svg(curve: &Curve, title: &str) -> String {
    let line = |label: &str, colour: usize, loss: fn(&SweepPoint) -> f64| Line {
        label: label.to_owned(),
        colour,
        points: curve.points.iter().map(|point| (point.learning_rate, loss(point))).collect(),
        ..Line::default()
    };
    let chart = Chart {
        title: format!("{title}: loss over the learning rate"),
        along: "learning rate".to_owned(),
        scale: Scale::Logarithmic,
        lines: vec![line("loss", 1, |point| point.loss), line("smoothed", 0, |point| point.smoothed)],
        mark: curve.suggestion.map(|rate| (rate, format!("{rate:.2e}"))),
        ..Chart::default()
    };
    chart.to_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_losses_and_the_suggestion_are_drawn() {
        let point = |i: i32| SweepPoint {
            learning_rate: 10f64.powi(i - 4),
            loss: f64::from(i * i),
            smoothed: f64::from(i),
        };
        let curve = Curve { points: (0..7).map(point).collect(), suggestion: Some(1e-3) };
        let svg = svg(&curve, "a < b");
        assert!(svg.contains("a &lt; b: loss") && svg.contains(">1.00e-3</text>"), "{svg}");
        assert_eq!((svg.matches("<polyline").count(), svg.matches(">1e").count()), (2, 7));
    }
}
