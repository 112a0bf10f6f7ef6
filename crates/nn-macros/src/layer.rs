//! Layers, and how sizes go through them.

use proc_macro2::Span;
use std::collections::HashMap;
use std::fmt;
use syn::{Error, Result};

/// Sizes of one sample.
#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    /// Channels, height, width.
    Picture([usize; 3]),
    Flat(usize),
    /// As many logits as the data have classes.
    Classes,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Picture([channels, height, width]) => write!(f, "{channels}x{height}x{width}"),
            Self::Flat(length) => write!(f, "{length}"),
            Self::Classes => write!(f, "classes"),
        }
    }
}

impl Shape {
    /// Channels, height and width, or the one number; nothing for classes, of which the data decide.
    pub fn sizes(self) -> Vec<usize> {
        match self {
            Self::Picture(sizes) => sizes.to_vec(),
            Self::Flat(length) => vec![length],
            Self::Classes => Vec::new(),
        }
    }
}

pub struct Layer {
    pub kind: Kind,
    pub span: Span,
}

pub enum Kind {
    Conv {
        expected: Option<usize>,
        filters: usize,
        window: Window,
    },
    MaxPool {
        window: Window,
    },
    AvgPool {
        window: Window,
    },
    GlobalAvgPool,
    BatchNorm {
        momentum_per_mille: usize,
        epsilon_per_billion: usize,
    },
    Relu,
    Dropout {
        per_mille: usize,
    },
    Flatten,
    Dense {
        expected: Option<usize>,
        outputs: Outputs,
    },
    /// The sum of what two ways make of the input; no layers are the input itself.
    Residual {
        body: Vec<Layer>,
        shortcut: Vec<Layer>,
    },
}

/// A layer in its place.
pub struct Step<'a> {
    pub layer: &'a Layer,
    /// Kind and number: `conv1`.
    pub name: String,
    pub input: Shape,
    pub output: Shape,
}

/// What the names of a shortcut's layers begin with, which lie beside those of the way around which it goes.
pub const SHORTCUT: &str = "shortcut_";

/// Names layers, each name with a prefix, and follows the sizes through them. Returns what comes out too.
pub fn follow<'a>(layers: &'a [Layer], input: Shape, prefix: &str) -> Result<(Vec<Step<'a>>, Shape)> {
    let mut counts = HashMap::new();
    let mut shape = input;
    let mut steps = Vec::with_capacity(layers.len());
    for layer in layers {
        let kind = layer.kind.name();
        let count = counts.entry(kind).and_modify(|n| *n += 1).or_insert(1);
        let name = format!("{prefix}{kind}{count}");
        let output = layer.output(&name, shape)?;
        steps.push(Step { layer, name, input: shape, output });
        shape = output;
    }
    Ok((steps, shape))
}

#[derive(Clone, Copy)]
pub enum Outputs {
    Number(usize),
    Classes,
}

#[derive(Clone, Copy)]
pub struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: Padding,
}

#[derive(Clone, Copy)]
pub enum Padding {
    Symmetric(usize),
    /// Keras's.
    Same,
}

impl Kind {
    /// What fields and tensors of this kind are called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "conv",
            Self::MaxPool { .. } => "max_pool",
            Self::AvgPool { .. } => "avg_pool",
            Self::GlobalAvgPool => "global_avg_pool",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Relu => "relu",
            Self::Dropout { .. } => "dropout",
            Self::Flatten => "flatten",
            Self::Dense { .. } => "dense",
            Self::Residual { .. } => "residual",
        }
    }
}

