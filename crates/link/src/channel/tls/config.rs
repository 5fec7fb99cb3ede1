//! The one way this program speaks TLS: version 1.3, both sides with raw public keys (RFC 7250),
//! Ed25519 only, no resumption, no early data (protocol §17). There is no certificate and no
//! authority: a key is accepted because it is the expected one.

use crate::identity::{Fingerprint, Identity};
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Connection, DigitallySignedStruct,
    DistinguishedName, Error, OtherError, PeerIncompatible, ServerConfig, ServerConnection,
    SignatureScheme,
};
use std::sync::Arc;

/// Another service on the port answers with another protocol name, or none.
const PROTOCOL_NAME: &[u8] = b"twain";

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyRefused {
    #[error("the peer shows this side's own key")]
    Own,
    #[error("the peer shows the key {found}, expected was {expected}")]
    Other { expected: Fingerprint, found: Fingerprint },
    #[error("the peer shows the key {found}, which is not known yet")]
    NotKnown { found: Fingerprint },
}

/// Makes the TLS side of connections for one identity and one expected peer.
pub(super) struct TlsConfig {
    expects_a_key: bool,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl TlsConfig {
    /// With `expected` none, TLS takes any key but one's own, and the caller must refuse the link.
    pub(super) fn new(identity: &Identity, expected: Option<Fingerprint>) -> Result<Self, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(KeyVerifier {
            own: identity.fingerprint(),
            expected,
            provider: provider.clone(),
        });
        let public_key = CertificateDer::from(identity.public_key().to_vec());
        let key = Arc::new(CertifiedKey::new(vec![public_key], identity.signing_key()));

        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(
                key.clone(),
            )));
        client.resumption = rustls::client::Resumption::disabled();
        client.enable_early_data = false;
        client.enable_sni = false;
        client.alpn_protocols = vec![PROTOCOL_NAME.to_vec()];

        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        server.max_early_data_size = 0;
        server.alpn_protocols = vec![PROTOCOL_NAME.to_vec()];
        let (client, server) = (Arc::new(client), Arc::new(server));
        Ok(Self { expects_a_key: expected.is_some(), client, server })
    }

    /// Whether only one key gets through.
    pub(super) fn expects_a_key(&self) -> bool {
        self.expects_a_key
    }

    /// The dialling end of a connection.
    pub(super) fn client(&self) -> Result<Connection, Error> {
        // Raw keys are not bound to names; TLS wants one nevertheless.
        let name = ServerName::try_from("twain.invalid")
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(ClientConnection::new(self.client.clone(), name)?.into())
    }

    /// The accepting end of a connection.
    pub(super) fn server(&self) -> Result<Connection, Error> {
        Ok(ServerConnection::new(self.server.clone())?.into())
    }
}

/// Whether a finished handshake agreed on this program's protocol name.
pub(super) fn speaks_twain(connection: &Connection) -> bool {
    connection.alpn_protocol() == Some(PROTOCOL_NAME)
}

/// Accepts exactly the expected key.
#[derive(Debug)]
struct KeyVerifier {
    own: Fingerprint,
    expected: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl KeyVerifier {
    fn check(&self, public_key: &CertificateDer<'_>) -> Result<(), Error> {
        let found = Fingerprint::of_public_key(public_key);
        let refused = match self.expected {
            _ if found == self.own => KeyRefused::Own,
            Some(expected) if found != expected => KeyRefused::Other { expected, found },
            _ => return Ok(()),
        };
        Err(CertificateError::Other(OtherError(Arc::new(refused))).into())
    }

    fn check_signature(
        &self,
        message: &[u8],
        public_key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signature.scheme != SignatureScheme::ED25519 {
            return Err(PeerIncompatible::NoSignatureSchemesInCommon.into());
        }
        verify_tls13_signature_with_raw_key(
            message,
            &SubjectPublicKeyInfoDer::from(public_key.as_ref()),
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }
}

/// What both ends ask of the other's signature and key; TLS names it twice.
macro_rules! raw_keys_in_tls_13 {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _public_key: &CertificateDer<'_>,
            _signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(PeerIncompatible::Tls12NotOfferedOrEnabled.into())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            public_key: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.check_signature(message, public_key, signature)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

impl ServerCertVerifier for KeyVerifier {
    fn verify_server_cert(
        &self,
        public_key: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(public_key).map(|()| ServerCertVerified::assertion())
    }

    raw_keys_in_tls_13!();
}

impl ClientCertVerifier for KeyVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        public_key: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(public_key).map(|()| ClientCertVerified::assertion())
    }

    raw_keys_in_tls_13!();
}
