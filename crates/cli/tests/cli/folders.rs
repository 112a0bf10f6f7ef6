//! Folders of pictures, which the tests write.

use crate::common::Bench;
use image::{GrayImage, Luma, Rgb, RgbImage};
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Filter, Fit};
use lenslet_train::Metadata;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// In the order of their folders.
const COLOURS: [(&str, [u8; 3]); 3] =
    [("blueberry", [30, 40, 220]), ("cherry", [230, 20, 30]), ("lime", [60, 220, 40])];

/// A picture of nearly one colour, in a size of its own.
fn write_picture(path: &Path, colour: [u8; 3], number: u32) {
    fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
    let pixel = |x, y| Rgb(colour.map(|value| value - (7 * number + x + y) as u8 % 16));
    RgbImage::from_fn(30 + number, 50 - number, pixel).save(path).expect("room");
}

/// Twelve pictures of each class to train on, four to validate, in PNG, JPEG, WebP and BMP.
fn write_fruit(root: &Path) {
    for (part, numbers) in [("train", 0..12), ("val", 12..16)] {
        for (class, colour) in COLOURS {
            for number in numbers.clone() {
                let extension = ["png", "jpg", "webp", "bmp"][number as usize % 4];
                write_picture(&root.join(format!("{part}/{class}/{number:02}.{extension}")), colour, number);
            }
        }
    }
    fs::write(root.join("train/lime/notes.txt"), "no picture").expect("room");
}

fn fruit() -> Bench {
    let bench = Bench::empty();
    write_fruit(&bench.path("fruit"));
    bench
}

const TRAIN: &str = "train cifar-cnn --data fruit --batch-size 6 --normalise channels --seed 1";
const LAST: &str = "runs/cifar-cnn/last.safetensors";

#[test]
fn a_folder_of_pictures_is_trained_on_and_its_classes_are_told() {
    let bench = fruit();
    bench.succeed(&format!("{TRAIN} --epochs 3"));
    let checkpoint = Checkpoint::open(bench.path(LAST)).expect("whole");
    let classes = checkpoint.metadata::<Metadata>().expect("of lenslet").classes;
    assert_eq!(classes, COLOURS.map(|(class, _)| class));

    let report: Value =
        serde_json::from_str(&bench.succeed(&format!("evaluate {LAST} --json"))).expect("JSON");
    assert_eq!((&report["samples"], &report["data"]), (&12.into(), &"fruit".into()));
    for (class, _) in COLOURS {
        let line = bench.succeed(&format!("predict {LAST} fruit/val/{class}/13.jpg --top 1"));
        assert!(line.starts_with(&format!("fruit/val/{class}/13.jpg: {class} ")), "{line}");
    }
    // The same pictures without parts: a fifth is held out.
    fs::rename(bench.path("fruit/train"), bench.path("plain")).expect("same disk");
    for (split, samples) in [("train", 29), ("test", 7), ("validation", 7)] {
        let line = bench.succeed(&format!("evaluate {LAST} --data plain --split {split} --json"));
        assert!(line.contains(&format!("\"samples\":{samples},")), "{split}: {line}");
    }
}

#[test]
fn grey_networks_get_grey_pictures() {
    let bench = fruit();
    bench.succeed("train mnist-mlp --data fruit --epochs 1 --batch-size 6");
    let line = bench.succeed("predict runs/mnist-mlp/last.safetensors fruit/val/lime/12.png --json");
    assert!(line.contains("\"lime\""), "{line}");
}

#[test]
fn runs_on_folders_resume_to_the_same_bytes_on_any_number_of_threads() {
    let bench = fruit();
    bench.succeed(&format!("{TRAIN} --epochs 2 --threads 1 --output whole"));
    bench.succeed(&format!("{TRAIN} --epochs 1 --threads 2 --output halves"));
    bench.succeed("train --resume halves/last.safetensors --epochs 2");
    assert_eq!(bench.bytes("whole/last.safetensors"), bench.bytes("halves/last.safetensors"));
}

