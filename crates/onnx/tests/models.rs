//! What is written is a valid graph, read back from its bytes. `fixtures/onnx/check.py` runs the models.

use dfdx::prelude::NoneTape;
use lenslet_models::{Design, ZOO};
use lenslet_nn::{
    Classifier, Initialiser, Layer, Network, Plan, initialise, logits, network, parameters, statistics,
};
use lenslet_onnx::proto::{AttributeProto, FLOAT, ModelProto, NodeProto, Size, ValueInfoProto};
use lenslet_onnx::{Description, Error, IR_VERSION, Message, OPSET, export};
use std::collections::{HashMap, HashSet};

fn names(classes: usize) -> Vec<String> {
    (0..classes).map(|class| format!("\"{class}\" and é")).collect()
}

/// Exports and reads back.
fn model_of(model: &dyn Network) -> ModelProto {
    let (classes, channels) = (names(model.classes()), model.input()[0]);
    let (mean, std) = (vec![0.25; channels], vec![0.5; channels]);
    let description = Description { network: "net", classes: &classes, mean: &mean, std: &std };
    let bytes = export(&model.whole_plan(), &description).expect("a network").encode_to_vec();
    ModelProto::decode(bytes.as_slice()).expect("a model")
}

fn sizes(value: &ValueInfoProto) -> Vec<Size> {
    let tensor = value.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).expect("a tensor");
    assert_eq!(tensor.elem_type, FLOAT);
    let shape = tensor.shape.as_ref().expect("a shape");
    shape.dim.iter().map(|dim| dim.value.clone().expect("a size")).collect()
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> &'a AttributeProto {
    node.attribute.iter().find(|a| a.name == name).unwrap_or_else(|| panic!("{}: no {name}", node.name))
}

fn check(design: &Design) {
    let mut model = design.with_classes(5).expect("five classes");
    initialise(&mut model, Initialiser::KaimingUniform, 1);
    let proto = model_of(&model);
    assert_eq!((proto.ir_version, proto.opset_import[0].version), (IR_VERSION, OPSET));
    let graph = proto.graph.expect("a graph");

    let [input, output] = [&graph.input[..], &graph.output[..]].map(|values| match values {
        [value] => value,
        _ => panic!("{} values", values.len()),
    });
    let batch = Size::Named("batch".to_owned());
    let [channels, height, width] = design.input.map(|size| Size::Known(size as i64));
    assert_eq!(
        (input.name.as_str(), sizes(input)),
        ("pictures", vec![batch.clone(), channels, height, width])
    );
    assert_eq!((output.name.as_str(), sizes(output)), ("logits", vec![batch, Size::Known(5)]));

    // Every tensor of the network is a constant, with its bits.
    let constants: HashMap<_, _> = graph.initializer.iter().map(|t| (t.name.clone(), t)).collect();
    assert_eq!(constants.len(), graph.initializer.len());
    let tensors: Vec<_> = parameters(&model).into_iter().chain(statistics(&model)).collect();
    assert_eq!(constants.len(), tensors.len());
    for (name, tensor) in tensors {
        let constant = constants[&name];
        let mut values = vec![0.0; tensor.len()];
        tensor.read(&mut values);
        let shape: Vec<i64> = tensor.shape().into_iter().map(|size| size as i64).collect();
        assert_eq!((&constant.dims, constant.data_type), (&shape, FLOAT), "{name}");
        assert_eq!(
            constant.raw_data,
            values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<_>>(),
            "{name}"
        );
    }

    // Every value is there before it is used, is made once, and is used.
    let mut known: HashSet<String> = constants.into_keys().chain([input.name.clone()]).collect();
    let mut unused = known.clone();
    for node in &graph.node {
        for value in &node.input {
            assert!(known.contains(value), "{}: {value} is not known yet", node.name);
            unused.remove(value);
        }
        for value in &node.output {
            assert!(known.insert(value.clone()), "{}: {value} is made twice", node.name);
            unused.insert(value.clone());
        }
    }
    assert_eq!(unused, HashSet::from([output.name.clone()]));
}

