//! Networks for other programs.

use crate::common::Bench;
use lenslet_onnx::{Message, proto::ModelProto};
use std::fs;

#[test]
fn a_checkpoint_becomes_an_onnx_model() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1 --normalise channels");
    let line = "export runs/mnist-mlp/last.safetensors --onnx model.onnx";
    assert!(bench.succeed(line).starts_with("model.onnx: mnist-mlp for 10 classes, ONNX opset 17"));
    let bytes = bench.bytes("model.onnx");
    let model = ModelProto::decode(bytes.as_slice()).expect("a model");
    let graph = model.graph.expect("a graph");
    let operators: Vec<_> = graph.node.iter().map(|node| node.op_type.as_str()).collect();
    assert_eq!(operators, ["Flatten", "Gemm", "Relu", "Gemm"]);
    let said = |key: &str| {
        let entry = model.metadata_props.iter().find(|entry| entry.key == key).expect("it is said");
        entry.value.clone()
    };
    assert_eq!(said("lenslet.classes"), r#"["0","1","2","3","4","5","6","7","8","9"]"#);
    let mean: [f32; 1] = serde_json::from_str(&said("lenslet.mean")).expect("one number");
    assert!(mean[0] > 0.1 && mean[0] < 0.2, "{mean:?}");

    let json = bench.succeed(&format!("{line} --json"));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((json["opset"].as_i64(), json["bytes"].as_u64()), (Some(17), Some(bytes.len() as u64)));
    assert!(bench.bytes("model.onnx") == bytes, "the same network, the same bytes");
}

#[test]
fn what_cannot_be_exported_leaves_no_file() {
    let bench = Bench::empty();
    fs::write(bench.path("notes.txt"), "these are notes, not weights").expect("room");
    bench.refuse_naming("export notes.txt --onnx model.onnx", &["notes.txt"]);
    bench.refuse_naming("export missing.safetensors --onnx model.onnx", &["missing.safetensors"]);
    assert!(!bench.path("model.onnx").exists());
}