#[test]
fn a_picture_that_cannot_be_read_stops_a_run_or_is_replaced_and_counted() {
    let bench = fruit();
    fs::write(bench.path("fruit/train/lime/04.png"), "<html>404</html>").expect("room");
    fs::write(bench.path("fruit/val/cherry/12.png"), "").expect("room");
    let line = format!("{TRAIN} --epochs 1");
    bench.refuse_naming(&line, &["fruit/train/lime/04.png: the content is no JPEG"]);
    let assert = bench.run(format!("{line} --on-error skip").split_whitespace()).success();
    let warnings = String::from_utf8_lossy(&assert.get_output().stderr);
    assert!(warnings.contains("warning: 2 pictures that cannot be read"), "{warnings}");
    assert!(warnings.contains("fruit/train/lime/04.png"), "{warnings}");
    let assert = bench.run(["evaluate", LAST, "--on-error", "skip"]).success();
    let warnings = String::from_utf8_lossy(&assert.get_output().stderr);
    assert!(warnings.contains("1 picture that cannot be read"), "{warnings}");

    fs::write(bench.path("fruit/val/cherry/13.jpg"), "").expect("room");
    fs::write(bench.path("fruit/val/cherry/14.webp"), "").expect("room");
    fs::write(bench.path("fruit/val/cherry/15.bmp"), "").expect("room");
    let words = ["evaluate", LAST, "--on-error", "skip"];
    let message = bench.refuse(words);
    assert!(message.contains("none of the 4 pictures of its class can be read"), "{message}");
}

#[test]
fn other_classes_are_named() {
    let bench = fruit();
    bench.succeed(&format!("{TRAIN} --epochs 1"));
    fs::rename(bench.path("fruit/val/lime"), bench.path("lime")).expect("same disk");
    let assert = bench.run(["evaluate", LAST, "--per-class"]).success();
    let warnings = String::from_utf8_lossy(&assert.get_output().stderr);
    assert!(warnings.contains("fruit/val has no pictures of some classes: lime"), "{warnings}");
    fs::rename(bench.path("lime"), bench.path("fruit/val/lemon")).expect("same disk");
    let part = "fruit/val: the classes are not those of fruit/train: without lime, but with lemon";
    bench.refuse_naming(&format!("{TRAIN} --epochs 1 --overwrite"), &[part]);
    bench.refuse_naming(&format!("evaluate {LAST}"), &[part]);
    fs::rename(bench.path("fruit/train/lime"), bench.path("fruit/train/lemon")).expect("same disk");
    bench
        .refuse_naming(&format!("evaluate {LAST}"), &["blueberry, cherry, lime", "blueberry, cherry, lemon"]);
    fs::remove_dir_all(bench.path("fruit/train/cherry")).expect("it is there");
    fs::create_dir(bench.path("fruit/train/cherry")).expect("room");
    bench.refuse_naming(
        &format!("{TRAIN} --epochs 1 --overwrite"),
        &["fruit/train/cherry: expected pictures"],
    );
}

#[test]
fn inspect_counts_measures_and_draws() {
    let bench = fruit();
    let text = bench.succeed("data inspect fruit --contact-sheet sheet.png");
    assert!(text.starts_with("fruit/train: 36 pictures of 3 classes\n  blueberry       12\n"), "{text}");
    assert!(text.contains("36 coloured, 0 grey, 0 unreadable; other files: 1"), "{text}");
    assert!(
        text.contains("width  from 30 to 41, median 36") && text.contains("height from 39 to 50"),
        "{text}"
    );
    assert!(text.contains("\nfruit/val: 12 pictures of 3 classes"), "{text}");
    let sheet = image::load_from_memory(&bench.bytes("sheet.png")).expect("a PNG").into_rgb8();
    assert_eq!(sheet.dimensions(), (12 * 80, 3 * 80));
    for (row, (_, colour)) in (0..).zip(COLOURS) {
        let pixel = sheet.get_pixel(40, 80 * row + 40).0;
        assert!(pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 20), "row {row}: {pixel:?}");
    }
    assert!(!bench.path("sheet.png.part").exists());

    fs::create_dir(bench.path("grey")).expect("room");
    fs::create_dir(bench.path("grey/a")).expect("room");
    GrayImage::from_pixel(5, 4, Luma([51])).save(bench.path("grey/a/1.png")).expect("room");
    fs::write(bench.path("grey/a/2.gif"), "GIF89a").expect("room");
    let part: Value = serde_json::from_str(&bench.succeed("data inspect grey --json")).expect("JSON");
    let expected = serde_json::json!({
        "folder": "grey", "pictures": 2, "unreadable": 1, "ignored": 0, "grey": 1, "coloured": 0,
        "width": { "min": 5, "median": 5, "max": 5 }, "height": { "min": 4, "median": 4, "max": 4 },
        "mean": [0.2], "std": [0.0], "classes": [{ "class": "a", "pictures": 2 }],
    });
    assert_eq!(part, expected);
}

