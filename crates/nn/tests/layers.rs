//! Layers on dfdx's tape: alone, in tuples and fused in a network; against finite differences in `f64`.

use dfdx::prelude::*;
use lenslet_kernels::{Padding, Window, naive};
use lenslet_nn::{
    Classes, Classifier, Inference, Initialiser, Network, Parameter, Snapshot, Targets, WrongClasses,
    cross_entropy, initialise, layers, logits, network, parameters, set_noise, statistics, training_logits,
    visit_parameters_mut,
};

network! {
    /// Every kind of layer.
    Net: 2x7x6 => conv(3, 3x2, same), relu, max_pool(2x2), conv(4, 2x2, stride 2, pad 1), relu, dropout(0.25), flatten, dense(8), relu, dense(classes)
}

type Chain = layers!(2x7x6 => conv(3, 3x2, same), relu, max_pool(2x2), flatten, dense(5));

network! {
    /// The same layers as `Chain`.
    Fused: 2x7x6 => conv(3, 3x2, same), relu, max_pool(2x2), flatten, dense(5)
}

type Pictures<T = NoneTape> = Tensor<(usize, Const<2>, Const<7>, Const<6>), f32, Cpu, T>;

fn pictures(batch: usize) -> Pictures {
    let values = (0..batch * 84).map(|i| ((i * 31 % 97) as f32 - 48.0) / 48.0).collect();
    Cpu::default().tensor_from_vec(values, (batch, Const, Const, Const))
}

fn values(parameter: &dyn Parameter) -> Vec<f32> {
    let mut values = vec![0.0; parameter.len()];
    parameter.read(&mut values);
    values
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

/// The transpose of a matrix with so many rows: from channels first to channels last, or back.
fn transposed(x: &[f64], rows: usize) -> Vec<f64> {
    let columns = x.len() / rows;
    (0..x.len()).map(|i| x[i % rows * columns + i / rows]).collect()
}

#[test]
fn names_and_shapes_are_pytorchs() {
    let net = Net::with_classes(5).expect("classes are free");
    let found: Vec<_> = parameters(&net).iter().map(|(name, p)| (name.clone(), p.shape())).collect();
    let expected: [(&str, &[usize]); 8] = [
        ("conv1.weight", &[3, 2, 3, 2]),
        ("conv1.bias", &[3]),
        ("conv2.weight", &[4, 3, 2, 2]),
        ("conv2.bias", &[4]),
        ("dense1.weight", &[8, 4 * 2 * 2]),
        ("dense1.bias", &[8]),
        ("dense2.weight", &[5, 8]),
        ("dense2.bias", &[5]),
    ];
    assert_eq!(found, expected.map(|(name, shape)| (name.to_owned(), shape.to_vec())));
    assert_eq!(net.num_trainable_params(), 36 + 3 + 48 + 4 + 128 + 8 + 40 + 5);
    assert_eq!(net.classes(), 5);
}

#[test]
fn a_fixed_head_takes_no_other_number_of_classes() {
    let error = Fused::with_classes(7).expect_err("five outputs");
    assert_eq!(error, WrongClasses::Fixed { network: 5, data: 7 });
    assert!(error.to_string().contains("dense(5)") && error.to_string().contains("7 classes"));
    for data in [0, WrongClasses::MOST + 1, usize::MAX] {
        assert_eq!(
            Net::with_classes(data).expect_err("no data set has so many"),
            WrongClasses::OutOfRange { data }
        );
    }
}

#[test]
fn initial_values_depend_on_seed_and_name_alone() {
    let build = |seed| {
        let mut net = Net::with_classes(5).expect("classes are free");
        initialise(&mut net, Initialiser::GlorotUniform, seed);
        net
    };
    let all = |net: &Net| parameters(net).iter().flat_map(|(_, p)| values(p.as_ref())).collect::<Vec<_>>();
    assert_eq!(all(&build(1)), all(&build(1)));
    assert_ne!(all(&build(1)), all(&build(2)));

    // conv1 of another network, of the same name and shape, starts equal.
    let mut other = Fused::with_classes(5).expect("five outputs");
    initialise(&mut other, Initialiser::GlorotUniform, 1);
    assert_eq!(values(&build(1).conv1.weight), values(&other.conv1.weight));

    let weight = values(&build(1).dense1.weight);
    let bound = (6.0f32 / (16.0 + 8.0)).sqrt();
    assert!(weight.iter().all(|w| w.abs() <= bound));
    let spread = weight.iter().map(|w| w * w).sum::<f32>() / weight.len() as f32;
    assert!(
        (spread / (bound * bound / 3.0) - 1.0).abs() < 0.25,
        "variance {spread} is not that of a uniform"
    );
    assert!(values(&build(1).dense1.bias).iter().all(|b| *b == 0.0));
}

#[test]
fn dirac_hands_channels_on() {
    network! { Wide: 2x6x6 => conv(3, 3x3, same), conv(3, 2x2), flatten, dense(2) }
    let mut net = Wide::with_classes(2).expect("two outputs");
    initialise(&mut net, Initialiser::Dirac, 1);
    let weight = values(&net.conv1.weight);
    for channel in 0..2 {
        let identity = |i: usize| f32::from(u8::from(i == channel * 9 + 4));
        assert!((0..18).all(|i| weight[channel * 18 + i] == identity(i)), "{weight:?}");
    }
    let bound = (1.0f32 / 18.0).sqrt();
    assert!(weight[36..].iter().all(|w| *w != 0.0 && w.abs() <= bound), "the third filter is drawn");
    assert!(values(&net.conv2.weight).iter().all(|w| *w != 0.0), "a 2x2 kernel has no middle");
}

network! {
    /// Layers that work in place, in every order, at the ends and around a pool.
    InPlace: 2x7x6 => relu, dropout(0.2), conv(3, 3x2, same), dropout(0.5), relu, max_pool(2x3), relu, dropout(0.1), flatten, dropout(0.3), dense(7), relu, dropout(0.25), dense(5)
}

// dfdx's tuples are modules up to six.
type InPlaceBody =
    layers!(2x7x6 => relu, dropout(0.2), conv(3, 3x2, same), dropout(0.5), relu, max_pool(2x3));
type InPlaceNeck = layers!(3x3x2 => relu, dropout(0.1), flatten);
type InPlaceHead = layers!(18 => dropout(0.3), dense(7), relu, dropout(0.25), dense(5));

/// Copies all tensors of one model to another of the same shapes.
fn copy(from: &impl TensorCollection<f32, Cpu>, to: &mut impl TensorCollection<f32, Cpu>) {
    let mut source = parameters(from).into_iter();
    let done = visit_parameters_mut::<std::convert::Infallible>(to, |_, p| {
        p.write(&values(source.next().expect("as many tensors").1.as_ref()));
        Ok(())
    });
    assert!(done.is_ok() && source.next().is_none());
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-5 * (1.0 + e.abs()), "{what}: {f} is not {e}");
    }
}

