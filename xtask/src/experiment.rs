//! `cargo xtask experiment`: recipes that must come out.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use lenslet_fetch::{DataSet, catalogue};
use serde::Deserialize;

use crate::{fetch, workspace};

/// Train a network as a recipe says, and check what comes out
///
/// A recipe is a file xtask/experiments/NAME.toml: data, network, the settings of `lenslet train --config`, and the
/// accuracy on the test data that must be reached after the last epoch, with the recipe's test-time augmentation. Fetches the data, builds `lenslet`, makes features of the data where the network learns from such, trains, and leaves
/// checkpoint and metrics in runs/NAME/. Exits with 1 where the accuracy is missed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The recipe
    #[arg(required_unless_present = "list")]
    name: Option<String>,

    /// Only show the recipes
    #[arg(long)]
    list: bool,

    /// Repeat with this many seeds, counted up from the recipe's, and judge the mean
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,

    /// Threads to compute with [default: all cores]; results do not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<u32>,

    /// The `lenslet` to call, instead of building it
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,

    /// Where to fetch the data from, as `cargo xtask fetch --mirror` takes it
    #[arg(long, value_name = "DIR|URL")]
    mirror: Option<String>,

    /// Where data sets lie
    #[arg(long, value_name = "DIR", env = "LENSLET_DATA", default_value_os_t = workspace().join("data"))]
    data_dir: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask experiment mnist-cnn              # 98 % and more on handwritten digits
  cargo xtask experiment mnist-mlp --seeds 3    # mean and spread of three runs
  cargo xtask experiment --list";

/// A recipe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Recipe {
    /// One line for `--list`.
    what: String,
    network: String,
    data: String,
    /// The share of test pictures that must be told right after the last epoch, looked at as the settings say, by the mean of three seeds or more.
    accuracy: f64,
    /// By fewer seeds, which chance moves further: about three standard deviations below. The same where left out.
    accuracy_of_one_seed: Option<f64>,
    /// What makes features of the data for the network to learn from.
    features: Option<Features>,
    /// What else `lenslet train --config` reads.
    train: toml::Table,
}

/// A network that looks at all pictures once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Features {
    /// A network of the zoo.
    model: String,
    /// A set of the catalogue, whose one file holds the weights.
    weights: String,
}

impl Features {
    /// The set, and its file in the data directory.
    fn weights(&self, data_dir: &Path) -> Result<(&'static DataSet, PathBuf)> {
        let set = catalogue::find(&self.weights)
            .with_context(|| format!("there are no weights {}", self.weights))?;
        let [file] = set.files else { bail!("{} has more than one file", self.weights) };
        Ok((set, set.path(file.name, data_dir)))
    }
}

impl Recipe {
    fn goal(&self, seeds: usize) -> f64 {
        self.accuracy_of_one_seed.filter(|_| seeds < 3).unwrap_or(self.accuracy)
    }

    fn load(name: &str) -> Result<Self> {
        let path = folder().join(name).with_extension("toml");
        if !path.is_file() {
            bail!("there is no recipe {name}; there are {}", names()?.join(", "));
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no recipe", path.display()))
    }

    fn seed(&self) -> Result<u64> {
        let seed = self.train.get("seed").map_or(Some(0), toml::Value::as_integer);
        seed.and_then(|seed| u64::try_from(seed).ok()).context("the recipe's seed is no whole number")
    }

    /// The file that `lenslet train --config` reads. `data` are the recipe's, or features of them.
    fn settings(&self, data: &str) -> toml::Table {
        let mut settings = self.train.clone();
        settings.insert("network".to_owned(), self.network.clone().into());
        settings.insert("data".to_owned(), data.into());
        settings
    }
}

fn folder() -> PathBuf {
    workspace().join("xtask/experiments")
}

fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder()).with_context(|| format!("cannot read {}", folder().display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn list(recipes: &[(Recipe, String)], out: &mut impl Write) -> io::Result<()> {
    let width = recipes.iter().map(|(_, name)| name.len()).max().unwrap_or(0);
    recipes.iter().try_for_each(|(recipe, name)| {
        writeln!(out, "{name:width$}  {:.1} %  {}", 100.0 * recipe.accuracy, recipe.what)
    })
}

/// Lists the recipes or runs one.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut out = io::stdout();
    let Some(name) = arguments.name.as_deref().filter(|_| !arguments.list) else {
        let recipes = names()?.into_iter().map(|name| Ok((Recipe::load(&name)?, name)));
        list(&recipes.collect::<Result<Vec<_>>>()?, &mut out)?;
        return Ok(ExitCode::SUCCESS);
    };
    let recipe = Recipe::load(name)?;
    if let Some(program) = arguments.program.as_deref().filter(|program| !program.is_file()) {
        bail!("there is no program {}: build it, or leave --program out", program.display());
    }
    if let Some(dataset) = catalogue::find(&recipe.data) {
        fetch::fetch(dataset, arguments.mirror.as_deref(), &arguments.data_dir, &mut out)?;
    }
    if let Some(features) = &recipe.features {
        let (set, _) = features.weights(&arguments.data_dir)?;
        fetch::fetch(set, arguments.mirror.as_deref(), &arguments.data_dir, &mut out)?;
    }
    if arguments.program.is_none() {
        let built = cargo(&["build"]).args(LENSLET).status().context("cannot call cargo")?;
        ensure!(built.success(), "lenslet does not build");
    }
    let data = match &recipe.features {
        Some(features) => extract(features, &recipe.data, &Path::new("runs").join(name), arguments)?,
        None => recipe.data.clone(),
    };
    let first = recipe.seed()?;
    let mut accuracies = Vec::new();
    for seed in first..first + arguments.seeds {
        let run = if arguments.seeds == 1 { name.to_owned() } else { format!("{name}-seed-{seed}") };
        let begun = Instant::now();
        let accuracy = train(&recipe, &data, seed, Path::new("runs").join(&run).as_path(), arguments)?;
        writeln!(
            out,
            "{name}, seed {seed}: {:.2} % of the test pictures, {:.0} s",
            100.0 * accuracy,
            begun.elapsed().as_secs_f64()
        )?;
        accuracies.push(accuracy);
    }
    judge(name, &recipe, &accuracies, &mut out)
}

/// What cargo builds and runs.
const LENSLET: [&str; 5] = ["--release", "--package", "lenslet-cli", "--bin", "lenslet"];

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(workspace());
    command
}

