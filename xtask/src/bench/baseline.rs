//! What was fast enough before, and whether it still is. Times are counted in matrix products and in copies measured
//! beside them, so that a machine's bad day does not count.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::workspace;

/// How much more time, in percent, is too much.
pub const TOLERANCE: f64 = 15.0;
/// How many more instructions, in percent, are too many: they are counted exactly.
pub const INSTRUCTION_TOLERANCE: f64 = 3.0;

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
    /// Matrix products beside it.
    pub gemms: f64,
    /// Copies beside it, of a case that moves memory.
    pub copies: Option<f64>,
}

impl Worth {
    /// How much more time, in percent, this is than before. What moves memory suffers from a busy memory and from a
    /// busy processor, and became slower only if it did by both yardsticks.
    fn more_than(self, before: Self) -> f64 {
        let by_gemms = self.gemms / before.gemms;
        let by_copies = self.copies.zip(before.copies).map_or(by_gemms, |(now, before)| now / before);
        100.0 * (by_gemms.min(by_copies) - 1.0)
    }
}

/// Cases by name.
pub type Times = BTreeMap<String, Worth>;
/// Counts by name.
pub type Instructions = BTreeMap<String, u64>;

/// The times of one kind of machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    #[serde(flatten)]
    pub machine: Machine,
    pub date: String,
    pub version: String,
    pub times: Times,
    /// Of work on one thread; empty where there was no valgrind to count them.
    pub instructions: Instructions,
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

/// How times, or counts of instructions, differ from a baseline's.
#[derive(Debug, PartialEq)]
pub struct Comparison {
    /// By more than the tolerance, with how much more each takes in percent.
    pub slower: Vec<(String, f64)>,
    /// In the baseline, but not measured.
    pub missing: Vec<String>,
    /// Measured, but not in the baseline.
    pub new: Vec<String>,
}

/// Holds what was found against a baseline.
pub fn compare_times(baseline: &Times, found: &Times) -> Comparison {
    compare(baseline, found, TOLERANCE, |before, now| now.more_than(*before))
}

/// Holds counts against a baseline's.
pub fn compare_instructions(baseline: &Instructions, found: &Instructions) -> Comparison {
    let more = |before: &u64, now: &u64| 100.0 * (*now as f64 / *before as f64 - 1.0);
    compare(baseline, found, INSTRUCTION_TOLERANCE, more)
}

fn compare<T>(
    baseline: &BTreeMap<String, T>,
    found: &BTreeMap<String, T>,
    tolerance: f64,
    more: impl Fn(&T, &T) -> f64,
) -> Comparison {
    let percent = |(name, now): (&String, &T)| Some((name.clone(), more(baseline.get(name)?, now)));
    let absent = |from: &BTreeMap<String, T>, of: &BTreeMap<String, T>| {
        of.keys().filter(|name| !from.contains_key(*name)).cloned().collect()
    };
    Comparison {
        slower: found.iter().filter_map(percent).filter(|(_, percent)| *percent > tolerance).collect(),
        missing: absent(found, baseline),
        new: absent(baseline, found),
    }
}

impl Comparison {
    pub fn is_passed(&self) -> bool {
        self.slower.is_empty() && self.missing.is_empty()
    }

    /// One line for each finding; `unit` is what there may be more of.
    pub fn lines(&self, unit: &str) -> Vec<String> {
        let slower =
            self.slower.iter().map(|(name, percent)| format!("SLOWER   {name}: {percent:+.0} % {unit}"));
        let missing = self.missing.iter().map(|name| format!("MISSING  {name}: is in the baseline only"));
        let new = self.new.iter().map(|name| format!("new      {name}: is not in the baseline yet"));
        slower.chain(missing).chain(new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(entries: &[(&str, f64, Option<f64>)]) -> Times {
        let entry = |(name, gemms, copies): &(&str, _, _)| {
            ((*name).to_owned(), Worth { gemms: *gemms, copies: *copies })
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn thirty_percent_more_time_fails_by_name_and_noise_passes() {
        let baseline = times(&[("conv", 8.0, None), ("dense", 5.0, None), ("relu", 1.0, Some(0.5))]);
        // A third more, a tenth more, and less.
        let found = times(&[("conv", 10.4, None), ("dense", 5.5, None), ("relu", 0.5, Some(0.25))]);
        let comparison = compare_times(&baseline, &found);
        assert_eq!(comparison.lines("time"), ["SLOWER   conv: +30 % time"]);
        assert!(!comparison.is_passed());
        assert!(compare_times(&baseline, &baseline).is_passed());
    }

    #[test]
    fn what_moves_memory_is_slower_only_by_both_yardsticks() {
        let baseline = times(&[("relu", 8.0, Some(4.0))]);
        let is_passed =
            |gemms, copies| compare_times(&baseline, &times(&[("relu", gemms, Some(copies))])).is_passed();
        assert!(is_passed(16.0, 4.1) && is_passed(8.1, 6.0));
        assert!(!is_passed(10.4, 5.2));
    }

    #[test]
    fn a_few_percent_more_instructions_fail() {
        let counts = |idx| Instructions::from([("idx".into(), idx)]);
        let comparison = compare_instructions(&counts(100_000), &counts(104_000));
        assert_eq!(comparison.lines("instructions"), ["SLOWER   idx: +4 % instructions"]);
        assert!(compare_instructions(&counts(100_000), &counts(102_000)).is_passed());
    }

    #[test]
    fn what_is_gone_fails_and_what_is_new_is_named() {
        let (old, fresh) = (times(&[("old", 1.0, None)]), times(&[("fresh", 1.0, None)]));
        let comparison = compare_times(&old, &fresh);
        let expected =
            ["MISSING  old: is in the baseline only", "new      fresh: is not in the baseline yet"];
        assert_eq!(comparison.lines("time"), expected);
        assert!(!comparison.is_passed());
        assert!(compare_times(&Times::new(), &fresh).is_passed());
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
            times: times(&[("conv", time, Some(time))]),
            instructions: Instructions::from([("idx".into(), 104_526_208)]),
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
