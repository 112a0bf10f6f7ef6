//! Whole runs on real digits: repeatable, resumable, and plain about what goes wrong.

use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Dataset, Fitting, ImageShape, InMemory, Subset};
use lenslet_idx::{IdxDataset, Split};
use lenslet_models::{MnistCnn, MnistMlp};
use lenslet_nn::{Classifier, network};
use lenslet_pipeline::{Augmentation, EvalLoader, LoaderConfig, Normalisation, TrainLoader};
use lenslet_train::{
    Error, Event, Metadata, OptimiserKind, Session, TrainConfig, fit, load_weights, save_checkpoint,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

network! {
    /// Has dropout and running statistics, so that masks and statistics must come back too.
    Noisy: 1x28x28 => conv(4, 3x3, stride 2), batch_norm, relu, dropout(0.25), flatten, dense(16), relu, dropout(0.5), dense(classes)
}

fn digits(split: Split, samples: usize) -> Arc<dyn Dataset> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mnist");
    let all = IdxDataset::mnist(folder, split).expect("the fixtures are whole");
    Arc::new(Subset::new(all, (0..samples).collect()).expect("so many samples"))
}

const BATCHES: LoaderConfig = LoaderConfig { batch_size: 50, prefetch: 2 };

fn train_loader(dataset: Arc<dyn Dataset>) -> TrainLoader {
    TrainLoader::new(dataset, &Normalisation::unit(1), &Augmentation::default(), BATCHES)
        .expect("pictures of one size")
}

fn eval_loader(dataset: Arc<dyn Dataset>) -> EvalLoader {
    EvalLoader::new(dataset, &Normalisation::unit(1), BATCHES).expect("pictures of one size")
}

fn metadata<M: Classifier>() -> Metadata {
    Metadata {
        network: "test".into(),
        input: M::INPUT,
        classes: (0..10).map(|c| c.to_string()).collect(),
        fitting: Fitting::default(),
        normalisation: Normalisation::unit(1),
        data: "mnist".into(),
        training: None,
    }
}

fn train<M: Classifier>(session: &mut Session<M>, events: &mut Vec<Event>) -> Result<(), Error> {
    let (train, validation) =
        (train_loader(digits(Split::Train, 1020)), eval_loader(digits(Split::Test, 200)));
    fit(session, &train, Some(&validation), &mut |_, event| {
        events.push(event);
        Ok(ControlFlow::Continue(()))
    })
}

fn checkpoint_of<M: Classifier>(session: &Session<M>, folder: &Path) -> Vec<u8> {
    let path = folder.join("session.safetensors");
    save_checkpoint(&path, session, metadata::<M>()).expect("a writable folder");
    std::fs::read(path).expect("it was written")
}

fn config(epochs: u64, optimiser: OptimiserKind) -> TrainConfig {
    TrainConfig { epochs, batch_size: 50, learning_rate: 2e-3, optimiser, seed: 5, ..TrainConfig::default() }
}

const SGD: OptimiserKind = OptimiserKind::Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-4 };

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let model = Noisy::with_classes(10).expect("classes are free");
            let mut session = Session::new(model, config(2, OptimiserKind::default())).expect("valid");
            train(&mut session, &mut Vec::new()).expect("trains");
            checkpoint_of(&session, folder.path())
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5), "1, 2 and 5 threads must write the same bytes");
}

#[test]
fn a_resumed_run_ends_byte_for_byte_as_an_uninterrupted_one() {
    for optimiser in [OptimiserKind::default(), SGD] {
        let folder = tempfile::tempdir().expect("a folder");
        let fresh = |epochs| {
            let model = Noisy::with_classes(10).expect("classes are free");
            Session::new(model, config(epochs, optimiser)).expect("valid")
        };
        let mut whole = fresh(2);
        train(&mut whole, &mut Vec::new()).expect("trains");
        let whole = checkpoint_of(&whole, folder.path());

        let mut first = fresh(1);
        train(&mut first, &mut Vec::new()).expect("trains");
        assert!(checkpoint_of(&first, folder.path()) != whole, "one epoch is not two");
        let checkpoint = Checkpoint::open(folder.path().join("session.safetensors")).expect("whole");
        let mut second = Session::resume(Noisy::with_classes(10).expect("free"), &checkpoint).expect("fits");
        assert_eq!((second.epochs_done(), second.steps_done()), (1, 21));
        second.set_epochs(2);
        train(&mut second, &mut Vec::new()).expect("trains");
        assert!(checkpoint_of(&second, folder.path()) == whole, "{optimiser:?}: the resumed run differs");
    }
}