impl Layer {
    /// What comes out where `input` goes in. `name` is for the error.
    pub fn output(&self, name: &str, input: Shape) -> Result<Shape> {
        let fail = |what: String| Err(Error::new(self.span, format!("{name}: {what}")));
        if input == Shape::Classes {
            return fail(
                "comes after dense(classes), which must be the last layer: its outputs are the logits".into(),
            );
        }
        match (&self.kind, input) {
            (Kind::BatchNorm { .. } | Kind::Relu | Kind::Dropout { .. }, _) => Ok(input),
            (Kind::Residual { body, shortcut }, _) => {
                let (through, around) = (follow(body, input, "")?.1, follow(shortcut, input, SHORTCUT)?.1);
                if through == Shape::Classes || around == Shape::Classes {
                    return fail("dense(classes) must be the network's last layer".into());
                }
                if through == around {
                    return Ok(through);
                }
                let conv = if shortcut.is_empty() { projection(input, through) } else { None };
                let advice = conv
                    .map(|conv| format!("; give it a shortcut, as in `residual(…; {conv})`"))
                    .unwrap_or_default();
                fail(format!(
                    "cannot add {through}, from its layers, and {around}, from its shortcut{advice}"
                ))
            }
            (Kind::Flatten, Shape::Picture(sizes)) => Ok(Shape::Flat(sizes.iter().product())),
            (Kind::Flatten, _) => {
                fail(format!("the input is flat already, {input} numbers: leave `flatten` out"))
            }
            (Kind::Conv { expected: Some(expected), .. }, Shape::Picture([channels, ..]))
                if *expected != channels =>
            {
                fail(format!("expects {expected} channels, but its input has {channels} ({input})"))
            }
            (Kind::Conv { filters, window, .. }, Shape::Picture([_, height, width])) => {
                match window.output([height, width]) {
                    Some([rows, columns]) => Ok(Shape::Picture([*filters, rows, columns])),
                    None => fail(window.too_large("kernel", [height, width])),
                }
            }
            (Kind::MaxPool { window }, Shape::Picture(_))
                if window.kernel[0].saturating_mul(window.kernel[1]) > 256 =>
            {
                let [a, b] = window.kernel;
                fail(format!("a {a}x{b} window has more than 256 pixels"))
            }
            (
                Kind::MaxPool { window } | Kind::AvgPool { window },
                Shape::Picture([channels, height, width]),
            ) => {
                if let Padding::Symmetric(pad) = window.padding
                    && (pad >= window.kernel[0] || pad >= window.kernel[1])
                {
                    let [a, b] = window.kernel;
                    return fail(format!("padding {pad} leaves a {a}x{b} window that sees nothing else"));
                }
                match window.output([height, width]) {
                    Some([rows, columns]) => Ok(Shape::Picture([channels, rows, columns])),
                    None => fail(window.too_large("window", [height, width])),
                }
            }
            (Kind::GlobalAvgPool, Shape::Picture([channels, ..])) => Ok(Shape::Picture([channels, 1, 1])),
            (Kind::Conv { .. } | Kind::MaxPool { .. } | Kind::AvgPool { .. } | Kind::GlobalAvgPool, _) => {
                fail(format!(
                    "needs a picture, but its input is flat, {input} numbers: put it before `flatten`"
                ))
            }
            (Kind::Dense { .. }, Shape::Picture(_)) => {
                fail(format!("needs a flat input, but gets a picture, {input}: put `flatten` before it"))
            }
            (Kind::Dense { expected: Some(expected), .. }, Shape::Flat(length)) if *expected != length => {
                fail(format!("expects {expected} inputs, but gets {length}"))
            }
            (Kind::Dense { outputs: Outputs::Number(outputs), .. }, _) => Ok(Shape::Flat(*outputs)),
            (Kind::Dense { outputs: Outputs::Classes, .. }, _) => Ok(Shape::Classes),
        }
    }
}

/// The 1x1 convolution that makes one picture's sizes of another's, if one does.
fn projection(from: Shape, to: Shape) -> Option<String> {
    let (Shape::Picture([_, height, width]), Shape::Picture([channels, rows, columns])) = (from, to) else {
        return None;
    };
    let stride = |size: usize, wanted| (1..=size).find(|stride| (size - 1) / stride + 1 == wanted);
    match [stride(height, rows)?, stride(width, columns)?] {
        [1, 1] => Some(format!("conv({channels}, 1x1)")),
        [down, right] if down == right => Some(format!("conv({channels}, 1x1, stride {down})")),
        [down, right] => Some(format!("conv({channels}, 1x1, stride {down}x{right})")),
    }
}

impl Window {
    fn output(&self, [height, width]: [usize; 2]) -> Option<[usize; 2]> {
        let slide = |size: usize, kernel: usize, stride: usize| match self.padding {
            Padding::Same => Some(size.div_ceil(stride)),
            Padding::Symmetric(pad) => Some((size + 2 * pad).checked_sub(kernel)? / stride + 1),
        };
        let [rows, columns] = self.stride;
        Some([slide(height, self.kernel[0], rows)?, slide(width, self.kernel[1], columns)?])
    }

    fn too_large(&self, what: &str, [height, width]: [usize; 2]) -> String {
        let [a, b] = self.kernel;
        let padded = match self.padding {
            Padding::Symmetric(pad @ 1..) => format!(" with padding {pad}"),
            _ => String::new(),
        };
        format!("a {a}x{b} {what} is larger than its {height}x{width} input{padded}")
    }
}
