//! CIFAR, on small files that the tests write.

use crate::common::Bench;
use lenslet_checkpoint::Checkpoint;
use lenslet_train::Metadata;
use std::fs;
use std::path::Path;

/// Records of 3 x 32 x 32 bytes, `labels` before each, whose brightness gives the class of the last label away.
fn records(labels: &[&[u8]]) -> Vec<u8> {
    let record = |labels: &&[u8]| [*labels, &[25 * (labels[labels.len() - 1] % 10); 3072]].concat();
    labels.iter().flat_map(record).collect()
}

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    fs::create_dir_all(folder).expect("a folder");
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).expect("room");
    }
}

/// Two records in each batch of CIFAR-10.
fn write_cifar_10(folder: &Path) {
    let bytes = records(&[&[6], &[8]]);
    let names = (1..=5).map(|number| format!("data_batch_{number}.bin"));
    for name in names.chain(["test_batch.bin".to_owned()]) {
        write(folder, &[(&name, &bytes)]);
    }
}

fn classes(bench: &Bench, checkpoint: &str) -> Vec<String> {
    let checkpoint = Checkpoint::open(bench.path(checkpoint)).expect("whole");
    checkpoint.metadata::<Metadata>().expect("of lenslet").classes
}

#[test]
fn the_cifar_network_is_trained_on_cifar_10_unless_told_otherwise() {
    let bench = Bench::empty();
    write_cifar_10(&bench.path("data/cifar-10/cifar-10-batches-bin"));
    bench.succeed("train cifar-cnn --epochs 1 --batch-size 5 --normalise channels");
    let last = "runs/cifar-cnn/last.safetensors";
    assert_eq!(classes(&bench, last)[6], "frog");
    let line = bench.succeed(&format!("evaluate {last} --json"));
    assert!(line.contains("\"cifar-10\"") && line.contains("\"samples\":2"), "{line}");

    // The same files as a folder of their own.
    fs::rename(bench.path("data/cifar-10/cifar-10-batches-bin"), bench.path("mine")).expect("same disk");
    let of_folder = bench.succeed(&format!("evaluate {last} --json --data mine"));
    assert_eq!(of_folder.replace("mine", "cifar-10"), line);
}

#[test]
fn the_hundred_classes_are_twenty_with_coarse_labels() {
    let bench = Bench::empty();
    let bytes = records(&[&[4, 30], &[19, 81]]);
    write(&bench.path("data/cifar-100/cifar-100-binary"), &[("train.bin", &bytes), ("test.bin", &bytes)]);
    for (data, count, last) in
        [("cifar-100", 100, "worm"), ("cifar-100-coarse", 20, "vehicles_2"), ("data/cifar-100", 100, "worm")]
    {
        bench.succeed(&format!("train cifar-cnn --epochs 1 --data {data} --overwrite"));
        let classes = classes(&bench, "runs/cifar-cnn/last.safetensors");
        assert_eq!((classes.len(), classes[count - 1].as_str()), (count, last), "{data}");
    }
}

#[test]
fn bad_files_are_named_with_the_place_and_the_command_that_gets_better_ones() {
    let bench = Bench::empty();
    bench.refuse_naming("train cifar-cnn", &["data/cifar-10", "`cargo xtask fetch cifar-10`"]);
    let line = "train cifar-cnn --data cifar-100-coarse";
    bench.refuse_naming(line, &["data/cifar-100:", "`cargo xtask fetch cifar-100`"]);
    bench.refuse_naming("train cifar-cnn --data nowhere", &["nowhere", "cifar-100-coarse", "folder"]);

    let folder = bench.path("data/cifar-10/cifar-10-batches-bin");
    write_cifar_10(&folder);
    let cut = &records(&[&[6], &[8]])[..6145];
    let cases: [(&str, &[u8], &str); 3] = [
        ("data_batch_3.bin", cut, "byte 6145: the data end within record 1, after 3072 of its 3073 bytes"),
        ("data_batch_5.bin", &records(&[&[6], &[10]]), "byte 3073: label 10 of record 1 is not in 0..10"),
        ("test_batch.bin", b"", "byte 0: the file is empty"),
    ];
    for (name, bytes, words) in cases {
        write_cifar_10(&folder);
        write(&folder, &[(name, bytes)]);
        let place = format!("{name}: {words}");
        bench.refuse_naming("train cifar-cnn", &[&place, "`cargo xtask fetch cifar-10`"]);
    }
    fs::remove_file(folder.join("test_batch.bin")).expect("it was just written");
    bench.refuse_naming("train cifar-cnn", &["test_batch.bin: the file is not there"]);
    write(&folder, &[("batches.meta.txt", b"airplane\n")]);
    bench.refuse_naming("train cifar-cnn", &["batches.meta.txt: expected 10 class names", "found 1"]);
    assert!(!bench.path("runs").exists(), "nothing is written for a run that cannot be");
}