/// But for rounding: the network's dense layer sums over pictures in another order than one after a `flatten` of its own.
#[test]
fn a_network_equals_the_tuple_of_its_layers() {
    let mut fused = Fused::with_classes(5).expect("five outputs");
    initialise(&mut fused, Initialiser::KaimingUniform, 3);
    let mut chain = Cpu::default().build_module::<Chain, f32>();
    copy(&fused, &mut chain);
    let (x, labels) = (pictures(6), [0usize, 1, 2, 3, 4, 0]);

    assert_close("logits", &fused.forward(x.clone()).as_vec(), &chain.forward(x.clone()).as_vec());

    let (loss, report) = cross_entropy(fused.forward(x.clone().leaky_traced()), &labels).expect("labels fit");
    let mut gradients = loss.backward();
    let (chain_loss, chain_report) =
        cross_entropy(chain.forward(x.clone().leaky_traced()), &labels).expect("labels fit");
    let mut chain_gradients = chain_loss.backward();
    assert_close("loss", &[report.loss], &[chain_report.loss]);
    assert_eq!(report.correct, chain_report.correct);
    for ((name, a), (_, b)) in parameters(&fused).iter().zip(parameters(&chain)) {
        let a = a.gradient(&mut gradients).expect("memory").clone();
        assert!(a.iter().any(|g| *g != 0.0), "{name} has no gradient");
        assert_close(name, &a, b.gradient(&mut chain_gradients).expect("memory"));
    }
    let (dx, chain_dx) = (gradients.get(&x).as_vec(), chain_gradients.get(&x).as_vec());
    assert_close("the pictures' gradient", &dx, &chain_dx);
}

