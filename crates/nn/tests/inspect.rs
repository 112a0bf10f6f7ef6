//! Every layer's output and the gradients with respect to it, beside truncated networks, finite differences and the tape.

use dfdx::prelude::*;
use lenslet_nn::{
    Classifier, Initialiser, Inspection, Network, Parameter, initialise, logits, network, parameters,
    statistics, visit_parameters_mut, visit_statistics_mut,
};

network! {
    /// Every kind of layer.
    Every: 2x8x8 =>
        conv(4, 3x3, same), relu, max_pool(2x2), batch_norm,
        residual(conv(4, 3x3, same), batch_norm, relu; conv(4, 1x1)), dropout(0.5),
        residual(conv(4, 3x3, same), relu), max_pool(2x2), flatten, dense(6), relu, dense(classes)
}

network! {
    /// As far as the first layer of the second block, which is where that would begin.
    Truncated: 2x8x8 =>
        conv(4, 3x3, same), relu, max_pool(2x2), batch_norm,
        residual(conv(4, 3x3, same), batch_norm, relu; conv(4, 1x1))
}

network! { Whole: 1x6x6 => conv(3, 3x3), relu, conv(4, 2x2), relu, avg_pool(3x3), flatten, dense(classes) }
network! { Tail: 3x4x4 => relu, conv(4, 2x2), relu, avg_pool(3x3), flatten, dense(classes) }

fn pictures(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 31 % 97) as f32 - 48.0) / 48.0).collect()
}

fn read(parameter: &dyn Parameter) -> Vec<f32> {
    let mut values = vec![0.0; parameter.len()];
    parameter.read(&mut values);
    values
}

/// Gives a network's tensors, and statistics, values that no other one has.
fn fill<M: TensorCollection<f32, Cpu>>(network: &mut M) {
    initialise(network, Initialiser::KaimingUniform, 7);
    let set = |_: &str, tensor: &mut dyn Parameter| {
        let values: Vec<f32> = read(tensor).iter().zip(0..).map(|(v, i)| v + 0.1 + 0.05 * i as f32).collect();
        tensor.write(&values);
        Ok::<_, ()>(())
    };
    let only_vectors = |name: &str, tensor: &mut dyn Parameter| {
        if tensor.shape().len() == 1 { set(name, tensor) } else { Ok(()) }
    };
    visit_parameters_mut(network, only_vectors).expect("no error");
    visit_statistics_mut(network, set).expect("no error");
}

/// Gives `to` the tensors of `from` that are called as its own.
fn copy(from: &impl TensorCollection<f32, Cpu>, to: &mut impl TensorCollection<f32, Cpu>) {
    let all: Vec<_> = parameters(from).into_iter().chain(statistics(from)).collect();
    let set = |name: &str, tensor: &mut dyn Parameter| {
        let (_, source) = all.iter().find(|(other, _)| other == name).expect("of the same name");
        tensor.write(&read(source.as_ref()));
        Ok::<_, ()>(())
    };
    visit_parameters_mut(to, set).expect("no error");
    visit_statistics_mut(to, set).expect("no error");
}

fn output_of(inspection: &Inspection, name: &str) -> Vec<f32> {
    inspection.layers().find(|layer| layer.name == name).expect("a layer").output()
}

#[test]
fn outputs_are_those_of_the_network_and_of_a_truncated_one() {
    let mut net = Every::with_classes(5).expect("classes are free");
    fill(&mut net);
    let inspection = Inspection::new(net.whole_plan(), pictures(3 * 128)).expect("whole pictures");
    let last = logits(&net, pictures(3 * 128), NoneTape).expect("whole pictures").as_vec();
    assert_eq!(output_of(&inspection, "dense2"), last);

    let mut truncated = Cpu::default().build_module::<Truncated, f32>();
    copy(&net, &mut truncated);
    let x = Cpu::default().tensor_from_vec(pictures(3 * 128), (3, Const::<2>, Const::<8>, Const::<8>));
    let expected = truncated.forward(x).as_vec();
    assert_eq!(output_of(&inspection, "residual1.sum"), expected);
    assert_eq!(output_of(&inspection, "dropout1"), expected, "nothing drops");

    let shapes: Vec<_> = inspection.layers().map(|l| (l.name.to_owned(), l.shape.to_vec())).collect();
    let summary: Vec<_> = net.summary().rows.into_iter().map(|row| (row.name, row.output)).collect();
    assert_eq!(shapes, summary);
    let convolutions = inspection.layers().filter(|layer| layer.is_convolution).map(|layer| layer.name);
    let expected = ["conv1", "residual1.conv1", "residual1.shortcut_conv1", "residual2.conv1"];
    assert!(convolutions.eq(expected));
}

