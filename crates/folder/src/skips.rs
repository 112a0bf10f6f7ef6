use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The files that could not be read and were replaced. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Skips(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Skips {
    pub(crate) fn note(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    }

    /// Each file once, sorted.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
