//! Checkpoints and pictures that cannot be used.

use crate::common::{Bench, write_split};
use lenslet_checkpoint::{Checkpoint, Tensor, save};
use lenslet_train::Metadata;
use std::fs;

const LAST: &str = "run/last.safetensors";
const BAD: &str = "bad.safetensors";

/// Every command that takes a checkpoint.
const COMMANDS: [&str; 4] = [
    "evaluate bad.safetensors",
    "predict bad.safetensors digit.png",
    "summary bad.safetensors",
    "train --resume bad.safetensors --epochs 9",
];

/// A bench with a trained mnist-mlp and a picture.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1 --output run");
    image::GrayImage::new(28, 28).save(bench.path("digit.png")).expect("room");
    bench
}

/// Writes `bad.safetensors`: the trained network, but for what `change` does.
fn write_bad(bench: &Bench, change: impl FnOnce(&mut Vec<Tensor<'static>>, &mut Metadata)) {
    let checkpoint = Checkpoint::open(bench.path(LAST)).expect("whole");
    let mut metadata = checkpoint.metadata().expect("of lenslet");
    let tensors = checkpoint.tensors();
    let mut tensors = tensors
        .map(|(name, shape)| {
            Tensor::new(name, shape, checkpoint.tensor(name, shape).expect("is there").to_vec())
        })
        .collect();
    change(&mut tensors, &mut metadata);
    save(bench.path(BAD), &tensors, &metadata).expect("room");
}

#[test]
fn an_unchanged_copy_is_good() {
    let bench = trained();
    write_bad(&bench, |_, _| {});
    for command in COMMANDS {
        bench.succeed(command);
    }
}

#[test]
fn a_cut_checkpoint_is_named_at_every_length() {
    let bench = trained();
    let whole = bench.bytes(LAST);
    for length in [0, 7, 8, 9, 500, whole.len() / 2, whole.len() - 1] {
        fs::write(bench.path(BAD), &whole[..length]).expect("room");
        let offset = format!("at byte {length}");
        for command in COMMANDS {
            bench.refuse_naming(command, &[BAD, "cut short", &offset]);
        }
    }
    fs::write(bench.path(BAD), [&whole[..], b"x"].concat()).expect("room");
    for command in COMMANDS {
        bench.refuse_naming(command, &[BAD, &whole.len().to_string()]);
    }
}

#[test]
fn other_files_are_no_checkpoints() {
    let bench = trained();
    for (content, named) in [
        (&b"<!DOCTYPE html><title>Sign in</title>"[..], "HTML"),
        (b"PK\x03\x04 an archive of torch.save", "torch.save"),
        (b"not a checkpoint at all", "not a safetensors file"),
    ] {
        fs::write(bench.path(BAD), content).expect("room");
        for command in COMMANDS {
            bench.refuse_naming(command, &[BAD, named]);
        }
    }
    fs::remove_file(bench.path(BAD)).expect("it was just written");
    for command in COMMANDS {
        let named = if command.starts_with("summary") { "neither a checkpoint" } else { "No such file" };
        bench.refuse_naming(command, &[BAD, named]);
    }
    fs::create_dir(bench.path(BAD)).expect("a folder");
    for command in COMMANDS {
        bench.refuse_naming(command, &[BAD, "regular file"]);
    }
}

#[test]
fn a_checkpoint_of_another_program_is_named() {
    let bench = trained();
    fs::copy(crate::common::fixtures().join("safetensors/from_python.safetensors"), bench.path(BAD))
        .expect("room");
    for command in COMMANDS {
        bench.refuse_naming(command, &[BAD, "metadata"]);
    }
}

#[test]
fn weights_of_another_network_name_the_tensor_and_both_shapes() {
    let bench = trained();
    write_bad(&bench, |tensors, _| {
        let tensor = tensors.iter_mut().find(|t| t.name == "dense1.weight").expect("is there");
        *tensor = Tensor::new("dense1.weight", [50, 784], vec![0.0; 50 * 784]);
    });
    for command in COMMANDS.iter().filter(|command| !command.starts_with("summary")) {
        bench.refuse_naming(command, &[BAD, "dense1.weight", "100x784", "50x784"]);
    }

    // A perceptron that says it is a convolutional network.
    write_bad(&bench, |_, metadata| metadata.network = "mnist-cnn".to_owned());
    for command in COMMANDS.iter().filter(|command| !command.starts_with("summary")) {
        bench.refuse_naming(command, &[BAD, "conv1", "another network"]);
    }
}

#[test]
fn metadata_that_cannot_be_are_refused() {
    let bench = trained();
    type Change = fn(&mut Metadata);
    let cases: [(Change, &str); 4] = [
        (|m| m.network = "resnet-9000".to_owned(), "resnet-9000"),
        (|m| m.input = [1, 1 << 40, 1 << 40], "1x28x28"),
        (|m| m.input = [0, 0, 0], "1x28x28"),
        (|m| m.classes.clear(), "class"),
    ];
    for (change, named) in cases {
        write_bad(&bench, |_, metadata| change(metadata));
        for command in COMMANDS {
            bench.refuse_naming(command, &[BAD, named]);
        }
    }
}

#[test]
fn classes_that_differ_are_shown() {
    let bench = trained();
    for split in ["train", "t10k"] {
        write_split(&bench.path("data/fashion-mnist"), split, 0..20);
    }
    for command in ["evaluate", "train --epochs 2 --resume"] {
        bench.refuse_naming(
            &format!("{command} {LAST} --data fashion-mnist"),
            &[LAST, "Trouser", "fashion-mnist"],
        );
    }
}

#[test]
fn pictures_that_are_none_are_named() {
    let bench = trained();
    let predict = format!("predict {LAST} digit.png");
    bench.refuse_naming(&format!("{predict} nowhere.png"), &["nowhere.png", "No such file"]);
    let whole = bench.bytes("digit.png");
    let contents =
        [&b""[..], b"text, though it is called png", &whole[..whole.len() / 2], b"\xff\xd8\xff\xe0 no JPEG"];
    for content in contents {
        fs::write(bench.path("bad.png"), content).expect("room");
        bench.refuse_naming(&format!("{predict} bad.png"), &["bad.png"]);
    }
    fs::create_dir(bench.path("folder.png")).expect("a folder");
    bench.refuse_naming(&format!("{predict} folder.png"), &["folder.png"]);
}

/// A header that promises far more pixels than there can be.
#[test]
fn a_picture_that_claims_to_be_huge_is_refused() {
    let bench = trained();
    let mut bytes = bench.bytes("digit.png");
    bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    fs::write(bench.path("huge.png"), bytes).expect("room");
    bench.refuse_naming(&format!("predict {LAST} huge.png"), &["huge.png"]);
}

/// As PNG wants it, <https://www.w3.org/TR/png-3/#D-CRCAppendix>.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}