/// Each layer of the tuple has memory of its own, so what the network does in place shows.
#[test]
fn layers_in_place_keep_what_the_backward_pass_needs() {
    let mut fused = InPlace::with_classes(5).expect("five outputs");
    initialise(&mut fused, Initialiser::KaimingUniform, 3);
    let mut body = Cpu::default().build_module::<InPlaceBody, f32>();
    let mut neck = Cpu::default().build_module::<InPlaceNeck, f32>();
    let mut head = Cpu::default().build_module::<InPlaceHead, f32>();
    let all: Vec<_> = parameters(&fused).iter().map(|(_, p)| values(p.as_ref())).collect();
    body.2.weight.copy_from(&all[0]);
    body.2.bias.copy_from(&all[1]);
    head.1.weight.copy_from(&all[2]);
    head.1.bias.copy_from(&all[3]);
    head.4.weight.copy_from(&all[4]);
    head.4.bias.copy_from(&all[5]);
    // The same masks.
    fused.dropout1.key = 1;
    fused.dropout2.key = 2;
    fused.dropout3.key = 3;
    fused.dropout4.key = 4;
    fused.dropout5.key = 5;
    (body.1.key, body.3.key, neck.1.key, head.0.key, head.3.key) = (1, 2, 3, 4, 5);

    let (x, labels) = (pictures(6), [0usize, 1, 2, 3, 4, 0]);
    let (loss, report) = cross_entropy(fused.forward(x.clone().leaky_traced()), &labels).expect("labels fit");
    let gradients = loss.backward();
    let chained = head.forward(neck.forward(body.forward(x.clone().leaky_traced())));
    let (chain_loss, chain_report) = cross_entropy(chained, &labels).expect("labels fit");
    let chain_gradients = chain_loss.backward();
    assert_eq!(report, chain_report);
    assert_eq!(gradients.get(&fused.conv1.weight).as_vec(), chain_gradients.get(&body.2.weight).as_vec());
    assert_eq!(gradients.get(&fused.dense1.weight).as_vec(), chain_gradients.get(&head.1.weight).as_vec());
    assert_eq!(gradients.get(&fused.dense2.bias).as_vec(), chain_gradients.get(&head.4.bias).as_vec());
    let dx = gradients.get(&x).as_vec();
    assert!(dx.iter().any(|g| *g != 0.0));
    assert_eq!(dx, chain_gradients.get(&x).as_vec());
}

#[test]
fn a_permuted_tensor_is_what_it_looks_like() {
    let mut net = Fused::with_classes(5).expect("five outputs");
    initialise(&mut net, Initialiser::GlorotUniform, 7);
    let device = Cpu::default();
    let x = pictures(3);
    let planes = x.as_vec();
    let hwc = (0..3 * 84).map(|i| planes[(i / 84) * 84 + (i % 2) * 42 + i % 84 / 2]).collect();
    let hwc: Tensor<(usize, Const<7>, Const<6>, Const<2>), f32, Cpu> =
        device.tensor_from_vec(hwc, (3, Const, Const, Const));
    let permuted = hwc.permute::<(usize, Const<2>, Const<7>, Const<6>), Axes4<0, 3, 1, 2>>();
    assert_eq!(net.forward(permuted).as_vec(), net.forward(x).as_vec());
}

#[test]
fn gradients_agree_with_finite_differences() {
    let mut net = Fused::with_classes(5).expect("five outputs");
    initialise(&mut net, Initialiser::GlorotUniform, 7);
    let (x, labels) = (pictures(3), [4usize, 0, 2]);
    let (loss, report) = cross_entropy(net.forward(x.clone().leaky_traced()), &labels).expect("labels fit");
    let mut gradients = loss.backward();

    let window = Window { kernel: [3, 2], stride: [1, 1], padding: Padding::same([7, 6], [3, 2], [1, 1]) };
    let pool = Window { kernel: [2, 2], stride: [2, 2], padding: Padding::NONE };
    let tensors: Vec<Vec<f64>> = parameters(&net).iter().map(|(_, p)| wide(&values(p.as_ref()))).collect();
    let pixels = wide(&x.as_vec());
    let loss_of = |tensors: &[Vec<f64>], pixels: &[f64]| {
        let logits = pixels.chunks_exact(84).flat_map(|x| {
            let y = naive::conv2d(&transposed(x, 2), [2, 7, 6], &tensors[0], &tensors[1], window);
            let y = naive::max_pool2d(&naive::relu(&y), [3, 7, 6], pool);
            naive::dense(&transposed(&y, 9), &tensors[2], &tensors[3])
        });
        naive::cross_entropy(&logits.collect::<Vec<_>>(), &labels, 5)
    };
    assert!((f64::from(report.loss) - loss_of(&tensors, &pixels)).abs() < 1e-6);
    for (t, (name, parameter)) in parameters(&net).iter().enumerate() {
        let gradient = parameter.gradient(&mut gradients).expect("memory").clone();
        for (i, g) in gradient.iter().enumerate() {
            let slope = naive::slope(&tensors[t], i, |moved| {
                let mut tensors = tensors.clone();
                tensors[t] = moved.to_vec();
                loss_of(&tensors, &pixels)
            });
            assert!((f64::from(*g) - slope).abs() < 1e-5, "{name}[{i}]: {g} is not {slope}");
        }
    }
    for (i, g) in gradients.get(&x).as_vec().into_iter().enumerate() {
        let slope = naive::slope(&pixels, i, |moved| loss_of(&tensors, moved));
        assert!((f64::from(g) - slope).abs() < 1e-5, "pixel {i}: {g} is not {slope}");
    }
}

