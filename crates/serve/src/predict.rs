//! `POST /v1/predict`: a picture's bytes in, classes out.

use crate::Limits;
use crate::app::App;
use crate::batch::{Job, said};
use crate::refusal::Refusal;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use http_body_util::BodyExt;
use lenslet_folder::Picture;
use serde::{Deserialize, Serialize};
use std::num::NonZero;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

/// So much of a body that is refused is read and thrown away, because most clients send all before they look at an answer.
/// With more to come the connection is closed.
const THROWN_AWAY: usize = 64 << 20;

/// What may stand behind `?`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// How many classes.
    top: NonZero<usize>,
    /// Swap light and dark first.
    invert: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { top: NonZero::new(3).unwrap_or(NonZero::<usize>::MIN), invert: false }
    }
}

#[derive(Serialize)]
pub(crate) struct Prediction {
    classes: Vec<Guess>,
}

#[derive(Serialize)]
struct Guess {
    class: String,
    probability: f32,
}

pub(crate) async fn predict(
    State(app): State<Arc<App>>,
    options: Result<Query<Options>, QueryRejection>,
    body: Body,
) -> Result<Json<Prediction>, Refusal> {
    let limits = &app.limits;
    let deadline = Instant::now() + limits.timeout;
    let (options, place) = match app.admit(options) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            drain(body, limits).await;
            return Err(refusal);
        }
    };
    let bytes = timeout_at(deadline, read(body, limits.bytes))
        .await
        .map_err(|_| Refusal::SlowClient(limits.timeout))??;
    let row = timeout_at(deadline, app.classify(bytes, options.invert, place))
        .await
        .map_err(|_| Refusal::SlowServer(limits.timeout))??;
    let named = app.classes.iter().zip(row);
    let mut classes: Vec<Guess> =
        named.map(|(class, probability)| Guess { class: class.clone(), probability }).collect();
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    classes.truncate(options.top.get());
    Ok(Json(Prediction { classes }))
}

/// All of a body that is no longer than `limit`.
async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let (mut bytes, mut seen) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::Broken)?.into_data() else { continue };
        seen += data.len();
        if seen <= limit {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
        if seen > limit.saturating_add(THROWN_AWAY) {
            break;
        }
    }
    if seen > limit { Err(Refusal::TooLong { limit }) } else { Ok(bytes) }
}

/// Throws away what a client sends that is refused for another reason, so that it gets to see the reason.
pub(crate) async fn drain(body: Body, limits: &Limits) {
    // Whatever becomes of it, the refusal stands.
    let _ = timeout_at(Instant::now() + limits.timeout, read(body, 0)).await;
}

impl App {
    /// Looks at what can be known before the picture arrives.
    fn admit(
        &self,
        options: Result<Query<Options>, QueryRejection>,
    ) -> Result<(Options, OwnedSemaphorePermit), Refusal> {
        let Query(options) = options.map_err(Refusal::Query)?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        Ok((options, place.map_err(|_| Refusal::Busy(self.limits.queue))?))
    }

    /// Decodes a picture and asks the network. `place` is free again when both are done, whether or not somebody still
    /// waits for them.
    async fn classify(
        &self,
        bytes: Vec<u8>,
        invert: bool,
        place: OwnedSemaphorePermit,
    ) -> Result<Vec<f32>, Refusal> {
        let coming = self.batches.announce();
        let turn = Arc::clone(&self.decoders).acquire_owned().await;
        let (shape, prepare) = (self.shape, self.prepare);
        let decode = move || {
            let picture = Picture::decode(&bytes).map(|picture| prepare(picture, shape, invert));
            drop(turn);
            (picture, place)
        };
        let (picture, place) =
            spawn_blocking(decode).await.map_err(|error| match error.try_into_panic() {
                Ok(panic) => Refusal::Network(said(&*panic).to_owned()),
                Err(error) => Refusal::Network(error.to_string()),
            })?;
        let (answer, row) = oneshot::channel();
        self.batches.push(Job { picture: picture.map_err(Refusal::Picture)?, answer, place }, coming);
        match row.await {
            Ok(row) => row.map_err(Refusal::Network),
            Err(_) => Err(Refusal::Network("it has stopped".to_owned())),
        }
    }
}
