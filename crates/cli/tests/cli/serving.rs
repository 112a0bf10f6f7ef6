//! `lenslet serve`: the same answers as `lenslet predict`, and how it starts and ends. What it does under pressure is
//! tested in its library.

use crate::common::{Bench, digit};
use image::{DynamicImage, GrayImage, RgbImage};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::thread;

/// A server, which is killed when the test ends.
struct Server {
    child: Child,
    /// Host and port.
    address: String,
}

impl Server {
    fn start(bench: &Bench, options: &str) -> Self {
        let mut child = bench.spawn(&format!("serve run/last.safetensors --json {options}"));
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        let listening: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(listening["network"], "mnist-cnn");
        let url = listening["url"].as_str().expect("a text");
        let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).expect("a URL");
        Self { child, address: address.to_owned() }
    }

    /// Status and JSON of a prediction.
    fn predict(&self, query: &str, picture: &[u8]) -> (String, Value) {
        let (status, body) = self.post(&format!("predict?{query}"), picture);
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    /// Status and body.
    fn post(&self, path: &str, body: &[u8]) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let head = format!(
            "POST /v1/{path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        stream.write_all(body).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("all of it");
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]);
        (head.lines().next().unwrap_or_default().to_owned(), answer[end + 4..].to_vec())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A trained network, if not well, and four pictures.
fn trained() -> (Bench, Vec<&'static str>) {
    let bench = Bench::new();
    bench.succeed("train mnist-cnn --epochs 1 --batch-size 20 --output run");
    let grey = |index| GrayImage::from_raw(28, 28, digit(index).0.to_vec()).expect("a digit");
    grey(3).save(bench.path("three.png")).expect("room");
    grey(4).save(bench.path("four.bmp")).expect("room");
    let large = DynamicImage::from(grey(5)).resize_exact(300, 200, image::imageops::FilterType::Triangle);
    large.to_rgb8().save(bench.path("five.jpg")).expect("room");
    let colours = RgbImage::from_fn(90, 120, |x, y| image::Rgb([(2 * x) as u8, (2 * y) as u8, 99]));
    colours.save(bench.path("colours.png")).expect("room");
    (bench, vec!["three.png", "four.bmp", "five.jpg", "colours.png"])
}

#[test]
fn it_says_what_predict_says() {
    let (bench, pictures) = trained();
    let server = Server::start(&bench, "--listen 127.0.0.1:0");
    for (flag, query) in [("", "top=10"), ("--invert", "invert=true&top=10"), ("--top 2", "top=2")] {
        let flag = if flag.contains("--top") { flag.to_owned() } else { format!("{flag} --top 10") };
        let printed =
            bench.succeed(&format!("predict run/last.safetensors --json {flag} {}", pictures.join(" ")));
        let expected: Vec<Value> =
            printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(expected.len(), pictures.len());
        // Four clients at once, so that batches are of several pictures.
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for (picture, expected) in pictures.iter().zip(&expected) {
                        let (status, found) = server.predict(query, &bench.bytes(picture));
                        assert_eq!(status, "HTTP/1.1 200 OK");
                        assert_eq!(found["classes"], expected["classes"], "{picture}, {query}");
                    }
                });
            }
        });
    }
    let (status, refused) = server.predict("", &bench.bytes("run/config.toml"));
    assert_eq!(status, "HTTP/1.1 415 Unsupported Media Type", "{refused}");
}

#[test]
fn it_draws_what_speaks_for_a_class() {
    let (bench, _) = trained();
    let server = Server::start(&bench, "--listen 127.0.0.1:0");
    let draw = |query: &str| {
        let (status, body) = server.post(&format!("explain{query}"), &bench.bytes("three.png"));
        assert_eq!(status, "HTTP/1.1 200 OK");
        image::load_from_memory(&body).expect("a picture").into_rgb8()
    };
    let (_, best) = server.predict("top=1", &bench.bytes("three.png"));
    let best = best["classes"][0]["class"].as_str().expect("a name").to_owned();
    let drawn = draw("");
    assert_eq!((drawn.width(), drawn.height()), (280, 280));
    assert!(drawn == draw(&format!("?class={best}")), "that of the most probable class");
    let other = if best == "0" { "1" } else { "0" };
    assert!(drawn != draw(&format!("?class={other}")), "each class has its own");
    let (status, _) = server.post("explain?class=ten", &bench.bytes("three.png"));
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
}

#[cfg(unix)]
#[test]
fn signals_end_it_well() {
    let (bench, _) = trained();
    for signal in ["-INT", "-TERM"] {
        let mut server = Server::start(&bench, "--listen 127.0.0.1:0");
        let sent =
            Command::new("kill").args([signal, &server.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        assert_eq!(server.child.wait().expect("it ends").code(), Some(0), "{signal}");
        let mut message = String::new();
        server.child.stderr.take().expect("piped").read_to_string(&mut message).expect("text");
        assert_eq!(message, "", "{signal}");
        assert!(TcpStream::connect(&server.address).is_err());
    }
}

#[test]
fn an_open_address_is_warned_of_and_a_taken_one_refused() {
    let (bench, _) = trained();
    let mut server = Server::start(&bench, "--listen 0.0.0.0:0");
    let port = server.address.rsplit_once(':').expect("a port").1.to_owned();
    bench.refuse_naming(
        &format!("serve run/last.safetensors --listen 127.0.0.1:{port}"),
        &["cannot listen on 127.0.0.1", &port],
    );
    bench.refuse_naming("serve run/last.safetensors --queue 0", &["queue", "1 or more"]);
    bench.refuse_naming("serve nowhere.safetensors", &["nowhere.safetensors"]);
    server.child.kill().expect("it runs");
    let mut message = String::new();
    server.child.stderr.take().expect("piped").read_to_string(&mut message).expect("text");
    assert!(message.starts_with("warning: everyone who can reach 0.0.0.0:"), "{message}");
}
