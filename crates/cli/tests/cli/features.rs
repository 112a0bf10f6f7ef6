//! Features of pictures, and heads that learn from them.

use crate::common::{Bench, digit, fixtures, write_foreign};
use lenslet_checkpoint::{Checkpoint, Tensor};
use lenslet_dataset::{Dataset, Features, ImageShape};
use lenslet_features::{Description, FeatureFile, Numbers, Part, Writer};
use lenslet_pipeline::Normalisation;
use lenslet_train::Metadata;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// An untrained `mnist-cnn`, whose body makes 25x26x26 features of a digit.
const TRAIN: &str = "train mnist-cnn --epochs 1 --batch-size 100";
const EXTRACT: &str = "features --model mnist-cnn --weights runs/mnist-cnn/last.safetensors mnist";

#[test]
fn features_of_all_pictures_are_kept_in_one_file() {
    let bench = Bench::new();
    bench.succeed(TRAIN);
    let told = bench.succeed(&format!("{EXTRACT} -o all/features.safetensors --batch-size 64"));
    assert!(told.starts_with("64 of 300 pictures\n128 of 300 pictures\n"), "{told}");
    assert!(
        told.contains("\nall/features.safetensors: features of 300 pictures, 300 of them new in "),
        "{told}"
    );
    let file = FeatureFile::open(bench.path("all/features.safetensors")).expect("whole");
    let Description { model, weights, data, classes, normalisation, parts, .. } = file.description().clone();
    assert_eq!((model.as_str(), data.as_str(), classes.len()), ("mnist-cnn", "mnist", 10));
    assert_eq!((normalisation, weights.len()), (Normalisation::unit(1), 64));
    assert_eq!(parts, ["train", "val"]);
    let [train, val] = ["train", "val"].map(|part| file.part(part).expect("there"));
    assert_eq!((train.len(), val.len()), (200, 100));
    let shape = ImageShape { channels: 25, height: 26, width: 26 };
    assert_eq!(train.image_shape(), Some(shape));
    assert!((0..100).all(|index| val.label(index).expect("there") == digit(200 + index).1 as usize));

    // The first feature of the first filter is what the convolution sees in the corner, which is black.
    let checkpoint = Checkpoint::open(bench.path("runs/mnist-cnn/last.safetensors")).expect("whole");
    let bias = checkpoint.tensor("conv1.bias", &[25]).expect("there").to_vec();
    let mut features = vec![0.0; shape.len()];
    val.read(3, &mut features).expect("there");
    let corners: Vec<f32> = features.chunks_exact(26 * 26).map(|plane| plane[0]).collect();
    assert_eq!(corners, bias.iter().map(|bias| bias.max(0.0)).collect::<Vec<_>>());
    assert!(features.iter().any(|feature| *feature > 0.1));

    let again = bench.succeed(&format!("{EXTRACT} -o all/features.safetensors"));
    assert!(again.contains("are there already"), "{again}");
    let other = format!("{EXTRACT} -o all/features.safetensors --dtype f16");
    bench.refuse_naming(&other, &["all/features.safetensors", "--overwrite"]);
    bench.succeed(&format!("{other} --overwrite"));
    let half = FeatureFile::open(bench.path("all/features.safetensors")).expect("whole");
    let mut rounded = vec![0.0; shape.len()];
    half.part("val").expect("there").read(3, &mut rounded).expect("there");
    let is_near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 * a.abs() + 1e-6;
    assert!(features.iter().zip(&rounded).all(is_near));

    let written = bench.succeed("features export all/features.safetensors --output numpy");
    assert_eq!(written.lines().count(), 4, "{written}");
    assert_eq!(bench.bytes("numpy/val.features.npy").len(), 128 + 100 * 2 * shape.len());
}

#[test]
fn a_folder_with_pictures_to_test_with_has_a_part_for_them() {
    let bench = Bench::new();
    bench.succeed(TRAIN);
    let picture = fixtures().join("digits/test-0-is-7.png");
    for (part, count) in [("train", 3), ("val", 2), ("test", 1)] {
        for (class, number) in (0..10).flat_map(|class| (0..count).map(move |number| (class, number))) {
            let folder = bench.path(format!("digits/{part}/{class}"));
            fs::create_dir_all(&folder).expect("a folder");
            fs::copy(&picture, folder.join(format!("{number}.png"))).expect("room");
        }
    }
    let extract =
        "features --model mnist-cnn --weights runs/mnist-cnn/last.safetensors digits -o f.safetensors";
    bench.succeed(extract);
    let file = FeatureFile::open(bench.path("f.safetensors")).expect("whole");
    let lengths = ["train", "val", "test"].map(|part| file.part(part).expect("there").len());
    assert_eq!(lengths, [30, 20, 10]);
}

