//! The table of a network's layers.

use crate::plan::{Operation, Plan};
use serde::Serialize;
use std::fmt;

/// Layer by layer: output shape, parameters and multiply-adds, as Keras's `summary()` shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Sizes of one sample.
    pub input: Vec<usize>,
    /// One for each layer.
    pub rows: Vec<SummaryRow>,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SummaryRow {
    /// As its tensors are named: `conv1`.
    pub name: String,
    /// As one writes it: `conv(25, 3x3)`.
    pub layer: String,
    /// Sizes of one sample's output.
    pub output: Vec<usize>,
    /// Trainable numbers.
    pub parameters: usize,
    /// Multiplications with an addition, of one sample's forward pass.
    pub multiply_adds: usize,
}

impl Summary {
    /// The table of a plan.
    pub fn new(plan: &Plan) -> Self {
        let row = |stage: &crate::plan::Stage| SummaryRow {
            name: stage.name.clone(),
            layer: stage.layer.clone(),
            output: stage.output.clone(),
            parameters: stage.parameters.iter().map(|(_, p)| p.len()).sum(),
            multiply_adds: stage.operation.multiply_adds(),
        };
        Self {
            input: plan.input.clone(),
            rows: plan
                .stages
                .iter()
                .filter(|stage| !matches!(stage.operation, Operation::Fork | Operation::Shortcut))
                .map(row)
                .collect(),
        }
    }

    /// Trainable numbers of all layers.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }

    /// Multiply-adds of all layers, for one sample.
    pub fn multiply_adds(&self) -> usize {
        self.rows.iter().map(|row| row.multiply_adds).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["name", "layer", "output", "parameters", "multiply-adds"].map(str::to_owned);
        let input = ["", "input", &sizes(&self.input), "", ""].map(str::to_owned);
        let rows = self.rows.iter().map(|row| {
            let counts = [row.parameters, row.multiply_adds].map(grouped);
            let [parameters, multiply_adds] = counts;
            [row.name.clone(), row.layer.clone(), sizes(&row.output), parameters, multiply_adds]
        });
        let total =
            ["".into(), "total".into(), "".into(), grouped(self.parameters()), grouped(self.multiply_adds())];
        let body: Vec<[String; 5]> = std::iter::once(input).chain(rows).collect();
        let all = std::iter::once(&head).chain(&body).chain([&total]);
        let widths = all.fold([0; 5], |mut widths, row| {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.len());
            }
            widths
        });
        let rule = "-".repeat(widths.iter().sum::<usize>() + 8);
        let line = |f: &mut fmt::Formatter<'_>,
                    [name, layer, output, parameters, multiply_adds]: &[String; 5]| {
            let [a, b, c, d, e] = widths;
            writeln!(f, "{name:a$}  {layer:b$}  {output:>c$}  {parameters:>d$}  {multiply_adds:>e$}")
        };
        line(f, &head)?;
        writeln!(f, "{rule}")?;
        for row in &body {
            line(f, row)?;
        }
        writeln!(f, "{rule}")?;
        line(f, &total)
    }
}

fn sizes(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// `1691360` as `1,691,360`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}
