//! Pictures of concurrent requests, put together.

use crate::metrics::Metrics;
use crate::model::{Explain, Predict};
use crate::{Error, Failure, Limits};
use lenslet_dataset::Image;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A picture, and what is wanted of it.
pub(crate) struct Job {
    pub picture: Image<'static>,
    pub want: Want,
    /// Held until there is an answer, even where the client has gone.
    pub place: OwnedSemaphorePermit,
}

/// What is wanted, and where it goes.
pub(crate) enum Want {
    /// The probability of each class.
    Row(Answer<Vec<f32>>),
    /// A PNG of what speaks for a class, or for the most probable one.
    Heat(Option<usize>, Answer<Vec<u8>>),
}

/// Where an answer goes. A client may go at any time, and nobody is told.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, String>>;

/// The way to the thread that owns the network.
///
/// While that thread computes one batch, the next one gathers. It waits for more only where pictures are on their
/// way: a client that is alone is answered at once.
pub(crate) struct Batches {
    jobs: Sender<Job>,
    coming: Arc<AtomicUsize>,
}

/// A picture that is being decoded.
pub(crate) struct Coming(Arc<AtomicUsize>);

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Batches {
    /// Starts the thread, which ends with the last handle on it.
    pub fn start(
        predict: Predict,
        explain: Option<Explain>,
        limits: &Limits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let (jobs, queue) = channel();
        let coming = Arc::new(AtomicUsize::new(0));
        let mut worker = Worker {
            queue,
            coming: Arc::clone(&coming),
            predict,
            explain,
            most: limits.batch,
            wait: limits.wait,
            metrics,
        };
        let thread = thread::Builder::new().name("network".into());
        thread.spawn(move || worker.run()).map_err(Error::Thread)?;
        Ok(Self { jobs, coming })
    }

    /// Says that a picture will follow, which is worth a wait.
    pub fn announce(&self) -> Coming {
        self.coming.fetch_add(1, Ordering::SeqCst);
        Coming(Arc::clone(&self.coming))
    }

    /// Hands over what was announced.
    pub fn push(&self, job: Job, coming: Coming) {
        // The thread outlives every sender. Were it gone, the job's end would say so.
        let _ = self.jobs.send(job);
        drop(coming);
    }
}

struct Worker {
    queue: Receiver<Job>,
    coming: Arc<AtomicUsize>,
    predict: Predict,
    explain: Option<Explain>,
    most: usize,
    wait: Duration,
    metrics: Arc<Metrics>,
}

impl Worker {
    fn run(&mut self) {
        while let Ok(first) = self.queue.recv() {
            let (mut pictures, mut clients) = (Vec::new(), Vec::new());
            for Job { picture, want, place } in self.gather(first) {
                match want {
                    Want::Row(answer) if !answer.is_closed() => {
                        pictures.push(picture);
                        clients.push((answer, place));
                    }
                    Want::Heat(class, answer) if !answer.is_closed() => {
                        let heat = self.heat(&picture, class);
                        drop(place);
                        let _ = answer.send(heat);
                    }
                    // Nobody waits for it any more.
                    _ => {}
                }
            }
            if pictures.is_empty() {
                continue;
            }
            let begun = Instant::now();
            let rows = self.rows(&pictures);
            self.metrics.batch(pictures.len(), begun.elapsed());
            for ((answer, place), row) in clients.into_iter().zip(rows) {
                drop(place);
                let _ = answer.send(row);
            }
        }
    }

    fn heat(&mut self, picture: &Image<'static>, class: Option<usize>) -> Result<Vec<u8>, String> {
        let explain = self.explain.as_mut().ok_or("it cannot be explained")?;
        guarded(|| explain(picture, class))
    }

    fn gather(&self, first: Job) -> Vec<Job> {
        let deadline = Instant::now() + self.wait;
        let mut batch = vec![first];
        while batch.len() < self.most {
            let wait = match self.coming.load(Ordering::SeqCst) {
                0 => Duration::ZERO,
                _ => deadline.saturating_duration_since(Instant::now()),
            };
            let Ok(job) = self.queue.recv_timeout(wait) else { break };
            batch.push(job);
        }
        batch
    }

    /// A row for each picture. Where a batch fails, its pictures are tried one by one, so that only the one at fault
    /// has no answer.
    fn rows(&mut self, pictures: &[Image<'static>]) -> Vec<Result<Vec<f32>, String>> {
        let rows = guarded(|| (self.predict)(pictures)).and_then(|rows| {
            let (found, expected) = (rows.len(), pictures.len());
            if found == expected { Ok(rows) } else { Err(format!("{found} answers to {expected} pictures")) }
        });
        match rows {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            Err(error) if pictures.len() == 1 => vec![Err(error)],
            Err(_) => pictures.iter().flat_map(|picture| self.rows(std::slice::from_ref(picture))).collect(),
        }
    }
}

/// What a network answers, where a panic is a failure like others.
fn guarded<T>(ask: impl FnOnce() -> Result<T, Failure>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask))
        .map_err(|panic| said(&*panic).to_owned())?
        .map_err(|error| error.to_string())
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}
