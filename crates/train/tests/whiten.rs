//! First filters that take apart what neighbouring pixels have in common.

use lenslet_dataset::{ImageShape, InMemory, random};
use lenslet_nn::{Classifier, network, parameters};
use lenslet_pipeline::{EvalLoader, LoaderConfig, Normalisation};
use lenslet_train::{Error, Session, TrainConfig, whiten};
use rand::Rng;
use std::sync::Arc;

network! {
    /// Two channels and kernels that are no squares; two filters more than there are components and their negatives.
    Small: 2x5x6 => conv(26, 2x3), relu, flatten, dense(classes)
}
network! { Few: 2x5x6 => conv(23, 2x3), flatten, dense(classes) }
network! { DenseFirst: 2x5x6 => flatten, dense(classes) }
network! { LargeKernel: 2x1x1 => conv(64, 3x3, same), flatten, dense(classes) }

/// Taps of a filter of [`Small`].
const SIZE: usize = 2 * 2 * 3;

/// Noise that neighbouring pixels have in common in part.
fn pictures([channels, height, width]: [usize; 3]) -> EvalLoader {
    let shape = ImageShape { channels, height, width };
    let noise = |i: usize| random::rng([i as u64, 0, 0, 0]).next_u64() % 128;
    let count = 300;
    let pixels = (0..count * shape.len()).map(|i| (noise(i) + noise(i + 1)) as u8).collect();
    let data = InMemory::new(shape, pixels, vec![0; count], vec!["a".into(), "b".into()]).expect("whole");
    let normalisation = Normalisation { mean: vec![0.4; channels], std: vec![0.2; channels] };
    let batches = LoaderConfig { batch_size: 64, prefetch: 0 };
    EvalLoader::new(Arc::new(data), &normalisation, batches).expect("pictures of one size")
}

fn session<M: Classifier>() -> Session<M> {
    Session::new(M::with_classes(2).expect("classes are free"), TrainConfig::default()).expect("valid")
}

fn tensors<M: Classifier>(session: &mut Session<M>) -> Vec<(String, Vec<f32>)> {
    let read = |(name, tensor): (String, Box<dyn lenslet_nn::Parameter>)| {
        let mut values = vec![0.0; tensor.len()];
        tensor.read(&mut values);
        (name, values)
    };
    parameters(session.model()).into_iter().map(read).collect()
}

/// By the definition: every patch of every picture under the first filters.
#[test]
fn responses_have_the_identity_as_their_second_moment() {
    let loader = pictures(Small::INPUT);
    let mut session = session::<Small>();
    whiten(&mut session, &loader).expect("fits");
    let (name, weight) = tensors(&mut session).swap_remove(0);
    assert_eq!(name, "conv1.weight");
    let (mut moment, mut count) = ([[0.0; SIZE]; SIZE], 0.0);
    for batch in loader.batches() {
        for picture in batch.expect("whole").images.chunks_exact(2 * 5 * 6) {
            for (row, column) in (0..4).flat_map(|row| (0..4).map(move |column| (row, column))) {
                let mut response = [0.0; SIZE];
                for (response, filter) in response.iter_mut().zip(weight.chunks_exact(SIZE)) {
                    for (channel, y, x) in
                        (0..2).flat_map(|c| (0..2).flat_map(move |y| (0..3).map(move |x| (c, y, x))))
                    {
                        let pixel = picture[channel * 30 + (row + y) * 6 + column + x];
                        *response += f64::from(filter[channel * 6 + y * 3 + x] * pixel);
                    }
                }
                for (row, one) in moment.iter_mut().zip(response) {
                    row.iter_mut().zip(response).for_each(|(sum, other)| *sum += one * other);
                }
                count += 1.0;
            }
        }
    }
    for (i, row) in moment.iter().enumerate() {
        for (j, sum) in row.iter().enumerate() {
            let (found, expected) = (sum / count, if i == j { 1.0 } else { 0.0 });
            assert!((found - expected).abs() < 0.02, "{i} {j}: {found} is not {expected}");
        }
    }
}

#[test]
fn the_second_half_is_minus_the_first_and_the_rest_stays() {
    let mut session = session::<Small>();
    let before = tensors(&mut session);
    whiten(&mut session, &pictures(Small::INPUT)).expect("fits");
    let after = tensors(&mut session);
    let (plus, rest) = after[0].1.split_at(SIZE * SIZE);
    let (minus, others) = rest.split_at(SIZE * SIZE);
    assert_ne!(plus, &before[0].1[..SIZE * SIZE]);
    assert!(plus.iter().zip(minus).all(|(plus, minus)| *plus == -minus));
    assert!(!others.is_empty() && *others == before[0].1[2 * SIZE * SIZE..]);
    assert_eq!(after[1..], before[1..]);
}

#[test]
fn what_cannot_whiten_is_refused() {
    fn refused<M: Classifier>(shape: [usize; 3]) -> Error {
        let mut session = session::<M>();
        let before = tensors(&mut session);
        let error = whiten(&mut session, &pictures(shape)).expect_err("it cannot");
        assert_eq!(tensors(&mut session), before);
        error
    }
    let text = |error: Error| match error {
        Error::CannotWhiten(text) => text,
        other => panic!("{other}"),
    };
    assert!(text(refused::<DenseFirst>(DenseFirst::INPUT)).contains("begin with a convolution"));
    assert_eq!(text(refused::<Few>(Few::INPUT)), "conv1.weight has 23 filters, but patches of 2x2x3 need 24");
    assert_eq!(
        text(refused::<LargeKernel>(LargeKernel::INPUT)),
        "conv1.weight has kernels of 3x3, but the pictures are 1x1"
    );
    for shape in [[2, 1, 2], [1, 5, 6], [3, 7, 7]] {
        assert!(matches!(refused::<Small>(shape), Error::Shape { .. }), "{shape:?}");
    }
}