#[cfg(unix)]
#[test]
fn a_killed_extraction_is_gone_on_with() {
    let bench = Bench::new();
    bench.succeed(TRAIN);
    bench.succeed(&format!("{EXTRACT} -o whole.safetensors"));
    let whole = bench.bytes("whole.safetensors");
    let part = bench.path("killed.safetensors.part");
    let one_by_one = format!("{EXTRACT} -o killed.safetensors --batch-size 1");
    let mut child = bench.spawn(&one_by_one);
    let started = Instant::now();
    // 27 pictures and more.
    while fs::metadata(&part).map_or(0, |part| part.len()) < 2_000_000 {
        assert!(started.elapsed() < Duration::from_secs(120) && child.try_wait().expect("a child").is_none());
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(part.exists() && !bench.path("killed.safetensors").exists());
    let told = bench.succeed(&one_by_one);
    assert!(told.contains(" of 200 pictures are done already"), "{told}");
    assert!(bench.bytes("killed.safetensors") == whole && !part.exists());
}

#[test]
fn weights_that_are_not_all_there_are_refused_one_by_one() {
    let bench = Bench::new();
    let biases = |name: &str, n: usize| Tensor::new(name, [n], vec![0.0; n]);
    let weight = Tensor::new("features.0.weight", [64, 1, 3, 3], vec![0.0; 64 * 9]);
    let tensors = [weight, biases("features.0.bias", 64), biases("features.2.bias", 32)];
    write_foreign(&bench.path("torch.safetensors"), &tensors);
    bench.refuse_naming(
        "features --model vgg16 --weights torch.safetensors mnist -o f.safetensors",
        &[
            "vgg16 needs other weights",
            "conv1.weight: the network has 64x3x3x3, the file has 64x1x3x3",
            "conv2.bias: the network has 64, the file has 32",
            "conv13.weight: the network has 512x512x3x3, the file has none",
        ],
    );
    bench.refuse_naming(
        "features --model cifar-cnn --weights torch.safetensors cifar-10 -o f.safetensors",
        &["nothing in torch.safetensors fits cifar-cnn", "conv1.weight: the network has 50x3x3x3"],
    );
    bench.succeed("train mnist-mlp --epochs 1");
    let mlp = "features --model mnist-mlp --weights runs/mnist-mlp/last.safetensors mnist -o f.safetensors";
    bench.refuse_naming(mlp, &["mnist-mlp has no layers before"]);
    bench.run(["features", "mnist"]).code(2);
}

const SHAPE: ImageShape = ImageShape { channels: 512, height: 7, width: 7 };

/// Noise as features of two classes, each of which lights up half of the channels.
fn write_features(path: &Path) {
    let description = Description {
        model: "vgg16".into(),
        weights: "none".into(),
        data: "pets".into(),
        classes: vec!["cat".into(), "dog".into()],
        normalisation: Normalisation { mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] },
        fitting: Default::default(),
        numbers: Numbers::F16,
        parts: vec!["train".into(), "val".into()],
    };
    let labels = |count: usize| (0..count).map(|index| index % 2).collect::<Vec<_>>();
    let parts = [Part::new("train", labels(32)), Part::new("val", labels(16))];
    let mut writer = Writer::open(path, SHAPE, &description, &parts).expect("room");
    for label in [labels(32), labels(16)].concat() {
        let number = writer.done() as u32;
        let row = (0..SHAPE.len()).map(|at| {
            let noise = (at as u32 + number * 7919).wrapping_mul(2_654_435_761) >> 24;
            let bright = if at / 49 % 2 == label { 1.5 } else { 0.5 };
            noise as f32 / 256.0 * bright
        });
        writer.push(&row.collect::<Vec<_>>()).expect("room");
    }
    writer.finish().expect("all are there");
}

