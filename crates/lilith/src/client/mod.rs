//! The client commands: each a request or two, and what the answer means in words, as JSON, and as
//! an exit status.

mod commands;
mod error;
mod recipes;
mod settings;
mod upload;

pub use commands::run;
pub use error::ClientError;

use crate::http::{HttpError, Target, bytes, send, trust};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response};
use hyper::body::Incoming;
use rustls::ClientConfig;
use serde_json::Value;
use settings::Settings;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes of an answer that is no file.
const ANSWER: usize = 256 << 20;

/// Asks one server.
pub struct Client {
    target: Target,
    key: Option<Zeroizing<String>>,
    trust: Arc<ClientConfig>,
}

impl Client {
    /// As the settings say.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let target = Target::parse(settings.server.trim_end_matches('/'))?;
        let trust = trust(settings.ca.as_deref())?;
        Ok(Self { target, key: settings.key, trust })
    }

    /// Sends a request; the answer, if it is not a refusal.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Incoming>, ClientError> {
        let before = self.target.path.trim_end_matches('/');
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{before}{path}"))
            .body(body)
            .map_err(|error| ClientError::Usage(format!("{path}: {error}")))?;
        *request.headers_mut() = headers;
        if let Some(key) = &self.key {
            let mut value = axum::http::HeaderValue::from_str(key)
                .map_err(|_| ClientError::Usage("the token has characters that none has".into()))?;
            value.set_sensitive(true);
            request.headers_mut().insert("x-api-key", value);
        }
        let response = send(&self.target, None, &self.trust, request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = bytes(&self.target.host, response, ANSWER).await?;
        Err(refusal(status.as_u16(), &body))
    }

    /// Sends a request with a JSON body, or none; the JSON of the answer.
    pub async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        self.json_with(method, path, HeaderMap::new(), body).await
    }

    /// The same, with headers.
    pub async fn json_with(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let body = match body {
            Some(value) => {
                let json = axum::http::HeaderValue::from_static("application/json");
                headers.insert("content-type", json);
                Body::from(value.to_string())
            }
            None => Body::empty(),
        };
        let response = self.send(method, path, headers, body).await?;
        self.value(response).await
    }

    /// The JSON of an answer.
    pub async fn value(&self, response: Response<Incoming>) -> Result<Value, ClientError> {
        let body = bytes(&self.target.host, response, ANSWER).await?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|error| {
            let source = error.into();
            HttpError::Protocol { host: self.target.authority(), source }.into()
        })
    }

    /// The host, for messages.
    pub fn host(&self) -> &str {
        &self.target.host
    }
}

fn refusal(status: u16, body: &[u8]) -> ClientError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body[name].as_str();
    let mut message = text("message").map_or_else(|| format!("HTTP {status}"), str::to_string);
    if let Some(hint) = text("hint") {
        message.push_str(&format!(" ({hint})"));
    }
    if let Some(details) = text("details") {
        message.push_str(&format!("\n{details}"));
    }
    let code = text("code").map_or_else(|| format!("http_{status}"), str::to_string);
    ClientError::Refused { code, message }
}

/// A part of a path, with what would end it escaped.
pub fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_paths_are_escaped() {
        assert_eq!(escaped("a b/ü?.json"), "a%20b%2F%C3%BC%3F.json");
        assert_eq!(escaped("sha256:00-._~"), "sha256:00-._~");
    }

    #[test]
    fn refusals_are_told_whole() {
        let error = refusal(422, br#"{"message":"no","code":"bad_path","hint":"try"}"#);
        assert_eq!((error.to_string().as_str(), error.code()), ("no (try)", "bad_path"));
        assert_eq!(refusal(502, b"<html>").to_string(), "HTTP 502");
    }
}
