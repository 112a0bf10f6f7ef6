//! Events on the screen.

use crate::args::Progress;
use crate::output;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use lenslet_train::{Event, Score, Step};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

/// Shows events.
pub trait Renderer {
    fn render(&mut self, event: &Event) -> anyhow::Result<()>;

    /// Tells a person where the report of the run is.
    fn wrote(&mut self, _report: &Path) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The renderer that a person at this terminal, or a program in its place, would want.
pub fn renderer(progress: Progress, network: &str) -> Box<dyn Renderer> {
    let lines = Lines { network: network.to_owned() };
    match progress {
        Progress::Bar => Box::new(Bar::new(lines)),
        Progress::Auto if io::stderr().is_terminal() && io::stdout().is_terminal() => {
            Box::new(Bar::new(lines))
        }
        Progress::Auto | Progress::Plain => Box::new(lines),
        Progress::Json => Box::new(Json),
        Progress::None => Box::new(Quiet),
    }
}

struct Quiet;

impl Renderer for Quiet {
    fn render(&mut self, event: &Event) -> anyhow::Result<()> {
        if let Event::Warning(warning) = event {
            output::warning(&warning.message);
        }
        Ok(())
    }
}

struct Json;

impl Renderer for Json {
    fn render(&mut self, event: &Event) -> anyhow::Result<()> {
        output::json(event)
    }
}

/// A line for each epoch.
struct Lines {
    network: String,
}

impl Lines {
    fn text(&self, event: &Event) -> Option<String> {
        match event {
            Event::Start(start) => {
                let (network, config) = (&self.network, &start.config);
                let done = match start.epochs_done {
                    0 => String::new(),
                    n => format!(" ({n} done)"),
                };
                Some(format!(
                    "{network}: {} parameters, {} classes, {} training and {} validation pictures\n\
                     {} epochs{done} of {} steps, learning rate {}, seed {}; loss and accuracy:",
                    start.parameters,
                    start.classes,
                    start.train_samples,
                    start.validation_samples,
                    config.epochs,
                    start.steps_per_epoch,
                    config.learning_rate,
                    config.seed
                ))
            }
            Event::Epoch(epoch) => {
                let rate = epoch.train.samples as f64 / epoch.train_seconds;
                let waited = 100.0 * epoch.waited_share;
                let validation = epoch.validation.map(|score| format!("  validation {}", shown(score)));
                Some(format!(
                    "epoch {:>3}  train {}{}  {:.1} s  {rate:.0} pictures/s  {waited:.0} % waiting",
                    epoch.epoch,
                    shown(epoch.train),
                    validation.unwrap_or_default(),
                    epoch.train_seconds + epoch.validation_seconds,
                ))
            }
            Event::End { epochs, seconds, stopped } => {
                let how = if *stopped { "stopped" } else { "done" };
                Some(format!("{how} after {epochs} epochs, {seconds:.1} s"))
            }
            _ => None,
        }
    }
}

fn shown(score: Score) -> String {
    format!("{:.4} {:.2} %", score.loss, 100.0 * score.accuracy())
}

impl Renderer for Lines {
    fn render(&mut self, event: &Event) -> anyhow::Result<()> {
        match (event, self.text(event)) {
            (Event::Warning(warning), _) => output::warning(&warning.message),
            (Event::Checkpoint { path, epoch, .. }, _) if *epoch == 1 => {
                output::line(format_args!("checkpoint {} after every epoch", path.display()))?;
            }
            (_, Some(text)) => output::line(text)?,
            _ => {}
        }
        Ok(())
    }

    fn wrote(&mut self, report: &Path) -> anyhow::Result<()> {
        output::line(format_args!("report {}", report.display()))
    }
}

/// A bar for the epoch at hand; finished epochs stay above it as lines.
struct Bar {
    lines: Lines,
    /// Epochs of the whole run.
    epochs: u64,
    /// How long the epoch before took, validation included.
    epoch_before: Option<Duration>,
    /// The bar, and the first step that it saw: the bar begins after that.
    bar: Option<(ProgressBar, Step)>,
}

impl Bar {
    fn new(lines: Lines) -> Self {
        Self { lines, epochs: 0, epoch_before: None, bar: None }
    }

    fn step(&mut self, step: Step) {
        let (bar, first) = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(step.steps_per_epoch as u64).with_prefix(step.epoch.to_string());
            let style = ProgressStyle::with_template("epoch {prefix:>3} {bar:12} {pos}/{len}  {msg}");
            (style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)), step)
        });
        bar.set_position(step.step as u64);
        let mut message = shown(step.train);
        let steps = step.step - first.step;
        if steps > 0 {
            let seconds = bar.elapsed().as_secs_f64();
            let rate = (step.train.samples - first.train.samples) as f64 / seconds;
            let left =
                |steps_left: usize| Duration::from_secs_f64(seconds / steps as f64 * steps_left as f64);
            let epoch_left = left(step.steps_per_epoch - step.step);
            message += &format!("  {:#} left", HumanDuration(epoch_left));
            let epochs_left = self.epochs.saturating_sub(step.epoch) as u32;
            if epochs_left > 0 {
                let per_epoch = self.epoch_before.unwrap_or_else(|| left(step.steps_per_epoch));
                let run_left = epoch_left.saturating_add(per_epoch.saturating_mul(epochs_left));
                message += &format!(", {:#} of the run", HumanDuration(run_left));
            }
            message += &format!("  {rate:.0} pictures/s");
        }
        bar.set_message(message);
    }
}

impl Renderer for Bar {
    fn render(&mut self, event: &Event) -> anyhow::Result<()> {
        match event {
            Event::Step(step) => {
                self.step(*step);
                return Ok(());
            }
            Event::Start(start) => self.epochs = start.config.epochs,
            Event::Epoch(epoch) => {
                let seconds = epoch.train_seconds + epoch.validation_seconds;
                self.epoch_before = Duration::try_from_secs_f64(seconds).ok();
            }
            _ => {}
        }
        if let Some((bar, _)) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.lines.render(event)
    }

    fn wrote(&mut self, report: &Path) -> anyhow::Result<()> {
        self.lines.wrote(report)
    }
}