#[test]
fn a_head_learns_from_features_and_is_put_on_its_body() {
    let bench = Bench::empty();
    write_features(&bench.path("features.safetensors"));
    let train =
        "train vgg16-head --data features.safetensors --epochs 4 --batch-size 8 --learning-rate 0.0003";
    bench.succeed(train);
    const HEAD: &str = "runs/vgg16-head/last.safetensors";
    let told = bench.succeed(&format!("evaluate {HEAD}"));
    assert!(told.starts_with("vgg16-head on features.safetensors: accuracy 100.00 % (16 of 16)"), "{told}");
    let page = fs::read_to_string(bench.path("runs/vgg16-head/report.html")).expect("a report");
    assert!(page.contains("learned from features"), "there is no picture to show");
    let metadata =
        |path| Checkpoint::open(bench.path(path)).expect("whole").metadata::<Metadata>().expect("ours");
    assert_eq!(metadata(HEAD).normalisation.mean, [0.485, 0.456, 0.406]);
    bench.succeed(&format!("train --resume {HEAD} --epochs 5"));

    // The settings that the run leaves are those that it can be repeated with.
    bench.succeed("train --config runs/vgg16-head/config.toml --epochs 5 --output again");
    assert!(bench.bytes(HEAD) == bench.bytes("again/last.safetensors"));
    bench.refuse_naming(
        &format!("{train} --normalise unit --output other"),
        &["features.safetensors", "--normalise"],
    );

    // Features are not pictures, nor pictures features.
    let picture = fixtures().join("digits/test-0-is-7.png");
    bench.refuse_naming(
        &format!("predict {HEAD} {}", picture.display()),
        &[HEAD, "takes features of 512x7x7, not pictures", "lenslet assemble"],
    );
    bench.refuse_naming("train vgg16-head --output other", &["learns from features", "--data"]);
    bench.refuse_naming(
        "train vgg16-head --data pets --output other",
        &["pets is no file of features of 512x7x7"],
    );
    bench.refuse_naming("train vgg16 --data features.safetensors", &["3x224x224", "512x7x7"]);
    fs::write(bench.path("flip.toml"), "[[augment]]\nkind = 'random-horizontal-flip'").expect("room");
    bench.refuse_naming(
        &format!("{train} --config flip.toml --output other"),
        &["features cannot be augmented"],
    );
    bench.refuse_naming(
        "augment --augment flip.toml --preview preview.png --data features.safetensors",
        &["features"],
    );

    // A body by torchvision's names: the first filters look at colours, the others at nothing.
    let convolutions = [
        (0, 3, 64),
        (2, 64, 64),
        (5, 64, 128),
        (7, 128, 128),
        (10, 128, 256),
        (12, 256, 256),
        (14, 256, 256),
        (17, 256, 512),
        (19, 512, 512),
        (21, 512, 512),
        (24, 512, 512),
        (26, 512, 512),
        (28, 512, 512),
    ];
    let body: Vec<Tensor<'_>> = convolutions
        .iter()
        .flat_map(|&(number, inputs, outputs)| {
            let name = |tensor| format!("features.{number}.{tensor}");
            let weight =
                Tensor::new(name("weight"), [outputs, inputs, 3, 3], vec![0.0; outputs * inputs * 9]);
            [weight, Tensor::new(name("bias"), [outputs], vec![0.5; outputs])]
        })
        .collect();
    write_foreign(&bench.path("body.safetensors"), &body);
    bench.refuse_naming("assemble vgg16 --init-from body.safetensors -o v.safetensors", &["which classes"]);
    bench.refuse_naming(
        &format!("assemble vgg16 --init-from {HEAD} -o v.safetensors"),
        &["conv1.weight: the network has 64x3x3x3, the file has none"],
    );
    let assemble = format!("assemble vgg16 --init-from body.safetensors --init-from {HEAD} -o v.safetensors");
    bench.succeed(&assemble);
    bench.refuse_naming(&assemble, &["v.safetensors", "--overwrite"]);
    let whole = metadata("v.safetensors");
    assert_eq!((whole.network.as_str(), whole.input, whole.data.as_str()), ("vgg16", [3, 224, 224], "pets"));
    assert_eq!((whole.classes, whole.normalisation), (metadata(HEAD).classes, metadata(HEAD).normalisation));
    let answer = bench.succeed(&format!("predict v.safetensors {} --json", picture.display()));
    assert!(answer.contains("cat") && answer.contains("dog"), "{answer}");
}
