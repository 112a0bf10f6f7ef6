use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::filler::Filler;
use crate::order::{Order, permutation};
use crate::{Batch, Error};

/// How long a pool's thread that waits for a batch, and finds nothing else to do, waits before it looks again.
const PATIENCE: Duration = Duration::from_micros(100);

/// The batches of one pass over the data, from [`TrainLoader::epoch`](crate::TrainLoader::epoch) or
/// [`EvalLoader::batches`](crate::EvalLoader::batches).
///
/// An error is the last item. Dropping it early waits until nothing is made ahead any more.
pub struct Batches {
    pass: Pass,
    ahead: usize,
    /// Those made ahead, the next first.
    coming: VecDeque<Receiver<Made>>,
    /// Whether those that nobody has begun to make need not be made.
    is_over: Arc<AtomicBool>,
    waited: Duration,
}

/// A batch, or the panic that came of making it.
type Made = thread::Result<Result<Batch, Error>>;

impl Batches {
    /// Makes so many ahead, where there are as many, the first ones at once.
    pub(crate) fn new(pass: Pass, ahead: usize) -> Self {
        let (coming, is_over) = (VecDeque::new(), Arc::default());
        let mut batches = Self { pass, ahead, coming, is_over, waited: Duration::ZERO };
        batches.look_ahead();
        batches
    }

    /// How long the caller has waited in [`next`](Iterator::next) so far, all calls together.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    fn look_ahead(&mut self) {
        while self.coming.len() < self.ahead
            && let Some(work) = self.pass.next()
        {
            let ((sender, receiver), is_over) = (sync_channel(1), Arc::clone(&self.is_over));
            rayon::spawn(move || {
                // Nothing is left of the work when the caller hears of its end.
                let wanted = (!is_over.load(Ordering::Relaxed)).then_some(work);
                if let Some(work) = wanted {
                    // The caller may have given up waiting.
                    let _ = sender.send(catch_unwind(AssertUnwindSafe(|| work.run())));
                }
            });
            self.coming.push_back(receiver);
        }
    }

    fn end(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.pass.end();
        for receiver in self.coming.drain(..) {
            wait(&receiver);
        }
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = Instant::now();
        let batch = match self.coming.pop_front() {
            Some(receiver) => wait(&receiver).map(|made| made.unwrap_or_else(|panic| resume_unwind(panic))),
            None => self.pass.next().map(Work::run),
        };
        match &batch {
            Some(Ok(_)) => self.look_ahead(),
            _ => self.end(),
        }
        self.waited += start.elapsed();
        batch
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for what is made in a pool; nothing, where it need not be made. A thread of a pool lends a hand meanwhile: it may
/// be the very one that all wait for.
fn wait(receiver: &Receiver<Made>) -> Option<Made> {
    if rayon::current_thread_index().is_none() {
        return receiver.recv().ok();
    }
    let mut patience = Duration::ZERO;
    loop {
        match receiver.recv_timeout(patience) {
            Ok(made) => return Some(made),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                let has_helped = rayon::yield_now() == Some(rayon::Yield::Executed);
                patience = if has_helped { Duration::ZERO } else { PATIENCE };
            }
        }
    }
}

/// The batches of one pass in turn, to be made.
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

    fn end(&mut self) {
        self.done = self.indices.len();
    }
}

impl Iterator for Pass {
    type Item = Work;

    fn next(&mut self) -> Option<Work> {
        let indices = self.indices[self.done..].chunks(self.batch_size).next()?.to_vec();
        let number = (self.done / self.batch_size) as u64;
        self.done += indices.len();
        Some(Work { filler: self.filler.clone(), number, indices, order: self.order })
    }
}

/// A batch that is to be made.
pub(crate) struct Work {
    filler: Filler,
    number: u64,
    indices: Vec<usize>,
    order: Order,
}

impl Work {
    fn run(self) -> Result<Batch, Error> {
        self.filler.batch(self.number, self.indices, self.order)
    }
}
