//! What was fast enough before, and whether it still is. Times are counted in matrix products and in copies measured
//! beside them, so that a machine's bad day does not count.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::workspace;

/// How much slower, in percent, is too slow.
pub const TOLERANCE: f64 = 15.0;

/// What decides a time besides the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub simd: String,
    pub threads: usize,
}

/// What a case's time is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    pub gemms: f64,
    pub copies: f64,
}

impl Worth {
    /// The lesser of two measurements: disturbances add to a time.
    pub fn least(self, other: Self) -> Self {
        Self { gemms: self.gemms.min(other.gemms), copies: self.copies.min(other.copies) }
    }

    /// How much more time, in percent, this is than before. A case became slower only if it did by both yardsticks:
    /// what computes does not suffer with the memory, nor what moves memory with the processor.
    fn more_than(self, before: Self) -> f64 {
        100.0 * ((self.gemms / before.gemms).min(self.copies / before.copies) - 1.0)
    }
}

/// Cases by name.
pub type Times = BTreeMap<String, Worth>;

/// The times of one kind of machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    #[serde(flatten)]
    pub machine: Machine,
    pub date: String,
    pub version: String,
    pub times: Times,
}

/// `benches/baseline.json`: a baseline for each kind of machine that was blessed.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Baselines(Vec<Baseline>);

impl Baselines {
    pub fn path() -> PathBuf {
        workspace().join("benches/baseline.json")
    }

    /// None at all where there is no file.
    pub fn load(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no baseline", path.display()))
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    pub fn find(&self, machine: &Machine) -> Option<&Baseline> {
        self.0.iter().find(|baseline| baseline.machine == *machine)
    }

    /// Takes the place of the one of the same machine.
    pub fn renew(&mut self, baseline: Baseline) {
        self.0.retain(|old| old.machine != baseline.machine);
        self.0.push(baseline);
        self.0.sort_by_key(|b| (b.machine.cpu.clone(), b.machine.simd.clone(), b.machine.threads));
    }
}

/// How times differ from a baseline's.
#[derive(Debug, PartialEq)]
pub struct Comparison {
    /// By more than the tolerance, with the percentage of time that each takes more.
    pub slower: Vec<(String, f64)>,
    /// In the baseline, but not measured.
    pub missing: Vec<String>,
    /// Measured, but not in the baseline.
    pub new: Vec<String>,
}

/// Holds what was found against a baseline.
pub fn compare(baseline: &Times, found: &Times, tolerance: f64) -> Comparison {
    let more = |(name, time): (&String, &Worth)| Some((name.clone(), time.more_than(*baseline.get(name)?)));
    let absent =
        |from: &Times, of: &Times| of.keys().filter(|name| !from.contains_key(*name)).cloned().collect();
    Comparison {
        slower: found.iter().filter_map(more).filter(|(_, percent)| *percent > tolerance).collect(),
        missing: absent(found, baseline),
        new: absent(baseline, found),
    }
}

impl Comparison {
    pub fn is_passed(&self) -> bool {
        self.slower.is_empty() && self.missing.is_empty()
    }

    /// One line for each finding.
    pub fn lines(&self) -> Vec<String> {
        let slower =
            self.slower.iter().map(|(name, percent)| format!("SLOWER   {name}: {percent:+.0} % time"));
        let missing = self.missing.iter().map(|name| format!("MISSING  {name}: is in the baseline only"));
        let new = self.new.iter().map(|name| format!("new      {name}: is not in the baseline yet"));
        slower.chain(missing).chain(new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(entries: &[(&str, f64, f64)]) -> Times {
        entries
            .iter()
            .map(|(name, gemms, copies)| ((*name).to_owned(), Worth { gemms: *gemms, copies: *copies }))
            .collect()
    }

    #[test]
    fn thirty_percent_more_time_fails_by_name_and_noise_passes() {
        let baseline = times(&[("conv", 8.0, 4.0), ("dense", 5.0, 2.0), ("relu", 1.0, 0.5)]);
        // A third more, a tenth more, and less.
        let found = times(&[("conv", 10.4, 5.3), ("dense", 5.5, 2.2), ("relu", 0.5, 0.25)]);
        let comparison = compare(&baseline, &found, TOLERANCE);
        assert_eq!(comparison.lines(), ["SLOWER   conv: +30 % time"]);
        assert!(!comparison.is_passed());
        assert!(compare(&baseline, &baseline, TOLERANCE).is_passed());
    }

    #[test]
    fn a_disturbed_yardstick_alone_makes_nothing_slower() {
        let baseline = times(&[("conv", 8.0, 4.0)]);
        assert!(compare(&baseline, &times(&[("conv", 16.0, 4.1)]), TOLERANCE).is_passed());
        assert!(compare(&baseline, &times(&[("conv", 8.1, 6.0)]), TOLERANCE).is_passed());
        let second_look = Worth { gemms: 16.0, copies: 4.1 }.least(Worth { gemms: 8.2, copies: 9.0 });
        assert_eq!(second_look, Worth { gemms: 8.2, copies: 4.1 });
    }

    #[test]
    fn what_is_gone_fails_and_what_is_new_is_named() {
        let (old, fresh) = (times(&[("old", 1.0, 1.0)]), times(&[("fresh", 1.0, 1.0)]));
        let comparison = compare(&old, &fresh, TOLERANCE);
        let expected =
            ["MISSING  old: is in the baseline only", "new      fresh: is not in the baseline yet"];
        assert_eq!(comparison.lines(), expected);
        assert!(!comparison.is_passed());
        assert!(compare(&Times::new(), &fresh, TOLERANCE).is_passed());
    }

    #[test]
    fn a_baseline_is_for_one_kind_of_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("baseline.json");
        let machine = |simd: &str| Machine { cpu: "a".into(), simd: simd.into(), threads: 2 };
        let baseline = |simd: &str, time| Baseline {
            machine: machine(simd),
            date: "2026-11-24".into(),
            version: "0.1.0".into(),
            times: times(&[("conv", time, time)]),
        };
        let mut baselines = Baselines::load(&path).expect("no file is no baseline");
        baselines.renew(baseline("avx512", 0.7));
        baselines.renew(baseline("avx2", 0.6));
        baselines.renew(baseline("avx512", 0.8));
        baselines.save(&path).expect("writable");
        let loaded = Baselines::load(&path).expect("what was saved");
        assert_eq!(loaded, baselines);
        assert_eq!(loaded.find(&machine("avx512")), Some(&baseline("avx512", 0.8)));
        assert_eq!(loaded.find(&machine("avx2")), Some(&baseline("avx2", 0.6)));
        assert_eq!(loaded.find(&machine("neon")), None);
    }
}
