//! A learning-rate curve as a picture.

use lenslet_train::{Curve, SweepPoint};
use std::fmt::Write;

/// Width and height of the picture, and of the frame around what is drawn, in pixels.
const SIZE: [f64; 2] = [720.0, 420.0];
const MARGIN: f64 = 60.0;

/// Where a learning rate and a loss lie in the picture: the rate by its logarithm.
struct Axes {
    rates: [f64; 2],
    losses: [f64; 2],
}

impl Axes {
    fn of(points: &[SweepPoint]) -> Self {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            let [low, high] =
                values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
            if low < high {
                [low, high]
            } else if low.is_finite() {
                [low - 1.0, low + 1.0]
            } else {
                [0.0, 1.0]
            }
        };
        Self {
            rates: ends(&mut points.iter().map(|point| point.learning_rate.log10())),
            losses: ends(&mut points.iter().flat_map(|point| [point.loss, point.smoothed])),
        }
    }

    fn x(&self, log_rate: f64) -> f64 {
        MARGIN + (log_rate - self.rates[0]) / (self.rates[1] - self.rates[0]) * (SIZE[0] - 2.0 * MARGIN)
    }

    fn y(&self, loss: f64) -> f64 {
        SIZE[1]
            - MARGIN
            - (loss - self.losses[0]) / (self.losses[1] - self.losses[0]) * (SIZE[1] - 2.0 * MARGIN)
    }

    fn line(&self, points: &[SweepPoint], loss: impl Fn(&SweepPoint) -> f64, style: &str) -> String {
        let place = |p: &SweepPoint| format!("{:.1},{:.1}", self.x(p.learning_rate.log10()), self.y(loss(p)));
        let places: Vec<_> = points.iter().map(place).collect();
        format!("<polyline fill=\"none\" {style} points=\"{}\"/>\n", places.join(" "))
    }
}

/// The losses, raw and smoothed, over the learning rate, with a mark at the suggestion.
pub fn svg(curve: &Curve, title: &str) -> String {
    let axes = Axes::of(&curve.points);
    let ([width, height], bottom) = (SIZE, SIZE[1] - MARGIN);
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\" text-anchor=\"middle\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{:.1}\" y=\"28\">{title}: loss over the learning rate</text>\n",
        width / 2.0
    );
    let mut mark = |[x1, y1, x2, y2]: [f64; 4], colour: &str, [x, y]: [f64; 2], label: String| {
        let _ = writeln!(
            svg,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>\
             <text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{}\">{label}</text>",
            if colour == "#ddd" { "black" } else { colour }
        );
    };
    for power in axes.rates[0].ceil() as i32..=axes.rates[1].floor() as i32 {
        let x = axes.x(f64::from(power));
        mark([x, MARGIN, x, bottom], "#ddd", [x, bottom + 20.0], format!("1e{power}"));
    }
    for part in 0..=4 {
        let loss = axes.losses[0] + f64::from(part) / 4.0 * (axes.losses[1] - axes.losses[0]);
        let y = axes.y(loss);
        mark([MARGIN, y, width - MARGIN, y], "#ddd", [MARGIN / 2.0, y + 4.0], format!("{loss:.2}"));
    }
    if let Some(rate) = curve.suggestion {
        let x = axes.x(rate.log10());
        mark([x, MARGIN, x, bottom], "#c33", [x, MARGIN - 8.0], format!("{rate:.2e}"));
    }
    svg += &axes.line(&curve.points, |point| point.loss, "stroke=\"#9bd\"");
    svg += &axes.line(&curve.points, |point| point.smoothed, "stroke=\"#136\" stroke-width=\"2\"");
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_lies_within_the_frame() {
        let point = |i: i32| SweepPoint {
            learning_rate: 10f64.powi(i - 4),
            loss: f64::from(i * i),
            smoothed: f64::from(i),
        };
        for points in [0, 1, 7] {
            let curve = Curve { points: (0..points).map(point).collect(), suggestion: Some(1e-3) };
            let svg = svg(&curve, "a < b");
            assert!(svg.contains("a &lt; b") && svg.ends_with("</svg>\n"), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            let lines: Vec<_> = svg.lines().filter(|line| line.starts_with("<polyline")).collect();
            assert_eq!(lines.len(), 2);
            for line in lines {
                let places =
                    line.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a list");
                let places: Vec<&str> = places.split_whitespace().collect();
                assert_eq!(places.len(), points as usize);
                for (x, y) in places.iter().filter_map(|place| place.split_once(',')) {
                    let [x, y] = [x, y].map(|number| number.parse::<f64>().expect("a number"));
                    assert!(
                        (MARGIN..=SIZE[0] - MARGIN).contains(&x) && (MARGIN..=SIZE[1] - MARGIN).contains(&y)
                    );
                }
            }
        }
    }
}
