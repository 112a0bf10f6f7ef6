//! What the classes are called.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind};

/// Several times the length of WordNet's list.
const LIMIT: u64 = 1 << 24;

const TOML: &str = "a line `folder = \"name\"` for each class";
const WORDS: &str = "a line for each class: the folder, a tab, the name";

/// The classes of Imagenette, then those of Imagewoof, as <https://github.com/fastai/imagenette> calls them. Imagewang has
/// both.
const IMAGENETTE: [(&str, &str); 20] = [
    ("n01440764", "tench"),
    ("n02102040", "English springer"),
    ("n02979186", "cassette player"),
    ("n03000684", "chain saw"),
    ("n03028079", "church"),
    ("n03394916", "French horn"),
    ("n03417042", "garbage truck"),
    ("n03425413", "gas pump"),
    ("n03445777", "golf ball"),
    ("n03888257", "parachute"),
    ("n02086240", "Shih-Tzu"),
    ("n02087394", "Rhodesian ridgeback"),
    ("n02088364", "beagle"),
    ("n02089973", "English foxhound"),
    ("n02093754", "Border terrier"),
    ("n02096294", "Australian terrier"),
    ("n02099601", "golden retriever"),
    ("n02105641", "Old English sheepdog"),
    ("n02111889", "Samoyed"),
    ("n02115641", "dingo"),
];

/// From folder to class name.
pub(crate) struct Names {
    /// Where the names come from; the folder of the tree where there is no file of names.
    path: PathBuf,
    names: HashMap<String, String>,
}

impl Names {
    /// Those of `classes.toml` in `root`, else of `words.txt`, else those of Imagenette and Imagewoof.
    pub(crate) fn of(root: &Path) -> Result<Self, Error> {
        for (file, parse) in [("classes.toml", toml as Parse), ("words.txt", words as Parse)] {
            let path = root.join(file);
            match read(&path) {
                Ok(text) => {
                    let names = text.and_then(|text| parse(&text));
                    let names = names.map_err(|kind| Error::new(&path, kind))?;
                    return Ok(Self { path, names });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::new(&path, ErrorKind::Io(error))),
            }
        }
        let names = IMAGENETTE.map(|(folder, name)| (folder.to_owned(), name.to_owned())).into();
        Ok(Self { path: root.to_owned(), names })
    }

    /// The names of the classes in `folders`: their own where the map has none.
    pub(crate) fn apply(&self, folders: &[String]) -> Result<Vec<String>, Error> {
        let mut owners = HashMap::new();
        let mut names = Vec::with_capacity(folders.len());
        for folder in folders {
            let name = self.names.get(folder).unwrap_or(folder);
            if let Some(other) = owners.insert(name, folder) {
                let folders = [other.clone(), folder.clone()];
                return Err(Error::new(&self.path, ErrorKind::SameName { name: name.clone(), folders }));
            }
            names.push(name.clone());
        }
        Ok(names)
    }
}

type Parse = fn(&str) -> Result<HashMap<String, String>, ErrorKind>;

fn toml(text: &str) -> Result<HashMap<String, String>, ErrorKind> {
    let wrong =
        |error: toml::de::Error| ErrorKind::Names { expected: TOML, found: error.message().to_owned() };
    toml::from_str(text).map_err(wrong)
}

/// The format of ImageNet's `words.txt`, where the first of several names counts: `n01440764⇥tench, Tinca tinca`.
fn words(text: &str) -> Result<HashMap<String, String>, ErrorKind> {
    let pair = |line: &str| {
        let (folder, names) = line.split_once('\t')?;
        let name = names.split(',').next()?.trim();
        (!name.is_empty()).then(|| (folder.trim().to_owned(), name.to_owned()))
    };
    let wrong = |line: &str| {
        let start: String = line.chars().take(60).collect();
        ErrorKind::Names { expected: WORDS, found: format!("'{start}'") }
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| pair(line).ok_or_else(|| wrong(line))).collect()
}

fn read(path: &Path) -> io::Result<Result<String, ErrorKind>> {
    const EXPECTED: &str = "UTF-8 text of at most 16 MiB";
    let mut bytes = Vec::new();
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Ok(Err(ErrorKind::Names { expected: EXPECTED, found: "a longer file".to_owned() }));
    }
    let wrong = |error| ErrorKind::Names { expected: EXPECTED, found: format!("other bytes ({error})") };
    Ok(String::from_utf8(bytes).map_err(|error| wrong(error.utf8_error())))
}
