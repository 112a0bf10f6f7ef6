//! A server on a free port, a client that speaks HTTP by hand, and networks that do as they are told.

use image::{GrayImage, ImageFormat, Luma};
use lenslet_dataset::{Image, ImageShape};
use lenslet_folder::{ErrorKind, Filter, Fit, Picture};
use lenslet_serve::{Failure, Limits, Model, Server};
use serde_json::Value;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

pub const SHAPE: ImageShape = ImageShape { channels: 1, height: 2, width: 2 };

pub fn prepare(bytes: &[u8], invert: bool) -> Result<Image<'static>, ErrorKind> {
    let picture = Picture::decode_for(bytes, SHAPE, Fit::default())?;
    let image = picture.fit(SHAPE, Fit::default(), Filter::default());
    let pixels: Vec<u8> = image.pixels().iter().map(|pixel| if invert { !pixel } else { *pixel }).collect();
    Ok(Image::new(SHAPE, pixels).expect("as many"))
}

/// Whose prediction is the first pixel itself: class `dark` has what is missing to 1.
pub fn brightness(picture: &Image<'_>) -> Vec<f32> {
    let light = f32::from(picture.pixels()[0]) / 255.0;
    vec![1.0 - light, light]
}

pub fn model(
    predict: impl FnMut(&[Image<'static>]) -> Result<Vec<Vec<f32>>, Failure> + Send + 'static,
) -> Model {
    let classes = vec!["dark".to_owned(), "light".to_owned()];
    Model {
        name: "brightness".to_owned(),
        shape: SHAPE,
        classes,
        prepare: Arc::new(prepare),
        predict: Box::new(predict),
        explain: None,
    }
}

/// A grey picture in one tone.
pub fn png(tone: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    GrayImage::from_pixel(3, 3, Luma([tone])).write_to(&mut bytes, ImageFormat::Png).expect("room");
    bytes.into_inner()
}

/// A server that runs until it is dropped or told to stop.
pub struct Running {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start(model: Model, limits: Limits) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, address) = channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("threads");
            runtime.block_on(async {
                let any = "127.0.0.1:0".parse().expect("an address");
                let server = Server::bind(any, model, limits).await.expect("a free port");
                ready.send(server.address()).expect("somebody waits");
                server.run(async { drop(stopped.await) }).await;
            });
        });
        Self { address: address.recv().expect("it starts"), stop: Some(stop), thread: Some(thread) }
    }

    /// With the network of [`brightness`].
    pub fn plain(limits: Limits) -> Self {
        Self::start(model(|pictures| Ok(pictures.iter().map(brightness).collect())), limits)
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The value of one line of the figures, or nothing where there is no such line.
    pub fn figure(&self, name: &str) -> Option<f64> {
        let text = self.client().get("/metrics").text();
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Tells it to stop, and goes on.
    pub fn tell_to_stop(&mut self) {
        self.stop.take().expect("once").send(()).expect("it runs");
    }

    /// Waits for its end.
    pub fn wait(&mut self) {
        self.thread.take().expect("once").join().expect("no panic");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stop.is_some() {
            self.tell_to_stop();
        }
        if self.thread.is_some() {
            self.wait();
        }
    }
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text());
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// What was said where there was no answer, whose status must be `status`.
    pub fn refusal(&self, status: u16) -> String {
        let json = self.json();
        assert_eq!((self.status, &json["status"]), (status, &Value::from(status)), "{json}");
        json["error"].as_str().expect("a message").to_owned()
    }

    /// The most probable class, and how probable.
    pub fn best(&self) -> (String, f64) {
        assert_eq!(self.status, 200, "{}", self.text());
        let best = &self.json()["classes"][0];
        (best["class"].as_str().expect("a name").to_owned(), best["probability"].as_f64().expect("a number"))
    }
}

/// One connection, kept alive.
pub struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        // Head and body are written apart, and the second would wait for word of the first.
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time");
        Self { stream: BufReader::new(stream), host: address.to_string() }
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("it reads");
    }

    /// Sends a head, `lines` in it.
    pub fn head(&mut self, method: &str, path: &str, lines: &[&str]) {
        let host = if lines.iter().any(|line| line.starts_with("Host:")) {
            String::new()
        } else {
            format!("Host: {}\r\n", self.host)
        };
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.write(format!("{method} {path} HTTP/1.1\r\n{host}{lines}\r\n").as_bytes());
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.head("GET", path, &[]);
        self.read()
    }

    pub fn post(&mut self, path: &str, body: &[u8]) -> Answer {
        self.send(path, body);
        self.read()
    }

    /// The first half of [`post`](Self::post).
    pub fn send(&mut self, path: &str, body: &[u8]) {
        self.head("POST", path, &[&format!("Content-Length: {}", body.len())]);
        self.write(body);
    }

    pub fn predict(&mut self, picture: &[u8]) -> Answer {
        self.post("/v1/predict", picture)
    }

    /// The answer, which must have a length.
    pub fn read(&mut self) -> Answer {
        self.try_read().expect("an answer")
    }

    /// An answer, or nothing where the connection was closed before one.
    pub fn try_read(&mut self) -> Option<Answer> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let status = line.split(' ').nth(1).expect("a status").parse().expect("a number");
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("text");
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        let length = answer.header("content-length").expect("a length").parse().expect("a number");
        answer.body.resize(length, 0);
        self.stream.read_exact(&mut answer.body).expect("all of it");
        Some(answer)
    }

    /// Whether the server closes the connection without another word.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.stream.read(&mut byte), Ok(0) | Err(_))
    }
}

/// A network that says what it was given, and answers when it is let.
pub struct Gate {
    /// The size of each batch, when it begins.
    pub begun: Receiver<usize>,
    open: Sender<()>,
}

impl Gate {
    pub fn new() -> (Self, Model) {
        let (begin, begun) = channel();
        let (open, opened) = channel::<()>();
        let model = model(move |pictures| {
            // Nobody listens any more where the test is over.
            let _ = begin.send(pictures.len());
            let _ = opened.recv();
            Ok(pictures.iter().map(brightness).collect())
        });
        (Self { begun, open }, model)
    }

    /// Lets one batch through.
    pub fn open(&self) {
        self.open.send(()).expect("the network is there");
    }

    /// Waits until a batch begins.
    pub fn wait(&self) -> usize {
        self.begun.recv_timeout(Duration::from_secs(30)).expect("a batch")
    }
}
