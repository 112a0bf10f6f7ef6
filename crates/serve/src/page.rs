//! The page, in three parts.

use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};

/// A part of the page with its headers. It comes with the program, so that a browser asks again each time.
type Part = ([(HeaderName, &'static str); 2], &'static str);

const fn part(kind: &'static str, text: &'static str) -> Part {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text)
}

pub(crate) const HTML: Part = part("text/html; charset=utf-8", include_str!("page/page.html"));
pub(crate) const CSS: Part = part("text/css; charset=utf-8", include_str!("page/page.css"));
pub(crate) const JS: Part = part("text/javascript; charset=utf-8", include_str!("page/page.js"));
