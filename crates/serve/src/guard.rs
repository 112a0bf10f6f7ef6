//! Who may ask.
//!
//! A page of another site can send requests to this machine, and with a name of its own that it lets point here (DNS
//! rebinding) its browser would even let it read the answers. Such a request carries the foreign name in `Host`. An
//! attacker cannot have a numeric address or `localhost` there, so these are served, and names that the server was
//! told of. A page that asks under our own name, but comes from elsewhere, is known by its `Origin`.

use crate::refusal::Refusal;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use std::net::IpAddr;

/// Refuses a request under a name that is not ours, or of a page that is not ours.
pub(crate) fn check(headers: &HeaderMap, hosts: &[String]) -> Result<(), Refusal> {
    let mut given = headers.get_all(HOST).into_iter();
    let (Some(host), None) = (given.next(), given.next()) else { return Err(Refusal::NoHost) };
    let authority: Authority =
        host.to_str().ok().and_then(|host| host.parse().ok()).ok_or(Refusal::NoHost)?;
    let name = authority.host();
    let number = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let ours = number.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|host| name.eq_ignore_ascii_case(host));
    if !ours {
        return Err(Refusal::Host(name.to_owned()));
    }
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    match page {
        Some(page) if page.eq_ignore_ascii_case(authority.as_str()) => Ok(()),
        _ => Err(Refusal::Origin(origin.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn status(host: Option<&str>, origin: Option<&str>) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(HOST, host), (ORIGIN, origin)] {
            value.map(|value| headers.insert(name, HeaderValue::from_str(value).expect("a header")));
        }
        check(&headers, &["lens.example".to_owned()]).map_err(|refusal| match refusal {
            Refusal::NoHost => "no host",
            Refusal::Host(_) => "host",
            Refusal::Origin(_) => "origin",
            other => panic!("{other}"),
        })
    }

    #[test]
    fn numbers_localhost_and_given_names_are_ours() {
        for host in
            ["127.0.0.1:8080", "[::1]:8080", "192.168.1.7", "localhost", "LOCALHOST:1", "Lens.example:80"]
        {
            assert_eq!(status(Some(host), None), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "lens.example.evil.example",
            "x@evil.example",
        ] {
            assert_eq!(status(Some(host), None), Err("host"), "{host}");
        }
        assert_eq!(status(None, None), Err("no host"));
        assert_eq!(status(Some("a b"), None), Err("no host"));
    }

    #[test]
    fn two_hosts_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("localhost"));
        headers.append(HOST, HeaderValue::from_static("evil.example"));
        assert!(matches!(check(&headers, &[]), Err(Refusal::NoHost)));
    }

    #[test]
    fn only_our_own_page_is_ours() {
        let host = Some("127.0.0.1:8080");
        assert_eq!(status(host, Some("http://127.0.0.1:8080")), Ok(()));
        assert_eq!(status(Some("lens.example"), Some("https://lens.example")), Ok(()));
        for origin in ["http://evil.example", "http://127.0.0.1:9090", "http://localhost:8080", "null", ""] {
            assert_eq!(status(host, Some(origin)), Err("origin"), "{origin}");
        }
    }
}