fn lenslet(command: &str, arguments: &Arguments) -> Result<Command> {
    let mut lenslet = if let Some(program) = &arguments.program {
        let mut lenslet = Command::new(std::path::absolute(program)?);
        lenslet.current_dir(workspace());
        lenslet
    } else {
        let mut cargo = cargo(&["run", "--quiet"]);
        cargo.args(LENSLET).arg("--");
        cargo
    };
    lenslet.args([command, "--data-dir"]).arg(std::path::absolute(&arguments.data_dir)?);
    if let Some(threads) = arguments.threads {
        lenslet.arg(format!("--threads={threads}"));
    }
    Ok(lenslet)
}

/// Makes features of all pictures, where they are not there yet, and returns their file.
fn extract(features: &Features, data: &str, output: &Path, arguments: &Arguments) -> Result<String> {
    let file = format!("{}/features.safetensors", output.display());
    let (_, weights) = features.weights(&std::path::absolute(&arguments.data_dir)?)?;
    let mut command = lenslet("features", arguments)?;
    command.args(["--model", &features.model, "--output", &file, "--weights"]).arg(weights).arg(data);
    let status = command.status().context("cannot call lenslet")?;
    ensure!(status.success(), "the features failed ({status})");
    Ok(file)
}

/// Trains, and returns the accuracy on the test data after the last epoch.
fn train(recipe: &Recipe, data: &str, seed: u64, output: &Path, arguments: &Arguments) -> Result<f64> {
    let settings = workspace().join(output).join("recipe.toml");
    write(&settings, &recipe.settings(data).to_string())?;
    let mut train = lenslet("train", arguments)?;
    train.args(["--overwrite", &format!("--seed={seed}"), "--config"]).arg(&settings);
    let status = train.arg("--output").arg(output).status().context("cannot call lenslet")?;
    ensure!(status.success(), "the training failed ({status})");
    ensure_finished(&workspace().join(output).join("metrics.jsonl"))?;
    let mut evaluate = lenslet("evaluate", arguments)?;
    let evaluated = evaluate.arg(output.join("last.safetensors")).arg("--json").output();
    let evaluated = evaluated.context("cannot call lenslet")?;
    ensure!(
        evaluated.status.success(),
        "the evaluation failed: {}",
        String::from_utf8_lossy(&evaluated.stderr)
    );
    let report: Report = serde_json::from_slice(&evaluated.stdout).context("the evaluation is not JSON")?;
    Ok(report.accuracy)
}

/// What of `lenslet evaluate --json` matters here.
#[derive(Deserialize)]
struct Report {
    accuracy: f64,
}

fn write(path: &Path, text: &str) -> Result<()> {
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// What of `metrics.jsonl` matters here.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line {
    End {
        stopped: bool,
    },
    #[serde(other)]
    Other,
}

fn ensure_finished(path: &Path) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let last = text.lines().last().with_context(|| format!("{} is empty", path.display()))?;
    match serde_json::from_str(last).with_context(|| format!("{}: not an event: {last}", path.display()))? {
        Line::End { stopped: false } => Ok(()),
        Line::End { stopped: true } => bail!("the run was stopped"),
        Line::Other => bail!("{} ends before the run does", path.display()),
    }
}