#[test]
fn it_learns_and_tells() {
    for (optimiser, learning_rate) in [(OptimiserKind::default(), 2e-3), (SGD, 5e-2)] {
        let model = MnistMlp::with_classes(10).expect("classes are free");
        let config = TrainConfig { learning_rate, ..config(3, optimiser) };
        let mut session = Session::new(model, config).expect("valid");
        let mut events = Vec::new();
        train(&mut session, &mut events).expect("trains");
        let score = session.evaluate(&eval_loader(digits(Split::Test, 1000))).expect("evaluates");
        assert!(score.accuracy() > 0.8, "{optimiser:?}: {}", score.accuracy());
        assert_eq!(score.samples, 1000);

        let Some(Event::Start(start)) = events.first() else { panic!("no start: {:?}", events.first()) };
        assert_eq!((start.parameters, start.train_samples, start.steps_per_epoch), (79_510, 1020, 21));
        assert!(matches!(events.last(), Some(Event::End { epochs: 3, stopped: false, .. })));
        let steps = events.iter().filter(|e| matches!(e, Event::Step(_))).count();
        let epochs: Vec<_> =
            events.iter().filter_map(|e| if let Event::Epoch(e) = e { Some(e) } else { None }).collect();
        assert_eq!((steps, epochs.len()), (63, 3));
        assert_eq!(epochs[0].train.samples, 1020, "the last partial batch is trained on too");
        assert!(epochs[2].train.loss < epochs[0].train.loss);
        assert!(!events.iter().any(|e| matches!(e, Event::Warning(_))), "it is not stuck");

        for event in &events {
            let json = serde_json::to_string(event).expect("serialises");
            assert_eq!(&serde_json::from_str::<Event>(&json).expect("reads back"), event, "{json}");
        }
    }
}

