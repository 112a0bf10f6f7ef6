//! `POST /v1/predict` and `POST /v1/explain`: a picture's bytes in, classes or another picture out.

use crate::app::App;
use crate::batch::{Job, Want, said};
use crate::refusal::Refusal;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use std::num::NonZero;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

/// So much of a body that is refused is read and thrown away, because most clients send all before they look at an answer.
/// With more to come the connection is closed.
const THROWN_AWAY: usize = 64 << 20;

/// Classes in an answer, where nothing else is said: as many as `lenslet predict` shows.
const TOP: NonZero<usize> = NonZero::new(3).unwrap();

/// What may stand behind `?` of a prediction.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PredictOptions {
    /// How many classes.
    top: NonZero<usize>,
    /// Swap light and dark first.
    invert: bool,
}

impl Default for PredictOptions {
    fn default() -> Self {
        Self { top: TOP, invert: false }
    }
}

/// What may stand behind `?` of an explanation.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExplainOptions {
    /// For which class; the most probable one, where none is named.
    class: Option<String>,
    /// Swap light and dark first.
    invert: bool,
}

/// A query, or what is wrong with it.
type Asked<T> = Result<Query<T>, QueryRejection>;

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
    options: Asked<PredictOptions>,
    body: Body,
) -> Result<Json<Prediction>, Refusal> {
    let Query(PredictOptions { top, invert }) = match options {
        Ok(options) => options,
        Err(error) => return Err(app.refuse(Refusal::Query(error), body).await),
    };
    let (answer, row) = oneshot::channel();
    let row = app.ask(body, invert, Want::Row(answer), row).await?;
    let named = app.classes.iter().zip(row);
    let mut classes: Vec<Guess> =
        named.map(|(class, probability)| Guess { class: class.clone(), probability }).collect();
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    classes.truncate(top.get());
    Ok(Json(Prediction { classes }))
}

pub(crate) async fn explain(
    State(app): State<Arc<App>>,
    options: Asked<ExplainOptions>,
    body: Body,
) -> Result<Response, Refusal> {
    let found = options.map_err(Refusal::Query).and_then(|Query(ExplainOptions { class, invert })| {
        if !app.explains {
            return Err(Refusal::Unexplained);
        }
        let number = |name: &String| app.classes.iter().position(|class| class == name);
        let class = class.map(|name| number(&name).ok_or(Refusal::Class(name))).transpose()?;
        Ok((class, invert))
    });
    let (class, invert) = match found {
        Ok(found) => found,
        Err(refusal) => return Err(app.refuse(refusal, body).await),
    };
    let (answer, png) = oneshot::channel();
    let png = app.ask(body, invert, Want::Heat(class, answer), png).await?;
    Ok(([(CONTENT_TYPE, "image/png")], png).into_response())
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

impl App {
    /// A refusal, after what the client sends was thrown away, so that it gets to see the reason.
    pub async fn refuse(&self, refusal: Refusal, body: Body) -> Refusal {
        // Whatever becomes of it, the refusal stands.
        let _ = timeout_at(Instant::now() + self.limits.timeout, read(body, 0)).await;
        refusal
    }

    /// Takes in a picture, and waits for what is wanted of it.
    async fn ask<T>(
        &self,
        body: Body,
        invert: bool,
        want: Want,
        answer: oneshot::Receiver<Result<T, String>>,
    ) -> Result<T, Refusal> {
        let limits = &self.limits;
        let deadline = Instant::now() + limits.timeout;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(self.refuse(Refusal::Busy(limits.queue), body).await);
        };
        let bytes = timeout_at(deadline, read(body, limits.bytes))
            .await
            .map_err(|_| Refusal::SlowClient(limits.timeout))??;
        let answered = async {
            self.decode(bytes, invert, want, place).await?;
            match answer.await {
                Ok(answer) => answer.map_err(Refusal::Network),
                Err(_) => Err(Refusal::Network("it has stopped".to_owned())),
            }
        };
        timeout_at(deadline, answered).await.map_err(|_| Refusal::SlowServer(limits.timeout))?
    }

    /// Decodes a picture and hands it to the network. `place` is free again when both are done, whether or not
    /// somebody still waits for them.
    async fn decode(
        &self,
        bytes: Vec<u8>,
        invert: bool,
        want: Want,
        place: OwnedSemaphorePermit,
    ) -> Result<(), Refusal> {
        let coming = self.batches.announce();
        let turn = Arc::clone(&self.decoders).acquire_owned().await;
        let prepare = Arc::clone(&self.prepare);
        let decode = move || {
            let picture = prepare(&bytes, invert);
            drop(turn);
            (picture, place)
        };
        let (picture, place) =
            spawn_blocking(decode).await.map_err(|error| match error.try_into_panic() {
                Ok(panic) => Refusal::Network(said(&*panic).to_owned()),
                Err(error) => Refusal::Network(error.to_string()),
            })?;
        self.batches.push(Job { picture: picture.map_err(Refusal::Picture)?, want, place }, coming);
        Ok(())
    }
}
