//! Servers that behave, and servers that do not.

use std::fs;
use std::time::Duration;

use crate::common::{Reply, Request, Run, Server, content, cut, failures, ranged, reply, sum, tiny, whole};
use lenslet_fetch::{Failure, Source};

/// Fetches from the catalogue's URLs, which are those of `servers`.
fn fetch(run: &mut Run, body: &[u8], servers: &[&Server]) -> Result<(), lenslet_fetch::Error> {
    let urls: Vec<&str> = servers.iter().map(|server| server.url.as_str()).collect();
    let fetched = run.fetch(&tiny(body, &urls), Source::Catalogue)?;
    assert_eq!(fetched.len(), 1);
    assert_eq!(fetched[0].path, run.file());
    Ok(())
}

#[test]
fn a_good_server_is_asked_once() {
    let body = content();
    let server = Server::start(|_, request| ranged(&content(), request));
    let mut run = Run::new();
    fetch(&mut run, &body, &[&server]).unwrap();
    run.assert_complete(&body);
    assert_eq!(run.events, ["from 0", "done"]);
    assert_eq!(server.requests()[0].path, "/file.bin");

    run.events.clear();
    fetch(&mut run, &body, &[&server]).unwrap();
    assert_eq!(run.events, ["present"]);
    assert_eq!(server.requests().len(), 1, "what is present is not asked for");
}

#[test]
fn a_mirror_holds_the_set_as_a_directory() {
    let body = content();
    let server = Server::start(|_, request| ranged(&content(), request));
    for url in [format!("{}/mirror", server.url), format!("{}/mirror/", server.url)] {
        let mut run = Run::new();
        run.fetch(&tiny(&body, &["http://never.invalid"]), Source::mirror(&url)).unwrap();
        run.assert_complete(&body);
    }
    let paths: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/mirror/tiny/file.bin"; 2]);
}

#[test]
fn a_cut_connection_is_resumed() {
    let body = content();
    let server = Server::start(|n, request| match n {
        0 => cut(&content(), 70_000),
        _ => ranged(&content(), request),
    });
    let mut run = Run::new();
    fetch(&mut run, &body, &[&server]).unwrap();
    run.assert_complete(&body);
    assert_eq!(server.ranges(), [None, Some(70_000)]);
    assert_eq!(run.events, ["from 0", "retry", "from 70000", "done"]);
}

#[test]
fn a_later_call_resumes_what_an_earlier_one_left() {
    let body = content();
    let cutting = Server::start(|n, _| match n {
        0 => cut(&content(), 90_000),
        _ => reply("503 Service Unavailable", "Content-Length: 0\r\n", b""),
    });
    let mut run = Run::new();
    let error = fetch(&mut run, &body, &[&cutting]).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Status(503)]), "{error}");
    assert_eq!(fs::read(run.part()).unwrap(), body[..90_000]);
    assert!(!run.file().exists());

    let whole = Server::start(|_, request| ranged(&content(), request));
    fetch(&mut run, &body, &[&whole]).unwrap();
    run.assert_complete(&body);
    assert_eq!(whole.ranges(), [Some(90_000)]);
}

#[test]
fn a_server_without_ranges_starts_over() {
    let body = content();
    let server = Server::start(|_, _| whole(&content()));
    let mut run = Run::resuming(&body[..50_000]);
    fetch(&mut run, &body, &[&server]).unwrap();
    run.assert_complete(&body);
    assert_eq!(server.ranges(), [Some(50_000)]);
    assert_eq!(run.events, ["from 0", "done"]);
}

#[test]
fn a_range_refused_or_misunderstood_is_asked_for_as_a_whole() {
    let body = content();
    let refused = || reply("416 Range Not Satisfiable", "Content-Length: 0\r\n", b"");
    let misunderstood = || {
        let headers = "Content-Range: bytes 0-199999/200000\r\nContent-Length: 200000\r\n";
        reply("206 Partial Content", headers, &content())
    };
    for odd in [&refused as &(dyn Fn() -> Reply + Sync), &misunderstood] {
        let odd = odd().bytes;
        let server = Server::start(move |n, _| match n {
            0 => Reply { bytes: odd.clone(), hang: false },
            _ => whole(&content()),
        });
        let mut run = Run::resuming(&body[..10]);
        fetch(&mut run, &body, &[&server]).unwrap();
        run.assert_complete(&body);
        assert_eq!(server.ranges(), [Some(10), None]);
    }
}

#[test]
fn a_part_that_is_not_the_files_own_is_thrown_away() {
    let body = content();
    let server = Server::start(|_, request| ranged(&content(), request));
    let mut run = Run::resuming(b"something else");
    fetch(&mut run, &body, &[&server]).unwrap();
    run.assert_complete(&body);
    assert_eq!(server.ranges(), [Some(14), None]);
    assert_eq!(run.events, ["from 14", "retry", "from 0", "done"]);
}

#[test]
fn a_whole_part_needs_no_server() {
    let body = content();
    let mut run = Run::resuming(&body);
    fetch(&mut run, &body, &[]).unwrap();
    run.assert_complete(&body);

    let server = Server::start(|_, request| ranged(&content(), request));
    let mut run = Run::resuming(&[body.as_slice(), b"more"].concat());
    fetch(&mut run, &body, &[&server]).unwrap();
    run.assert_complete(&body);
    assert_eq!(server.ranges(), [None], "a part that is too long is no beginning");
}