#[test]
fn a_run_stopped_within_an_epoch_goes_on_with_the_next_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let (train, test) = (train_loader(digits(Split::Train, 500)), eval_loader(digits(Split::Test, 50)));
    // Trains until a number of steps is done, and gives the score of each epoch and the last event.
    let run = |session: &mut Session<Noisy>, until: u64| {
        let (mut scores, mut last) = (Vec::new(), None);
        fit(session, &train, Some(&test), &mut |session, event| {
            let stop = session.steps_done() >= until && matches!(event, Event::Step(_));
            if let Event::Epoch(epoch) = &event {
                scores.push((epoch.epoch, epoch.train));
                assert!(epoch.waited_seconds <= epoch.train_seconds);
            }
            last = Some(event);
            Ok::<_, Error>(if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .expect("trains");
        (scores, last.expect("an end"))
    };
    let blank = || Noisy::with_classes(10).expect("classes are free");
    let begin = || Session::new(blank(), config(2, SGD)).expect("valid");
    let mut whole = begin();
    let (scores, _) = run(&mut whole, u64::MAX);
    let whole = checkpoint_of(&whole, folder.path());
    // An epoch has ten steps.
    for (steps, epochs) in [(4, 0), (10, 0), (11, 1)] {
        let mut stopped = begin();
        let (before, end) = run(&mut stopped, steps);
        assert!(matches!(end, Event::End { epochs: e, stopped: true, .. } if e == epochs), "{end:?}");
        assert_eq!(stopped.begun().map(|begun| begun.steps as u64), Some(steps - 10 * epochs));
        checkpoint_of(&stopped, folder.path());
        let checkpoint = Checkpoint::open(folder.path().join("session.safetensors")).expect("whole");
        let mut resumed = Session::resume(blank(), &checkpoint).expect("fits");
        assert_eq!((resumed.epochs_done(), resumed.steps_done()), (epochs, steps));
        let (after, _) = run(&mut resumed, u64::MAX);
        assert_eq!([before, after].concat(), scores, "stopped after {steps} steps");
        assert!(checkpoint_of(&resumed, folder.path()) == whole, "stopped after {steps} steps");
    }
}

/// Random pictures whose labels mean nothing.
fn noise(classes: usize) -> Arc<dyn Dataset> {
    let shape = ImageShape { channels: 1, height: 28, width: 28 };
    let pixels = (0..600 * shape.len()).map(|i| (i * 7919 % 251) as u8).collect();
    let labels = (0..600).map(|i| i * 31 % classes).collect();
    let names = (0..classes).map(|c| c.to_string()).collect();
    Arc::new(InMemory::new(shape, pixels, labels, names).expect("as many labels as pictures"))
}

#[test]
fn a_network_stuck_at_chance_says_so_once() {
    let model = MnistMlp::with_classes(10).expect("classes are free");
    let mut session =
        Session::new(model, TrainConfig { learning_rate: 1e-9, ..config(7, SGD) }).expect("valid");
    let mut warnings = Vec::new();
    // An epoch has twelve steps, in which nobody learns much.
    fit(&mut session, &train_loader(noise(10)), None, &mut |session, event| {
        if let Event::Warning(warning) = event {
            assert_eq!(session.epochs_done(), 5);
            warnings.push(warning.message);
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .expect("trains, to no avail");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for cause in ["shuffled", "scaled", "learning rate"] {
        assert!(warnings[0].contains(cause), "{}", warnings[0]);
    }
}

#[test]
fn a_diverging_run_is_stopped_at_its_step() {
    let model = MnistCnn::with_classes(10).expect("classes are free");
    let mut session =
        Session::new(model, TrainConfig { learning_rate: 1e30, ..config(2, SGD) }).expect("valid");
    let error = train(&mut session, &mut Vec::new()).expect_err("diverges").to_string();
    assert!(error.contains("at step") && error.contains("lower the learning rate"), "{error}");
}

/// The step that spoils the weights is the last one: no later loss of the epoch shows it.
#[test]
fn weights_spoilt_by_the_last_step_are_not_reported_as_an_epoch() {
    // Weights that are no numbers; weights so large that the logits are none.
    for (learning_rate, validation) in [(1e39, false), (1e37, true)] {
        let model = MnistMlp::with_classes(10).expect("classes are free");
        let mut session =
            Session::new(model, TrainConfig { learning_rate, ..config(1, SGD) }).expect("valid");
        let (train, test) = (train_loader(digits(Split::Train, 50)), eval_loader(digits(Split::Test, 50)));
        let mut epochs = 0;
        let error = fit(&mut session, &train, validation.then_some(&test), &mut |_, event| {
            epochs += usize::from(matches!(event, Event::Epoch(_)));
            Ok::<_, Error>(ControlFlow::Continue(()))
        })
        .expect_err("diverges");
        assert!(matches!(error, Error::Diverged { step: 1, epoch: 1, .. }), "{error}");
        assert_eq!(epochs, 0, "a spoilt epoch is not worth a checkpoint");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let model = MnistMlp::with_classes(10).expect("classes are free");
    let mut session = Session::new(model, config(1, SGD)).expect("valid");
    let error = fit(&mut session, &train_loader(noise(12)), None, &mut |_, _| {
        Ok::<_, Error>(ControlFlow::Continue(()))
    });
    let error =
        std::error::Error::source(&error.expect_err("12 classes for 10")).expect("a cause").to_string();
    assert!(error.contains("tells 10 classes apart"), "{error}");

    session =
        Session::new(session.into_model(), TrainConfig { batch_size: 64, ..config(1, SGD) }).expect("valid");
    let error = train(&mut session, &mut Vec::new()).expect_err("the loader makes batches of 50").to_string();
    assert_eq!(error, "the run is told to take batches of 64, but the loader makes batches of 50");

    let shape = ImageShape { channels: 3, height: 4, width: 4 };
    let colour = InMemory::new(shape, vec![0; 48], vec![0], vec!["a".into()]).expect("one picture");
    let loader = EvalLoader::new(
        Arc::new(colour),
        &Normalisation::unit(3),
        LoaderConfig { batch_size: 1, prefetch: 0 },
    );
    let error = session.evaluate(&loader.expect("one picture")).expect_err("colour").to_string();
    assert!(error.contains("1x28x28") && error.contains("3x4x4"), "{error}");
}

#[test]
fn a_checkpoint_of_another_network_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mlp.safetensors");
    let model = MnistMlp::with_classes(10).expect("classes are free");
    let session = Session::new(model, config(1, SGD)).expect("valid");
    save_checkpoint(&path, &session, metadata::<MnistMlp>()).expect("a writable folder");
    let checkpoint = Checkpoint::open(&path).expect("whole");

    let mut other = MnistMlp::with_classes(12).expect("classes are free");
    let error = load_weights(&mut other, &checkpoint).expect_err("12 classes are not 10").to_string();
    assert!(error.contains("dense2.weight: the network has 12x100, the file has 10x100"), "{error}");
    assert!(error.contains("mlp.safetensors"), "{error}");
    assert!(other.dense1.weight.as_vec().iter().all(|w| *w == 0.0), "nothing was loaded");

    let error =
        Session::resume(MnistCnn::with_classes(10).expect("free"), &checkpoint).err().expect("no conv1");
    assert!(error.to_string().contains("conv1.weight"), "{error}");
}
