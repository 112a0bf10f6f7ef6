//! Curves as SVG.

use crate::escape::Text;
use std::fmt::Write;

/// Width and height of the drawing: so few that its letters can be read on a phone.
const SIZE: [f64; 2] = [400.0, 260.0];
/// Around what is drawn: left, top, right, bottom.
const MARGIN: [f64; 4] = [50.0, 12.0, 14.0, 40.0];
/// Room for the title of a chart alone.
const HEAD: f64 = 36.0;
/// With more points than these on a line, no point has a mark of its own.
const MARKED: usize = 60;
/// Of lines, text, grid, axis and mark, on white. In a page its style has the last word, by the elements' classes.
const COLOURS: [&str; 6] = ["#1f6feb", "#bf5700", "#1a7f4b", "#a0307f", "#6d5c00", "#5b4bc4"];
const TEXT: &str = "#3d444d";
const GRID: &str = "#e3e6ea";
const AXIS: &str = "#9aa2ad";
const MARK: &str = "#cc3333";

/// How numbers become places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// By their value.
    #[default]
    Linear,
    /// By their logarithm: those above zero.
    Logarithmic,
}

/// A line of a [`Chart`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// What it is of.
    pub label: String,
    /// Which of six colours; they repeat.
    pub colour: usize,
    /// Whether it is dashed.
    pub dashed: bool,
    /// Numbers along and upwards. Those that are none are left out.
    pub points: Vec<(f64, f64)>,
}

impl Line {
    /// The number of its colour.
    pub(crate) fn class(&self) -> usize {
        self.colour % COLOURS.len()
    }
}

/// Lines over one axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// What is shown.
    pub title: String,
    /// What lies along.
    pub along: String,
    /// How it lies along.
    pub scale: Scale,
    /// Whether upwards are shares, shown as percentages.
    pub percent: bool,
    /// The lines.
    pub lines: Vec<Line>,
    /// A place along with a mark, and what to write there.
    pub mark: Option<(f64, String)>,
}

/// The smallest and the largest of an axis, and where it has ticks.
struct Axis {
    ends: [f64; 2],
    ticks: Vec<f64>,
}

impl Axis {
    /// With ticks at round numbers, not more than about `most`; whole ones where it counts something.
    fn linear(values: impl Iterator<Item = f64>, most: f64, whole: bool) -> Self {
        let [mut low, mut high] = ends(values);
        if low == high {
            // A single number lies in the middle.
            let room = if low == 0.0 { 1.0 } else { 0.5 * low.abs() };
            [low, high] = [low - room, high + room];
        }
        let rough = (high - low) / most;
        let power = 10f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= rough);
        let step = round.unwrap_or(rough);
        let step = if whole { step.round().max(1.0) } else { step };
        let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
        // Where a step is too small for the numbers there are none.
        let count = last.saturating_sub(first).clamp(-1, 20) + 1;
        Self { ends: [low, high], ticks: (0..count).map(|n| (first + n) as f64 * step).collect() }
    }

    /// With ticks at powers of ten, not more than twelve.
    fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let [mut low, mut high] = ends(values.filter(|value| *value > 0.0).map(f64::log10));
        if low == high {
            [low, high] = [low - 1.0, high + 1.0];
        }
        let (first, last) = (low.ceil() as i32, high.floor() as i32);
        let stride = (last - first).max(0) / 12 + 1;
        Self { ends: [low, high], ticks: (first..=last).step_by(stride as usize).map(f64::from).collect() }
    }

    fn share(&self, value: f64) -> f64 {
        (value - self.ends[0]) / (self.ends[1] - self.ends[0])
    }
}

/// Whether a number has a place: it is one, and has a difference from others like it.
fn has_place(value: f64) -> bool {
    value.abs() < 1e300
}

fn ends(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let [low, high] = values
        .filter(|value| has_place(*value))
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)]);
    if low <= high { [low, high] } else { [0.0, 1.0] }
}