#[test]
fn gradients_add_up_on_one_tape() {
    let mut net = Fused::with_classes(5).expect("five outputs");
    initialise(&mut net, Initialiser::GlorotUniform, 7);
    let once = {
        let (loss, _) = cross_entropy(net.forward(pictures(2).leaky_traced()), &[1, 2]).expect("labels fit");
        loss.backward()
    };
    let first = once.get(&net.conv1.weight).as_vec();
    let (loss, _) = cross_entropy(net.forward(pictures(2).traced(once)), &[1, 2]).expect("labels fit");
    let twice = loss.backward().get(&net.conv1.weight).as_vec();
    for (one, two) in first.iter().zip(&twice) {
        assert!((2.0 * one - two).abs() <= 1e-6 * (1.0 + one.abs()), "{two} is not twice {one}");
    }
}

#[test]
fn dropout_drops_on_a_tape_only_and_as_its_key_says() {
    let mut net = Net::with_classes(5).expect("classes are free");
    initialise(&mut net, Initialiser::KaimingUniform, 3);
    let x = pictures(4);
    let plain = net.forward(x.clone()).as_vec();
    assert_eq!(plain, net.forward(x.clone()).as_vec(), "inference is a function");
    let mut noisy = |key| {
        set_noise(&mut net, key);
        net.forward(x.clone().leaky_traced()).as_vec()
    };
    let first = noisy(1);
    assert_ne!(first, plain);
    assert_ne!(first, noisy(2));
    assert_eq!(first, noisy(1));
    assert_ne!(net.forward_mut(x.clone().leaky_traced()).as_vec(), first, "forward_mut draws a new mask");
}

#[test]
fn batches_of_every_size_agree_with_single_pictures() {
    let mut net = Net::with_classes(3).expect("classes are free");
    initialise(&mut net, Initialiser::GlorotUniform, 9);
    let all = pictures(9).as_vec();
    let together = logits(&net, all.clone(), NoneTape).expect("whole pictures").as_vec();
    for (i, picture) in all.chunks_exact(84).enumerate() {
        let alone = logits(&net, picture.to_vec(), NoneTape).expect("one picture").as_vec();
        for (a, t) in alone.iter().zip(&together[i * 3..]) {
            assert!((a - t).abs() < 1e-5, "picture {i}: {a} alone, {t} in the batch");
        }
    }
    assert!(logits(&net, vec![0.0; 85], NoneTape).is_err(), "85 numbers are no picture");
}

#[test]
fn labels_are_checked() {
    let net = Net::with_classes(3).expect("classes are free");
    let logits = |n: usize| logits(&net, vec![0.0; n * 84], NoneTape).expect("whole pictures");
    let error = cross_entropy(logits(2), &[0, 3]).expect_err("label 3 of 3").to_string();
    assert_eq!(error, "sample 1 of the batch has label 3, but the network tells 3 classes apart");
    assert!(cross_entropy(logits(2), &[0]).is_err(), "one label for two rows");
    assert!(cross_entropy(logits(0), &[]).is_err(), "an empty batch has no loss");

    let mixed = |second: &[usize], shares: &[f32]| {
        let targets = Targets { labels: &[0, 1], mix: Some((second, shares)), smoothing: 0.1 };
        cross_entropy(logits(2), targets).map_err(|error| error.to_string())
    };
    assert!(mixed(&[2, 0], &[0.0, 1.0]).is_ok());
    let error = mixed(&[2, 5], &[0.5, 0.5]).expect_err("label 5 of 3");
    assert_eq!(error, "sample 1 of the batch has label 5, but the network tells 3 classes apart");
    for (second, shares) in [(&[2][..], &[0.5, 0.5][..]), (&[2, 0], &[0.5]), (&[2, 0], &[0.5, f32::NAN])] {
        assert!(
            mixed(second, shares).expect_err("no mix").contains("for 2 samples"),
            "{second:?} {shares:?}"
        );
    }
}

