//! Small data sets, and a loopback HTTP server that answers as a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lenslet_fetch::{
    DataSet, Error, ErrorKind, Event, Failure, Fetched, Fetcher, RemoteFile, RetryPolicy, Source, Sum,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Large enough for several reads and writes.
pub fn content() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A data set "tiny" with the one file "file.bin", which lies at `urls` (or nowhere).
pub fn tiny(bytes: &[u8], urls: &[&str]) -> DataSet {
    let urls: Vec<&'static str> = urls.iter().map(|url| &*format!("{url}/").leak()).collect();
    let file = RemoteFile { name: "file.bin", size: bytes.len() as u64, sum: Sum::Sha256(sum(bytes).leak()) };
    DataSet {
        name: "tiny",
        title: "a test",
        licence: "none",
        page: "none",
        base_urls: urls.leak(),
        files: vec![file].leak(),
        archive: None,
    }
}

/// A data directory, and what a fetch into it said.
pub struct Run {
    pub data: TempDir,
    pub events: Vec<String>,
    pub read_timeout: Duration,
}

impl Run {
    pub fn new() -> Self {
        Self { data: tempfile::tempdir().unwrap(), events: Vec::new(), read_timeout: Duration::from_secs(30) }
    }

    /// With `left` in the .part file.
    pub fn resuming(left: &[u8]) -> Self {
        let run = Self::new();
        std::fs::create_dir(run.data.path().join("tiny")).unwrap();
        std::fs::write(run.part(), left).unwrap();
        run
    }

    pub fn file(&self) -> PathBuf {
        self.data.path().join("tiny/file.bin")
    }

    pub fn part(&self) -> PathBuf {
        self.data.path().join("tiny/file.bin.part")
    }

    pub fn fetch(&mut self, dataset: &DataSet, source: Source) -> Result<Vec<Fetched>, Error> {
        let policy =
            RetryPolicy { pause: Duration::ZERO, read_timeout: self.read_timeout, ..RetryPolicy::default() };
        let events = &mut self.events;
        Fetcher::with_policy(source, policy).fetch(dataset, self.data.path(), &mut |_, event| {
            events.push(match event {
                Event::Present => "present".into(),
                Event::Wrong { .. } => "wrong".into(),
                Event::Started { offset, .. } => format!("from {offset}"),
                Event::Failed { retry_in, .. } if retry_in.is_some() => "retry".into(),
                Event::Failed { .. } => "failed".into(),
                Event::Unpacking => "unpacking".into(),
                Event::Done => "done".into(),
                _ => return, // the bytes
            });
        })
    }

    /// Asserts that the file is there whole, and nothing else.
    pub fn assert_complete(&self, bytes: &[u8]) {
        assert!(std::fs::read(self.file()).unwrap() == bytes, "other bytes than the source's");
        let names: Vec<_> = std::fs::read_dir(self.data.path().join("tiny")).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }
}

/// Why each place failed.
pub fn failures(error: &Error) -> Vec<&Failure> {
    match error.kind() {
        ErrorKind::Unavailable { failures } => failures.iter().map(|(_, failure)| failure).collect(),
        other => panic!("not a failure of the places: {other}"),
    }
}

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    /// The first byte asked for, if it asked for a range.
    pub range: Option<usize>,
}

/// Bytes to send, headers and all, and whether to fall silent after them with the connection open.
pub struct Reply {
    pub bytes: Vec<u8>,
    pub hang: bool,
}

pub fn reply(status: &str, headers: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    Reply { bytes: [head.as_bytes(), body].concat(), hang: false }
}

/// The whole body.
pub fn whole(body: &[u8]) -> Reply {
    reply("200 OK", &format!("Content-Length: {}\r\n", body.len()), body)
}

/// The whole body is announced, but its connection is cut after `sent` bytes.
pub fn cut(body: &[u8], sent: usize) -> Reply {
    reply("200 OK", &format!("Content-Length: {}\r\n", body.len()), &body[..sent])
}

/// The range asked for, or else the whole body.
pub fn ranged(body: &[u8], request: &Request) -> Reply {
    match request.range {
        None => whole(body),
        Some(from) if from < body.len() => {
            let range = format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
            reply("206 Partial Content", &range, &body[from..])
        }
        Some(_) => reply("416 Range Not Satisfiable", "Content-Length: 0\r\n", b""),
    }
}

pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers the n-th request (from 0) with `answer(n, request)`, for as long as the tests run.
    pub fn start(answer: impl Fn(usize, &Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for (n, stream) in listener.incoming().flatten().enumerate() {
                let request = read_request(&stream);
                seen.lock().unwrap().push(request.clone());
                send(stream, answer(n, &request));
            }
        });
        Self { url, requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The first bytes asked for, request by request.
    pub fn ranges(&self) -> Vec<Option<usize>> {
        self.requests().into_iter().map(|request| request.range).collect()
    }
}

fn read_request(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next().and_then(|line| Some(line.split(' ').nth(1)?.to_owned())).unwrap_or_default();
    let mut range = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(from) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = from.trim_end_matches('-').parse().ok();
        }
    }
    Request { path, range }
}

/// A client that hangs up early is no error here.
fn send(mut stream: TcpStream, reply: Reply) {
    let _ = stream.write_all(&reply.bytes);
    if reply.hang {
        let _ = stream.read(&mut [0]); // until the client hangs up
    }
}
