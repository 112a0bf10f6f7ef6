//! Previews of augmentation.

use crate::common::{Bench, PIXELS, digit};
use std::fs;

const SHIFT: &str = "[[augment]]\nkind = \"random-crop\"\npadding = 2\n";

fn preview(bench: &Bench) -> image::RgbImage {
    image::load_from_memory(&bench.bytes("preview.png")).expect("a PNG").into_rgb8()
}

#[test]
fn a_preview_has_the_original_and_the_epochs() {
    let bench = Bench::new();
    fs::write(bench.path("run.toml"), format!("epochs = 10\n\n{SHIFT}")).expect("room");
    let line = "augment --augment run.toml --preview preview.png --rows 2 --columns 3";
    assert_eq!(bench.succeed(line), "preview.png: 2 pictures of mnist, as they are and in 3 epochs\n");
    let sheet = preview(&bench);
    // Pixels of 3x3, pictures two apart.
    assert_eq!(sheet.dimensions(), (2 + 4 * 86, 2 + 2 * 86));
    let cell = |row: u32, column: u32| -> Vec<u8> {
        let at = |i: u32| sheet.get_pixel(2 + column * 86 + i % 28 * 3 + 1, 2 + row * 86 + i / 28 * 3 + 1)[0];
        (0..PIXELS as u32).map(at).collect()
    };
    assert_eq!(cell(0, 0), digit(0).0);
    assert_eq!(cell(1, 0), digit(1).0);
    assert!((1..4).any(|column| cell(0, column) != cell(0, 0)));

    let first = bench.bytes("preview.png");
    bench.succeed(line);
    assert_eq!(bench.bytes("preview.png"), first, "the seed decides");
    bench.succeed(&format!("{line} --seed 1"));
    assert_ne!(bench.bytes("preview.png"), first);
}

#[test]
fn files_without_an_augmentation_are_refused() {
    let bench = Bench::new();
    let line = "augment --augment run.toml --preview preview.png";
    bench.refuse_naming(line, &["cannot read run.toml"]);
    for (text, part) in [
        ("epochs = 10", "missing field `augment`"),
        ("augment = 1", "run.toml"),
        ("[[augment]]\nkind = \"random-corp\"", "unknown variant `random-corp`"),
        ("[[augment]]\nkind = \"random-crop\"\npading = 1", "unknown field `pading`"),
        (
            "[[augment]]\nkind = \"random-crop\"\nsize = [40, 40]",
            "random-crop: size is [40, 40], but must be",
        ),
        ("[[augment]]\nkind = \"random-resized-crop\"\nsize = [16384, 16384]", "too large"),
    ] {
        fs::write(bench.path("run.toml"), text).expect("room");
        bench.refuse_naming(line, &[part]);
    }
    assert!(!bench.path("preview.png").exists());
}