#[test]
fn dfdx_builds_and_names_tuples() {
    let chain = Cpu::default().build_module::<Chain, f32>();
    let names: Vec<_> = parameters(&chain).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["0.weight", "0.bias", "4.weight", "4.bias"]);
    assert_eq!(Classes(4).size(), 4);
}

network! {
    /// Layers with statistics, of pictures and of flat numbers.
    Normal: 2x7x6 => conv(3, 3x2), batch_norm(momentum 0.25, eps 0.001), relu, avg_pool(3x3, stride 2, pad 1), batch_norm, global_avg_pool, flatten, dense(4), batch_norm, relu, dense(3)
}

type NormalBody = layers!(2x7x6 => conv(3, 3x2), batch_norm(momentum 0.25, eps 0.001), relu, avg_pool(3x3, stride 2, pad 1), batch_norm);
type NormalHead = layers!(3x3x3 => global_avg_pool, flatten, dense(4), batch_norm, relu, dense(3));

fn normal() -> Normal {
    let mut net = Normal::with_classes(3).expect("three outputs");
    initialise(&mut net, Initialiser::KaimingUniform, 3);
    net
}

#[test]
fn statistics_are_tensors_that_are_not_trained() {
    let net = normal();
    let names: Vec<_> = statistics(&net).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "1.running_mean",
        "1.running_var",
        "2.running_mean",
        "2.running_var",
        "3.running_mean",
        "3.running_var",
    ];
    assert_eq!(names, expected.map(|name| format!("batch_norm{name}")));
    let trained = 39 + 2 * (3 + 3 + 4) + 16 + 15;
    assert_eq!((net.num_trainable_params(), net.summary().parameters()), (trained, trained));
    assert!(parameters(&net).iter().all(|(name, _)| !name.contains("running")));
    let first = [
        &net.batch_norm3.weight,
        &net.batch_norm3.running_var,
        &net.batch_norm3.bias,
        &net.batch_norm3.running_mean,
    ];
    assert_eq!(first.map(|tensor| tensor.as_vec()), [[1.0; 4], [1.0; 4], [0.0; 4], [0.0; 4]]);
    let table = net.summary().to_string();
    for row in ["batch_norm(momentum 0.25, eps 0.001)", "avg_pool(3x3, stride 2, pad 1)", "avg_pool(3x3) "] {
        assert!(table.contains(row), "{row:?} is not in\n{table}");
    }
}

#[test]
fn normalised_networks_equal_the_tuples_of_their_layers_bit_for_bit() {
    let mut net = normal();
    let mut chain =
        (Cpu::default().build_module::<NormalBody, f32>(), Cpu::default().build_module::<NormalHead, f32>());
    copy(&net, &mut chain);
    let (x, labels) = (pictures(6), [0usize, 1, 2, 0, 1, 2]);
    for _ in 0..2 {
        let (loss, report) =
            cross_entropy(net.forward_mut(x.clone().leaky_traced()), &labels).expect("labels fit");
        let (chain_loss, chain_report) =
            cross_entropy(chain.forward_mut(x.clone().leaky_traced()), &labels).expect("labels fit");
        assert_eq!(report, chain_report);
        let (mut gradients, mut chain_gradients) = (loss.backward(), chain_loss.backward());
        for ((name, a), (_, b)) in parameters(&net).iter().zip(parameters(&chain)) {
            let a = a.gradient(&mut gradients).expect("memory");
            assert_eq!(a, b.gradient(&mut chain_gradients).expect("memory"), "{name}");
        }
        assert_eq!(gradients.get(&x).as_vec(), chain_gradients.get(&x).as_vec(), "the pictures' gradient");
        for ((name, a), (_, b)) in statistics(&net).iter().zip(statistics(&chain)) {
            assert_eq!(values(a.as_ref()), values(b.as_ref()), "{name}");
        }
        assert_eq!(net.forward(x.clone()).as_vec(), chain.forward(x.clone()).as_vec(), "inference");
    }
}

#[test]
fn running_statistics_move_in_a_training_step_only() {
    let mut net = normal();
    let x = pictures(6);
    let all = |net: &Normal| statistics(net).iter().flat_map(|(_, s)| values(s.as_ref())).collect::<Vec<_>>();
    let at_first = all(&net);
    let by_batch = net.forward(x.clone().leaky_traced()).as_vec();
    net.forward_mut(x.clone());
    assert_eq!(all(&net), at_first, "neither a measured pass nor inference moves them");
    net.forward_mut(x.clone().leaky_traced());
    assert!(all(&net).iter().zip(at_first).all(|(now, before)| *now != before));
    for _ in 0..300 {
        let snapshot = &mut Snapshot::default();
        training_logits(&mut net, x.as_vec(), OwnedTape::default(), &|_| false, snapshot)
            .expect("whole pictures");
    }
    // After many steps with one batch they are that batch's, but for the variance's bias.
    for (inferred, expected) in net.forward(x).as_vec().iter().zip(by_batch) {
        assert!((inferred - expected).abs() < 0.2, "{inferred} is not near {expected}");
    }
}

