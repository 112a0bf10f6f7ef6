//! Schedules, groups, averages and the rest in whole runs: they do what they say, and a resumed run is the same.

use lenslet_checkpoint::{Checkpoint, Tensor};
use lenslet_dataset::{Fitting, ImageShape, InMemory};
use lenslet_nn::{Classifier, Tensors, network, parameters, statistics, visit_parameters_mut};
use lenslet_pipeline::{
    Augmentation, EvalLoader, LoaderConfig, Normalisation, RandomCrop, Step, TrainLoader,
};
use lenslet_train::{
    Answer, Clip, EarlyStopping, Error, Event, Group, Metadata, Metric, OptimiserKind, Schedule, Session,
    Sweep, TestTime, TrainConfig, Training, evaluate, fit, load_weights, measure, measure_each,
    probabilities, save_checkpoint, train_step,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

network! {
    /// Small, with running statistics and dropout.
    Small: 1x6x6 => conv(4, 3x3), batch_norm, relu, flatten, dropout(0.2), dense(classes)
}

/// Pictures of `classes` kinds: another row or column is bright, with noise.
fn data(samples: usize) -> Arc<InMemory> {
    let shape = ImageShape { channels: 1, height: 6, width: 6 };
    let label = |sample: usize| sample * 7 % 6;
    let pixel = |sample: usize, i: usize| {
        let noise = (sample * 131 + i * 71 + sample * i * 13) % 120;
        (noise + if i / 6 == label(sample) { 100 } else { 0 }) as u8
    };
    let pixels = (0..samples).flat_map(|sample| (0..36).map(move |i| pixel(sample, i))).collect();
    let names = (0..6).map(|class| class.to_string()).collect();
    Arc::new(InMemory::new(shape, pixels, (0..samples).map(label).collect(), names).expect("whole"))
}

const BATCHES: LoaderConfig = LoaderConfig { batch_size: 20, prefetch: 0 };

fn train_loader(samples: usize) -> TrainLoader {
    let none = Augmentation::default();
    TrainLoader::new(data(samples), &Normalisation::unit(1), &none, BATCHES).expect("pictures of one size")
}

fn eval_loader(samples: usize) -> EvalLoader {
    EvalLoader::new(data(samples), &Normalisation::unit(1), BATCHES).expect("pictures of one size")
}

const SGD: OptimiserKind = OptimiserKind::Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-3 };

fn config(epochs: u64) -> TrainConfig {
    let (batch_size, learning_rate) = (20, 0.05);
    TrainConfig { epochs, batch_size, learning_rate, optimiser: SGD, seed: 3, ..TrainConfig::default() }
}

fn session(config: TrainConfig) -> Session<Small> {
    Session::new(Small::with_classes(6).expect("classes are free"), config).expect("valid")
}