#[test]
fn every_network_of_the_zoo_is_a_graph() {
    ZOO.iter().for_each(check);
}

network! {
    Everything: 3x9x11 =>
        conv(4, 3x2, stride 2x1, same), batch_norm(momentum 0.4, eps 0.001), relu,
        residual(conv(4, 3x3, pad 1), relu, dropout(0.5); conv(4, 1x1)),
        max_pool(2x3, stride 1x2, pad 1), residual(avg_pool(3x3, stride 1, same), batch_norm), global_avg_pool, flatten,
        dropout(0.1), batch_norm, dense(classes)
}

#[test]
fn nodes_say_what_layers_do() {
    let mut network = Everything::with_classes(2).expect("two classes");
    initialise(&mut network, Initialiser::KaimingUniform, 1);
    let graph = model_of(&network).graph.expect("a graph");
    let node = |name: &str| graph.node.iter().find(|n| n.name == name).unwrap_or_else(|| panic!("no {name}"));
    let ints = |name: &str, of: &str| attribute(node(name), of).ints.clone();

    let operators: Vec<_> = graph.node.iter().map(|node| node.op_type.as_str()).collect();
    let residual = ["Conv", "Relu", "Conv", "Add"];
    let head = [
        "MaxPool",
        "AveragePool",
        "BatchNormalization",
        "Add",
        "AveragePool",
        "Flatten",
        "BatchNormalization",
        "Gemm",
    ];
    assert_eq!(operators, [&["Conv", "BatchNormalization", "Relu"], &residual[..], &head].concat());

    // Top, left, bottom, right: what is odd goes below and to the right.
    assert_eq!(ints("conv1", "pads"), [1, 0, 1, 1]);
    assert_eq!((ints("conv1", "kernel_shape"), ints("conv1", "strides")), (vec![3, 2], vec![2, 1]));
    assert_eq!(node("conv1").input, ["pictures", "conv1.weight", "conv1.bias"]);
    assert_eq!(attribute(node("batch_norm1"), "epsilon").f, 0.001);
    let order =
        ["weight", "bias", "running_mean", "running_var"].map(|tensor| format!("batch_norm1.{tensor}"));
    assert_eq!(node("batch_norm1").input[1..], order);
    assert_eq!(attribute(node("flatten1"), "axis").i, 1);
    assert_eq!(attribute(node("dense1"), "transB").i, 1);
    assert_eq!(node("dense1").output, ["logits"]);

    // Both ways of a block begin at what was there before it.
    let add = graph.node.iter().position(|node| node.op_type == "Add").expect("a sum");
    let block = &graph.node[add - 3..=add];
    assert_eq!(block[0].input[0], "relu1");
    assert_eq!(block[2].input[0], "relu1");
    assert_eq!(block[3].input, [block[1].output[0].clone(), block[2].output[0].clone()]);
    let identity = graph.node.iter().rfind(|node| node.op_type == "Add").expect("a sum");
    assert_eq!(identity.input[1], "max_pool1");
}