/// A number with as many digits as tell it from its neighbours on the axis.
fn shown(value: f64, axis: &Axis, percent: bool) -> String {
    let factor = if percent { 100.0 } else { 1.0 };
    let step = axis.ticks.windows(2).map(|pair| factor * (pair[1] - pair[0])).next().unwrap_or(1.0);
    let value = factor * value;
    // One way for all numbers of an axis.
    let most = factor * axis.ends[0].abs().max(axis.ends[1].abs());
    if !(1e-2..1e5).contains(&most) && value != 0.0 {
        return format!("{value:.1e}");
    }
    let digits = (-step.log10()).ceil().clamp(0.0, 6.0) as usize;
    format!("{value:.digits$}{}", if percent { " %" } else { "" })
}

impl Chart {
    /// The chart alone, as a file of its own.
    pub fn to_file(&self) -> String {
        let [width, height] = [SIZE[0], SIZE[1] + HEAD];
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 -{HEAD} {width} {height}\">\n\
             <rect y=\"-{HEAD}\" width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
             <g font-family=\"sans-serif\" font-size=\"12\">\n\
             <text x=\"{}\" y=\"-14\" text-anchor=\"middle\">{}</text>\n{}</g>\n</svg>\n",
            width / 2.0,
            Text(&self.title),
            self.drawing()
        )
    }

    /// The chart as part of a page.
    pub(crate) fn inline(&self) -> String {
        let labels: Vec<_> = self.lines.iter().map(|line| line.label.as_str()).collect();
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
            SIZE[0],
            SIZE[1],
            Text(&format!("{}: {}", self.title, labels.join(", "))),
            self.drawing()
        )
    }

    fn drawing(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points).filter(|(_, up)| has_place(*up));
        let along = points().map(|(along, _)| *along);
        let across = match self.scale {
            Scale::Linear => Axis::linear(along, 6.0, true),
            Scale::Logarithmic => Axis::logarithmic(along),
        };
        let up = Axis::linear(points().map(|(_, up)| *up), 5.0, false);
        let [left, top, right, bottom] = MARGIN;
        let (width, height) = (SIZE[0] - left - right, SIZE[1] - top - bottom);
        // Places along are logarithms already where the scale is one.
        let x = |place: f64| left + across.share(place) * width;
        let y = |value: f64| top + (1.0 - up.share(value)) * height;
        let place = |along: f64| match self.scale {
            Scale::Linear => along,
            Scale::Logarithmic => along.log10(),
        };

        let mut svg = String::new();
        for tick in &up.ticks {
            let _ = writeln!(
                svg,
                "<line class=\"grid\" stroke=\"{GRID}\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/>\
                 <text fill=\"{TEXT}\" x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{4}</text>",
                left + width,
                y(*tick),
                left - 6.0,
                y(*tick) + 4.0,
                shown(*tick, &up, self.percent)
            );
        }
        for tick in &across.ticks {
            let label = match self.scale {
                Scale::Linear => shown(*tick, &across, false),
                Scale::Logarithmic => format!("1e{tick}"),
            };
            let _ = writeln!(
                svg,
                "<text fill=\"{TEXT}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                x(*tick),
                top + height + 17.0
            );
        }
        let _ = writeln!(
            svg,
            "<line class=\"axis\" stroke=\"{AXIS}\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/>\
             <text fill=\"{TEXT}\" x=\"{2:.1}\" y=\"{3:.1}\" text-anchor=\"middle\">{4}</text>",
            left + width,
            top + height,
            left + width / 2.0,
            SIZE[1] - 6.0,
            Text(&self.along)
        );
        for line in &self.lines {
            let (class, colour) = (line.class(), COLOURS[line.class()]);
            let dashes = if line.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
            let is_shown = |(along, up): &&(f64, f64)| has_place(place(*along)) && has_place(*up);
            let points: Vec<_> = line.points.iter().filter(is_shown).collect();
            let places = points.iter().map(|(along, up)| format!("{:.1},{:.1}", x(place(*along)), y(*up)));
            let _ = writeln!(
                svg,
                "<polyline class=\"c{class}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"{dashes} points=\"{}\"/>",
                places.collect::<Vec<_>>().join(" ")
            );
            for (along, up) in points.iter().filter(|_| points.len() <= MARKED) {
                let number = match up.abs() {
                    _ if self.percent => format!("{:.2} %", 100.0 * up),
                    1e-3..1e4 => format!("{up:.4}"),
                    _ => format!("{up:e}"),
                };
                let _ = writeln!(
                    svg,
                    "<circle class=\"c{class}\" fill=\"{colour}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\">\
                     <title>{}, {} {along}: {number}</title></circle>",
                    x(place(*along)),
                    y(*up),
                    Text(&line.label),
                    Text(&self.along)
                );
            }
        }
        if let Some((at, label)) = self.mark.as_ref().filter(|(at, _)| has_place(place(*at))) {
            let _ = writeln!(
                svg,
                "<line class=\"mark\" stroke=\"{MARK}\" stroke-dasharray=\"3 3\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{top}\" y2=\"{1:.1}\"/>\
                 <text class=\"mark\" fill=\"{MARK}\" x=\"{0:.1}\" y=\"{2:.1}\" text-anchor=\"middle\">{3}</text>",
                x(place(*at)),
                top + height,
                top - 2.0,
                Text(label)
            );
        }
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(svg: &str) -> Vec<Vec<(f64, f64)>> {
        let lists = svg.lines().filter(|line| line.starts_with("<polyline"));
        let list = |line: &str| {
            let places =
                line.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a list");
            let number = |text: &str| text.parse::<f64>().expect("a number");
            let place =
                |place: &str| place.split_once(',').map(|(x, y)| (number(x), number(y))).expect("a pair");
            places.split_whitespace().map(place).collect()
        };
        lists.map(list).collect()
    }

    #[test]
    fn every_point_lies_within_the_frame() {
        let lines = |points: Vec<(f64, f64)>| {
            vec![
                Line { label: "a < b".into(), points: points.clone(), ..Line::default() },
                Line {
                    points: points.iter().map(|(along, up)| (*along, -up)).collect(),
                    dashed: true,
                    ..Line::default()
                },
            ]
        };
        let odd = [
            vec![],
            vec![(1.0, 0.5)],
            (1..8).map(|i| (f64::from(i), f64::from(i * i))).collect(),
            vec![(1.0, 1e299), (1e299, -1e299)],
            vec![(f64::MIN_POSITIVE, 0.0), (1e299, 0.0)],
            vec![(1.0, 1e-300), (2.0, 2e-300)],
        ];
        for points in odd {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                let mark = Some((1.0, "here".to_owned()));
                let chart = Chart { lines: lines(points.clone()), scale, mark, ..Chart::default() };
                let svg = chart.to_file();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                assert!(svg.matches("<text").count() < 40, "{svg}");
                let found = places(&svg);
                assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [points.len(); 2]);
                for (x, y) in found.into_iter().flatten() {
                    assert!((MARGIN[0]..=SIZE[0] - MARGIN[2]).contains(&x), "{x}");
                    assert!((MARGIN[1]..=SIZE[1] - MARGIN[3]).contains(&y), "{y}");
                }
            }
        }
    }

    #[test]
    fn numbers_that_are_none_are_left_out() {
        let points = vec![(1.0, f64::NAN), (2.0, 0.5), (3.0, f64::INFINITY), (4.0, 0.25), (5.0, f64::MAX)];
        let chart = Chart { lines: vec![Line { points, ..Line::default() }], ..Chart::default() };
        assert_eq!(places(&chart.inline())[0].len(), 2);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let axis = Axis::linear([0.913, 0.987].into_iter(), 5.0, false);
        let labels: Vec<_> = axis.ticks.iter().map(|tick| shown(*tick, &axis, true)).collect();
        assert_eq!(labels, ["92 %", "94 %", "96 %", "98 %"]);
        let epochs = Axis::linear([1.0, 3.0].into_iter(), 6.0, true);
        assert_eq!(epochs.ticks, [1.0, 2.0, 3.0]);
        let count = |low: f64, high: f64| Axis::logarithmic([low, high].into_iter()).ticks.len();
        assert_eq!(count(1e-6, 10.0), 8);
        assert!((6..=13).contains(&count(f64::MIN_POSITIVE, f64::MAX)));
    }
}