#[test]
fn a_snapshot_is_read_in_place_of_the_tensors() {
    network! { Flat: 84 => dense(5), batch_norm, relu, dense(3) }
    let mut net = Flat::with_classes(3).expect("three outputs");
    initialise(&mut net, Initialiser::GlorotUniform, 7);
    let x = pictures(4).as_vec();
    let snapshot = &mut Snapshot::default();
    let logits = |net: &mut Flat, snapshot: &mut Snapshot| {
        let logits = training_logits(net, x.clone(), OwnedTape::default(), &|_| false, snapshot);
        logits.expect("whole samples").as_vec()
    };
    let before = logits(&mut net, snapshot);
    visit_parameters_mut(&mut net, |name, tensor| {
        let seen = values(tensor);
        tensor.write(&vec![f32::NAN; tensor.len()]);
        assert_eq!(*snapshot.values_mut(name, tensor), *seen, "{name}");
        Ok::<(), ()>(())
    })
    .expect("nothing fails");
    assert_eq!(logits(&mut net, snapshot), before);
    let (name, bias) = parameters(&net).pop().expect("there are six");
    snapshot.values_mut(&name, bias.as_ref())[0] += 1.0;
    let raised = logits(&mut net, snapshot)[0] - before[0];
    assert!((raised - 1.0).abs() < 1e-5, "by {raised}");
    assert!(logits(&mut net, &mut Snapshot::default()).iter().all(|logit| logit.is_nan()));
    snapshot.write_to(&mut net);
    for (name, tensor) in parameters(&net) {
        assert_eq!(snapshot.values(&name), Some(values(tensor.as_ref()).as_slice()), "{name}");
    }
    let written = logits(&mut net, &mut Snapshot::default())[0] - before[0];
    assert_eq!(written, raised);
    visit_parameters_mut(&mut net, |_, tensor| {
        tensor.write(&vec![0.0; tensor.len()]);
        Ok::<(), ()>(())
    })
    .expect("nothing fails");
    snapshot.write_to(&mut net);
    assert!(
        parameters(&net).iter().all(|(_, tensor)| values(tensor.as_ref()).iter().all(|value| *value == 0.0)),
        "nothing has changed since"
    );
}

#[test]
fn a_step_that_fails_takes_nothing_from_the_snapshot() {
    network! { Flat: 84 => dense(5), relu, dense(3) }
    let mut net = Flat::with_classes(3).expect("three outputs");
    let snapshot = &mut Snapshot::default();
    for (name, tensor) in parameters(&net) {
        snapshot.values_mut(&name, tensor.as_ref()).fill(0.25);
    }
    let result = training_logits(&mut net, vec![0.5; 85], OwnedTape::default(), &|_| false, snapshot);
    assert!(result.is_err(), "no whole samples");
    snapshot.write_to(&mut net);
    for (name, tensor) in parameters(&net) {
        assert!(values(tensor.as_ref()).iter().all(|value| *value == 0.25), "{name}");
    }
}

#[test]
fn gradients_through_batch_norm_agree_with_finite_differences() {
    network! { Flat: 84 => dense(5), batch_norm, relu, dense(3) }
    let mut net = Flat::with_classes(3).expect("three outputs");
    initialise(&mut net, Initialiser::GlorotUniform, 7);
    let (x, labels) = (pictures(4).as_vec(), [2usize, 0, 1, 1]);
    let snapshot = &mut Snapshot::default();
    let logits = training_logits(&mut net, x.clone(), OwnedTape::default(), &|_| false, snapshot)
        .expect("whole samples");
    let (loss, report) = cross_entropy(logits, &labels).expect("labels fit");
    let mut gradients = loss.backward();

    let tensors: Vec<Vec<f64>> = parameters(&net).iter().map(|(_, p)| wide(&values(p.as_ref()))).collect();
    let loss_of = |t: &[Vec<f64>]| {
        let dense = |x: &[f64], size: usize, weight: &[f64], bias: &[f64]| -> Vec<f64> {
            x.chunks_exact(size).flat_map(|x| naive::dense(x, weight, bias)).collect()
        };
        let y = naive::batch_norm(&dense(&wide(&x), 84, &t[0], &t[1]), &t[2], &t[3], 1e-5);
        naive::cross_entropy(&dense(&naive::relu(&y), 5, &t[4], &t[5]), &labels, 3)
    };
    assert!((f64::from(report.loss) - loss_of(&tensors)).abs() < 1e-6);
    for (t, (name, parameter)) in parameters(&net).iter().enumerate() {
        let gradient = parameter.gradient(&mut gradients).expect("memory").clone();
        for (i, g) in gradient.iter().enumerate() {
            let slope = naive::slope(&tensors[t], i, |moved| {
                let mut tensors = tensors.clone();
                tensors[t] = moved.to_vec();
                loss_of(&tensors)
            });
            assert!((f64::from(*g) - slope).abs() < 1e-5, "{name}[{i}]: {g} is not {slope}");
        }
    }
}

