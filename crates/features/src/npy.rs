//! Files for NumPy, <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use crate::description::{features_name, labels_name};
use crate::{Error, ErrorKind, FeatureFile, Numbers};
use lenslet_checkpoint::replace;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

impl FeatureFile {
    /// Writes the features and labels of each part as files for `numpy.load` into a folder that is there: for each
    /// part `<part>.features.npy` and `<part>.labels.npy`. Returns their paths.
    ///
    /// # Errors
    /// Those of [`part`](Self::part), and where a file cannot be written.
    pub fn export_npy(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut written = Vec::new();
        for name in &self.description().parts {
            let part = self.part(name)?;
            let bytes =
                part.tensor().map_err(|error| Error::new(self.path(), ErrorKind::File(error)))?.bytes();
            let kind = match self.description().numbers {
                Numbers::F32 => "<f4",
                Numbers::F16 => "<f2",
            };
            let features = folder.join(features_name(name)).with_added_extension("npy");
            save(&features, kind, &part.sizes(), bytes)?;
            let labels = folder.join(labels_name(name)).with_added_extension("npy");
            let bytes: Vec<u8> =
                part.labels().iter().flat_map(|&label| (label as i64).to_le_bytes()).collect();
            save(&labels, "<i8", &part.sizes()[..1], &bytes)?;
            written.extend([features, labels]);
        }
        Ok(written)
    }
}

fn save(path: &Path, kind: &str, sizes: &[usize], bytes: &[u8]) -> Result<(), Error> {
    let write = |file: &mut std::fs::File| -> io::Result<()> {
        file.write_all(&head(kind, sizes))?;
        file.write_all(bytes)
    };
    replace(path, write).map_err(|error| Error::new(path, ErrorKind::Io("write", error)))
}

/// Version 1.0: a magic word, the length of a Python dictionary, the dictionary, filled up to 64 bytes.
fn head(kind: &str, sizes: &[usize]) -> Vec<u8> {
    const PREFIX: usize = 10;
    let sizes = match sizes {
        [size] => format!("{size},"),
        sizes => sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let length = (PREFIX + text.len() + 1).next_multiple_of(64) - PREFIX;
    text.extend(std::iter::repeat_n(' ', length - 1 - text.len()));
    text.push('\n');
    let mut head = b"\x93NUMPY\x01\x00".to_vec();
    head.extend((length as u16).to_le_bytes());
    head.extend(text.bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::head;

    /// As NumPy 2 writes them.
    #[test]
    fn heads_are_numpys() {
        for (found, text) in [
            (head("<i8", &[3]), "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"),
            (
                head("<f4", &[3, 512, 7, 7]),
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 512, 7, 7), }",
            ),
        ] {
            assert_eq!(found, [b"\x93NUMPY\x01\x00v\x00", format!("{text:117}\n").as_bytes()].concat());
        }
    }
}