#[test]
fn a_stumbling_server_is_asked_again() {
    let body = content();
    let server = Server::start(|n, request| match n {
        0 | 1 => reply("500 Internal Server Error", "Content-Length: 0\r\n", b""),
        _ => ranged(&content(), request),
    });
    let mut run = Run::new();
    fetch(&mut run, &body, &[&server]).unwrap();
    run.assert_complete(&body);
    assert_eq!(run.events, ["retry", "retry", "from 0", "done"]);
}

#[test]
fn a_silent_server_is_asked_again() {
    let body = content();
    let server = Server::start(|n, request| match n {
        0 => Reply { hang: true, ..cut(&content(), 1000) },
        _ => ranged(&content(), request),
    });
    let mut run = Run { read_timeout: Duration::from_secs(1), ..Run::new() };
    fetch(&mut run, &body, &[&server]).unwrap();
    run.assert_complete(&body);
    assert_eq!(server.ranges(), [None, Some(1000)]);
}

#[test]
fn the_next_url_is_tried_when_one_gives_up() {
    let body = content();
    let missing = Server::start(|_, _| reply("404 Not Found", "Content-Length: 0\r\n", b""));
    let server = Server::start(|_, request| ranged(&content(), request));
    let mut run = Run::new();
    fetch(&mut run, &body, &[&missing, &server]).unwrap();
    run.assert_complete(&body);
    assert_eq!(missing.requests().len(), 1, "404 stays 404");
    assert_eq!(run.events, ["failed", "from 0", "done"]);
}

#[test]
fn a_web_page_is_named_as_that() {
    let body = content();
    let page = "<!DOCTYPE html>\n<title>Hotel WLAN</title>Please log in";
    for kind in ["Content-Type: text/html; charset=utf-8\r\n", ""] {
        let headers = format!("{kind}Content-Length: {}\r\n", page.len());
        let server = Server::start(move |_, _| reply("200 OK", &headers, page.as_bytes()));
        let mut run = Run::resuming(&body[..100]);
        let error = fetch(&mut run, &body, &[&server]).unwrap_err();
        assert!(matches!(failures(&error)[..], [Failure::Html { .. }]), "{error}");
        let message = error.to_string();
        assert!(message.contains(&server.url), "{message}");
        assert!(
            message.contains("an HTML page") && message.contains("Hotel WLAN Please log in"),
            "{message}"
        );
        assert_eq!(server.requests().len(), 1);
        assert_eq!(fs::read(run.part()).unwrap(), body[..100], "a page does not cost what was here");
    }
}

#[test]
fn wrong_bytes_are_deleted_and_both_sums_told() {
    let body = content();
    let mut wrong = content();
    wrong[123_456] ^= 1;
    let served = wrong.clone();
    let server = Server::start(move |_, request| ranged(&served, request));
    let mut run = Run::new();
    let error = fetch(&mut run, &body, &[&server]).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Checksum { resumed: false, .. }]), "{error}");
    let message = error.to_string();
    assert!(message.contains(&sum(&body)) && message.contains(&sum(&wrong)), "{message}");
    assert!(message.contains(run.file().to_str().unwrap()), "{message}");
    assert!(!run.file().exists() && !run.part().exists());
    assert_eq!(server.requests().len(), 1, "the same bytes would come again");
}

#[test]
fn another_size_is_refused_before_a_byte_is_kept() {
    let body = content();
    let server = Server::start(|_, _| whole(&[content(), content()].concat()));
    let mut run = Run::new();
    let error = fetch(&mut run, &body, &[&server]).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Size { expected: 200_000, found: 400_000 }]), "{error}");
    assert!(!run.part().exists());
}

#[test]
fn an_endless_answer_is_cut_off() {
    // It announces no size, sends more than there should be, and then leaves the connection open.
    let endless = |first: u8| {
        move |_: usize, _: &Request| {
            let mut bytes = content();
            bytes[0] = first;
            Reply { hang: true, ..reply("200 OK", "", &[bytes, content()].concat()) }
        }
    };
    let body = content();
    let mut run = Run::new();
    fetch(&mut run, &body, &[&Server::start(endless(body[0]))]).unwrap();
    run.assert_complete(&body);

    let mut run = Run::new();
    let error = fetch(&mut run, &body, &[&Server::start(endless(!body[0]))]).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Checksum { .. }]), "{error}");
}

#[test]
fn an_answer_that_is_too_short_says_how_far_it_came() {
    let body = content();
    let server = Server::start(|_, _| reply("200 OK", "", &content()[..1234])); // ends when it closes
    let mut run = Run::new();
    let error = fetch(&mut run, &body, &[&server]).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Short { expected: 200_000, found: 1234 }]), "{error}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn every_url_is_named_when_all_fail() {
    let missing = Server::start(|_, _| reply("404 Not Found", "Content-Length: 0\r\n", b""));
    // A port that was free a moment ago.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("http://{closed}");
    let mut run = Run::new();
    let error = run.fetch(&tiny(b"x", &[&missing.url, &closed]), Source::Catalogue).unwrap_err();
    assert!(matches!(failures(&error)[..], [Failure::Status(404), Failure::Request(_)]), "{error}");
    let message = error.to_string();
    assert!(message.contains(&missing.url) && message.contains(&closed), "{message}");
    assert_eq!(run.events, ["failed", "retry", "retry", "failed"]);
    assert!(!run.part().exists(), "nothing came, and nothing is left");
}