#[test]
fn verify_lists_what_cannot_be_read() {
    let bench = fruit();
    assert_eq!(bench.succeed("data verify fruit"), "48 pictures read, all are whole\n");
    assert_eq!(bench.succeed("data verify fruit --json"), "{\"pictures\":48,\"unreadable\":0}\n");
    fs::write(bench.path("fruit/train/lime/04.png"), "<html>404</html>").expect("room");
    let whole = bench.bytes("fruit/val/cherry/13.jpg");
    fs::write(bench.path("fruit/val/cherry/13.jpg"), &whole[..whole.len() / 2]).expect("room");
    let assert = bench.run(["data", "verify", "fruit"]).code(2);
    assert_eq!(
        String::from_utf8_lossy(&assert.get_output().stderr),
        "error: 2 of 48 pictures cannot be read\n"
    );
    let text = String::from_utf8_lossy(&assert.get_output().stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("fruit/train/lime/04.png: the content is no JPEG"), "{text}");
    assert!(lines[1].starts_with("fruit/val/cherry/13.jpg: the JPEG data are cut off after "), "{text}");

    let assert = bench.run(["data", "verify", "fruit", "--json"]).code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stdout);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["file"], "fruit/train/lime/04.png");
    assert_eq!(lines[2], serde_json::json!({ "pictures": 48, "unreadable": 2 }));
}

#[test]
fn what_is_no_folder_of_pictures_is_refused() {
    let bench = Bench::new();
    bench.refuse_naming("data verify nowhere", &["nowhere: "]);
    bench.refuse_naming(
        "data inspect data/mnist",
        &["data/mnist: expected a folder for each class, found none"],
    );
    // Files that a decoder knows win over folders beside them.
    fs::create_dir(bench.path("data/mnist/notes")).expect("room");
    bench.succeed("train mnist-mlp --data data/mnist --epochs 1");
}

#[test]
fn how_pictures_are_fitted_is_kept_for_evaluation_and_prediction() {
    let bench = fruit();
    bench.succeed(&format!("{TRAIN} --epochs 1 --fit squash --filter box"));
    let fitting =
        Checkpoint::open(bench.path(LAST)).expect("whole").metadata::<Metadata>().expect("ours").fitting;
    assert_eq!((fitting.fit, fitting.filter), (Fit::Squash, Filter::Box));
    let settings = fs::read_to_string(bench.path("runs/cifar-cnn/config.toml")).expect("there");
    assert!(settings.contains("fit = \"squash\"") && settings.contains("filter = \"box\""), "{settings}");

    // Squashed by boxes, columns that come twice are the columns.
    let pixel = |x: u32, y: u32| Rgb([7 * x as u8, 5 * y as u8, (x * y) as u8]);
    RgbImage::from_fn(32, 32, pixel).save(bench.path("narrow.png")).expect("room");
    RgbImage::from_fn(64, 32, |x, y| pixel(x / 2, y)).save(bench.path("wide.png")).expect("room");
    let guesses = |file: &str| {
        let line = bench.succeed(&format!("predict {LAST} {file} --json"));
        serde_json::from_str::<Value>(&line).expect("JSON")["classes"].clone()
    };
    assert_eq!(guesses("narrow.png"), guesses("wide.png"));
}

#[test]
fn a_packed_folder_trains_as_the_folder_until_a_picture_changes() {
    let bench = fruit();
    let line = bench.succeed("data pack fruit --size 32 --fit squash --output fruit.pack");
    assert!(line.starts_with("fruit.pack: 48 pictures of 3x32x32"), "{line}");
    let evaluate = |run: &str, data: &str| {
        let line = bench.succeed(&format!("evaluate {run}/last.safetensors --data {data} --json"));
        serde_json::from_str::<Value>(&line).expect("JSON")["loss"].clone()
    };
    let settings = "--epochs 1 --batch-size 6 --seed 1";
    bench.succeed(&format!("train cifar-cnn --data fruit --fit squash {settings} --output plain"));
    bench.succeed(&format!("train cifar-cnn --data fruit.pack {settings} --output packed"));
    assert_eq!(evaluate("plain", "fruit"), evaluate("packed", "fruit.pack"));
    assert_eq!(evaluate("packed", "fruit"), evaluate("packed", "fruit.pack"), "it is fitted as the pack was");

    write_picture(&bench.path("fruit/train/lime/04.png"), [60, 50, 40], 3);
    let error = ["fruit.pack", "04.png", "pack the folder again"];
    bench.refuse_naming("evaluate packed/last.safetensors --data fruit.pack", &error);
    bench.refuse_naming("data pack nothing --size 32 --output x.pack", &["nothing"]);
}
