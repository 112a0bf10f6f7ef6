//! Requests that come together.

use crate::common::{Gate, Running, brightness, model, png};
use lenslet_serve::Limits;
use std::thread;

#[test]
fn what_gathers_during_a_batch_is_the_next_one() {
    let (gate, model) = Gate::new();
    let server = Running::start(model, Limits { batch: 3, ..Limits::default() });
    let mut clients: Vec<_> = (0..6).map(|_| server.client()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send("/v1/predict", &png(if number % 2 == 0 { 0 } else { 255 }));
        if number == 0 {
            assert_eq!(gate.wait(), 1, "who is alone does not wait for others");
        }
    }
    // All five are in the queue, decoded or not.
    while server.figure("lenslet_queue_depth") != Some(6.0) {}
    let mut sizes = 1;
    gate.open();
    while sizes < 6 {
        let size = gate.wait();
        assert!(size <= 3, "{size} in a batch");
        sizes += size;
        gate.open();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let expected = if number % 2 == 0 { "dark" } else { "light" };
        assert_eq!(client.read().best(), (expected.to_owned(), 1.0), "client {number}");
    }
}

#[test]
fn many_at_once_are_told_what_each_is_told_alone() {
    let server = Running::plain(Limits::default());
    let alone: Vec<_> = {
        let mut client = server.client();
        (0..=255).map(|tone| client.predict(&png(tone)).body).collect()
    };
    thread::scope(|scope| {
        for start in 0..16u8 {
            let (server, alone) = (&server, &alone);
            scope.spawn(move || {
                let mut client = server.client();
                for step in 0..64u8 {
                    let tone = start.wrapping_mul(37).wrapping_add(step.wrapping_mul(11));
                    let answer = client.predict(&png(tone));
                    assert_eq!(answer.status, 200);
                    assert!(answer.body == alone[usize::from(tone)], "tone {tone}");
                }
            });
        }
    });
    let all = 256.0 + 16.0 * 64.0;
    assert_eq!(server.figure(r#"lenslet_requests_total{route="/v1/predict",status="200"}"#), Some(all));
    assert_eq!(server.figure("lenslet_batch_pictures_sum"), Some(all));
    assert_eq!(server.figure("lenslet_queue_depth"), Some(0.0));
}

/// A network that cannot bear one tone: the others in its batch have their answers.
#[test]
fn a_panic_is_the_affair_of_the_one_picture() {
    let server = Running::start(
        model(|pictures| {
            assert!(pictures.iter().all(|picture| picture.pixels()[0] != 13), "13 is too much for me");
            if pictures.iter().any(|picture| picture.pixels()[0] == 14) {
                return Err("14 is no better".into());
            }
            Ok(pictures.iter().map(brightness).collect())
        }),
        Limits::default(),
    );
    thread::scope(|scope| {
        for number in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.client();
                for step in 0..8 {
                    let tone = 10 + (number + step) % 8;
                    let answer = client.predict(&png(tone));
                    match tone {
                        13 => assert!(answer.refusal(500).contains("13 is too much")),
                        14 => assert!(answer.refusal(500).contains("14 is no better")),
                        _ => assert_eq!(answer.best().0, "dark"),
                    }
                }
            });
        }
    });
}

#[test]
fn a_panic_while_a_picture_is_prepared_is_an_answer_too() {
    let mut fragile = model(|pictures| Ok(pictures.iter().map(brightness).collect()));
    fragile.prepare = std::sync::Arc::new(|bytes, invert| {
        assert!(!invert, "not upside down");
        crate::common::prepare(bytes, invert)
    });
    let server = Running::start(fragile, Limits { queue: 1, ..Limits::default() });
    let mut client = server.client();
    for _ in 0..3 {
        let message = client.post("/v1/predict?invert=true", &png(0)).refusal(500);
        assert!(message.contains("not upside down"), "{message}");
        assert_eq!(client.predict(&png(0)).best().0, "dark");
    }
}

#[test]
fn a_network_that_answers_too_little_is_at_fault() {
    let server = Running::start(model(|_| Ok(Vec::new())), Limits::default());
    assert!(server.client().predict(&png(0)).refusal(500).contains("0 answers to 1 pictures"));
}
