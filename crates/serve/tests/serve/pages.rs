//! What is not a prediction: the page, the model, figures, and whom they are for.

use crate::common::{Running, png};
use lenslet_serve::Limits;
use serde_json::json;

#[test]
fn the_page_comes_whole_and_loads_nothing_from_elsewhere() {
    let server = Running::plain(Limits::default());
    let mut client = server.client();
    for (path, kind) in [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")] {
        let answer = client.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").is_some_and(|found| found.starts_with(kind)), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let text = answer.text().replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://"), "{path} names another place");
    }
}

#[test]
fn the_model_is_described() {
    let server = Running::plain(Limits { bytes: 5000, ..Limits::default() });
    let expected = json!({
        "network": "brightness", "input": [1, 2, 2], "classes": ["dark", "light"], "explains": false,
        "max_bytes": 5000
    });
    assert_eq!(server.client().get("/v1/model").json(), expected);
}

#[test]
fn what_is_not_there_is_said_to_be_somewhere() {
    let server = Running::plain(Limits::default());
    let mut client = server.client();
    assert!(client.get("/v2/predict").refusal(404).contains("POST /v1/predict"));
    assert!(client.get("/v1/predict").refusal(405).contains("POST /v1/predict"));
    let other = r#"lenslet_requests_total{route="other",status="404"}"#;
    assert_eq!(server.figure(other), Some(1.0), "what a client makes up is no label");
}

#[test]
fn figures_are_those_of_prometheus() {
    let server = Running::plain(Limits::default());
    let mut client = server.client();
    client.predict(&png(0));
    client.predict(b"nothing");
    let answer = client.get("/metrics");
    assert!(
        answer.header("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text"))
    );
    let text = answer.text();
    for line in [
        "# TYPE lenslet_requests counter",
        r#"lenslet_requests_total{route="/v1/predict",status="200"} 1"#,
        r#"lenslet_requests_total{route="/v1/predict",status="415"} 1"#,
        "# TYPE lenslet_request_seconds histogram",
        r#"lenslet_request_seconds_count{route="/v1/predict"} 2"#,
        "# TYPE lenslet_queue_depth gauge",
        "lenslet_queue_depth 0",
        "# TYPE lenslet_batch_pictures histogram",
        "lenslet_batch_pictures_count 1",
        "lenslet_batch_seconds_count 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "no line '{line}' in\n{text}");
    }
}

/// A page elsewhere whose name was let point here sends that name; one that asks for our numbers sends its origin.
#[test]
fn other_pages_are_turned_away() {
    let server = Running::plain(Limits { hosts: vec!["lens.example".to_owned()], ..Limits::default() });
    let mut client = server.client();
    let mut ask = |host: &str, origin: Option<&str>| {
        let body = png(0);
        let mut lines = vec![format!("Host: {host}"), format!("Content-Length: {}", body.len())];
        lines.extend(origin.map(|origin| format!("Origin: {origin}")));
        client.head("POST", "/v1/predict", &lines.iter().map(String::as_str).collect::<Vec<_>>());
        client.write(&body);
        client.read()
    };
    assert!(ask("evil.example:8080", None).refusal(421).contains("--allow-host"));
    assert!(ask("127.0.0.1:8080", Some("http://evil.example")).refusal(403).contains("only its own page"));
    assert_eq!(ask("127.0.0.1:8080", Some("http://127.0.0.1:8080")).status, 200);
    assert_eq!(ask("localhost:9000", None).status, 200, "a forwarded port");
    assert_eq!(ask("lens.example", Some("https://lens.example")).status, 200, "behind a proxy");
}
