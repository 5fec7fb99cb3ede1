//! Requests over HTTP/1.1, for the client commands and for callbacks: one connection a request, TLS
//! 1.3 with the system's authorities or one that was named, no redirects.

use axum::body::{Body, Bytes};
use axum::http::{Request, Response, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not the address of a server.
    #[error("{0:?} is no address of a server: https://HOST[:PORT], or http://…")]
    Address(String),
    /// Nobody there, or not who was expected.
    #[error("{host}: {source}")]
    Connect {
        /// Whom.
        host: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another protocol, or an answer that broke off.
    #[error("{host}: {source}")]
    Protocol {
        /// Whom.
        host: String,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Certificates that cannot be used.
    #[error("{0}")]
    Trust(String),
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Whether over TLS.
    pub https: bool,
    /// The host, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What comes after.
    pub path: String,
}

impl Target {
    /// Of an address as people write it.
    pub fn parse(url: &str) -> Result<Self, HttpError> {
        let wrong =
            || HttpError::Address(url.chars().filter(|c| !c.is_control()).take(200).collect());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong());
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_string();
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_string();
        Ok(Self { https, host, port, path })
    }

    /// `HOST:PORT`.
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Whom to believe: the system's authorities, and those of a file (PEM).
pub fn trust(file: Option<&Path>) -> Result<Arc<ClientConfig>, HttpError> {
    let mut roots = RootCertStore::empty();
    // Authorities of the system that cannot be read are not there; who needs one is told so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = file {
        let failed = |error: &dyn std::fmt::Display| {
            HttpError::Trust(format!("{}: {error}", path.display()))
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))? {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| HttpError::Trust(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Sends a request whose address is a path; to `address`, or to whatever the host's name leads to.
pub async fn send(
    target: &Target,
    address: Option<SocketAddr>,
    trust: &Arc<ClientConfig>,
    mut request: Request<Body>,
) -> Result<Response<Incoming>, HttpError> {
    let host = target.authority();
    let failed = |source| HttpError::Connect { host: host.clone(), source };
    let stream = match address {
        Some(address) => TcpStream::connect(address).await,
        None => TcpStream::connect((target.host.as_str(), target.port)).await,
    };
    let stream = stream.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let value = host.parse().map_err(|_| HttpError::Address(host.clone()))?;
    request.headers_mut().insert(header::HOST, value);
    if !target.https {
        return exchange(&host, stream, request).await;
    }
    let name = ServerName::try_from(target.host.clone())
        .map_err(|_| HttpError::Address(target.host.clone()))?;
    let connector = TlsConnector::from(trust.clone());
    exchange(&host, connector.connect(name, stream).await.map_err(failed)?, request).await
}

async fn exchange(
    host: &str,
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<Response<Incoming>, HttpError> {
    let failed =
        |source: hyper::Error| HttpError::Protocol { host: host.into(), source: source.into() };
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(failed)?;
    // It ends with the answer's body.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(failed)
}

/// All of a body, if it is not longer than `most`.
pub async fn bytes(
    host: &str,
    response: Response<Incoming>,
    most: usize,
) -> Result<Bytes, HttpError> {
    let collected = Limited::new(response.into_body(), most).collect().await;
    collected
        .map(|body| body.to_bytes())
        .map_err(|source| HttpError::Protocol { host: host.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        let target = Target::parse("https://prove.example/hook?x=1").unwrap();
        assert_eq!((target.https, target.port, target.path.as_str()), (true, 443, "/hook?x=1"));
        let target = Target::parse("http://[::1]:8080").unwrap();
        assert_eq!((target.authority().as_str(), target.path.as_str()), ("[::1]:8080", "/"));
        for url in ["", "prove.example", "ftp://a", "https://", "https://a@b/", "https://a b/"] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
