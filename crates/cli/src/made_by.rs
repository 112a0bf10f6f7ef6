//! What a run was made by.

use lenslet_kernels::Simd;
use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// The program and the machine, for whoever does a run again: another version may train otherwise, and other instructions
/// round otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct MadeBy {
    /// Lenslet's version.
    pub lenslet: String,
    /// The commit that it was built from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Operating system and architecture.
    pub platform: String,
    /// The processor's name, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// The instructions in use.
    pub simd: String,
    /// Threads that computed; results do not depend on them.
    pub threads: usize,
}

impl MadeBy {
    /// This program on this machine.
    pub fn here() -> Self {
        Self {
            lenslet: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("LENSLET_COMMIT").map(str::to_owned),
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: cpu(),
            simd: Simd::current().name().to_owned(),
            threads: rayon::current_num_threads(),
        }
    }
}

/// The processor's name, where the system tells it.
pub fn cpu() -> Option<String> {
    let wanted = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(wanted).ok()?;
    let name = system.cpus().first()?.brand().trim().to_owned();
    Some(name).filter(|name| !name.is_empty())
}
