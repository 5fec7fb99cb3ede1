//! What is taken out of requests, with refusals in one form: the body of an answer that is none.

use super::app::App;
use crate::error::{Code, ServiceError};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

impl IntoResponse for ServiceError {
    fn into_response(self) -> Response {
        if self.code == Code::Internal {
            eprintln!("lilith: {self}");
        }
        let status = StatusCode::from_u16(self.code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.body())).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A JSON body, whatever the client calls it; refusals have the form of all others.
pub fn json_body(bytes: &[u8]) -> Result<serde_json::Value, ServiceError> {
    serde_json::from_slice(bytes).map_err(|error| {
        // Its place, and nothing of its content.
        let text =
            format!("the body is not JSON: line {}, column {}", error.line(), error.column());
        ServiceError::new(Code::BadRequest, text)
    })
}

/// A member of a query that cannot be read.
pub fn bad_query(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::new(Code::BadRequest, format!("the query: {error}"))
}

/// The query of a request as a type, with refusals in the form of all others.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: serde::de::DeserializeOwned> axum::extract::FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = ServiceError;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &Arc<App>,
    ) -> Result<Self, ServiceError> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|error| bad_query(error.body_text()))
    }
}

/// A part of the path, with refusals in the form of all others.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: serde::de::DeserializeOwned + Send> axum::extract::FromRequestParts<Arc<App>> for Path<T> {
    type Rejection = ServiceError;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        app: &Arc<App>,
    ) -> Result<Self, ServiceError> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        path.map(|path| Self(path.0)).map_err(|error| {
            ServiceError::new(Code::BadRequest, format!("the path: {}", error.body_text()))
        })
    }
}
