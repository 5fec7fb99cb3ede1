//! Uploads: a form whose files are read while they are sent.

use super::Client;
use super::error::ClientError;
use crate::arguments::Files;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method};
use futures_util::stream;
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// A piece of the body.
enum Piece {
    Text(String),
    File(File),
}

/// The parts of a form: their names, and files.
fn parts(files: &Files) -> Vec<(&'static str, PathBuf)> {
    let one = |name, path: &Option<PathBuf>| path.clone().map(|path| (name, path));
    let named = [
        one("model", &files.model_path),
        one("data", &files.data_path),
        one("calibration", &files.calibration_path),
    ];
    let others = files.file.iter().cloned().map(|path| ("file", path));
    named.into_iter().flatten().chain(others).collect()
}

/// Sends files, and the side of a new project.
pub async fn upload(
    client: &Client,
    method: Method,
    path: &str,
    side: Option<&str>,
    files: &Files,
) -> Result<Value, ClientError> {
    let boundary = format!("lilith-{}", crate::identifiers::secret());
    let (mut pieces, mut length) = (Vec::new(), 0);
    let mut add = |piece: Piece, bytes: u64| {
        length += bytes;
        pieces.push(piece);
    };
    let mut text = String::new();
    if let Some(side) = side {
        text.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"side\"\r\n\r\n{side}\r\n"
        ));
    }
    for (name, path) in parts(files) {
        let failed = |error: &dyn std::fmt::Display| {
            ClientError::Usage(format!("{}: {error}", path.display()))
        };
        let file = File::open(&path).map_err(|error| failed(&error))?;
        let bytes = file.metadata().map_err(|error| failed(&error))?.len();
        let own = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if own.contains(['"', '\r', '\n', '\\']) {
            return Err(failed(&"its name cannot be sent"));
        }
        text.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{own}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        ));
        let before = std::mem::take(&mut text);
        let count = before.len() as u64;
        add(Piece::Text(before), count);
        add(Piece::File(file), bytes);
        text.push_str("\r\n");
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    let count = text.len() as u64;
    add(Piece::Text(text), count);
    let mut headers = HeaderMap::new();
    let kind = format!("multipart/form-data; boundary={boundary}");
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        headers.insert("content-type", kind);
    }
    headers.insert("content-length", HeaderValue::from(length));
    let response = client.send(method, path, headers, body(pieces)).await?;
    client.value(response).await
}

fn body(pieces: Vec<Piece>) -> Body {
    let pieces = pieces.into_iter();
    let stream = stream::unfold((pieces, None::<File>), |(mut pieces, mut open)| async move {
        loop {
            if let Some(mut file) = open.take() {
                let mut bytes = vec![0; 1 << 18];
                match file.read(&mut bytes) {
                    Ok(0) => {}
                    Ok(count) => {
                        bytes.truncate(count);
                        return Some((
                            Ok::<_, io::Error>(Bytes::from(bytes)),
                            (pieces, Some(file)),
                        ));
                    }
                    Err(error) => return Some((Err(error), (pieces, None))),
                }
            }
            match pieces.next()? {
                Piece::Text(text) => return Some((Ok(Bytes::from(text)), (pieces, None))),
                Piece::File(file) => open = Some(file),
            }
        }
    });
    Body::from_stream(stream)
}
