//! Augmentations in configuration files, and whole ones in a loader.

mod common;

use std::sync::Arc;

use common::training_batches;
use lenslet_dataset::{ImageShape, InMemory};
use lenslet_pipeline::{Augmentation, LoaderConfig, Normalisation, TrainLoader};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Configuration {
    epochs: u64,
    augment: Augmentation,
}

/// A step of each kind with nothing but what has no default.
const ALL: &str = r#"
    augment = [
        { kind = "random-crop" }, { kind = "random-resized-crop" }, { kind = "random-horizontal-flip" },
        { kind = "random-vertical-flip" }, { kind = "alternating-flip" }, { kind = "random-affine" },
        { kind = "color-jitter" }, { kind = "rand-augment" }, { kind = "trivial-augment-wide" },
        { kind = "cutout", size = 8 }, { kind = "random-erasing" }, { kind = "mixup" }, { kind = "cutmix" },
    ]"#;

fn parsed(toml: &str) -> Augmentation {
    toml::from_str::<Configuration>(toml).unwrap().augment
}

fn message(toml: &str) -> String {
    toml::from_str::<Configuration>(toml).unwrap_err().to_string()
}

#[test]
fn every_kind_of_step_survives_toml_and_json() {
    let configuration = Configuration { epochs: 3, augment: parsed(ALL) };
    assert_eq!(configuration.augment.steps.len(), 13);
    configuration.augment.check().unwrap();
    let toml = toml::to_string(&configuration).unwrap();
    assert_eq!(toml::from_str::<Configuration>(&toml).unwrap(), configuration);
    let json = serde_json::to_string(&configuration).unwrap();
    assert_eq!(serde_json::from_str::<Configuration>(&json).unwrap(), configuration);
    assert!(toml.contains("[[augment]]\nkind = \"random-crop\"\npadding = 0\npadding-mode = \"zeros\"\n"));
}

#[test]
fn no_augmentation_is_the_default() {
    assert_eq!(parsed("epochs = 1"), Augmentation::default());
    assert!(Augmentation::default().steps.is_empty());
}

#[test]
fn what_is_not_known_is_refused() {
    assert!(message(r#"augment = [{ kind = "random-corp" }]"#).contains("unknown variant `random-corp`"));
    let crop = message(r#"augment = [{ kind = "random-crop", pading = 4 }]"#);
    assert!(
        crop.contains("unknown field `pading`, expected one of `size`, `padding`, `padding-mode`"),
        "{crop}"
    );
    assert!(message(r#"augment = [{ kind = "alternating-flip", p = 0.5 }]"#).contains("unknown field `p`"));
    assert!(message(r#"augment = [{ kind = "cutout" }]"#).contains("missing field `size`"));
    assert!(message("augment = [{ padding = 4 }]").contains("missing field `kind`"));
    for padding in ["-1", "1.5", "70000", "\"4\""] {
        message(&format!(r#"augment = [{{ kind = "random-crop", padding = {padding} }}]"#));
    }
}

#[test]
fn batches_are_mixed_after_their_pictures_are_made() {
    let steps = r#"augment = [{ kind = "cutout", size = 1 }, { kind = "mixup" }, { kind = "cutmix" }, { kind = "random-crop" }]"#;
    assert_eq!(
        parsed(steps).check().unwrap_err().to_string(),
        "augmentation: step 2 mixes whole batches, but step 4 after it changes single pictures: put mixup and cutmix last"
    );
}

#[test]
fn a_shape_goes_through_all_steps() {
    let steps = parsed(
        r#"augment = [
            { kind = "random-crop", size = [20, 24] }, { kind = "random-resized-crop", size = [28, 28] },
            { kind = "random-crop", padding = 27, padding-mode = "reflect" }
        ]"#,
    );
    let shape = ImageShape { channels: 3, height: 32, width: 32 };
    assert_eq!(steps.output_shape(shape).unwrap().to_string(), "3x28x28");
    let small = ImageShape { height: 16, ..shape };
    assert!(steps.output_shape(small).unwrap_err().to_string().contains("larger than pictures of 3x16x32"));
    let invalid = parsed(r#"augment = [{ kind = "random-erasing", p = 2 }]"#);
    assert!(invalid.output_shape(shape).is_err());
}

#[test]
fn mixed_batches_say_how() {
    let mut kinds = [0, 0];
    for batch in (1..5).flat_map(|epoch| training_batches(0, 1, epoch)) {
        let mix = batch.mix.as_ref().expect("mixup or cutmix");
        assert_eq!((mix.labels.len(), mix.weights.len()), (batch.len(), batch.len()));
        assert!(mix.labels.iter().eq(batch.labels.iter().rev()));
        assert!(mix.weights.iter().all(|weight| (0.0..=1.0).contains(weight)));
        // A share of an area is a whole number of pixels.
        let is_area = (mix.weights[0] * 6.0).fract() == 0.0;
        kinds[usize::from(is_area)] += 1;
    }
    // Of 60 batches, 30 of each kind with a deviation of 4.
    assert!(kinds[0] > 12 && kinds[1] > 12, "{kinds:?}");
}

#[test]
fn all_steps_together_make_numbers() {
    let shape = ImageShape { channels: 3, height: 9, width: 10 };
    let pixels = (0..20 * shape.len()).map(|at| (at * 89 % 256) as u8).collect();
    let data = Arc::new(InMemory::new(shape, pixels, vec![0; 20], vec!["a".into()]).unwrap());
    let config = LoaderConfig { batch_size: 6, prefetch: 0 };
    let loader = TrainLoader::new(data, &Normalisation::unit(3), &parsed(ALL), config).unwrap();
    for epoch in 1..20 {
        for batch in loader.epoch(2, epoch) {
            assert!(batch.unwrap().images.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}
