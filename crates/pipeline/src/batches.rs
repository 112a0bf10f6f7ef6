use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::filler::Filler;
use crate::order::{Order, permutation};
use crate::{Batch, Error};

/// The batches of one pass over the data, from [`TrainLoader::epoch`](crate::TrainLoader::epoch) or
/// [`EvalLoader::batches`](crate::EvalLoader::batches).
///
/// An error is the last item. Dropping it early stops the thread that prefetches, and waits until it has
/// ended.
pub struct Batches {
    source: Source,
    waited: Duration,
}

enum Source {
    InPlace(Pass),
    Prefetched(Worker),
}

impl Batches {
    pub(crate) fn in_place(pass: Pass) -> Self {
        Self { source: Source::InPlace(pass), waited: Duration::ZERO }
    }

    pub(crate) fn prefetched(pass: Pass, ahead: usize) -> io::Result<Self> {
        let worker = Worker::spawn(pass, ahead)?;
        Ok(Self { source: Source::Prefetched(worker), waited: Duration::ZERO })
    }

    /// How long the caller has waited in [`next`](Iterator::next) so far, all calls together.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = Instant::now();
        let batch = match &mut self.source {
            Source::InPlace(pass) => pass.next(),
            Source::Prefetched(worker) => worker.next(),
        };
        self.waited += start.elapsed();
        batch
    }
}

/// Makes the batches of one pass in turn, and none after an error.
pub(crate) struct Pass {
    filler: Filler,
    order: Order,
    indices: Vec<usize>,
    batch_size: usize,
    /// How many of the indices are done.
    done: usize,
}

impl Pass {
    /// One whose first `batches` are done.
    pub(crate) fn new(filler: Filler, order: Order, batch_size: usize, batches: usize) -> Self {
        let indices = permutation(filler.dataset.len(), order);
        let done = batches.saturating_mul(batch_size).min(indices.len());
        Self { filler, order, indices, batch_size, done }
    }
}

impl Iterator for Pass {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let indices = self.indices[self.done..].chunks(self.batch_size).next()?;
        let number = (self.done / self.batch_size) as u64;
        let batch = self.filler.batch(number, indices, self.order);
        self.done = if batch.is_ok() { self.done + indices.len() } else { self.indices.len() };
        Some(batch)
    }
}

/// A thread that makes the batches ahead of the caller.
struct Worker {
    /// Both are there until the worker is dropped.
    batches: Option<Receiver<Result<Batch, Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn spawn(pass: Pass, ahead: usize) -> io::Result<Self> {
        // Of the batches made ahead, the thread holds the last until the queue has room for it.
        let (sender, batches) = sync_channel(ahead - 1);
        let thread = thread::Builder::new().name("lenslet-prefetch".into()).spawn(move || {
            for batch in pass {
                if sender.send(batch).is_err() {
                    return; // The caller has dropped the receiver, and wants no more.
                }
            }
        })?;
        Ok(Self { batches: Some(batches), thread: Some(thread) })
    }

    fn next(&mut self) -> Option<Result<Batch, Error>> {
        if let Ok(batch) = self.batches.as_ref()?.recv() {
            return Some(batch);
        }
        // The thread has ended. What samples panic is an error by then; any other panic goes on here.
        if let Err(panic) = self.thread.take()?.join() {
            resume_unwind(panic);
        }
        None
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // First the receiver: it is what stops a thread that waits for room in the queue.
        drop(self.batches.take());
        if let Some(thread) = self.thread.take() {
            // Nobody waits for the batch that it may have panicked over.
            let _ = thread.join();
        }
    }
}
