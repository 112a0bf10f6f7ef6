//! Pictures in, classes out; and what is no picture.

use crate::common::{Running, png};
use image::{DynamicImage, ImageFormat, RgbImage};
use lenslet_serve::Limits;
use serde_json::json;
use std::io::Cursor;

#[test]
fn classes_come_most_probable_first() {
    let server = Running::plain(Limits::default());
    let mut client = server.client();
    let answer = client.predict(&png(255));
    assert_eq!(answer.status, 200);
    let both = [json!({"class": "light", "probability": 1.0}), json!({"class": "dark", "probability": 0.0})];
    assert_eq!(answer.json(), json!({ "classes": both }));
    assert_eq!(client.post("/v1/predict?top=1", &png(0)).json()["classes"].as_array().map(Vec::len), Some(1));
    assert_eq!(client.post("/v1/predict?invert=true", &png(255)).best(), ("dark".to_owned(), 1.0));
}

#[test]
fn all_kinds_of_pictures_are_told_by_their_content() {
    let server = Running::plain(Limits::default());
    let mut client = server.client();
    let picture = DynamicImage::from(RgbImage::from_pixel(40, 30, image::Rgb([255; 3])));
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif]
    {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("room");
        assert_eq!(client.predict(bytes.get_ref()).best().0, "light", "{format:?}");
    }
}

#[test]
fn what_is_no_picture_is_refused_and_the_connection_goes_on() {
    let server = Running::plain(Limits::default());
    let mut client = server.client();
    let whole = png(9);
    assert!(client.predict(&whole[..whole.len() - 20]).refusal(400).contains("cut off"));
    assert!(client.predict(b"").refusal(400).contains("empty"));
    assert!(client.predict(b"<svg></svg>").refusal(415).contains("JPEG, PNG, WebP, BMP or GIF"));
    // A header that promises 60000 x 60000 pixels: refused before they have a place.
    let mut huge = whole.clone();
    huge[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    huge[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let message = client.predict(&repaired(huge)).refusal(413);
    assert!(message.contains("60000x60000") && message.contains("shrink"), "{message}");
    // Its last chunk, of 12 bytes, says nothing but that it is the last.
    for length in 0..whole.len() - 12 {
        assert!(matches!(client.predict(&whole[..length]).status, 400 | 415), "{length} bytes");
    }
    assert_eq!(client.predict(&whole).best().0, "dark");
}

/// The sum over the header of a PNG, after its size was changed.
fn repaired(mut png: Vec<u8>) -> Vec<u8> {
    let mut sum = u32::MAX;
    for &byte in &png[12..29] {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 * (sum & 1));
        }
    }
    png[29..33].copy_from_slice(&(!sum).to_be_bytes());
    png
}

#[test]
fn what_stands_behind_the_question_mark_is_checked() {
    let server = Running::plain(Limits::default());
    let mut client = server.client();
    for (query, part) in [("top=0", "nonzero"), ("top=x", "top"), ("invert=7", "invert"), ("tpo=3", "`top`")]
    {
        let message = client.post(&format!("/v1/predict?{query}"), &png(0)).refusal(400);
        assert!(message.contains(part), "{query}: {message}");
    }
}
