//! Many cases in turn, round after round, each between two runs of its yardstick: what disturbs the machine for a
//! while disturbs one round of everything, and what slows it down slows both sides of a ratio.

use crate::timing::{fastest, median};
use crate::{Case, Error, Machine, Run, Work, yardsticks};
use serde::Serialize;
use std::time::Duration;

/// How long a case, or a yardstick beside it, is run at a time; once at least.
const SLOT: Duration = Duration::from_millis(10);

/// What came of all cases.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// Of which version.
    pub version: String,
    /// GFLOP/s of the matrix product, in the median round.
    pub gemm: f64,
    /// GB/s, read and written, of the copy.
    pub copy: f64,
    /// In the order given.
    pub cases: Vec<Measured>,
}

/// What came of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Which.
    pub name: String,
    /// Of `rate`.
    pub unit: &'static str,
    /// In the median round: GFLOP/s, GB/s, or images/s of a whole network.
    pub rate: f64,
    /// Flops or bytes per second as a share of the yardstick's, in each round.
    pub shares: Vec<f64>,
}

/// Times all cases in so many rounds.
///
/// # Errors
/// Where a case's answer is wrong.
pub fn measure(cases: Vec<Case>, rounds: usize) -> Result<Report, Error> {
    let [gemm, copy] = yardsticks();
    let (mut gemm, mut copy) = (Timed::new(gemm)?, Timed::new(copy)?);
    let mut timed = cases.into_iter().map(Timed::new).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..rounds {
        for case in &mut timed {
            let yardstick = if matches!(case.work, Work::Flops(_)) { &mut gemm } else { &mut copy };
            let before = yardstick.run()?;
            let rate = case.run()?;
            case.shares.push(rate / before.max(yardstick.run()?));
        }
    }
    let cases = timed.into_iter().map(|case| Measured {
        unit: case.unit(),
        rate: median(&case.rates) * case.images.map_or(1e-9, |images| images as f64 / case.work.amount()),
        name: case.name,
        shares: case.shares,
    });
    Ok(Report {
        machine: Machine::here(),
        version: crate::version(),
        gemm: median(&gemm.rates) / 1e9,
        copy: median(&copy.rates) / 1e9,
        cases: cases.collect(),
    })
}

/// A case that is ready, and its rates so far, in flops or bytes per second.
struct Timed {
    name: String,
    work: Work,
    images: Option<usize>,
    run: Run,
    rates: Vec<f64>,
    shares: Vec<f64>,
}

impl Timed {
    fn new(Case { name, work, images, prepare }: Case) -> Result<Self, Error> {
        Ok(Self { name, work, images, run: prepare()?, rates: Vec::new(), shares: Vec::new() })
    }

    fn run(&mut self) -> Result<f64, Error> {
        let rate = self.work.amount() / fastest(&mut self.run, SLOT)?;
        self.rates.push(rate);
        Ok(rate)
    }

    fn unit(&self) -> &'static str {
        match (self.images, self.work) {
            (Some(_), _) => "images/s",
            (None, Work::Flops(_)) => "GFLOP/s",
            (None, Work::Bytes(_)) => "GB/s",
        }
    }
}
