//! Why a server does not start.

use std::io;
use std::net::SocketAddr;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another program has the port, or this machine has no such address: choose another one. Port 0 takes any.
    #[error("cannot listen on {address}: {source}; another port may be free, and port 0 takes any that is")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no thread for the network: end other programs.
    #[error("cannot start a thread for the network: {0}")]
    Thread(io::Error),
    /// Set a limit of 1 or more.
    #[error("the limit '{0}' is 0, so that nothing could be answered; it must be 1 or more")]
    Zero(&'static str),
}
