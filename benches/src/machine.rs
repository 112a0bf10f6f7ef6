//! What a figure must be read with: the processor, the version, the memory.

use serde::Serialize;
use std::fs;
use std::process::Command;

/// What decides how fast a program can be.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// As the processor calls itself.
    pub cpu: String,
    /// The kernels' instructions: [`crate::kernels::simd`].
    pub simd: String,
    /// Threads that compute.
    pub threads: usize,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = field(&text, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        Self { cpu, simd: crate::kernels::simd().to_owned(), threads: rayon::current_num_threads() }
    }
}

/// The package's version and, in a checkout, its commit.
pub fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let git = Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success());
    match git {
        Some(output) => format!("{version}+{}", String::from_utf8_lossy(&output.stdout).trim()),
        None => version.to_owned(),
    }
}

/// The most memory that this process has had resident, in MiB, where Linux tells.
pub fn peak_memory() -> Option<f64> {
    let peak = field(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM")?;
    Some(peak.strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

/// Starts [`peak_memory`] anew, where Linux lets us: an answer's check is no part of what it checks.
pub fn forget_peak_memory() {
    // See proc_pid_clear_refs(5). Where it fails the peak is only too high.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The value of the first line `name: value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines()
        .find_map(|line| Some(line.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc() {
        let text = "VmPeakest: no\nVmHWM:\t  1024 kB\nmodel name\t: AMD EPYC\n";
        assert_eq!(field(text, "VmHWM").as_deref(), Some("1024 kB"));
        assert_eq!(field(text, "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(field(text, "VmPeak"), None);
    }
}
