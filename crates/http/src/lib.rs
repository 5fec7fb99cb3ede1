//! HTTP(S) as a client: large files that resume where a connection broke ([`download`]), and small
//! questions with small answers ([`Agent::post_json`]). Blocking, with the workspace's provider of
//! cryptography and Mozilla's root certificates; proxies as the environment names them.
//!
//! ```
//! use std::io::{BufRead, BufReader, Read, Write};
//! use twain_http::{Agent, Patience};
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let url = format!("http://{}/", listener.local_addr()?);
//! let server = std::thread::spawn(move || -> std::io::Result<()> {
//!     let (mut connection, _) = listener.accept()?;
//!     let mut question = BufReader::new(&connection);
//!     // Its head ends with an empty line.
//!     while question.by_ref().lines().next().is_some_and(|line| line.is_ok_and(|l| !l.is_empty())) {}
//!     question.read_exact(&mut [0; 2])?;
//!     connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n42")
//! });
//! let answer = Agent::new(Patience::default()).post_json(&url, "{}")?;
//! assert_eq!(answer, "42");
//! server.join().expect("no panic")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod download;

use std::sync::Arc;
use std::time::Duration;
use ureq::http::Response;
use ureq::tls::TlsConfig;
use ureq::{Body, RequestBuilder};

/// How long a server may take to be reached, and how long it may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To resolve its name and connect.
    pub connect: Duration,
    /// Between two pieces of what it sends.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), silence: Duration::from_secs(60) }
    }
}

/// Longest answer to a question, in bytes.
const MOST_ANSWER: u64 = 16 << 20;

/// No answer, in words for a user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HttpError(String);

/// Keeps connections and settings.
#[derive(Clone, Debug)]
pub struct Agent {
    agent: ureq::Agent,
}

impl Agent {
    /// An agent that waits so long.
    pub fn new(patience: Patience) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("twain/", env!("CARGO_PKG_VERSION")))
            // Statuses are read here: some of them are no errors.
            .http_status_as_error(false)
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .build();
        Self { agent: config.new_agent() }
    }

    /// Sends JSON, and returns the body of the answer.
    ///
    /// # Errors
    /// No connection, a status other than 200, or more than 16 MiB.
    pub fn post_json(&self, url: &str, json: &str) -> Result<String, HttpError> {
        let request = self.agent.post(url).header("Content-Type", "application/json");
        let response = request.send(json).map_err(|error| HttpError(error.to_string()))?;
        let status = response.status();
        let mut body = response.into_body();
        let answer = body.with_config().limit(MOST_ANSWER).read_to_string();
        match status.as_u16() {
            200 => answer.map_err(|error| HttpError(error.to_string())),
            _ => Err(HttpError(format!("the server answers {status}"))),
        }
    }

    /// Asks for a file from a byte on.
    fn get(&self, url: &str, from: u64) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.get(url);
        let ranged = |request: RequestBuilder<_>| request.header("Range", format!("bytes={from}-"));
        if from == 0 { request } else { ranged(request) }.call()
    }
}
