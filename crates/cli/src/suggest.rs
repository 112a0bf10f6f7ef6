//! What somebody may have meant.

use std::fs;
use std::path::{Path, PathBuf};

/// How much of a word must be right, from 0 to 1.
const LIKENESS: f64 = 0.6;

/// The candidate most like a word, if one is like it at all.
pub fn near<T: AsRef<str>>(word: &str, candidates: impl IntoIterator<Item = T>) -> Option<T> {
    let likeness =
        |candidate: T| (strsim::normalized_damerau_levenshtein(word, candidate.as_ref()), candidate);
    let alike = candidates.into_iter().map(likeness).filter(|(likeness, _)| *likeness >= LIKENESS);
    alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, candidate)| candidate)
}

/// The file that is there and most like a path to none: each wrong name on the way is replaced by one like it.
pub fn near_file(path: &Path) -> Option<PathBuf> {
    let mut found = PathBuf::new();
    for part in path.components() {
        let exact = found.join(part);
        if exact.exists() {
            found = exact;
            continue;
        }
        let folder: &Path = if found.as_os_str().is_empty() { Path::new(".") } else { &found };
        let entries = fs::read_dir(folder).ok()?.flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        found.push(near(part.as_os_str().to_str()?, names)?);
    }
    found.is_file().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant_and_a_far_one_is_not() {
        let names = ["mnist", "fashion-mnist", "kmnist", "cifar-10", "cifar-100"];
        assert_eq!(near("fashon-mnist", names), Some("fashion-mnist"));
        assert_eq!(near("mnits", names), Some("mnist"));
        assert_eq!(near("cifar10", names), Some("cifar-10"));
        assert_eq!(near("pets", names), None);
        assert_eq!(near("", names), None);
    }

    #[test]
    fn a_path_may_be_wrong_in_several_places() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("runs/mnist-cnn/last.safetensors");
        fs::create_dir_all(file.parent().expect("a folder")).expect("room");
        fs::write(&file, "").expect("room");
        let meant = |path: &str| near_file(&folder.path().join(path));
        assert_eq!(meant("runs/mnist-cn/last.safetensors"), Some(file.clone()));
        assert_eq!(meant("run/mnist-cnn/last.safetensor"), Some(file.clone()));
        // A folder is no file, and there is no other word like these.
        assert_eq!(meant("runs/mnist-cn"), None);
        assert_eq!(meant("runs/mnist-cnn/weights"), None);
        assert_eq!(meant("runs/mnist-cnn/last.safetensors/more"), None);
    }
}