network! {
    /// Residual blocks with and without layers in the shortcut, one in another, with work in place at their ends.
    Blocks: 2x6x6 =>
        conv(4, 3x3, same), relu,
        residual(conv(4, 3x3, same), batch_norm, residual(relu, conv(4, 3x3, same), relu)), relu,
        residual(relu, conv(6, 3x3, stride 2, pad 1); avg_pool(2x2), conv(6, 1x1)), relu,
        flatten, dense(3)
}

#[test]
fn a_residual_block_is_the_sum_of_its_ways() {
    type Inner = layers!(4x6x6 => relu, conv(4, 3x3, same), relu);
    type Stem = layers!(2x6x6 => conv(4, 3x3, same), relu);
    type Body = layers!(4x6x6 => conv(4, 3x3, same), batch_norm);
    type Down = layers!(4x6x6 => relu, conv(6, 3x3, stride 2, pad 1));
    type Shortcut = layers!(4x6x6 => avg_pool(2x2), conv(6, 1x1));
    type Head = layers!(6x3x3 => relu, flatten, dense(3));
    type Parts = (Stem, (Body, Inner), (Down, Shortcut), Head);

    let mut blocks = Blocks::with_classes(3).expect("three outputs");
    initialise(&mut blocks, Initialiser::KaimingUniform, 3);
    let names: Vec<_> = parameters(&blocks).into_iter().map(|(name, _)| name).collect();
    for name in
        ["residual1.batch_norm1.weight", "residual1.residual1.conv1.bias", "residual2.shortcut_conv1.weight"]
    {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    let mut parts = Cpu::default().build_module::<Parts, f32>();
    copy(&blocks, &mut parts);
    let values_of_x = (0..5 * 72).map(|i| ((i * 31 % 97) as f32 - 48.0) / 48.0).collect();
    let x: Tensor<(usize, Const<2>, Const<6>, Const<6>), f32, Cpu> =
        Cpu::default().tensor_from_vec(values_of_x, (5, Const, Const, Const));
    let labels = [0usize, 1, 2, 1, 0];

    let (loss, report) =
        cross_entropy(blocks.forward(x.clone().leaky_traced()), &labels).expect("labels fit");
    let mut gradients = loss.backward();

    // The same on dfdx's own tape, with its own sum.
    let (stem, (body, inner), (down, shortcut), head) = &parts;
    let (y, tape) = stem.forward(x.leaky_traced()).split_tape();
    let (z, tape) = body.forward(y.clone().put_tape(tape)).split_tape();
    let through = inner.forward(z.clone().put_tape(tape)) + z;
    let (y, tape) = (through + y).relu().split_tape();
    let (around, tape) = shortcut.forward(y.clone().put_tape(tape)).split_tape();
    let y = down.forward(y.put_tape(tape)) + around;
    let (loss, expected) = cross_entropy(head.forward(y), &labels).expect("labels fit");
    let mut expected_gradients = loss.backward();

    assert!((report.loss - expected.loss).abs() < 1e-6, "{} is not {}", report.loss, expected.loss);
    for ((name, p), (_, q)) in parameters(&blocks).iter().zip(parameters(&parts)) {
        let found = p.gradient(&mut gradients).expect("there").clone();
        let expected = q.gradient(&mut expected_gradients).expect("there");
        assert!(expected.iter().any(|e| *e != 0.0), "{name} has a gradient");
        for (f, e) in found.iter().zip(expected.iter()) {
            assert!((f - e).abs() < 1e-5 * (1.0 + e.abs()), "{name}: {f} is not {e}");
        }
    }

    let rows = blocks.summary().rows;
    let row = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.output.clone());
    assert_eq!(row("residual1.residual1.conv1"), Some(vec![4, 6, 6]));
    assert_eq!(row("residual2.sum"), Some(vec![6, 3, 3]));
}

