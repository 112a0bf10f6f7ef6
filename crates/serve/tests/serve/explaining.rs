//! What speaks for a class.

use crate::common::{Running, brightness, model, png};
use lenslet_serve::{Limits, Model};
use std::thread;

/// Whose explanation is a text with the first pixel and the class.
fn explained() -> Model {
    let mut model = model(|pictures| Ok(pictures.iter().map(brightness).collect()));
    model.explain = Some(Box::new(|picture, class| {
        let tone = picture.pixels()[0];
        assert_ne!(tone, 13, "13 is too much for me");
        if tone == 14 { Err("14 is no better".into()) } else { Ok(format!("{tone} {class:?}").into_bytes()) }
    }));
    model
}

#[test]
fn the_class_may_be_named() {
    let server = Running::start(explained(), Limits::default());
    let mut client = server.client();
    assert_eq!(client.get("/v1/model").json()["explains"], true);
    let answer = client.post("/v1/explain", &png(7));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/png")));
    assert_eq!(answer.text(), "7 None");
    assert_eq!(client.post("/v1/explain?class=light", &png(7)).text(), "7 Some(1)");
    assert_eq!(client.post("/v1/explain?class=dark&invert=true", &png(7)).text(), "248 Some(0)");
    assert!(client.post("/v1/explain?class=grey", &png(7)).refusal(400).contains("'grey'"));
    assert!(client.post("/v1/explain?top=3", &png(7)).refusal(400).contains("`top`"));
    assert!(client.post("/v1/explain", b"nothing").refusal(415).contains("JPEG"));
    assert!(client.post("/v1/explain", &png(13)).refusal(500).contains("13 is too much"));
    assert!(client.post("/v1/explain", &png(14)).refusal(500).contains("14 is no better"));
    assert_eq!(client.predict(&png(0)).best().0, "dark");
}

#[test]
fn not_every_network_can_be_asked() {
    let server = Running::plain(Limits::default());
    assert!(server.client().post("/v1/explain", &png(7)).refusal(501).contains("no convolution"));
}

#[test]
fn predictions_and_explanations_do_not_mix() {
    let server = Running::start(explained(), Limits::default());
    thread::scope(|scope| {
        for number in 0..8u8 {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.client();
                for tone in 100..130u8 {
                    if (tone + number).is_multiple_of(2) {
                        let text = client.post("/v1/explain", &png(tone)).text();
                        assert_eq!(text, format!("{tone} None"));
                    } else {
                        let light = client.post("/v1/predict?top=2", &png(tone)).json()["classes"]
                            .as_array()
                            .and_then(|classes| {
                                classes.iter().find(|guess| guess["class"] == "light").cloned()
                            });
                        let light = light.and_then(|guess| guess["probability"].as_f64()).expect("a number");
                        assert_eq!(light as f32, f32::from(tone) / 255.0);
                    }
                }
            });
        }
    });
}
