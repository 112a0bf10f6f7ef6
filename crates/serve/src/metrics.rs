//! Figures for Prometheus.

use axum::http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::time::Duration;

/// What [`Metrics::text`] is.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Counts and times since the server started.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Family<Route, Histogram>,
    at_hand: Gauge,
    pictures: Histogram,
    batches: Histogram,
}

/// From half a millisecond to eight seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 15))
}

impl Metrics {
    pub fn new() -> Self {
        let requests = Family::default();
        let seconds_of_requests = Family::new_with_constructor(seconds as fn() -> Histogram);
        let at_hand = Gauge::default();
        let pictures = Histogram::new(exponential_buckets(1.0, 2.0, 9));
        let batches = seconds();
        let mut registry = Registry::with_prefix("lenslet");
        registry.register("requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "request",
            "From a request's head to its answer",
            Unit::Seconds,
            seconds_of_requests.clone(),
        );
        registry.register("queue_depth", "Requests for predictions at hand", at_hand.clone());
        registry.register(
            "batch_pictures",
            "Pictures that went through the network together",
            pictures.clone(),
        );
        registry.register_with_unit(
            "batch",
            "The network's time for a batch",
            Unit::Seconds,
            batches.clone(),
        );
        Self { registry, requests, seconds: seconds_of_requests, at_hand, pictures, batches }
    }

    pub fn request(&self, route: &str, status: StatusCode, time: Duration) {
        let labels = Labels { route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(time.as_secs_f64());
    }

    pub fn batch(&self, pictures: usize, time: Duration) {
        self.pictures.observe(pictures as f64);
        self.batches.observe(time.as_secs_f64());
    }

    /// All of them, and how many requests are at hand.
    pub fn text(&self, at_hand: usize) -> Result<String, fmt::Error> {
        self.at_hand.set(at_hand as i64);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
