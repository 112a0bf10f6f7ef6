//! `lenslet doctor`

use crate::args::{Data, OnError, Split};
use crate::made_by::cpu;
use crate::{data, output};
use clap::Args;
use lenslet_dataset::Dataset;
use lenslet_kernels::Simd;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::{env, thread};
use sysinfo::{Disks, MemoryRefreshKind, RefreshKind, System};

/// What Lenslet finds on this machine: instructions, threads, memory, data sets.
///
/// Opens every data set, so that one that is damaged shows.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet doctor
  lenslet doctor --data-dir /srv/data --json")]
pub struct Doctor {
    /// Where `cargo xtask fetch` puts data sets.
    #[arg(long = "data-dir", value_name = "DIR", env = "LENSLET_DATA", default_value = "data")]
    directory: PathBuf,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    version: &'static str,
    /// Architecture and operating system.
    platform: String,
    processor: Option<String>,
    simd: &'static str,
    /// What `LENSLET_SIMD` may ask for.
    simd_available: Vec<&'static str>,
    threads: usize,
    /// These are null where the system does not tell.
    memory_bytes: Option<u64>,
    memory_available_bytes: Option<u64>,
    /// Where the command was called.
    disk_available_bytes: Option<u64>,
    data_directory: PathBuf,
    data: Vec<DataSet>,
}

#[derive(Serialize)]
struct DataSet {
    name: &'static str,
    training_pictures: Option<usize>,
    test_pictures: Option<usize>,
    /// Why it cannot be used, and what to do.
    problem: Option<String>,
}

pub fn run(arguments: &Doctor) -> anyhow::Result<()> {
    let report = Report::new(&arguments.directory);
    if arguments.json { output::json(&report) } else { report.show() }
}

impl Report {
    fn new(directory: &Path) -> Self {
        let wanted = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(wanted).ok();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            platform: format!("{} {}", env::consts::ARCH, env::consts::OS),
            processor: cpu(),
            simd: Simd::current().name(),
            simd_available: Simd::available().into_iter().map(Simd::name).collect(),
            threads: threads(),
            memory_bytes: system.as_ref().map(System::total_memory),
            memory_available_bytes: system.as_ref().map(System::available_memory),
            disk_available_bytes: disk(),
            data_directory: directory.to_owned(),
            data: data::NAMES.iter().map(|name| DataSet::open(name, directory)).collect(),
        }
    }

    fn show(&self) -> anyhow::Result<()> {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        output::line(format_args!("lenslet       {}, {}", self.version, self.platform))?;
        if let Some(processor) = &self.processor {
            output::line(format_args!("processor     {processor}"))?;
        }
        output::line(format_args!(
            "instructions  {} (LENSLET_SIMD may be {})",
            self.simd,
            self.simd_available.join(", ")
        ))?;
        output::line(format_args!("threads       {} (--threads or RAYON_NUM_THREADS)", self.threads))?;
        if let (Some(free), Some(all)) = (self.memory_available_bytes, self.memory_bytes) {
            let (free, all) = (gigabytes(free), gigabytes(all));
            output::line(format_args!("memory        {free:.1} of {all:.1} GB free"))?;
        }
        if let Some(bytes) = self.disk_available_bytes {
            output::line(format_args!("disk          {:.1} GB free here", gigabytes(bytes)))?;
        }
        output::line(format_args!("data          in {}:", self.data_directory.display()))?;
        for DataSet { name, training_pictures, test_pictures, problem } in &self.data {
            let found = match (training_pictures, test_pictures, problem) {
                (Some(train), Some(test), None) => format!("{train} training and {test} test pictures"),
                (.., problem) => problem.clone().unwrap_or_default(),
            };
            output::line(format_args!("  {name:18}{found}"))?;
        }
        Ok(())
    }
}

impl DataSet {
    fn open(name: &'static str, directory: &Path) -> Self {
        let data = Data {
            name: None,
            directory: directory.to_owned(),
            on_error: OnError::Fail,
            skips: Default::default(),
        };
        let count = |split| data.open(name, split, data::PICTURE).map(|data| data.len());
        match count(Split::Train).and_then(|train| Ok((train, count(Split::Test)?))) {
            Ok((train, test)) => {
                Self { name, training_pictures: Some(train), test_pictures: Some(test), problem: None }
            }
            Err(error) => {
                let problem = Some(format!("{error:#}"));
                Self { name, training_pictures: None, test_pictures: None, problem }
            }
        }
    }
}

/// As many as a command computes on that is not told otherwise.
fn threads() -> usize {
    let told = env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
    told.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Free bytes on the disk with the current folder.
fn disk() -> Option<u64> {
    let here = env::current_dir().ok()?;
    let disks = Disks::new_with_refreshed_list().ok()?;
    let holds = disks.iter().filter(|disk| here.starts_with(disk.mount_point()));
    holds.max_by_key(|disk| disk.mount_point().as_os_str().len()).map(|disk| disk.available_space())
}
