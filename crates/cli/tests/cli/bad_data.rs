//! Data sets that cannot be used.

use crate::common::{Bench, fixtures, write_split};
use std::fs;

/// Trains on a data set one of whose files is replaced by each of `fixtures/bad/idx`.
#[test]
fn each_bad_idx_file_is_named_with_its_offset() {
    let bench = Bench::new();
    let folder = bench.path("data/mnist");
    let mut tried = 0;
    for entry in fs::read_dir(fixtures().join("bad/idx")).expect("the corpus") {
        let bad = entry.expect("an entry").path();
        if bad.is_dir() {
            continue;
        }
        tried += 1;
        let ending = if bad.extension().is_some_and(|e| e == "gz") { ".gz" } else { "" };
        for part in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
            write_split(&folder, "train", 0..20);
            fs::remove_file(folder.join(format!("train-{part}"))).expect("it was just written");
            let name = format!("train-{part}{ending}");
            fs::copy(&bad, folder.join(&name)).expect("room");
            bench.refuse_naming("train mnist-mlp", &[&format!("data/mnist/{name}: byte ")]);
            fs::remove_file(folder.join(name)).expect("it was just written");
        }
    }
    assert_eq!(tried, 20, "each kind of damage is there");
    assert!(!bench.path("runs").exists(), "nothing is written for a run that cannot be");
}

#[test]
fn each_bad_pair_is_named_with_its_offset() {
    let bench = Bench::new();
    let folder = bench.path("pair");
    let mut tried = 0;
    for entry in fs::read_dir(fixtures().join("bad/idx")).expect("the corpus") {
        let bad = entry.expect("an entry").path();
        if !bad.is_dir() {
            continue;
        }
        tried += 1;
        fs::create_dir_all(&folder).expect("a folder");
        fs::copy(bad.join("images.idx"), folder.join("train-images-idx3-ubyte")).expect("room");
        fs::copy(bad.join("labels.idx"), folder.join("train-labels-idx1-ubyte")).expect("room");
        bench.refuse_naming("train mnist-mlp --data pair", &["pair/train-", "-ubyte: byte "]);
    }
    assert_eq!(tried, 8, "each kind of pair is there");
}

/// Whatever is made of the pixels, the shape is what the message is about; and a run that is there stays whole.
#[test]
fn pictures_of_another_size_are_refused_before_anything_is_written() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1 --output run");
    let names = ["run/config.toml", "run/metrics.jsonl", "run/last.safetensors", "run/best.safetensors"];
    let before = names.map(|name| bench.bytes(name));
    let parts = ["the network takes pictures of 3x32x32, but the data have 1x28x28"];
    for options in ["", "--normalise unit", "--normalise channels"] {
        let words = format!("cifar-cnn --data mnist {options}");
        bench.refuse_naming(&format!("train {words} --overwrite --output run"), &parts);
        bench.refuse_naming(&format!("lr-find {words}"), &parts);
    }
    let crop = "[[augment]]\nkind = \"random-crop\"\nsize = [24, 24]\n";
    fs::write(bench.path("crop.toml"), crop).expect("room");
    let parts = ["the network takes pictures of 1x28x28, but the data have 1x24x24"];
    bench.refuse_naming("train mnist-mlp --config crop.toml --overwrite --output run", &parts);
    fs::write(bench.path("white.toml"), "whiten = true").expect("room");
    let parts = ["cannot whiten"];
    bench.refuse_naming("train mnist-mlp --config white.toml --overwrite --output run", &parts);
    bench.refuse_naming("train mnist-mlp --config white.toml", &parts);
    assert!(before == names.map(|name| bench.bytes(name)), "the run was touched");
    assert!(!bench.path("runs").exists(), "nothing is written for a run that cannot be");
}

#[test]
fn images_and_labels_must_agree_in_number() {
    let bench = Bench::new();
    let folder = bench.path("data/mnist");
    write_split(&bench.path("other"), "t10k", 0..99);
    let labels = "t10k-labels-idx1-ubyte";
    fs::copy(bench.path("other").join(labels), folder.join(labels)).expect("room");
    let parts = ["data/mnist/t10k-labels-idx1-ubyte: byte 4", "99 labels", "100 images", "t10k-images"];
    bench.refuse_naming("train mnist-mlp", &parts);
}

#[test]
fn a_label_that_is_no_digit_is_no_class_of_mnist() {
    let bench = Bench::new();
    let labels = bench.path("data/mnist/train-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).expect("labels");
    bytes[8 + 5] = 10;
    fs::write(&labels, bytes).expect("room");
    bench.refuse_naming("train mnist-mlp", &["train-labels-idx1-ubyte: byte 13", "label 10 of sample 5"]);
}

#[test]
fn data_that_are_not_there_say_how_to_get_them() {
    let bench = Bench::empty();
    bench.refuse_naming("train mnist-mlp", &["data/mnist", "cargo xtask fetch mnist"]);
    let line = "train mnist-mlp --data kmnist --data-dir elsewhere";
    bench.refuse_naming(line, &["elsewhere/kmnist", "cargo xtask fetch kmnist"]);
    bench.refuse_naming("train mnist-mlp --data nowhere", &["nowhere", "fashion-mnist", "folder"]);
    fs::create_dir_all(bench.path("data/mnist")).expect("a folder");
    bench.refuse_naming("train mnist-mlp", &["data/mnist/train-images-idx3-ubyte", "cargo xtask fetch"]);
}

#[test]
fn the_data_directory_comes_from_the_environment_too() {
    let bench = Bench::new();
    fs::rename(bench.path("data"), bench.path("moved")).expect("same folder");
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("lenslet");
    command.current_dir(bench.path("")).env("LENSLET_DATA", "moved");
    command.args(["train", "mnist-mlp", "--epochs", "1"]).assert().success();
}

#[test]
fn pictures_of_another_size_than_the_networks_are_refused() {
    let bench = Bench::empty();
    for split in ["train", "t10k"] {
        write_split(&bench.path("small"), split, 0..20);
        // The same bytes, told as 80 pictures of 14x14 with 80 labels.
        let images = bench.path(format!("small/{split}-images-idx3-ubyte"));
        let mut bytes = fs::read(&images).expect("images");
        (bytes[7], bytes[11], bytes[15]) = (80, 14, 14);
        fs::write(images, bytes).expect("room");
        let labels = [&[0, 0, 8, 1, 0, 0, 0, 80][..], &[1; 80]].concat();
        fs::write(bench.path(format!("small/{split}-labels-idx1-ubyte")), labels).expect("room");
    }
    bench.refuse_naming("train mnist-mlp --data small", &["1x28x28", "1x14x14"]);
}

#[test]
fn an_empty_data_set_is_refused() {
    let bench = Bench::new();
    write_split(&bench.path("data/mnist"), "train", 0..0);
    bench.refuse_naming("train mnist-mlp", &["mnist"]);
    bench.refuse_naming("train mnist-mlp --normalise channels", &["mnist"]);
}
