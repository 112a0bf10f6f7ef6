//! `cargo xtask fetch`: data sets into the data directory, with progress on the terminal.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::workspace;
use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;
use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};
use lenslet_fetch::{DataSet, Event, Fetcher, RemoteFile, Source, State, catalogue};

/// Put public data sets, verified, into the data directory
///
/// Files land in DATA_DIR/SET/. What is there and right is left alone, a partial download is resumed, and
/// every file's SHA-256 sum is checked before it gets its name. MNIST comes with the repository and needs no
/// network. CIFAR and the family of Imagenette come as archives, which are unpacked and then removed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Data sets to fetch, or with --list, to list
    #[arg(value_name = "SET", value_parser = set_names(), hide_possible_values = true)]
    #[arg(required_unless_present_any = ["all", "list"])]
    sets: Vec<String>,

    /// Every data set of the catalogue
    #[arg(long, conflicts_with = "sets")]
    all: bool,

    /// Only show what is known, its size and what is here (judged by size)
    #[arg(long, conflicts_with = "mirror")]
    list: bool,

    /// Take the files from MIRROR/SET/FILE, or the archive there, and from nowhere else
    #[arg(long, value_name = "DIR|URL")]
    mirror: Option<String>,

    /// Where data sets lie
    #[arg(long, value_name = "DIR", env = "LENSLET_DATA", default_value_os_t = workspace().join("data"))]
    data_dir: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask fetch mnist                             # into data/mnist, without a network
  cargo xtask fetch fashion-mnist kmnist              # from the public servers
  cargo xtask fetch cifar-10                          # 170 MB, unpacked to data/cifar-10
  cargo xtask fetch imagenette2-160                   # 99 MB, a folder of pictures for each class
  cargo xtask fetch --all --mirror /mnt/mirror        # from a directory that somebody prepared
  cargo xtask fetch mnist --mirror https://host/data --data-dir /tmp/data
  cargo xtask fetch --list                            # what is known, and what is here";

fn set_names() -> PossibleValuesParser {
    PossibleValuesParser::new(catalogue::ALL.iter().map(|dataset| dataset.name))
}

/// Fetches or lists the data sets.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let all = arguments.sets.is_empty();
    let is_wanted = |dataset: &&DataSet| all || arguments.sets.iter().any(|name| name == dataset.name);
    let datasets: Vec<&DataSet> = catalogue::ALL.iter().filter(is_wanted).collect();
    let mut out = io::stdout().lock();
    if arguments.list {
        list(&mut out, &datasets, &arguments.data_dir)?;
        return Ok(ExitCode::SUCCESS);
    }
    for dataset in datasets {
        if arguments.all && arguments.mirror.is_none() && dataset.base_urls.is_empty() {
            eprintln!("{}: left out, as no public server has it; --mirror takes one that does", dataset.name);
            continue;
        }
        fetch(dataset, arguments.mirror.as_deref(), &arguments.data_dir, &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fetches one data set, where it is not here already.
pub fn fetch(dataset: &DataSet, mirror: Option<&str>, data_dir: &Path, out: &mut impl Write) -> Result<()> {
    let source = match mirror {
        Some(mirror) => Source::mirror(mirror),
        None => Source::Bundled(workspace().join("fixtures")),
    };
    let mut reporter = Reporter::new(dataset.name);
    let files =
        Fetcher::new(source).fetch(dataset, data_dir, &mut |file, event| reporter.show(file, &event))?;
    let new = files.iter().filter(|file| !file.was_present).count();
    writeln!(
        out,
        "{}: complete and verified in {} ({}, {}; {new} new)",
        dataset.name,
        data_dir.join(dataset.name).display(),
        match files.len() {
            1 => "1 archive".to_owned(),
            count => format!("{count} files"),
        },
        DecimalBytes(dataset.size()),
    )?;
    Ok(())
}

fn list(out: &mut impl Write, datasets: &[&DataSet], data_dir: &Path) -> io::Result<()> {
    let mut rows = vec![["NAME", "WHAT", "FILES", "SIZE", "HERE"].map(String::from)];
    rows.extend(datasets.iter().map(|dataset| {
        let state = match dataset.state(data_dir) {
            State::Complete => "complete",
            State::Partial => "partial",
            State::Absent => "absent",
        };
        [
            dataset.name.to_owned(),
            dataset.title.to_owned(),
            match dataset.files.len() {
                0 => "archive".to_owned(),
                count => count.to_string(),
            },
            DecimalBytes(dataset.size()).to_string(),
            state.to_owned(),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let [name, what, files, size] = [0, 1, 2, 3].map(width);
    for row in &rows {
        writeln!(
            out,
            "{:name$}  {:what$}  {:>files$}  {:>size$}  {}",
            row[0], row[1], row[2], row[3], row[4]
        )?;
    }
    Ok(())
}

/// Shows a bar on a terminal, and plain lines elsewhere.
struct Reporter {
    dataset: &'static str,
    bar: Option<ProgressBar>,
    on_terminal: bool,
}

impl Reporter {
    fn new(dataset: &'static str) -> Self {
        Self { dataset, bar: None, on_terminal: io::stderr().is_terminal() }
    }

    fn show(&mut self, file: &RemoteFile, event: &Event<'_>) {
        let name = format!("{}/{}", self.dataset, file.name);
        match event {
            Event::Present => self.line(&format!("{name}: present and verified")),
            Event::Wrong { found } => self.line(&format!(
                "{name}: the file that is here has the wrong SHA-256 sum {found}; replacing it"
            )),
            Event::Started { place, offset } => {
                let resumed = match offset {
                    0 => String::new(),
                    offset => format!(", going on after {}", DecimalBytes(*offset)),
                };
                self.line(&format!("{name}: {} from {place}{resumed}", DecimalBytes(file.size)));
                self.bar = self.on_terminal.then(|| bar(file.size, *offset));
            }
            Event::Received { bytes } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*bytes);
                }
            }
            Event::Unpacking => self.line(&format!("{name}: verified; unpacking")),
            Event::Failed { place, failure, retry_in } => {
                let next = match retry_in {
                    Some(pause) => format!("; trying again in {} s", pause.as_secs_f32()),
                    None => String::new(),
                };
                self.line(&format!("{name}: {place}: {failure}{next}"));
            }
            Event::Done => self.line(&format!("{name}: verified")),
            _ => {}
        }
    }

    /// Prints a line where the bar is; the next bytes bring a new bar.
    fn line(&mut self, text: &str) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        eprintln!("{text}");
    }
}

fn bar(size: u64, offset: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "  {bar:32} {decimal_bytes:>10} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left",
    )
    .expect("a template that is known here");
    // The speed is that of this attempt: what was here before does not count.
    ProgressBar::new(size).with_style(style).with_position(offset)
}