/// Trains until the given number of epochs is done, and gives the events.
fn train(session: &mut Session<Small>, until: u64) -> Vec<Event> {
    let mut events = Vec::new();
    fit(session, &train_loader(130), Some(&eval_loader(60)), &mut |session, event| {
        events.push(event);
        let stop = session.epochs_done() >= until && matches!(events.last(), Some(Event::Epoch(_)));
        Ok::<_, Error>(if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
    .expect("trains");
    events
}

fn tensors(model: &Small) -> BTreeMap<String, Vec<f32>> {
    let read = |(name, tensor): (String, Box<dyn lenslet_nn::Parameter>)| {
        let mut values = vec![0.0; tensor.len()];
        tensor.read(&mut values);
        (name, values)
    };
    parameters(model).into_iter().chain(statistics(model)).map(read).collect()
}

fn save(session: &Session<Small>, path: &Path) -> Vec<u8> {
    let metadata = Metadata {
        network: "small".into(),
        input: Small::INPUT,
        classes: (0..6).map(|class| class.to_string()).collect(),
        fitting: Fitting::default(),
        normalisation: Normalisation::unit(1),
        data: "rows".into(),
        training: None,
    };
    save_checkpoint(path, session, metadata).expect("room");
    std::fs::read(path).expect("it was written")
}

fn frozen() -> Vec<Group> {
    vec![Group { learning_rate_scale: 0.0, ..Group::new("conv*") }]
}

/// Each feature alone, and all together.
fn features() -> Vec<(&'static str, TrainConfig)> {
    let plateau = Schedule::ReduceOnPlateau {
        metric: Metric::ValidationAccuracy,
        factor: 0.5,
        patience: 0,
        threshold: 0.5,
    };
    let groups = vec![
        Group { weight_decay: Some(0.1), ..Group::new("*.weight") },
        Group { learning_rate_scale: 4.0, ..Group::new("batch_norm?.bias") },
    ];
    let early_stopping = Some(EarlyStopping { patience: 4, metric: Metric::ValidationLoss });
    let one_cycle = Schedule::one_cycle();
    let milestones = Schedule::Step { milestones: vec![1.5, 3.0], gamma: 0.1 };
    vec![
        ("cosine", TrainConfig { schedule: Schedule::Cosine { end_factor: 0.0 }, ..config(4) }),
        ("one-cycle", TrainConfig { schedule: one_cycle.clone(), ..config(4) }),
        ("milestones", TrainConfig { schedule: milestones, ..config(4) }),
        ("plateau", TrainConfig { schedule: plateau, ..config(4) }),
        ("warm-up", TrainConfig { warm_up: 2.5, ..config(4) }),
        ("smoothing", TrainConfig { label_smoothing: 0.2, ..config(4) }),
        ("clipped norm", TrainConfig { clip: Some(Clip::Norm(0.1)), ..config(4) }),
        ("clipped value", TrainConfig { clip: Some(Clip::Value(0.01)), ..config(4) }),
        ("average", TrainConfig { ema: Some(0.9), ..config(4) }),
        ("groups", TrainConfig { groups: groups.clone(), ..config(4) }),
        ("frozen", TrainConfig { groups: frozen(), ..config(4) }),
        ("frozen, Adam", TrainConfig { groups: frozen(), optimiser: OptimiserKind::default(), ..config(4) }),
        (
            "all",
            TrainConfig {
                schedule: one_cycle,
                warm_up: 0.5,
                label_smoothing: 0.1,
                clip: Some(Clip::Norm(1.0)),
                ema: Some(0.95),
                test_time: TestTime::FlipShift,
                early_stopping,
                groups,
                ..config(4)
            },
        ),
    ]
}

#[test]
fn weights_written_between_two_steps_are_those_of_the_next() {
    let mut session = session(config(1));
    let (images, labels) = (vec![0.5; 20 * 36], [0; 20]);
    let gradients = session.model().gradients().expect("memory");
    let (_, gradients) = train_step(&mut session, images.clone(), &labels, 0.1, gradients).expect("all fits");
    visit_parameters_mut(session.model_mut(), |_, tensor| {
        tensor.write(&vec![0.0; tensor.len()]);
        Ok::<(), ()>(())
    })
    .expect("nothing fails");
    let (report, _) = train_step(&mut session, images, &labels, 0.1, gradients).expect("all fits");
    assert!((report.loss - 6f32.ln()).abs() < 1e-6, "a network of zeros knows nothing: {}", report.loss);
}

#[test]
fn the_model_is_what_the_last_step_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.safetensors");
    let mut session = session(config(1));
    let before = tensors(session.model());
    let gradients = session.model().gradients().expect("memory");
    train_step(&mut session, vec![0.5; 20 * 36], &[0; 20], 0.1, gradients).expect("all fits");
    save(&session, &path);
    let mut saved = Small::with_classes(6).expect("classes are free");
    load_weights(&mut saved, &Checkpoint::open(&path).expect("whole")).expect("fits");
    let mut expected = tensors(&saved);
    assert_eq!(tensors(session.model()), expected);
    assert_ne!(before, expected);

    // What is written to one tensor leaves the others as they have been learned.
    visit_parameters_mut(session.model_mut(), |name, tensor| {
        if name == "dense1.bias" {
            tensor.write(&vec![3.0; tensor.len()]);
        }
        Ok::<(), ()>(())
    })
    .expect("nothing fails");
    expected.get_mut("dense1.bias").expect("is there").fill(3.0);
    assert_eq!(tensors(&session.into_model()), expected);
}

#[test]
fn with_each_feature_a_resumed_run_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.safetensors");
    let plain = {
        let mut session = session(config(4));
        train(&mut session, 4);
        tensors(session.model())
    };
    for (name, config) in features() {
        let mut whole = session(config.clone());
        train(&mut whole, 4);
        let expected = save(&whole, &path);
        assert!(name == "average" || tensors(whole.model()) != plain, "{name} changes nothing");

        let mut resumed = session(config);
        for epochs in [1, 3, 4] {
            train(&mut resumed, epochs);
            assert_eq!(resumed.epochs_done(), epochs, "{name}");
            save(&resumed, &path);
            let blank = Small::with_classes(6).expect("classes are free");
            resumed = Session::resume(blank, &Checkpoint::open(&path).expect("whole")).expect("fits");
        }
        assert!(save(&resumed, &path) == expected, "{name}: the resumed run differs");
    }
}

#[test]
fn frozen_tensors_stay_and_the_others_move() {
    for optimiser in [SGD, OptimiserKind::default()] {
        let mut session = session(TrainConfig { groups: frozen(), optimiser, ..config(2) });
        let before = tensors(session.model());
        train(&mut session, 2);
        for (name, values) in tensors(session.model()) {
            assert_eq!(before[&name] == values, name.starts_with("conv"), "{name}");
        }
    }
}

/// One plain step with and without a group moves a tensor by the scale's multiple, and decays it on its own.
#[test]
fn a_group_scales_the_step_and_replaces_the_decay() {
    let plain = OptimiserKind::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let moved = |groups: Vec<Group>| {
        let mut session = session(TrainConfig { groups, optimiser: plain, ..config(1) });
        let before = tensors(session.model());
        let mut steps = 0;
        fit(&mut session, &train_loader(130), None, &mut |_, event| {
            steps += usize::from(matches!(event, Event::Step(_)));
            Ok::<_, Error>(if steps == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .expect("one step");
        let after = tensors(session.model());
        move |name: &str| -> Vec<f32> { before[name].iter().zip(&after[name]).map(|(b, a)| a - b).collect() }
    };
    let group = Group { learning_rate_scale: 4.0, weight_decay: Some(0.5), ..Group::new("dense*.weight") };
    let (alike, grouped) = (moved(Vec::new()), moved(vec![group]));
    assert_eq!(alike("conv1.weight"), grouped("conv1.weight"));
    let weights = tensors(session(config(1)).model()).remove("dense1.weight").expect("is there");
    for ((weight, one), four) in weights.iter().zip(alike("dense1.weight")).zip(grouped("dense1.weight")) {
        let expected = 4.0 * (one - 0.05 * 0.5 * weight);
        assert!((four - expected).abs() < 1e-5, "{four} is not {expected}");
    }
}

#[test]
fn clipping_bounds_the_step() {
    let plain = OptimiserKind::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    for clip in [Clip::Norm(0.01), Clip::Value(0.001)] {
        let mut session =
            session(TrainConfig { clip: Some(clip), optimiser: plain, learning_rate: 1.0, ..config(1) });
        let mut before = tensors(session.model());
        before.retain(|name, _| !name.contains("running"));
        fit(&mut session, &train_loader(20), None, &mut |_, _| Ok::<_, Error>(ControlFlow::Continue(())))
            .expect("trains");
        let after = tensors(session.model());
        let step: Vec<f32> =
            before.iter().flat_map(|(name, b)| b.iter().zip(&after[name]).map(|(b, a)| a - b)).collect();
        let norm = step.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>().sqrt();
        match clip {
            Clip::Norm(bound) => assert!((norm / bound - 1.0).abs() < 1e-2, "{norm}"),
            Clip::Value(bound) => assert!(step.iter().all(|s| f64::from(s.abs()) < 1.01 * bound), "{step:?}"),
        }
    }
}

/// The average follows the weights of each step by its definition, and is what is validated, saved and loaded.
#[test]
fn the_average_is_the_one_that_is_used() {
    let mut averaged = session(TrainConfig { ema: Some(0.8), ..config(2) });
    let mut expected: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut reported = Vec::new();
    fit(&mut averaged, &train_loader(130), Some(&eval_loader(60)), &mut |session, event| {
        match event {
            Event::Step(_) => {
                for (name, values) in tensors(session.model()) {
                    let wide: Vec<f64> = values.into_iter().map(f64::from).collect();
                    let average = expected.entry(name).or_insert_with(|| wide.clone());
                    average.iter_mut().zip(wide).for_each(|(a, v)| *a = 0.8 * *a + 0.2 * v);
                }
            }
            Event::Epoch(epoch) => reported.extend(epoch.validation),
            _ => {}
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .expect("trains");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.safetensors");
    save(&averaged, &path);
    let mut used = Small::with_classes(6).expect("classes are free");
    load_weights(&mut used, &Checkpoint::open(&path).expect("whole")).expect("fits");
    for (name, values) in tensors(&used) {
        for (value, expected) in values.iter().zip(&expected[&name]) {
            assert!((f64::from(*value) - expected).abs() < 1e-5, "{name}: {value} is not {expected}");
        }
    }
    assert_ne!(tensors(&used), tensors(averaged.model()));
    let score = evaluate(&used, &eval_loader(60), TestTime::None).expect("evaluates");
    assert_eq!(Some(&score), reported.last());
    let before = tensors(averaged.model());
    assert_eq!(averaged.evaluate(&eval_loader(60)).expect("evaluates"), score);
    assert_eq!(tensors(averaged.model()), before, "evaluating leaves the weights as they were");
}

#[test]
fn early_stopping_ends_the_run_and_needs_validation() {
    // Nothing moves but the running statistics, and those settle.
    let early_stopping = Some(EarlyStopping { patience: 2, metric: Metric::ValidationAccuracy });
    let groups = vec![Group { learning_rate_scale: 0.0, ..Group::new("*") }];
    let still = TrainConfig { early_stopping, groups, ..config(50) };
    let mut stopped = session(still.clone());
    let events = train(&mut stopped, 50);
    let done = stopped.epochs_done();
    assert!(done < 50 && stopped.is_stopped_early() && !stopped.is_done(), "{done}");
    let best = stopped.best_epoch(Metric::ValidationAccuracy).expect("validated");
    assert_eq!(done, best + 2);
    assert!(matches!(events.last(), Some(Event::End { stopped: false, epochs, .. }) if *epochs == done));

    let go_on = &mut |_: &mut Session<Small>, _| Ok::<_, Error>(ControlFlow::Continue(()));
    let error =
        fit(&mut session(still), &train_loader(40), None, go_on).expect_err("no validation").to_string();
    assert_eq!(error, "early-stopping looks at validation scores, but there are no validation data");
}

#[test]
fn looks_at_a_mirrored_picture_are_alike() {
    let mut trained = session(config(2));
    train(&mut trained, 2);
    let picture: Vec<f32> = (0..36).map(|i| (i * 7 % 36) as f32 / 36.0).collect();
    let mirrored: Vec<f32> = picture.chunks_exact(6).flat_map(|row| row.iter().rev().copied()).collect();
    let trained = trained.into_model();
    let seen = |picture: &[f32], how| probabilities(&trained, picture.to_vec(), how).expect("fits").remove(0);
    assert_ne!(seen(&picture, TestTime::None), seen(&mirrored, TestTime::None));
    let (one, other) = (seen(&picture, TestTime::Flip), seen(&mirrored, TestTime::Flip));
    assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-5), "{one:?} {other:?}");
    assert_ne!(seen(&picture, TestTime::Flip), seen(&picture, TestTime::FlipShift));
    for how in [TestTime::None, TestTime::Flip, TestTime::FlipShift] {
        assert!(probabilities(&trained, vec![0.5; 37], how).is_err(), "{how:?}: no whole picture");
    }
}

/// The configuration says whether there are averages, not a tensor's name.
#[test]
fn averages_are_loaded_where_the_run_has_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.safetensors");
    let blank = || Small::with_classes(6).expect("classes are free");
    let loaded = || {
        let mut model = blank();
        load_weights(&mut model, &Checkpoint::open(&path).expect("whole")).expect("fits");
        tensors(&model)
    };
    let mut begun = session(TrainConfig { ema: Some(0.9), ..config(2) });
    save(&begun, &path);
    assert_eq!(loaded(), tensors(begun.model()), "no step, no average");

    let metadata = |training| Metadata {
        network: "small".into(),
        input: Small::INPUT,
        classes: Vec::new(),
        fitting: Fitting::default(),
        normalisation: Normalisation::unit(1),
        data: "rows".into(),
        training,
    };
    let plain = Training { config: config(2), step: 3, history: Vec::new(), begun: None };
    for training in [Some(plain), None] {
        let mut stored: Vec<Tensor> = parameters(begun.model())
            .into_iter()
            .chain(statistics(begun.model()))
            .map(|(name, tensor)| {
                let mut values = vec![0.0; tensor.len()];
                tensor.read(&mut values);
                Tensor::new(name, tensor.shape(), values)
            })
            .collect();
        stored.push(Tensor::new("ema.of.something.else", [1], vec![1.0]));
        lenslet_checkpoint::save(&path, &stored, &metadata(training)).expect("room");
        assert_eq!(loaded(), tensors(begun.model()));
    }
}

#[test]
fn a_checkpoint_whose_configuration_cannot_be_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.safetensors");
    let mut bad = session(config(2));
    bad.set_epochs(0);
    save(&bad, &path);
    let error =
        Session::resume(bad.into_model(), &Checkpoint::open(&path).expect("whole")).err().expect("no epochs");
    let text = error.to_string();
    assert!(text.contains("session.safetensors cannot be resumed: epochs is 0, but"), "{text}");
}

#[test]
fn loaders_that_do_not_fit_are_refused_before_the_first_step() {
    let refused = |config: TrainConfig, validation: &EvalLoader| {
        fit(&mut session(config), &train_loader(40), Some(validation), &mut |_, event| -> Result<_, Error> {
            panic!("nothing may happen: {event:?}")
        })
        .expect_err("does not fit")
    };
    let shape = ImageShape { channels: 1, height: 7, width: 6 };
    let tall = InMemory::new(shape, vec![0; 42], vec![0], vec!["a".into()]).expect("one picture");
    let tall = EvalLoader::new(Arc::new(tall), &Normalisation::unit(1), BATCHES).expect("one picture");
    let error = refused(config(1), &tall);
    assert!(matches!(error, Error::Shape { data, .. } if data == shape), "{error}");

    let crop = Step::RandomCrop(RandomCrop { padding: 1, ..RandomCrop::default() });
    let augment = Augmentation { steps: vec![crop] };
    let error = refused(TrainConfig { augment, ..config(1) }, &eval_loader(20));
    assert!(matches!(error, Error::OtherAugmentation), "{error}");
}

#[test]
fn the_detailed_metrics_agree_with_the_score() {
    let mut trained = session(config(3));
    train(&mut trained, 3);
    let metrics = measure(trained.model(), &eval_loader(60), TestTime::None).expect("evaluates");
    assert_eq!(
        metrics.score,
        evaluate(trained.model(), &eval_loader(60), TestTime::None).expect("evaluates")
    );
    let diagonal: u64 = (0..6).map(|class| metrics.confusion[class][class]).sum();
    assert_eq!(diagonal, metrics.score.correct);
    assert!(metrics.confusion.iter().all(|row| row.iter().sum::<u64>() == 10), "{metrics:?}");
    assert_eq!(metrics.class_samples, [10; 6]);
    assert!(metrics.top5.is_some_and(|top5| (diagonal..=60).contains(&top5)), "{metrics:?}");

    // Answer by answer it is the same.
    let mut answers = Vec::new();
    let see = |answer: Answer| answers.push(answer);
    assert_eq!(
        measure_each(trained.model(), &eval_loader(60), TestTime::None, see).expect("evaluates"),
        metrics
    );
    assert!(answers.iter().map(|answer| answer.index).eq(0..60));
    let right = answers.iter().filter(|answer| answer.class == Some(answer.label)).count();
    assert_eq!(right as u64, diagonal);
    // The most probable of six classes.
    assert!(answers.iter().all(|answer| (1.0 / 6.0..=1.0).contains(&answer.probability)), "{answers:?}");
}

#[test]
fn a_sweep_leaves_the_session_as_it_was_and_repeats() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.safetensors");
    let mut swept = session(TrainConfig { ema: Some(0.9), ..config(4) });
    train(&mut swept, 1);
    let before = save(&swept, &path);
    let sweep = Sweep { from: 1e-4, to: 1e4, steps: 60, ..Sweep::default() };
    let curve = sweep.run(&mut swept, &train_loader(130)).expect("sweeps");
    assert!(save(&swept, &path) == before, "the session changed");
    assert_eq!(sweep.run(&mut swept, &train_loader(130)).expect("sweeps"), curve);
    assert!(curve.points.len() < 60, "a rate of 1e4 diverges");
    let suggestion = curve.suggestion.expect("it learns");
    assert!((1e-4..10.0).contains(&suggestion), "{suggestion}");

    // A run that was swept goes on as one that was not.
    let mut plain = session(TrainConfig { ema: Some(0.9), ..config(4) });
    train(&mut plain, 4);
    train(&mut swept, 4);
    assert_eq!(tensors(plain.model()), tensors(swept.model()));
}

#[test]
fn a_group_of_nothing_is_refused() {
    let groups = vec![Group::new("bn*")];
    let model = Small::with_classes(6).expect("classes are free");
    let error = Session::new(model, TrainConfig { groups, ..config(1) }).err().expect("no bn").to_string();
    assert!(error.contains("bn*") && error.contains("batch_norm1.bias"), "{error}");
}
