//! What one network learned, in another.

use crate::Error;
use crate::restore::{all_tensors, usable_tensors, write};
use lenslet_checkpoint::Checkpoint;
use lenslet_nn::Network;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// How tensors of a file are called in a network: `features.0.*=conv1.*`. Each side has one `*`, which stands for the
/// same on both, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    from: String,
    to: String,
}

impl Rename {
    /// Names that begin with `from` begin with `to` instead.
    pub fn prefix(from: &str, to: &str) -> Self {
        Self { from: format!("{from}*"), to: format!("{to}*") }
    }

    /// The new name, where this one is meant.
    fn apply(&self, name: &str) -> Option<String> {
        let Some((before, after)) = self.from.split_once('*') else {
            return (self.from == name).then(|| self.to.clone());
        };
        let star = name.strip_prefix(before)?.strip_suffix(after)?;
        Some(self.to.replacen('*', star, 1))
    }
}

impl FromStr for Rename {
    type Err = InvalidRename;

    fn from_str(text: &str) -> Result<Self, InvalidRename> {
        let (from, to) = text.split_once('=').ok_or(InvalidRename)?;
        let stars = [from, to].map(|side| side.matches('*').count());
        if from.is_empty() || to.is_empty() || !matches!(stars, [0, 0] | [1, 1]) {
            return Err(InvalidRename);
        }
        Ok(Self { from: from.to_owned(), to: to.to_owned() })
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.from, self.to)
    }
}

/// Two names, or two with a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be OLD=NEW, as in `features.0.*=conv1.*`: one * on each side, or none")]
pub struct InvalidRename;

/// A tensor's name and sizes.
pub type Named = (String, Vec<usize>);

/// What [`transfer`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// The tensors that were set: their names in the network, and in the file.
    pub taken: Vec<(String, String)>,
    /// Those of the network, with the sizes of the tensor in the file that has the name but does not fit.
    pub misfits: Vec<(Named, Vec<usize>)>,
    /// Those of the network that the file does not have.
    pub missing: Vec<Named>,
    /// Those of the file that the network has no place for, by their names in the file.
    pub unused: Vec<Named>,
}

/// Copies every tensor of a file that has the name and the sizes of one of the model's, and leaves the model's others
/// as they are. A tensor that a rename names is looked for under its new name; the first rename that does decides.
///
/// Of a run that averages its tensors it takes the averages, and never its optimiser's memory. A file of another
/// program will do; its f16 and bf16 are converted.
///
/// # Errors
/// Where two tensors of the file would have one name, or one that fits holds other elements than f32, f16 and bf16.
pub fn transfer(
    model: &mut dyn Network,
    checkpoint: &Checkpoint,
    renames: &[Rename],
) -> Result<Transfer, Error> {
    let mut stored = BTreeMap::new();
    for (name, from, shape) in usable_tensors(checkpoint)? {
        let renamed = renames.iter().find_map(|rename| rename.apply(name));
        let name = renamed.unwrap_or_else(|| name.to_owned());
        if let Some((other, _)) = stored.insert(name.clone(), (from, shape)) {
            let (path, stored) = (checkpoint.path().to_owned(), [other, from].map(str::to_owned));
            return Err(Error::TwoForOne { path, stored, name });
        }
    }
    let (mut report, mut values) = (Transfer::default(), BTreeMap::new());
    for (name, parameter) in all_tensors(model) {
        let shape = parameter.shape();
        match stored.remove(&name) {
            None => report.missing.push((name, shape)),
            Some((_, found)) if found != shape => report.misfits.push(((name, shape), found.to_vec())),
            Some((from, _)) => {
                values.insert(name.clone(), checkpoint.tensor(from, &shape)?.to_vec());
                report.taken.push((name, from.to_owned()));
            }
        }
    }
    report.unused = stored.into_values().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
    write(model, &values)?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_the_same_on_both_sides() {
        let apply = |rename: &str, name| rename.parse::<Rename>().expect(rename).apply(name);
        assert_eq!(apply("features.0.*=conv1.*", "features.0.weight").as_deref(), Some("conv1.weight"));
        assert_eq!(apply("features.0.*=conv1.*", "features.10.weight"), None);
        assert_eq!(apply("*.gamma=*.weight", "batch_norm1.gamma").as_deref(), Some("batch_norm1.weight"));
        assert_eq!(apply("head.bias=dense2.bias", "head.bias").as_deref(), Some("dense2.bias"));
        assert_eq!(apply("head.bias=dense2.bias", "a.head.bias"), None);
        // What stands before and after the star must not overlap.
        assert_eq!(apply("ab*ba=x*", "aba"), None);
        assert_eq!(Rename::prefix("a.", "b.").to_string(), "a.*=b.*");
        for wrong in ["", "a", "=b", "a=", "a*=b", "a=b*", "a**=b**"] {
            assert_eq!(wrong.parse::<Rename>(), Err(InvalidRename), "{wrong}");
        }
    }
}
