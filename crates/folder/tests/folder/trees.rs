//! Which pictures are found, and what classes are called.

use std::collections::BTreeSet;
use std::fs;

use lenslet_dataset::Dataset;
use lenslet_folder::{ErrorKind, FolderConfig, FolderDataset, HeldOut, MAX_PIXELS, Split, Tree};

use crate::common::{png, shape, tree, write};

fn config() -> FolderConfig {
    FolderConfig::new(shape(1, 2, 2))
}

fn files(tree: &Tree) -> Vec<String> {
    (0..tree.len())
        .map(|index| tree.get(index).unwrap().0.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn candidates_are_told_by_extension_and_sorted() {
    let root = tree(&[
        ("b/2.JPEG", b""),
        ("b/1.png", b""),
        ("b/notes.txt", b""),
        ("b/.hidden.png", b""),
        ("b/inner/3.png", b""),
        ("b/none", b""),
        ("a/x.gif", b""),
        ("a/Z.Webp", b""),
        (".git/y.png", b""),
        ("README.md", b""),
    ]);
    let found = Tree::open(root.path()).unwrap();
    assert_eq!(found.classes(), ["a", "b"]);
    assert_eq!(files(&found), ["Z.Webp", "x.gif", "1.png", "2.JPEG"]);
    assert_eq!((found.len(), found.ignored(), found.members(1)), (4, 3, 2..4));
    assert_eq!(found.get(2), Some((root.path().join("b/1.png"), 1)));
    assert_eq!(found.get(4), None);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_pipes_left_alone() {
    let root = tree(&[("elsewhere/x.png", &png(7)), ("data/a/1.png", &png(5))]);
    let class = root.path().join("data/a");
    std::os::unix::fs::symlink(root.path().join("elsewhere/x.png"), class.join("2.png")).unwrap();
    std::os::unix::fs::symlink(root.path().join("elsewhere"), root.path().join("data/b")).unwrap();
    std::os::unix::fs::symlink("nowhere", class.join("3.png")).unwrap();
    let status = std::process::Command::new("mkfifo").arg(class.join("4.png")).status();
    let found = Tree::open(root.path().join("data")).unwrap();
    // A link to nothing is a candidate: reading it says what is wrong.
    assert_eq!(files(&found), ["1.png", "2.png", "3.png", "x.png"]);
    assert_eq!(found.ignored(), usize::from(status.is_ok_and(|status| status.success())));
}

#[test]
fn what_is_no_tree_is_an_error_that_says_what_was_expected() {
    let kind = |files: &[(&str, &[u8])]| {
        let root = tree(files);
        let error = Tree::open(root.path()).unwrap_err();
        assert!(error.path().starts_with(root.path()), "{error}");
        error.to_string()
    };
    assert!(kind(&[("x.png", b"")]).contains("expected a folder for each class"));
    let empty = kind(&[("a/x.png", b""), ("b/x.tiff", b"")]);
    assert!(empty.contains("/b: expected pictures (.jpg"), "{empty}");
    assert!(matches!(Tree::open("/no/such/folder").unwrap_err().kind(), ErrorKind::Io(_)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let root = tree(&[("a/x.png", b"")]);
    fs::write(root.path().join("a").join(std::ffi::OsStr::from_bytes(b"\xFF.png")), b"").unwrap();
    assert!(matches!(Tree::open(root.path()).unwrap_err().kind(), ErrorKind::NotUtf8));
}

#[test]
fn classes_are_called_as_the_map_says() {
    let root = tree(&[("n01440764/x.png", b""), ("n03888257/x.png", b""), ("other/x.png", b"")]);
    let classes = || Tree::open(root.path()).map(|tree| tree.classes().to_vec());
    assert_eq!(classes().unwrap(), ["tench", "parachute", "other"]);
    write(
        root.path(),
        "words.txt",
        "n01440764\ttench, Tinca tinca\nn03888257\tchute\nn1\tentity\n\n".as_bytes(),
    );
    assert_eq!(classes().unwrap(), ["tench", "chute", "other"]);
    write(root.path(), "classes.toml", b"n01440764 = \"fish\"\nother = \"things\"\n");
    assert_eq!(classes().unwrap(), ["fish", "n03888257", "things"]);

    for (bad, words) in [
        ("other = 3", "expected a line `folder = \"name\"`"),
        ("other = \"n03888257\"", "the folders n03888257 and other are both called 'n03888257'"),
        ("[", "expected a line"),
        ("\u{0}", "expected a line"),
    ] {
        write(root.path(), "classes.toml", bad.as_bytes());
        let message = classes().unwrap_err().to_string();
        assert!(message.contains("classes.toml: ") && message.contains(words), "{message}");
    }
    write(root.path(), "classes.toml", b"\xFF");
    assert!(classes().unwrap_err().to_string().contains("expected UTF-8 text"));
    fs::remove_file(root.path().join("classes.toml")).unwrap();
    write(root.path(), "words.txt", b"n01440764 tench\n");
    assert!(classes().unwrap_err().to_string().contains("found 'n01440764 tench'"));
}

#[test]
fn parts_are_taken_as_they_are() {
    let root = tree(&[("train/a/1.png", &png(1)), ("train/b/2.png", &png(2)), ("test/b/4.png", &png(4))]);
    write(root.path(), "test/a/3.png", &png(3));
    let pixels = |split| {
        let dataset = FolderDataset::open(root.path(), split, config()).unwrap();
        (0..dataset.len()).map(|index| dataset.get(index).unwrap().image.pixels()[0]).collect::<Vec<_>>()
    };
    assert_eq!(pixels(Split::Train), [1, 2]);
    assert_eq!((pixels(Split::Validation), pixels(Split::Test)), (vec![3, 4], vec![3, 4]));
    write(root.path(), "val/a/5.png", &png(5));
    write(root.path(), "val/b/6.png", &png(6));
    assert_eq!((pixels(Split::Validation), pixels(Split::Test)), (vec![5, 6], vec![3, 4]));
    let folders: Vec<_> =
        Tree::open_parts(root.path()).unwrap().iter().map(|tree| tree.folder().to_owned()).collect();
    assert_eq!(folders, ["train", "val", "test"].map(|part| root.path().join(part)));
}

#[test]
fn parts_have_no_classes_beyond_the_training_pictures() {
    let root =
        tree(&[("train/cat/1.png", &png(1)), ("train/dog/2.png", &png(2)), ("val/cat/3.png", &png(3))]);
    write(root.path(), "val/dogs/4.png", &png(4));
    FolderDataset::open(root.path(), Split::Train, config()).unwrap();
    for error in [
        FolderDataset::open(root.path(), Split::Validation, config()).unwrap_err(),
        Tree::open_parts(root.path()).unwrap_err(),
    ] {
        let message = error.to_string();
        assert!(message.contains("val: the classes are not those of"), "{message}");
        assert!(message.contains("without dog, but with dogs;"), "{message}");
    }
}

#[test]
fn a_part_may_lack_classes_and_name_them_otherwise() {
    let root = tree(&[("train/a/1.png", &png(1)), ("train/b/2.png", &png(2)), ("train/c/3.png", &png(3))]);
    write(root.path(), "val/sea/4.png", &png(4));
    write(root.path(), "classes.toml", b"c = \"sea\"\n");
    let validation = FolderDataset::open(root.path(), Split::Validation, config()).unwrap();
    assert_eq!(validation.classes(), ["a", "b", "sea"]);
    assert_eq!((validation.len(), validation.get(0).unwrap().label), (1, 2));
    let members = [0, 1, 2].map(|class| validation.tree().members(class).len());
    assert_eq!(members, [0, 0, 1]);
    assert_eq!(validation.tree().get(0).unwrap().0, root.path().join("val/sea/4.png"));
}

#[test]
fn where_there_are_no_parts_some_pictures_are_held_out() {
    let names: Vec<String> =
        (0..100).map(|number| format!("{}/{number}.png", ["train", "truck"][number % 2])).collect();
    for prefix in ["", "train/"] {
        let root = tempfile::tempdir().unwrap();
        names.iter().for_each(|name| write(root.path(), &format!("{prefix}{name}"), &png(1)));
        let open = |split, held_out| {
            let config = FolderConfig { held_out, ..config() };
            FolderDataset::open(root.path(), split, config)
        };
        let part = |split, held_out| {
            let tree = open(split, held_out).unwrap().tree().clone();
            assert_eq!(tree.classes(), ["train", "truck"]);
            assert_eq!(tree.members(0).len(), tree.members(1).len());
            files(&tree).into_iter().collect::<BTreeSet<_>>()
        };
        let held_out = HeldOut { fraction: 0.3, seed: 1 };
        let [train, validation, test] =
            [Split::Train, Split::Validation, Split::Test].map(|split| part(split, held_out));
        assert_eq!((train.len(), validation.len()), (70, 30));
        assert_eq!(validation, test);
        assert!(train.is_disjoint(&test));
        assert_ne!(test, part(Split::Test, HeldOut { seed: 2, ..held_out }));
        let error = open(Split::Train, HeldOut { fraction: 1.0, seed: 0 }).unwrap_err();
        assert!(error.to_string().contains("cannot hold out a fraction of 1 of 100 samples"), "{error}");
    }
}

#[test]
fn shapes_that_pictures_cannot_have_are_refused() {
    let root = tree(&[("a/1.png", &png(1))]);
    for shape in
        [shape(2, 8, 8), shape(3, 0, 8), shape(1, MAX_PIXELS as usize, 2), shape(3, usize::MAX, usize::MAX)]
    {
        let error = FolderDataset::open(root.path(), Split::Train, FolderConfig::new(shape)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Shape(found) if *found == shape), "{error}");
    }
}

#[test]
fn an_index_too_far_is_named() {
    let root = tree(&[("train/a/1.png", &png(1)), ("val/a/1.png", &png(1))]);
    let dataset = FolderDataset::open(root.path(), Split::Train, config()).unwrap();
    for error in [dataset.get(1).unwrap_err(), dataset.label(usize::MAX).unwrap_err()] {
        assert!(error.to_string().contains("the index must be below 1"), "{error}");
    }
}
