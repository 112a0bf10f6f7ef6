//! Writes every network of the zoo as `NAME.onnx`, and some pictures with what Lenslet makes of them as
//! `NAME.safetensors`, for `fixtures/onnx/check.py` to compare with onnxruntime:
//!
//!     cargo run -p lenslet-onnx --example write_zoo -- DIR
//!
//! Weights are drawn, and so are the running statistics of batch normalisations, so that nothing is trivially one or zero.

use dfdx::prelude::NoneTape;
use lenslet_checkpoint::{Tensor, replace, save};
use lenslet_models::{Design, ZOO};
use lenslet_nn::{Initialiser, Network, initialise, logits, visit_parameters_mut, visit_statistics_mut};
use lenslet_onnx::{Description, Message, export};
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

const CLASSES: usize = 7;
const PICTURES: usize = 3;

fn write(design: &Design, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut numbers = numbers();
    let mut model = design.with_classes(CLASSES)?;
    initialise(&mut model, Initialiser::KaimingUniform, 7);
    visit_parameters_mut(&mut model, |name, tensor| {
        if name.ends_with("bias") || name.contains("norm") {
            let values: Vec<f32> = numbers.by_ref().take(tensor.len()).map(|u| u + 0.1).collect();
            tensor.write(&values);
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    visit_statistics_mut(&mut model, |_, tensor| {
        let values: Vec<f32> = numbers.by_ref().take(tensor.len()).map(|u| u + 0.5).collect();
        tensor.write(&values);
        Ok::<_, Box<dyn Error>>(())
    })?;

    let pictures: Vec<f32> = numbers.take(PICTURES * design.input.iter().product::<usize>()).collect();
    let mut given = vec![0.0; PICTURES * CLASSES];
    logits(&model, pictures.clone(), NoneTape)?.copy_into(&mut given);
    let [channels, height, width] = design.input;
    let tensors = [
        Tensor::new("pictures", [PICTURES, channels, height, width], pictures),
        Tensor::new("logits", [PICTURES, CLASSES], given),
    ];
    save(folder.join(design.name).with_extension("safetensors"), &tensors, &design.name)?;

    let classes: Vec<String> = (0..CLASSES).map(|class| format!("class {class}")).collect();
    let (mean, std) = (vec![0.5; channels], vec![0.25; channels]);
    let description = Description { network: design.name, classes: &classes, mean: &mean, std: &std };
    let bytes = export(&model.whole_plan(), &description)?.encode_to_vec();
    Ok(replace(&folder.join(design.name).with_extension("onnx"), |file| file.write_all(&bytes))?)
}

/// Numbers from 0 to 1, the same every time.
fn numbers() -> impl Iterator<Item = f32> {
    (0u32..).map(|i| {
        let mut hash = i.wrapping_mul(0x9E37_79B1);
        hash ^= hash >> 15;
        hash = hash.wrapping_mul(0x85EB_CA77);
        hash ^= hash >> 13;
        (hash >> 8) as f32 / (1 << 24) as f32
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name a folder to write to")?);
    ZOO.iter().try_for_each(|design| write(design, &folder))
}