fn judge(name: &str, recipe: &Recipe, accuracies: &[f64], out: &mut impl Write) -> Result<ExitCode> {
    let runs = accuracies.len() as f64;
    let mean = accuracies.iter().sum::<f64>() / runs;
    let spread = match accuracies {
        [_] => String::new(),
        _ => {
            let squares: f64 = accuracies.iter().map(|accuracy| (accuracy - mean).powi(2)).sum();
            format!(
                " (mean of {runs} seeds, standard deviation {:.2})",
                100.0 * (squares / (runs - 1.0)).sqrt()
            )
        }
    };
    let goal = recipe.goal(accuracies.len());
    let reached = mean >= goal;
    let verdict = if reached { "reached" } else { "MISSED" };
    writeln!(out, "{name}: {:.2} %{spread}; the goal of {:.2} % is {verdict}", 100.0 * mean, 100.0 * goal)?;
    if reached {
        let run =
            if accuracies.len() == 1 { name.to_owned() } else { format!("{name}-seed-{}", recipe.seed()?) };
        let checkpoint = format!("runs/{run}/last.safetensors");
        let next = match recipe.data.as_str() {
            "mnist" => format!("cargo lenslet predict {checkpoint} fixtures/digits/*.png"),
            _ => format!("cargo lenslet evaluate {checkpoint} --per-class"),
        };
        writeln!(out, "next: {next}")?;
    }
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_reads_and_its_data_are_known() {
        let names = names().expect("a folder of recipes");
        assert!(names.contains(&"mnist-cnn".to_owned()), "{names:?}");
        for name in names {
            let recipe = Recipe::load(&name).unwrap_or_else(|error| panic!("{name}: {error:#}"));
            assert!(catalogue::find(&recipe.data).is_some(), "{name}: unknown data {}", recipe.data);
            assert!((0.0..1.0).contains(&recipe.accuracy), "{name}");
            let milder = recipe.accuracy_of_one_seed;
            assert!(milder.is_none_or(|goal| (0.0..recipe.accuracy).contains(&goal)), "{name}");
            recipe.seed().expect("a whole number");
            if let Some(features) = &recipe.features {
                features.weights(Path::new("data")).expect("one file of weights");
            }
        }
    }

    #[test]
    fn settings_are_the_recipes_with_network_and_data() {
        let recipe: Recipe = toml::from_str(
            "what = ''\nnetwork = 'n'\ndata = 'mnist'\naccuracy = 0.5\n\
             [train]\nseed = 3\n[train.schedule]\nkind = 'cosine'\n[[train.groups]]\ntensors = '*'",
        )
        .expect("a recipe");
        let expected: toml::Table =
            "network = 'n'\ndata = 'mnist'\nseed = 3\nschedule.kind = 'cosine'\ngroups = [{ tensors = '*' }]"
                .parse()
                .expect("TOML");
        let written: toml::Table =
            recipe.settings("mnist").to_string().parse().expect("what is written can be read");
        assert_eq!(written, expected);
        assert_eq!(recipe.seed().expect("3"), 3);
        assert_eq!([1, 3].map(|seeds| recipe.goal(seeds)), [0.5, 0.5]);
    }

    #[test]
    fn a_list_is_aligned() {
        let recipe = || Recipe::load("mnist-cnn").expect("there");
        let mut out = Vec::new();
        list(&[(recipe(), "short".to_owned()), (recipe(), "a-longer-name".to_owned())], &mut out)
            .expect("writes");
        let text = String::from_utf8(out).expect("text");
        let places: Vec<_> = text.lines().map(|line| line.find("98.3 %")).collect();
        assert_eq!(places, [Some(15), Some(15)], "{text}");
    }

    #[test]
    fn the_mean_is_judged_and_one_seed_more_mildly() {
        let recipe = Recipe::load("mnist-cnn").expect("there");
        let judge = |accuracies: &[f64]| {
            let mut out = Vec::new();
            let code = judge("mnist-cnn", &recipe, accuracies, &mut out).expect("writes");
            (code, String::from_utf8(out).expect("text"))
        };
        let (code, text) = judge(&[0.980, 0.990, 0.988]);
        assert_eq!(code, ExitCode::SUCCESS);
        assert!(text.starts_with("mnist-cnn: 98.60 % (mean of 3 seeds, standard deviation 0.53); the goal of 98.30 % is reached"), "{text}");
        assert_eq!(judge(&[0.982, 0.981, 0.980]).0, ExitCode::from(1));
        assert_eq!(judge(&[0.982]).0, ExitCode::SUCCESS);
        let (code, text) = judge(&[0.979]);
        assert_eq!(code, ExitCode::from(1));
        assert_eq!(text, "mnist-cnn: 97.90 %; the goal of 98.00 % is MISSED\n");
    }

    #[test]
    fn a_run_that_was_stopped_is_not_judged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.jsonl");
        let finished = |lines: &[&str]| {
            fs::write(&path, lines.join("\n")).expect("writable");
            ensure_finished(&path).map_err(|error| format!("{error:#}"))
        };
        let start = r#"{"event":"start"}"#;
        assert_eq!(finished(&[start, r#"{"event":"end","stopped":false}"#]), Ok(()));
        assert!(
            finished(&[start, r#"{"event":"end","stopped":true}"#]).expect_err("stopped").contains("stopped")
        );
        assert!(finished(&[start]).expect_err("killed").contains("ends before"));
        assert!(finished(&["{"]).expect_err("no JSON").contains("metrics.jsonl"));
        assert!(finished(&[]).expect_err("nothing").contains("is empty"));
    }
}
