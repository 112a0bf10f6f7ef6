use std::time::Duration;

use crate::Failure;

/// What happens to a file while it is fetched.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// It was here already, and its sum is right: nothing is done.
    Present,
    /// A file of that name was here, but it is not the catalogue's: it will be replaced.
    Wrong {
        /// The SHA-256 sum of the file that is here.
        found: &'a str,
    },
    /// Bytes are about to come.
    Started {
        /// The URL or path that they come from.
        place: &'a str,
        /// How many bytes are here from an earlier attempt; the first to come follows them.
        offset: u64,
    },
    /// Bytes have come.
    Received {
        /// How many bytes are here now.
        bytes: u64,
    },
    /// The attempt failed.
    Failed {
        /// The URL or path that was tried.
        place: &'a str,
        /// Why it failed.
        failure: &'a Failure,
        /// The pause before the next attempt at this place, or `None` if it is given up.
        retry_in: Option<Duration>,
    },
    /// The archive is whole and verified, and its members come next: unpacked, verified, put in their places.
    Unpacking,
    /// It is verified and in its place.
    Done,
}
