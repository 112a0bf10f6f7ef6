//! Too long, too slow, too many.

use crate::common::{Client, Gate, Running, model, png};
use lenslet_serve::{Error, Limits, Server};
use std::time::Duration;

#[test]
fn a_body_that_is_too_long_is_refused_after_it_was_read() {
    let server = Running::plain(Limits { bytes: 1000, ..Limits::default() });
    let mut client = server.client();
    // Both are read to their end, so that the connection goes on.
    assert!(client.predict(&[0; 1001]).refusal(413).contains("more than 1000 bytes"));
    client.head("POST", "/v1/predict", &["Transfer-Encoding: chunked"]);
    for _ in 0..3 {
        client.write(b"200\r\n");
        client.write(&[7; 0x200]);
        client.write(b"\r\n");
    }
    client.write(b"0\r\n\r\n");
    assert!(client.read().refusal(413).contains("more than 1000 bytes"));
    assert_eq!(client.predict(&png(0)).best().0, "dark");
}

#[test]
fn a_body_without_end_is_cut_off() {
    let server = Running::plain(Limits { bytes: 1000, ..Limits::default() });
    let mut client = server.client();
    client.head("POST", "/v1/predict", &["Content-Length: 1000000000000"]);
    client.write(&vec![0; 1000 + (64 << 20) + 1]);
    client.read().refusal(413);
    assert!(client.is_closed());
}

#[test]
fn a_slow_picture_is_not_waited_for() {
    let server = Running::plain(Limits { timeout: Duration::from_millis(200), ..Limits::default() });
    let mut client = server.client();
    client.head("POST", "/v1/predict", &["Content-Length: 100"]);
    client.write(&[0; 50]);
    assert!(client.read().refusal(408).contains("did not arrive within 0.2 s"));
    assert!(client.is_closed());
    assert_eq!(server.figure("lenslet_queue_depth"), Some(0.0));
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let server = Running::plain(Limits { timeout: Duration::from_millis(200), ..Limits::default() });
    let mut client = server.client();
    client.write(b"POST /v1/pre");
    assert!(client.is_closed());
    let mut silent = server.client();
    assert!(silent.is_closed());
}

#[test]
fn a_client_that_goes_in_the_middle_leaves_its_place() {
    let server = Running::plain(Limits { queue: 1, ..Limits::default() });
    let mut client = server.client();
    client.head("POST", "/v1/predict", &["Content-Length: 100"]);
    client.write(&[0; 50]);
    drop(client);
    let mut client = server.client();
    let answered = |client: &mut Client| client.predict(&png(0)).status;
    // The server may not have noticed yet.
    while answered(&mut client) == 503 {}
    assert_eq!(answered(&mut client), 200);
}

#[test]
fn where_the_queue_is_full_more_is_refused() {
    let (gate, model) = Gate::new();
    let server = Running::start(model, Limits { queue: 2, batch: 1, ..Limits::default() });
    let mut clients = [server.client(), server.client(), server.client()];
    clients[0].send("/v1/predict", &png(0));
    assert_eq!(gate.wait(), 1);
    clients[1].send("/v1/predict", &png(255));
    while server.figure("lenslet_queue_depth") != Some(2.0) {}

    let answer = clients[2].predict(&png(0));
    assert!(answer.refusal(503).contains("2 requests are at hand"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    // Whoever only looks is served all the same.
    assert_eq!(clients[2].get("/healthz").text(), "ok\n");

    gate.open();
    assert_eq!(clients[0].read().best().0, "dark");
    assert_eq!(gate.wait(), 1);
    gate.open();
    assert_eq!(clients[1].read().best().0, "light");
    // The third may come again.
    clients[2].send("/v1/predict", &png(0));
    gate.wait();
    gate.open();
    assert_eq!(clients[2].read().best().0, "dark");
    let refused = r#"lenslet_requests_total{route="/v1/predict",status="503"}"#;
    assert_eq!(server.figure(refused), Some(1.0));
}

#[test]
fn a_network_that_takes_too_long_is_not_waited_for() {
    let (gate, model) = Gate::new();
    let limits = Limits { timeout: Duration::from_millis(200), batch: 1, ..Limits::default() };
    let server = Running::start(model, limits);
    let (mut first, mut second) = (server.client(), server.client());
    first.send("/v1/predict", &png(0));
    gate.wait();
    assert!(second.predict(&png(0)).refusal(504).contains("no answer within 0.2 s"));
    first.read().refusal(504);
    // The second is passed over, since nobody waits for it.
    gate.open();
    while server.figure("lenslet_queue_depth") != Some(0.0) {}
    assert_eq!(server.figure("lenslet_batch_pictures_count"), Some(1.0));
}

#[tokio::test]
async fn limits_of_nothing_and_taken_ports_are_refused() {
    let any = "127.0.0.1:0".parse().expect("an address");
    let nothing = || model(|_| Ok(Vec::new()));
    for limits in [
        Limits { bytes: 0, ..Limits::default() },
        Limits { queue: 0, ..Limits::default() },
        Limits { batch: 0, ..Limits::default() },
        Limits { connections: 0, ..Limits::default() },
        Limits { timeout: Duration::ZERO, ..Limits::default() },
    ] {
        let error = Server::bind(any, nothing(), limits).await.err().expect("refused");
        assert!(
            matches!(error, Error::Zero(_)) && error.to_string().contains("must be 1 or more"),
            "{error}"
        );
    }
    let server = Server::bind(any, nothing(), Limits::default()).await.expect("a free port");
    let error = Server::bind(server.address(), nothing(), Limits::default()).await.err().expect("taken");
    assert!(error.to_string().contains(&server.address().to_string()), "{error}");
}