/// A bias is added to each pixel of its channel: its gradient is the sum of theirs.
#[test]
fn gradients_add_up_to_the_finite_differences_of_biases() {
    let mut net = Every::with_classes(3).expect("classes are free");
    fill(&mut net);
    // Between its kinks the network is linear in a bias; such a small step crosses hardly any.
    let (class, step) = (1, 1e-3);
    let inspection = Inspection::new(net.whole_plan(), pictures(128)).expect("a picture");
    let mut checked = 0;
    for (name, parameter) in parameters(&net) {
        let Some(layer) = name.strip_suffix(".bias") else { continue };
        let gradient =
            inspection.gradient(layer, &[0.0, 1.0, 0.0]).expect("one logit each").expect("a layer");
        let pixels = gradient.len() / parameter.len();
        for (channel, gradient) in gradient.chunks_exact(pixels).enumerate() {
            let logit = |by: f32| {
                let mut moved = net.clone();
                let set = |other: &str, tensor: &mut dyn Parameter| {
                    let mut values = read(tensor);
                    values[if other == name { channel } else { 0 }] += if other == name { by } else { 0.0 };
                    tensor.write(&values);
                    Ok::<_, ()>(())
                };
                visit_parameters_mut(&mut moved, set).expect("no error");
                logits(&moved, pictures(128), NoneTape).expect("a picture").as_vec()[class]
            };
            let (found, expected) =
                (gradient.iter().sum::<f32>(), (logit(step) - logit(-step)) / (2.0 * step));
            assert!((found - expected).abs() <= 0.02 * expected.abs() + 2e-3, "{name}: {found}, {expected}");
            checked += 1;
        }
    }
    assert_eq!(checked, 4 + 4 + 4 + 4 + 4 + 4 + 6 + 3);
}

#[test]
fn each_pixels_gradient_is_the_tapes() {
    let mut net = Whole::with_classes(3).expect("classes are free");
    fill(&mut net);
    let inspection = Inspection::new(net.whole_plan(), pictures(2 * 36)).expect("two pictures");
    let mut tail = Tail::with_classes(3).expect("classes are free");
    let tensors: Vec<_> = parameters(&net).into_iter().skip(2).map(|(_, tensor)| read(&*tensor)).collect();
    let mut tensors = tensors.iter();
    visit_parameters_mut(&mut tail, |_, tensor| {
        tensor.write(tensors.next().expect("as many"));
        Ok::<_, ()>(())
    })
    .expect("no error");

    let x = Cpu::default()
        .tensor_from_vec(output_of(&inspection, "conv1"), (2, Const::<3>, Const::<4>, Const::<4>));
    let y = tail.forward(x.leaky_trace());
    let seed = [0.5, -1.0, 0.0, 2.0, 0.25, 1.0];
    let weights: Tensor<(usize, lenslet_nn::Classes), f32, _> =
        Cpu::default().tensor_from_vec(seed.to_vec(), (2, lenslet_nn::Classes(3)));
    let expected = (y * weights).sum::<Rank0, _>().backward().get(&x).as_vec();
    let found = inspection.gradient("conv1", &seed).expect("as many").expect("a layer");
    assert!(expected.iter().any(|value| *value != 0.0));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found}, {expected}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let net = Whole::with_classes(3).expect("classes are free");
    assert!(Inspection::new(net.whole_plan(), vec![0.0; 37]).is_err());
    let inspection = Inspection::new(net.whole_plan(), vec![0.0; 36]).expect("a picture");
    assert!(inspection.gradient("conv1", &[1.0; 2]).is_err());
    assert!(inspection.gradient("conv9", &[1.0; 3]).expect("three logits").is_none());
    assert!(inspection.gradient("", &[1.0; 3]).expect("three logits").is_none());
}
