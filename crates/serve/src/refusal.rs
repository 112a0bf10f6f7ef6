//! What a client is told where it gets no answer.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lenslet_folder::ErrorKind;
use serde::Serialize;
use std::time::Duration;

/// What a client is told where it gets no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "nothing is here: there are GET /, POST /v1/predict and /v1/explain, GET /v1/model, GET /healthz and GET /metrics"
    )]
    NotFound,
    #[error("this address does not take that method: GET /, POST /v1/predict and /v1/explain")]
    Method,
    #[error("the request has no valid Host header; name this server in it")]
    NoHost,
    #[error(
        "this server is not called '{0}'; ask for it by its numeric address or as localhost, or start it with that \
         name among its own (--allow-host)"
    )]
    Host(String),
    #[error(
        "a page of {0} may not use this server; only its own page may. Behind a proxy, let that pass on the Host header"
    )]
    Origin(String),
    #[error("{0}")]
    Query(QueryRejection),
    #[error("no class is called '{0}'; GET /v1/model names those that there are")]
    Class(String),
    #[error("this network has no convolution, and so no feature maps by which to explain it")]
    Unexplained,
    #[error(
        "the body has more than {limit} bytes; send a smaller picture, or start the server with a larger limit (--max-bytes)"
    )]
    TooLong { limit: usize },
    #[error("the body ended early; send it again")]
    Broken,
    #[error("the picture did not arrive within {} s; send it faster", .0.as_secs_f64())]
    SlowClient(Duration),
    #[error("the picture cannot be used: {0}")]
    Picture(ErrorKind),
    #[error("{0} requests are at hand, and no more are taken; try again in a second")]
    Busy(usize),
    #[error("there was no answer within {} s; try again when the server has less to do", .0.as_secs_f64())]
    SlowServer(Duration),
    #[error("the network failed: {0}")]
    Network(String),
}

#[derive(Serialize)]
struct Body {
    status: u16,
    error: String,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Host(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin(_) => StatusCode::FORBIDDEN,
            Self::TooLong { .. } | Self::Picture(ErrorKind::TooManyPixels { .. }) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Picture(ErrorKind::NotAPicture) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unexplained => StatusCode::NOT_IMPLEMENTED,
            Self::NoHost | Self::Query(_) | Self::Class(_) | Self::Broken | Self::Picture(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::SlowClient(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::SlowServer(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Network(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = Body { status: status.as_u16(), error: self.to_string() };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