network! {
    /// A block in a shortcut, and one that has nothing to learn but statistics and their scale.
    Nested: 2x7x6 => residual(conv(4, 3x3, same); conv(4, 1x1), residual(batch_norm)), flatten, dense(3)
}

#[test]
fn a_block_may_stand_in_a_shortcut() {
    type Body = layers!(2x7x6 => conv(4, 3x3, same));
    type Shortcut = layers!(2x7x6 => conv(4, 1x1));
    type Block = layers!(4x7x6 => batch_norm);
    type Head = layers!(4x7x6 => flatten, dense(3));

    let mut net = Nested::with_classes(3).expect("three outputs");
    initialise(&mut net, Initialiser::KaimingUniform, 3);
    let names: Vec<_> = parameters(&net).into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"residual1.shortcut_residual1.batch_norm1.weight".to_owned()), "{names:?}");
    // The type's name.
    let _: &NestedResidual1ShortcutResidual1 = &net.residual1.shortcut_residual1;
    let mut parts = Cpu::default().build_module::<(Body, (Shortcut, Block), Head), f32>();
    copy(&net, &mut parts);
    let (body, (shortcut, block), head) = &parts;
    let x = pictures(4);
    let around = shortcut.forward(x.clone());
    let expected = head.forward(body.forward(x.clone()) + (block.forward(around.clone()) + around)).as_vec();
    for (found, expected) in net.forward(x).as_vec().into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

#[test]
fn the_backward_pass_ends_at_the_first_tensor_that_is_trained() {
    let mut blocks = Blocks::with_classes(3).expect("three outputs");
    initialise(&mut blocks, Initialiser::KaimingUniform, 3);
    let x: Vec<f32> = (0..5 * 72).map(|i| ((i * 31 % 97) as f32 - 48.0) / 48.0).collect();
    let mut gradients = |is_frozen: &dyn Fn(&str) -> bool| {
        let tape = OwnedTape::default();
        let snapshot = &mut Snapshot::default();
        let logits =
            training_logits(&mut blocks, x.clone(), tape, is_frozen, snapshot).expect("whole pictures");
        let mut gradients = cross_entropy(logits, &[0, 1, 2, 1, 0]).expect("labels fit").0.backward();
        let of = |(name, p): (String, Box<dyn Parameter>)| {
            (name, p.gradient(&mut gradients).expect("there").clone())
        };
        parameters(&blocks).into_iter().map(of).collect::<std::collections::BTreeMap<_, _>>()
    };
    let all = gradients(&|_| false);
    // The first block hangs together: what is trained in it keeps what is frozen in it.
    let some = gradients(&|name| name.starts_with("conv1") || name == "residual1.conv1.weight");
    let is_zero = |gradient: &Vec<f32>| gradient.iter().all(|g| *g == 0.0);
    for (name, gradient) in &all {
        let frozen = name.starts_with("conv1");
        assert!(if frozen { is_zero(&some[name]) } else { some[name] == *gradient }, "{name}");
    }
    assert!(gradients(&|_| true).values().all(is_zero));
}

network! {
    /// Dense layers flatten what the convolution before them leaves as it comes.
    Rows: 2x20x17 => conv(30, 3x3), relu, flatten, dense(classes)
}

network! { Bare: 2x6x6 => conv(3, 3x3, same), flatten, dense(4), relu, dense(classes) }

fn inference_answers_as_made<N: Classifier>() {
    let mut net = N::with_classes(3).expect("three");
    initialise(&mut net, Initialiser::GlorotUniform, 5);
    let picture: usize = N::INPUT.iter().product();
    let pictures: Vec<f32> = (0..30 * picture).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let answer = |net: &N| logits(net, pictures.clone(), NoneTape).expect("memory").as_vec();
    let before = answer(&net);
    let inference = Inference::new(net.whole_plan());
    initialise(&mut net, Initialiser::GlorotUniform, 6);
    assert_ne!(answer(&net), before);
    // More than once, and fewer pictures: the weights stay whole.
    assert_eq!(inference.run(pictures.clone()).expect("whole pictures"), before);
    assert_eq!(inference.run(pictures[..picture].to_vec()).expect("one picture"), before[..3]);
    assert!(inference.run(pictures[1..].to_vec()).is_err());
}

#[test]
fn inference_answers_as_the_network_did_when_it_was_made() {
    inference_answers_as_made::<Blocks>();
    inference_answers_as_made::<Rows>();
    inference_answers_as_made::<Bare>();
}
