//! The end.

use crate::common::{Gate, Running, png};
use lenslet_serve::Limits;
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn what_is_at_hand_is_finished() {
    let (gate, model) = Gate::new();
    let mut server = Running::start(model, Limits { batch: 1, ..Limits::default() });
    // One in the network, one in the queue, one connection that idles, and one that has said nothing yet.
    let (mut first, mut second, mut idle) = (server.client(), server.client(), server.client());
    assert_eq!(idle.get("/healthz").status, 200);
    let _silent = server.client();
    first.send("/v1/predict", &png(255));
    gate.wait();
    second.send("/v1/predict", &png(0));
    while server.figure("lenslet_queue_depth") != Some(2.0) {}

    server.tell_to_stop();
    assert!(idle.is_closed());
    while TcpStream::connect(server.address).is_ok() {}
    gate.open();
    assert_eq!(first.read().best().0, "light");
    gate.wait();
    gate.open();
    assert_eq!(second.read().best().0, "dark");
    assert!(first.is_closed() && second.is_closed());
    server.wait();
}

#[test]
fn a_client_that_says_nothing_does_not_hold_it_up_for_ever() {
    let (_gate, model) = Gate::new();
    let limits = Limits { timeout: Duration::from_secs(1), ..Limits::default() };
    let mut server = Running::start(model, limits);
    let mut client = server.client();
    client.head("POST", "/v1/predict", &["Content-Length: 100"]);
    while server.figure("lenslet_queue_depth") != Some(1.0) {}
    server.tell_to_stop();
    server.wait();
    client.read().refusal(408);
}
