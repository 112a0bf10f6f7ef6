//! The names of the classes: those of the file beside the pictures, else the published ones.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::{Error, ErrorKind, Labels, Version};

/// Many times the length of the published lists.
const LIMIT: u64 = 1 << 16;

/// The names from the set's file in `folder`, or if that is not there, the published ones.
pub(crate) fn names(version: Version, folder: &Path) -> Result<Vec<String>, Error> {
    let (file, published) = match version {
        Version::Cifar10 => ("batches.meta.txt", CIFAR_10),
        Version::Cifar100(Labels::Fine) => ("fine_label_names.txt", CIFAR_100_FINE),
        Version::Cifar100(Labels::Coarse) => ("coarse_label_names.txt", CIFAR_100_COARSE),
    };
    let path = folder.join(file);
    let text = match fs::metadata(&path) {
        Ok(metadata) if !metadata.is_file() => {
            return Err(Error::new(&path, ErrorKind::NotAFile { set: version.set() }));
        }
        Ok(_) => read(&path).map_err(|error| Error::new(&path, ErrorKind::Io(error)))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(published.split_whitespace().map(str::to_owned).collect());
        }
        Err(error) => return Err(Error::new(&path, ErrorKind::Io(error))),
    };
    let text = text.ok_or_else(|| Error::new(&path, ErrorKind::NotNames { limit: LIMIT }))?;
    // The published file ends with an empty line.
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let (expected, found) = (version.classes(), names.len());
    if found != expected {
        return Err(Error::new(&path, ErrorKind::NameCount { expected, found }));
    }
    Ok(names)
}

/// The text of a file, or `None` if it is longer than [`LIMIT`] or no text.
fn read(path: &Path) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes)?;
    let is_short = bytes.len() as u64 <= LIMIT;
    Ok(String::from_utf8(bytes).ok().filter(|_| is_short))
}

const CIFAR_10: &str = "airplane automobile bird cat deer dog frog horse ship truck";

const CIFAR_100_COARSE: &str = "\
aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2";

const CIFAR_100_FINE: &str = "\
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_published_name_for_each_class() {
        for version in [Version::Cifar10, Version::Cifar100(Labels::Fine), Version::Cifar100(Labels::Coarse)]
        {
            let names = names(version, Path::new("no such folder")).unwrap();
            assert_eq!(names.len(), version.classes(), "{version:?}");
            assert!(names.is_sorted() && names.iter().all(|name| !name.is_empty()), "{version:?}");
        }
    }
}
