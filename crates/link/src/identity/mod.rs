//! Who a party is: an Ed25519 key in a file of its own, and its fingerprint, which the peer pins
//! (protocol §19). Input: the directory of the configuration (`~/.config/twain`). Output: the key
//! for TLS, the fingerprint as text, and keys derived from it for what is stored at rest.

mod error;
mod fingerprint;
mod known_peers;
mod named;
mod named_peers;
mod private_file;

pub use error::IdentityError;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use known_peers::{Ask, KnownPeers, KnownPeersError};
pub use named_peers::{NamedPeer, NamedPeers, NamedPeersError, is_name};

use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::hkdf;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use private_file::{create_once, read_private, replace};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// File name of the key within the configuration directory.
pub const IDENTITY_FILE: &str = "identity";
/// File name of the list of known peers within the configuration directory.
pub const KNOWN_PEERS_FILE: &str = "known_peers";
/// A key in PKCS#8 takes 48 to 85 bytes.
const LONGEST_KEY_FILE: u64 = 4096;

/// A party's key.
pub struct Identity {
    directory: PathBuf,
    fingerprint: Fingerprint,
    public_key: Vec<u8>,
    signing_key: Arc<dyn SigningKey>,
    seed: Zeroizing<[u8; 32]>,
}

impl Identity {
    /// `$XDG_CONFIG_HOME/twain`, or `~/.config/twain`.
    pub fn default_directory() -> Result<PathBuf, IdentityError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")))
            .map(|config| config.join("twain"))
            .ok_or(IdentityError::NoHome)
    }

    /// The key in `directory`; made there, for its owner only, if there is none.
    ///
    /// # Errors
    /// A key that others may read is refused.
    pub fn load_or_create(directory: &Path) -> Result<Self, IdentityError> {
        let path = directory.join(IDENTITY_FILE);
        if let Some(key) = read_private(&path, LONGEST_KEY_FILE)? {
            return Self::from_pkcs8(directory, &path, &key);
        }
        create_once(directory, &path, new_key()?.as_ref())?;
        // Another process may have been first: what counts is in the file.
        let missing = || IdentityError::NotAKey { path: path.clone() };
        let key = read_private(&path, LONGEST_KEY_FILE)?.ok_or_else(missing)?;
        Self::from_pkcs8(directory, &path, &key)
    }

    /// A new key in the place of the one in `directory`, which is gone then. What was derived from
    /// the old one cannot be read any more, and peers do not know the new one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn rotate(directory: &Path) -> Result<Self, IdentityError> {
        let path = directory.join(IDENTITY_FILE);
        let key = new_key()?;
        replace(&path, key.as_ref())?;
        Self::from_pkcs8(directory, &path, key.as_ref())
    }

    fn from_pkcs8(directory: &Path, path: &Path, pkcs8: &[u8]) -> Result<Self, IdentityError> {
        let not_a_key = || IdentityError::NotAKey { path: path.to_path_buf() };
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| not_a_key())?;
        let public_key = AsDer::<PublicKeyX509Der>::as_der(pair.public_key())
            .map_err(|_| not_a_key())?
            .as_ref()
            .to_vec();
        let seed_bytes: Curve25519SeedBin =
            pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(|_| not_a_key())?;
        let mut seed = Zeroizing::new([0; 32]);
        if seed_bytes.as_ref().len() != seed.len() {
            return Err(not_a_key());
        }
        seed.copy_from_slice(seed_bytes.as_ref());
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8));
        let signing_key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&der)
            .map_err(|error| IdentityError::Crypto(error.to_string()))?;
        let fingerprint = Fingerprint::of_public_key(&public_key);
        let directory = directory.to_path_buf();
        Ok(Self { directory, fingerprint, public_key, signing_key, seed })
    }

    /// What the peer pins.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The directory the key lies in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The public key as a SubjectPublicKeyInfo in DER.
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The private key, for TLS.
    pub(crate) fn signing_key(&self) -> Arc<dyn SigningKey> {
        self.signing_key.clone()
    }

    /// A key for one purpose, derived from the private key (HKDF-SHA-256).
    pub fn derive_key(
        &self,
        salt: &[u8],
        purpose: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, IdentityError> {
        let crypto =
            |error: aws_lc_rs::error::Unspecified| IdentityError::Crypto(error.to_string());
        let mut key = Zeroizing::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(self.seed.as_slice())
            .expand(&[b"twain identity key v1", purpose], hkdf::HKDF_SHA256)
            .map_err(crypto)?
            .fill(key.as_mut_slice())
            .map_err(crypto)?;
        Ok(key)
    }
}

/// A fresh key in PKCS#8.
fn new_key() -> Result<Pkcs8V1Der<'static>, IdentityError> {
    let crypto = |error: &dyn std::fmt::Display| IdentityError::Crypto(error.to_string());
    let pair = Ed25519KeyPair::generate().map_err(|error| crypto(&error))?;
    AsDer::<Pkcs8V1Der>::as_der(&pair).map_err(|error| crypto(&error))
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_stays() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let inner = directory.path().join("a/b");
        let first = Identity::load_or_create(&inner).expect("made");
        let again = Identity::load_or_create(&inner).expect("loaded");
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(
            *first.derive_key(b"s", b"p").expect("key"),
            *again.derive_key(b"s", b"p").expect("key")
        );
        assert_ne!(
            *first.derive_key(b"s", b"p").expect("key"),
            *first.derive_key(b"s", b"q").expect("key")
        );
        let mode = std::fs::metadata(inner.join(IDENTITY_FILE)).expect("exists").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let other = tempfile::tempdir().expect("temporary directory");
        let other = Identity::load_or_create(other.path()).expect("made");
        assert_ne!(first.fingerprint(), other.fingerprint());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().expect("temporary directory");
        Identity::load_or_create(directory.path()).expect("made");
        let path = directory.path().join(IDENTITY_FILE);
        let wide = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(&path, wide).expect("chmod");
        let error = Identity::load_or_create(directory.path()).expect_err("refused");
        assert!(matches!(error, IdentityError::TooOpen { mode: 0o640, .. }), "{error}");
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join(IDENTITY_FILE);
        for content in [&b""[..], b"not a key", &[0x30; 5000]] {
            std::fs::write(&path, content).expect("write");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
            assert!(Identity::load_or_create(directory.path()).is_err());
        }
    }

    #[test]
    fn several_processes_at_once_agree() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let made: Vec<_> = std::thread::scope(|scope| {
            let make = || Identity::load_or_create(directory.path()).map(|key| key.fingerprint());
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("joined").expect("made"))
                .collect()
        });
        assert!(made.iter().all(|fingerprint| *fingerprint == made[0]));
        assert_eq!(std::fs::read_dir(directory.path()).expect("listed").count(), 1);
    }
}
