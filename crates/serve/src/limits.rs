//! From whom a server takes requests, and how many.

use crate::Error;
use std::time::Duration;

/// From whom a server takes requests, and how many. What is beyond is refused with a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a picture's file.
    pub bytes: usize,
    /// The most requests for predictions at hand, from the first byte of a picture to its answer. With
    /// [`bytes`](Self::bytes) it bounds the memory that clients can take.
    pub queue: usize,
    /// The most pictures in a batch.
    pub batch: usize,
    /// How long a batch waits for pictures that are being decoded. It never waits where there are none.
    pub wait: Duration,
    /// How long a request may take: its head, then its picture and the answer.
    pub timeout: Duration,
    /// The most connections; others wait to be accepted.
    pub connections: usize,
    /// Names under which clients may ask for this server. Its numeric addresses and `localhost` need no mention.
    pub hosts: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            queue: 128,
            batch: 32,
            wait: Duration::from_millis(2),
            timeout: Duration::from_secs(10),
            connections: 1024,
            hosts: Vec::new(),
        }
    }
}

impl Limits {
    /// Refuses limits under which nothing could be answered.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let counts = [
            ("bytes", self.bytes),
            ("queue", self.queue),
            ("batch", self.batch),
            ("connections", self.connections),
        ];
        match counts.into_iter().find(|(_, count)| *count == 0) {
            Some((name, _)) => Err(Error::Zero(name)),
            None if self.timeout.is_zero() => Err(Error::Zero("timeout")),
            None => Ok(()),
        }
    }
}
