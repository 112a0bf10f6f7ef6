//! Connections.

use crate::app::App;
use crate::{Error, Limits, Model};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// A network that is ready to be asked.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    limits: Limits,
}

impl Server {
    /// Takes an address, and starts the thread on which the network runs. From now on clients can connect; they are
    /// answered once the server runs.
    ///
    /// # Errors
    /// Where the address cannot be had, or a limit is 0.
    pub async fn bind(address: SocketAddr, model: Model, limits: Limits) -> Result<Self, Error> {
        limits.check()?;
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let router = App::new(model, limits.clone())?.router();
        Ok(Self { listener, address, router, limits })
    }

    /// Where it listens, with the port that it got where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is ready. Then it takes no new connections and finishes what is at hand, for which it has
    /// as long as a request may take.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, router, limits, .. } = self;
        let connections = Arc::new(Semaphore::new(limits.connections));
        let graceful = GracefulShutdown::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.timeout);
        let mut stop = pin!(stop);
        loop {
            let (stream, slot) = tokio::select! {
                stream = accept(&listener, &connections) => stream,
                () = &mut stop => break,
            };
            let service = TowerToHyperService::new(router.clone());
            let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
            tokio::spawn(async move {
                // A connection that breaks is its client's affair.
                let _ = connection.await;
                drop(slot);
            });
        }
        drop(listener);
        // Twice: a head may come in at the last moment, and its picture after it.
        let _ = timeout(2 * limits.timeout, graceful.shutdown()).await;
    }
}

/// The next connection, and its slot among those that there may be.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> (TcpStream, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let slot = Arc::clone(connections).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small, and should not wait for each other. Where that cannot be set, they are only slower.
                let _ = stream.set_nodelay(true);
                return (stream, slot);
            }
            // The client has gone again, or there are no file descriptors left until another connection ends.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
