//! Runs that begin with what another one learned.

use crate::common::{Bench, write_foreign, write_split};
use lenslet_checkpoint::{Checkpoint, Tensor};
use serde_json::Value;
use std::fs;

fn tensor(bench: &Bench, file: &str, name: &str, shape: &[usize]) -> Vec<f32> {
    Checkpoint::open(bench.path(file)).expect("whole").tensor(name, shape).expect(name).to_vec()
}

const FIRST: &str = "runs/mnist-cnn/last.safetensors";
const SECOND: &str = "second/last.safetensors";
const CONV: &[usize] = &[25, 1, 3, 3];

/// Twenty digits as a data set of three classes, and a run on ten.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.succeed("train mnist-cnn --epochs 1 --batch-size 50");
    let few = bench.path("few");
    for split in ["train", "t10k"] {
        write_split(&few, split, 0..20);
        let labels = few.join(format!("{split}-labels-idx1-ubyte"));
        let mut bytes = fs::read(&labels).expect("just written");
        bytes[8..].iter_mut().for_each(|label| *label %= 3);
        fs::write(&labels, bytes).expect("room");
    }
    bench
}

#[test]
fn what_fits_is_taken_and_what_is_frozen_stays() {
    let bench = bench();
    let train = "train mnist-cnn --data few --epochs 2 --batch-size 10 --output second --freeze conv*";
    let told = bench.succeed(&format!("{train} --init-from {FIRST}"));
    for line in [
        "4 of 6 tensors from runs/mnist-cnn/last.safetensors:",
        "  conv1.weight",
        "  not dense2.weight: the network has 3x100, the file has 10x100",
        "  not dense2.bias: the network has 3, the file has 10",
    ] {
        assert!(told.lines().any(|told| told == line), "{line:?} is not in\n{told}");
    }
    let both = |name, shape: &[usize]| [FIRST, SECOND].map(|file| tensor(&bench, file, name, shape));
    let [before, after] = both("conv1.weight", CONV);
    assert_eq!(before, after, "frozen");
    let [before, after] = both("dense1.bias", &[100]);
    assert_ne!(before, after, "not frozen");

    // The run's settings say it all, and a resumed run still knows what it began with.
    let again = "train --config second/config.toml --output third";
    bench.succeed(again);
    assert!(bench.bytes(SECOND) == bench.bytes("third/last.safetensors"));
    bench.succeed(&format!("train --resume {SECOND} --epochs 3"));
    let settings = String::from_utf8(bench.bytes("second/config.toml")).expect("text");
    assert!(settings.contains(&format!("init-from = [\"{FIRST}\"]")), "{settings}");

    let json =
        bench.succeed(&format!("{train} --init-from {FIRST} --overwrite --json --unfreeze conv1.bias"));
    let first: Value = serde_json::from_str(json.lines().next().expect("lines")).expect("JSON");
    assert_eq!((&first["event"], first["taken"].as_array().map(Vec::len)), (&"taken".into(), Some(4)));
    let [before, after] = both("conv1.bias", &[25]);
    assert_ne!(before, after, "let go again");
}

#[test]
fn names_of_other_programs_are_mapped() {
    let bench = bench();
    let weight: Vec<f32> = (0..225).map(|i| i as f32 / 225.0).collect();
    let tensors =
        [Tensor::new("stem.kernel", CONV, weight.as_slice()), Tensor::new("other", [2], vec![0.0; 2])];
    write_foreign(&bench.path("foreign.safetensors"), &tensors);
    fs::write(
        bench.path("run.toml"),
        "network = 'mnist-cnn'\ndata = 'few'\nepochs = 1\ninit-from = ['foreign.safetensors']\n\
         map = ['stem.kernel=conv1.weight']\nfreeze = ['*']\nunfreeze = ['dense*']",
    )
    .expect("room");
    let told = bench.succeed("train --config run.toml --output second");
    assert!(told.contains("  conv1.weight from stem.kernel\n"), "{told}");
    assert!(told.contains("  not other: the network has none, the file has 2\n"), "{told}");
    assert_eq!(tensor(&bench, SECOND, "conv1.weight", CONV), weight);
    assert_eq!(tensor(&bench, SECOND, "conv1.bias", &[25]), [0.0; 25]);
}

#[test]
fn what_cannot_be_is_refused() {
    let bench = bench();
    write_foreign(&bench.path("foreign.safetensors"), &[Tensor::new("other", [2], vec![0.0; 2])]);
    let train = "train mnist-cnn --output second";
    for (line, parts) in [
        (
            "--init-from foreign.safetensors",
            &["nothing in foreign.safetensors fits mnist-cnn", "25x1x3x3"][..],
        ),
        ("--init-from nowhere.safetensors", &["nowhere.safetensors"]),
        ("--init-from foreign.safetensors --map a*=b", &["a*=b", "one * on each side"]),
        ("--map a*=b*", &["--init-from"]),
        ("--freeze conv9*", &["conv9*", "conv1.weight"]),
    ] {
        bench.refuse_naming(&format!("{train} {line}"), parts);
    }
    assert!(!bench.path("second").exists());
    let resumed = format!("train --resume {FIRST} --epochs 2 --init-from {FIRST}");
    bench.run(resumed.split_whitespace()).code(2);
}
