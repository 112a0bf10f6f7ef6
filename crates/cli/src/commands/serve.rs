//! `lenslet serve`

use crate::args::Common;
use crate::output;
use crate::predictor::{Predictor, prepare};
use crate::settings::test_time_parser;
use anyhow::Context;
use clap::Args;
use lenslet_dataset::Image;
use lenslet_explain::overlay;
use lenslet_folder::Picture;
use lenslet_serve::{Explain, Failure, Limits, Model, Server};
use lenslet_train::TestTime;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Serve a checkpoint over HTTP: a page to try it on, and predictions in JSON.
///
/// GET / is the page. POST /v1/predict takes the bytes of a JPEG, PNG, WebP, BMP or GIF, treats them as `lenslet
/// predict` does, and answers with the most probable classes; ?top=K says how many, ?invert=true swaps light and dark
/// first. POST /v1/explain answers with a PNG of what speaks for the most probable class (Grad-CAM), or with ?class=NAME for
/// that one. GET /v1/model names network and classes, /healthz says ok, /metrics has figures for Prometheus.
///
/// Requests that come together go through the network together. What is beyond a limit is refused with a reason, as
/// JSON: 413 and 408 for what is too large or too slow, 503 where too much is at hand. Ctrl-C and SIGTERM finish what
/// is at hand; a second one does not.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet serve runs/mnist-cnn/last.safetensors
  curl --data-binary @digit.png http://127.0.0.1:8080/v1/predict?top=1
  lenslet serve runs/pets/best.safetensors --listen 0.0.0.0:80 --allow-host pets.example")]
pub struct Serve {
    /// A checkpoint of `lenslet train`.
    pub checkpoint: PathBuf,

    /// Where to listen. Port 0 takes any that is free. Whoever can reach the address can use the network: there are no
    /// passwords and no encryption.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Another name of this server, besides its numeric addresses and localhost. Requests for other names are refused,
    /// because a page elsewhere could let its own name point here.
    #[arg(long = "allow-host", value_name = "NAME")]
    pub hosts: Vec<String>,

    /// The most bytes of a picture's file.
    #[arg(long, value_name = "N", default_value_t = Limits::default().bytes)]
    pub max_bytes: usize,

    /// The most requests for predictions at hand.
    #[arg(long, value_name = "N", default_value_t = Limits::default().queue)]
    pub queue: usize,

    /// The most pictures that go through the network together.
    #[arg(long, value_name = "N", default_value_t = Limits::default().batch)]
    pub max_batch: usize,

    /// How long a batch waits for pictures that are being decoded, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = Limits::default().wait.as_millis() as u64)]
    pub batch_wait: u64,

    /// How long a request may take, in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = Limits::default().timeout.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub timeout: u64,

    /// How to look at a picture [default: as the run was told].
    #[arg(long, value_name = "HOW", value_parser = test_time_parser())]
    pub test_time: Option<TestTime>,

    #[command(flatten)]
    pub common: Common,
}

#[derive(Serialize)]
struct Listening<'a> {
    network: &'a str,
    url: String,
}

pub fn run(arguments: &Serve) -> anyhow::Result<()> {
    arguments.common.start_other_threads()?;
    let predictor = Predictor::open(&arguments.checkpoint, arguments.test_time)?;
    let (shape, fitting) = (predictor.shape(), predictor.fitting());
    // What a checkpoint says can be wrong in ways that only pictures show: better now than to the first client.
    let blank = Image::new(shape, vec![0; shape.len()])?;
    predictor.predict(std::slice::from_ref(&blank))?;
    let explains = predictor.explain(&blank)?.grad_cam_layer().is_some();
    let name = predictor.name().to_owned();
    let classes = predictor.classes().to_vec();
    // Both are called on one thread, so that nobody waits for the lock.
    let predictor = Arc::new(Mutex::new(predictor));
    let explainer = Arc::clone(&predictor);
    let model = Model {
        name: name.clone(),
        shape,
        classes,
        prepare: Arc::new(move |bytes, invert| {
            let picture = Picture::decode_for(bytes, shape, fitting.fit)?;
            Ok(prepare(picture, shape, fitting, invert))
        }),
        predict: Box::new(move |pictures| Ok(unlocked(&predictor).predict(pictures)?)),
        explain: explains.then(|| -> Explain {
            Box::new(move |picture, class| heat(&unlocked(&explainer), picture, class))
        }),
    };
    let limits = Limits {
        bytes: arguments.max_bytes,
        queue: arguments.queue,
        batch: arguments.max_batch,
        wait: Duration::from_millis(arguments.batch_wait),
        timeout: Duration::from_secs(arguments.timeout),
        hosts: arguments.hosts.clone(),
        ..Limits::default()
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the threads of the server")?;
    runtime.block_on(async {
        let stop = stopped()?;
        let server = Server::bind(arguments.listen, model, limits).await?;
        let url = format!("http://{}/", server.address());
        if !server.address().ip().is_loopback() {
            output::warning(format_args!(
                "everyone who can reach {} can use the network; --listen 127.0.0.1:{} is for this machine alone",
                server.address(),
                server.address().port()
            ));
        }
        if arguments.common.json {
            output::json(&Listening { network: &name, url })?;
        } else {
            output::line(format_args!("{name} is at {url}; Ctrl-C stops"))?;
        }
        server.run(stop).await;
        Ok(())
    })
}

/// A predictor only reads, so that one that panicked is as good as before.
fn unlocked(predictor: &Mutex<Predictor>) -> MutexGuard<'_, Predictor> {
    predictor.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A picture under what speaks for a class, or for the most probable one, as a PNG.
fn heat(predictor: &Predictor, picture: &Image<'_>, class: Option<usize>) -> Result<Vec<u8>, Failure> {
    /// Pixels along the longer side, so that small pictures can be looked at.
    const SIDE: u32 = 288;
    let explanation = predictor.explain(picture)?;
    let heat = explanation.grad_cam(class.unwrap_or_else(|| explanation.best_class()))?;
    Ok(output::png_bytes(&overlay(picture, &heat, SIDE))?)
}

/// Ready at the first Ctrl-C or SIGTERM; the second one kills.
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals = Signals::new().context("cannot watch for Ctrl-C")?;
    Ok(async move {
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(130);
        });
    })
}

#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
