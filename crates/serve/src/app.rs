//! What is answered where.

use crate::batch::Batches;
use crate::metrics::{self, Metrics};
use crate::predict::{explain, predict};
use crate::refusal::Refusal;
use crate::{Error, Limits, Model, Prepare, guard, page};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use lenslet_dataset::ImageShape;
use serde::Serialize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;
use tokio::sync::Semaphore;

/// What all requests share.
pub(crate) struct App {
    name: String,
    pub classes: Vec<String>,
    pub shape: ImageShape,
    pub prepare: Prepare,
    pub limits: Limits,
    /// Whether the network can say what speaks for a class.
    pub explains: bool,
    /// One for each request for a prediction.
    pub places: Arc<Semaphore>,
    /// One for each picture that is decoded at a time: each may need much memory.
    pub decoders: Arc<Semaphore>,
    pub batches: Batches,
    metrics: Arc<Metrics>,
}

/// What a client needs to know of the network.
#[derive(Serialize)]
struct About<'a> {
    network: &'a str,
    /// Channels, height and width.
    input: [usize; 3],
    classes: &'a [String],
    explains: bool,
    max_bytes: usize,
}

/// A page may load its own parts, and pictures that it holds, and nothing else; and no page may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For every answer.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

impl App {
    pub fn new(model: Model, limits: Limits) -> Result<Self, Error> {
        let Model { name, shape, classes, prepare, predict, explain } = model;
        let metrics = Arc::new(Metrics::new());
        let decoders = available_parallelism().map_or(1, usize::from);
        Ok(Self {
            explains: explain.is_some(),
            batches: Batches::start(predict, explain, &limits, Arc::clone(&metrics))?,
            places: Arc::new(Semaphore::new(limits.queue)),
            decoders: Arc::new(Semaphore::new(decoders)),
            name,
            classes,
            shape,
            prepare,
            limits,
            metrics,
        })
    }

    pub fn router(self) -> Router {
        let app = Arc::new(self);
        Router::new()
            .route("/", get(page::HTML))
            .route("/page.css", get(page::CSS))
            .route("/page.js", get(page::JS))
            .route("/v1/predict", post(predict))
            .route("/v1/explain", post(explain))
            .route("/v1/model", get(about))
            .route("/healthz", get("ok\n"))
            .route("/metrics", get(figures))
            .fallback(async || Refusal::NotFound)
            .method_not_allowed_fallback(async || Refusal::Method)
            .layer(from_fn_with_state(Arc::clone(&app), around))
            .with_state(app)
    }
}

async fn about(State(app): State<Arc<App>>) -> Response {
    let ImageShape { channels, height, width } = app.shape;
    let about = About {
        network: &app.name,
        input: [channels, height, width],
        classes: &app.classes,
        explains: app.explains,
        max_bytes: app.limits.bytes,
    };
    Json(about).into_response()
}

async fn figures(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let at_hand = app.limits.queue - app.places.available_permits();
    let text = app.metrics.text(at_hand).map_err(|error| Refusal::Network(error.to_string()))?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

/// Around every request: who asks, what was answered, how long it took.
async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let mut response = match guard::check(request.headers(), &app.limits.hosts) {
        Ok(()) => next.run(request).await,
        Err(refusal) => app.refuse(refusal, request.into_body()).await.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // A route's own pattern, and never what a client made up.
    let route = path.as_ref().map_or("other", MatchedPath::as_str);
    app.metrics.request(route, response.status(), begun.elapsed());
    response
}
