//! Many cases in turn, round after round, each between two runs of the yardsticks: what disturbs the machine for a
//! while disturbs one round of everything, and what slows it down slows both sides of a ratio.

use crate::timing::{mean_seconds, median};
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
    /// The share of the matrix product's flops, or of the copy's bytes, per second.
    pub of_peak: f64,
    /// How many matrix products its time is worth, in each round.
    pub in_gemms: Vec<f64>,
    /// How many copies its time is worth, in each round.
    pub in_copies: Vec<f64>,
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
            gemm.run()?;
            copy.run()?;
            case.run()?;
        }
        gemm.run()?;
        copy.run()?;
    }
    let peak = |work| if matches!(work, Work::Flops(_)) { gemm.rate() } else { copy.rate() };
    // Between the yardstick's runs before and after it.
    let worth = |case: usize, seconds: &[f64], yardstick: &Timed| {
        let in_round = |round: usize| {
            let before = round * (timed.len() + 1) + case;
            seconds[round] / f64::midpoint(yardstick.seconds[before], yardstick.seconds[before + 1])
        };
        (0..rounds).map(in_round).collect()
    };
    let measured = |(index, case): (usize, &Timed)| Measured {
        name: case.name.clone(),
        unit: case.unit(),
        rate: case.images.map_or(case.rate() / 1e9, |images| images as f64 / median(&case.seconds)),
        of_peak: case.rate() / peak(case.work),
        in_gemms: worth(index, &case.seconds, &gemm),
        in_copies: worth(index, &case.seconds, &copy),
    };
    Ok(Report {
        machine: Machine::here(),
        version: crate::version(),
        gemm: gemm.rate() / 1e9,
        copy: copy.rate() / 1e9,
        cases: timed.iter().enumerate().map(measured).collect(),
    })
}

/// A case that is ready, and the seconds that a run took each time.
struct Timed {
    name: String,
    work: Work,
    images: Option<usize>,
    run: Run,
    seconds: Vec<f64>,
}

impl Timed {
    fn new(Case { name, work, images, prepare }: Case) -> Result<Self, Error> {
        Ok(Self { name, work, images, run: prepare()?, seconds: Vec::new() })
    }

    fn run(&mut self) -> Result<(), Error> {
        self.seconds.push(mean_seconds(&mut self.run, SLOT)?);
        Ok(())
    }

    /// Flops or bytes per second.
    fn rate(&self) -> f64 {
        self.work.amount() / median(&self.seconds)
    }

    fn unit(&self) -> &'static str {
        match (self.images, self.work) {
            (Some(_), _) => "images/s",
            (None, Work::Flops(_)) => "GFLOP/s",
            (None, Work::Bytes(_)) => "GB/s",
        }
    }
}
