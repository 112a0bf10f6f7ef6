//! Weights to begin with, from other networks.

use crate::output;
use crate::run_file::Normalise;
use lenslet_checkpoint::{Checkpoint, Error as FileError};
use lenslet_models::foreign_names;
use lenslet_nn::Network;
use lenslet_pipeline::Normalisation;
use lenslet_train::{Metadata, Named, Rename, Transfer, transfer};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Files that a network takes weights from; the last one that has a tensor decides.
pub struct FirstWeights {
    /// The network's name.
    network: String,
    files: Vec<(Checkpoint, Option<Metadata>)>,
    renames: Vec<Rename>,
}

impl FirstWeights {
    /// Opens the files. Names that other programs are known to use are understood; `map` comes before these.
    pub fn open(network: &str, files: &[PathBuf], map: &[Rename]) -> anyhow::Result<Self> {
        let mut opened = Vec::with_capacity(files.len());
        for path in files {
            let file = Checkpoint::open(path)?;
            let metadata = match file.metadata() {
                Ok(metadata) => Some(metadata),
                Err(FileError::NoMetadata { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            opened.push((file, metadata));
        }
        let known = foreign_names(network).iter().map(|(theirs, ours)| Rename::prefix(theirs, ours));
        let renames = map.iter().cloned().chain(known).collect();
        Ok(Self { network: network.to_owned(), files: opened, renames })
    }

    /// What Lenslet wrote into the files, the last one first.
    pub fn metadata(&self) -> impl Iterator<Item = &Metadata> {
        self.files.iter().rev().filter_map(|(_, metadata)| metadata.as_ref())
    }

    /// How the pictures were normalised that the weights were trained on, as far as that is known: a file of Lenslet
    /// says it, and the weights that another program has of a network of ours come from ImageNet.
    pub fn normalisation(&self, channels: usize) -> Option<Normalisation> {
        let mut known = self.metadata().map(|metadata| &metadata.normalisation);
        let is_foreign = self.files.iter().any(|(_, metadata)| metadata.is_none())
            && !foreign_names(&self.network).is_empty();
        known
            .find(|normalisation| normalisation.mean.len() == channels)
            .cloned()
            .or_else(|| is_foreign.then(Normalise::imagenet))
    }

    /// Copies what fits.
    ///
    /// # Errors
    /// Where nothing of a file does.
    pub fn begin(&self, model: &mut dyn Network) -> anyhow::Result<Vec<Taken>> {
        let take = |(file, _): &(Checkpoint, _)| {
            let taken = Taken { file: file.path().to_owned(), report: transfer(model, file, &self.renames)? };
            anyhow::ensure!(
                !taken.report.taken.is_empty(),
                "nothing in {} fits {}: {}",
                file.path().display(),
                self.network,
                taken.left().map(|(_, reason)| reason).collect::<Vec<_>>().join("; ")
            );
            Ok(taken)
        };
        self.files.iter().map(take).collect()
    }

    /// [`begin`](Self::begin), where all tensors that `is_needed` names must be in the files.
    ///
    /// # Errors
    /// Names each that no file has, with both shapes.
    pub fn complete(&self, model: &mut dyn Network, is_needed: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        let taken = self.begin(model)?;
        let is_taken =
            |name: &str| taken.iter().flat_map(|taken| &taken.report.taken).any(|(tensor, _)| tensor == name);
        let left =
            taken.iter().flat_map(|taken| taken.left().map(move |(name, reason)| (taken, name, reason)));
        let faults: Vec<String> = left
            .filter(|(_, name, _)| is_needed(name) && !is_taken(name))
            .map(|(taken, _, reason)| format!("{}: {reason}", taken.file.display()))
            .collect();
        anyhow::ensure!(faults.is_empty(), "{} needs other weights: {}", self.network, faults.join("; "));
        Ok(())
    }
}

/// What was taken from a file.
pub struct Taken {
    file: PathBuf,
    report: Transfer,
}

impl Taken {
    /// Each tensor of the network that was not, by its name, and why.
    fn left(&self) -> impl Iterator<Item = (&str, String)> {
        let Transfer { misfits, missing, .. } = &self.report;
        let misfits = misfits.iter().map(|((name, shape), found)| {
            let (network, file) = (sizes(shape), sizes(found));
            (name.as_str(), format!("{name}: the network has {network}, the file has {file}"))
        });
        let missing = missing.iter().map(|(name, shape)| {
            (name.as_str(), format!("{name}: the network has {}, the file has none", sizes(shape)))
        });
        misfits.chain(missing)
    }

    /// A line for each tensor, taken or not.
    pub fn show(&self) -> anyhow::Result<()> {
        let Transfer { taken, unused, .. } = &self.report;
        let all = taken.len() + self.left().count();
        output::line(format_args!("{} of {all} tensors from {}:", taken.len(), self.file.display()))?;
        for (name, stored) in taken {
            let from = if name == stored { String::new() } else { format!(" from {stored}") };
            output::line(format_args!("  {name}{from}"))?;
        }
        for (_, reason) in self.left() {
            output::line(format_args!("  not {reason}"))?;
        }
        for (name, shape) in unused {
            output::line(format_args!("  not {name}: the network has none, the file has {}", sizes(shape)))?;
        }
        Ok(())
    }

    /// An object like those of a run's events.
    pub fn print_json(&self) -> anyhow::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            event: &'static str,
            file: &'a Path,
            /// Names in the network and in the file.
            taken: &'a [(String, String)],
            /// Names and sizes in the network, and sizes in the file.
            misfits: &'a [(Named, Vec<usize>)],
            missing: &'a [Named],
            unused: &'a [Named],
        }
        let Self { file, report: Transfer { taken, misfits, missing, unused } } = self;
        output::json(&Line { event: "taken", file, taken, misfits, missing, unused })
    }
}

fn sizes(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}