#[test]
fn the_metadata_say_how_to_use_it() {
    let classes = names(2);
    let description = Description {
        network: "everything",
        classes: &classes,
        mean: &[0.1, 0.2, 0.3],
        std: &[1.0, 0.5, 0.25],
    };
    let plan = Everything::with_classes(2).expect("two classes").whole_plan();
    let model = export(&plan, &description).expect("it fits");
    let entries: Vec<_> = model.metadata_props.iter().map(|e| (e.key.as_str(), e.value.as_str())).collect();
    assert_eq!(
        entries,
        [
            ("lenslet.network", "everything"),
            ("lenslet.classes", r#"["\"0\" and é","\"1\" and é"]"#),
            ("lenslet.pixel_max", "255"),
            ("lenslet.mean", "[0.1,0.2,0.3]"),
            ("lenslet.std", "[1.0,0.5,0.25]"),
            ("lenslet.colours", "rgb"),
        ]
    );
    assert_eq!(
        (model.producer_name.as_str(), model.graph.expect("one").name.as_str()),
        ("lenslet", "everything")
    );
}

#[test]
fn the_same_network_gives_the_same_bytes() {
    let network = Everything::with_classes(3).expect("three classes");
    assert!(model_of(&network).encode_to_vec() == model_of(&network).encode_to_vec());
}

/// The pooling's window, batch normalisation and all else, by the arithmetic that ONNX defines and the numbers in the
/// model alone: a reader needs nothing else. The full check is `fixtures/onnx/check.py`.
#[test]
fn a_dense_network_can_be_computed_from_the_file() {
    network! { Small: 1x2x2 => flatten, dense(3), relu, dense(classes) }
    let mut network = Small::with_classes(2).expect("two classes");
    initialise(&mut network, Initialiser::KaimingUniform, 3);
    let graph = model_of(&network).graph.expect("a graph");
    let tensor = |name: &str| -> Vec<f32> {
        let found = graph.initializer.iter().find(|t| t.name == name).expect("a constant");
        found.raw_data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let picture = [0.3, -0.7, 0.2, 0.9];
    let mut current: Vec<f32> = picture.to_vec();
    for node in &graph.node {
        match node.op_type.as_str() {
            "Flatten" => {}
            "Relu" => current.iter_mut().for_each(|x| *x = f32::max(*x, 0.0)),
            "Gemm" => {
                let (weight, bias) = (tensor(&node.input[1]), tensor(&node.input[2]));
                let rows = weight.chunks_exact(current.len()).zip(bias);
                let dot = |row: &[f32]| row.iter().zip(&current).map(|(w, x)| w * x).sum::<f32>();
                current = rows.map(|(row, bias)| dot(row) + bias).collect();
            }
            other => panic!("{other}"),
        }
    }
    let mut expected = vec![0.0; 2];
    logits(&network, picture.to_vec(), NoneTape).expect("memory").copy_into(&mut expected);
    for (found, expected) in current.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn what_does_not_fit_names_the_layer() {
    let refused = |plan: &Plan, classes: usize, channels: usize| {
        let (classes, mean) = (names(classes), vec![0.5; channels]);
        let description = Description { network: "net", classes: &classes, mean: &mean, std: &mean };
        export(plan, &description).expect_err("it cannot be")
    };
    let plan = || Everything::with_classes(4).expect("four classes").whole_plan();
    assert_eq!(
        refused(&plan(), 5, 3).to_string(),
        "layer dense1 dense(4): gives 4 for each picture, but there are 5 classes"
    );
    assert_eq!(refused(&plan(), 4, 1), Error::Normalisation { means: 1, stds: 1, channels: 3 });

    let relu = lenslet_nn::Relu;
    let mut pictures = Plan::new(&[3, 9, 11]);
    relu.plan("relu1", &mut pictures);
    assert_eq!(
        refused(&pictures, 4, 3).to_string(),
        "layer relu1 relu: gives 3x9x11 for each picture, but there are 4 classes"
    );

    let mut nameless = Plan::new(&[2]);
    relu.plan("relu1", &mut nameless);
    relu.plan("relu1", &mut nameless);
    assert_eq!(
        refused(&nameless, 2, 2).to_string(),
        "layer relu: its name 'relu1' is empty or another layer's: ONNX needs one for each"
    );

    let mut open = Plan::new(&[2]);
    open.fork();
    relu.plan("relu1", &mut open);
    assert_eq!(refused(&open, 2, 2), Error::Block { layer: "relu1 relu".to_owned() });
    let mut closed = Plan::new(&[2]);
    relu.plan("relu1", &mut closed);
    closed.sum("residual1");
    assert_eq!(refused(&closed, 2, 2), Error::Block { layer: "residual1.sum sum".to_owned() });
    assert!(matches!(refused(&Plan::new(&[2]), 2, 2), Error::Outputs { .. }));
}
