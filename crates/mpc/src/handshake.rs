//! The first frames of a session (protocol §8): both sides name what they hold, by digests, and
//! whatever differs is named on both. Input: an authenticated channel and this side's [`Manifest`].
//! Output: a [`Session`], whose identifier enters every key derivation that follows.
//!
//! `session id = H(label, TLS exporter, fingerprints, nonces, digests)`, each pair in the order
//! model, data.

use crate::channel::tls::TlsChannel;
use crate::channel::{Channel, ChannelError};
use crate::identity::Fingerprint;
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};
use std::fmt;
use twain_party::Role;

const PHASE: &str = "handshake";
const SESSION_LABEL: &[u8] = b"twain session v1";
const NONCE_LENGTH: usize = 32;
const HELLO_LENGTH: usize = NONCE_LENGTH + 4;
const LONGEST_NAME: usize = 64;
const MOST_DIGESTS: usize = 64;
const LONGEST_MANIFEST: usize = MOST_DIGESTS * (1 + LONGEST_NAME + 32);

/// What a side holds of what both must hold: named digests (settings, redacted circuit, proving key,
/// verifying key, SRS, plan), sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    digests: Vec<(String, [u8; 32])>,
}

/// A list of digests that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Too many entries.
    #[error("more than {MOST_DIGESTS} digests")]
    TooMany,
    /// A name that cannot be shown.
    #[error("a digest's name must have 1 to {LONGEST_NAME} printable ASCII characters")]
    Name,
    /// Two entries with one name, or names out of order.
    #[error("the digests' names are not distinct and sorted")]
    Order,
    /// Not the encoding of a list of digests.
    #[error("the list of digests is malformed")]
    Malformed,
}

impl Manifest {
    /// A list of named digests.
    pub fn new(
        digests: impl IntoIterator<Item = (String, [u8; 32])>,
    ) -> Result<Self, ManifestError> {
        let mut digests: Vec<_> = digests.into_iter().collect();
        digests.sort();
        let manifest = Self { digests };
        manifest.check()?;
        Ok(manifest)
    }

    /// The digests, sorted by name.
    pub fn digests(&self) -> &[(String, [u8; 32])] {
        &self.digests
    }

    fn check(&self) -> Result<(), ManifestError> {
        if self.digests.len() > MOST_DIGESTS {
            return Err(ManifestError::TooMany);
        }
        let printable =
            |name: &str| name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        for (name, _) in &self.digests {
            if name.is_empty() || name.len() > LONGEST_NAME || !printable(name) {
                return Err(ManifestError::Name);
            }
        }
        let sorted = self.digests.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b));
        if sorted { Ok(()) } else { Err(ManifestError::Order) }
    }

    /// For every digest: length of the name, name, digest.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, digest) in &self.digests {
            bytes.push(name.len() as u8); // at most LONGEST_NAME
            bytes.extend(name.as_bytes());
            bytes.extend(digest);
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Result<Self, ManifestError> {
        let mut digests = Vec::new();
        while let Some((length, rest)) = bytes.split_first() {
            let (name, rest) =
                rest.split_at_checked(usize::from(*length)).ok_or(ManifestError::Malformed)?;
            let (digest, rest) = rest.split_first_chunk().ok_or(ManifestError::Malformed)?;
            let name = std::str::from_utf8(name).map_err(|_| ManifestError::Name)?;
            digests.push((name.to_string(), *digest));
            bytes = rest;
        }
        let manifest = Self { digests };
        manifest.check()?;
        Ok(manifest)
    }

    /// What differs between the model's list and the data's.
    fn differences(model: &Self, data: &Self) -> Vec<Difference> {
        let find = |manifest: &Self, name: &str| {
            manifest.digests.iter().find(|(other, _)| other == name).map(|(_, digest)| *digest)
        };
        let mut names: Vec<&String> =
            model.digests.iter().chain(&data.digests).map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        names
            .into_iter()
            .map(|name| Difference {
                name: name.clone(),
                model: find(model, name),
                data: find(data, name),
            })
            .filter(|difference| difference.model != difference.data)
            .collect()
    }
}

/// Something the two sides hold differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub name: String,
    /// The model's side's digest, if it has one.
    pub model: Option<[u8; 32]>,
    /// The data's side's digest, if it has one.
    pub data: Option<[u8; 32]>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |digest: Option<[u8; 32]>| digest.map_or("none".to_string(), hex::encode);
        write!(f, "{} (model: {}, data: {})", self.name, text(self.model), text(self.data))
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The link failed.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The peer's list of digests is none.
    #[error("the peer's list of what it holds: {0}")]
    Peer(#[from] ManifestError),
    /// The sides hold different things.
    #[error("the two sides differ in: {}", list(.0))]
    Differences(Vec<Difference>),
    /// The peer repeats this side's random number.
    #[error("the peer sent this side's own nonce back")]
    Reflected,
}

fn list(differences: &[Difference]) -> String {
    differences.iter().map(Difference::to_string).collect::<Vec<_>>().join("; ")
}

/// What the two sides have agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Enters every key derivation.
    pub id: [u8; 32],
    /// This side.
    pub role: Role,
    /// The key of the model's side.
    pub model: Fingerprint,
    /// The key of the data's side.
    pub data: Fingerprint,
}

impl Session {
    /// The other side's key.
    pub fn peer(&self) -> Fingerprint {
        match self.role {
            Role::Model => self.data,
            Role::Data => self.model,
        }
    }
}

/// Compares what the two sides hold, and binds the channel to the session.
///
/// # Errors
/// Every difference is named, with both digests, on both sides.
pub fn handshake(channel: &mut TlsChannel, manifest: &Manifest) -> Result<Session, HandshakeError> {
    let (exporter, own, peer) = (channel.exporter(), channel.own(), channel.peer());
    let mut nonce = [0; NONCE_LENGTH];
    OsRng.fill_bytes(&mut nonce);
    let session = agree(channel, manifest, exporter, own, peer, nonce)?;
    channel.bind(session.id);
    Ok(session)
}

/// As [`handshake`], over any channel: `exporter` is the secret both ends of the connection share, `own`
/// and `peer` are the keys its ends showed, `nonce` is fresh.
///
/// # Errors
/// As [`handshake`].
pub fn agree(
    channel: &mut dyn Channel,
    manifest: &Manifest,
    exporter: [u8; 32],
    own: Fingerprint,
    peer: Fingerprint,
    nonce: [u8; NONCE_LENGTH],
) -> Result<Session, HandshakeError> {
    let encoded = manifest.encode();
    let mut hello = nonce.to_vec();
    hello.extend((encoded.len() as u32).to_le_bytes()); // at most LONGEST_MANIFEST
    channel.send(PHASE, hello)?;
    channel.send(PHASE, encoded)?;
    let hello = channel.receive(PHASE, HELLO_LENGTH)?;
    let (peer_nonce, length) = decode_hello(&hello)?;
    let peer_manifest = Manifest::decode(&channel.receive(PHASE, length)?)?;
    if peer_nonce == nonce {
        return Err(HandshakeError::Reflected);
    }

    let role = channel.role();
    let in_order = |own, peer| match role {
        Role::Model => (own, peer),
        Role::Data => (peer, own),
    };
    let (model_manifest, data_manifest) = match role {
        Role::Model => (manifest, &peer_manifest),
        Role::Data => (&peer_manifest, manifest),
    };
    let differences = Manifest::differences(model_manifest, data_manifest);
    if !differences.is_empty() {
        return Err(HandshakeError::Differences(differences));
    }
    let (model, data) = in_order(own.0, peer.0);
    let (model_nonce, data_nonce) = in_order(nonce, peer_nonce);
    let mut hash = Sha256::new();
    hash.update(SESSION_LABEL);
    for part in [exporter, model, data, model_nonce, data_nonce] {
        hash.update(part);
    }
    hash.update(manifest.encode());
    let id = hash.finalize().into();
    Ok(Session { id, role, model: Fingerprint(model), data: Fingerprint(data) })
}

/// The peer's nonce and the length of its list.
fn decode_hello(hello: &[u8]) -> Result<([u8; NONCE_LENGTH], usize), ManifestError> {
    let (nonce, length) = hello.split_first_chunk().ok_or(ManifestError::Malformed)?;
    let length = length.try_into().map_err(|_| ManifestError::Malformed)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST_MANIFEST {
        return Err(ManifestError::TooMany);
    }
    Ok((*nonce, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::memory_pair;
    use proptest::prelude::*;

    const M: Fingerprint = Fingerprint([b'm'; 32]);
    const D: Fingerprint = Fingerprint([b'd'; 32]);

    fn manifest(entries: &[(&str, u8)]) -> Manifest {
        Manifest::new(entries.iter().map(|(name, byte)| (name.to_string(), [*byte; 32])))
            .expect("well formed")
    }

    fn run(
        model: &Manifest,
        data: &Manifest,
        nonces: [u8; 2],
    ) -> [Result<Session, HandshakeError>; 2] {
        let (mut at_model, mut at_data) = memory_pair([0; 32]);
        std::thread::scope(|scope| {
            let other =
                scope.spawn(move || agree(&mut at_data, data, [7; 32], D, M, [nonces[1]; 32]));
            let this = agree(&mut at_model, model, [7; 32], M, D, [nonces[0]; 32]);
            [this, other.join().expect("joined")]
        })
    }

    #[test]
    fn both_sides_get_the_same_session() {
        let (a, b) = (manifest(&[("vk", 1), ("pk", 2)]), manifest(&[("pk", 2), ("vk", 1)]));
        let [model, data] = run(&a, &b, [1, 2]).map(|session| session.expect("agreed"));
        assert_eq!(model.id, data.id);
        assert_eq!((model.role, data.role), (Role::Model, Role::Data));
        assert_eq!((model.peer(), data.peer()), (D, M));
        // Everything enters the identifier.
        let mut ids = vec![model.id];
        for nonces in [[3, 2], [1, 3], [2, 1]] {
            ids.push(run(&a, &b, nonces)[0].as_ref().expect("agreed").id);
        }
        let c = manifest(&[("pk", 2), ("vk", 3)]);
        ids.push(run(&c, &c, [1, 2])[0].as_ref().expect("agreed").id);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 5);
    }

    #[test]
    fn every_difference_is_named_on_both_sides() {
        let a = manifest(&[("pk", 1), ("settings", 2), ("vk", 3)]);
        let b = manifest(&[("pk", 1), ("settings", 4), ("srs", 5)]);
        for result in run(&a, &b, [1, 2]) {
            let error = result.expect_err("different");
            let text = error.to_string();
            for part in ["settings", &"02".repeat(32), &"04".repeat(32), "srs", "vk", "none"] {
                assert!(text.contains(part), "{text}");
            }
            assert!(!text.contains("pk"), "{text}");
        }
    }

    #[test]
    fn a_reflected_nonce_is_refused() {
        for result in run(&Manifest::default(), &Manifest::default(), [1, 1]) {
            assert!(matches!(result, Err(HandshakeError::Reflected)));
        }
    }

    #[test]
    fn lists_that_cannot_be_compared_are_refused() {
        let entry = |name: String| (name, [0; 32]);
        let of = |names: Vec<String>| Manifest::new(names.into_iter().map(entry));
        assert_eq!(of(vec![String::new()]), Err(ManifestError::Name));
        assert_eq!(of(vec!["a\n".into()]), Err(ManifestError::Name));
        assert_eq!(of(vec!["a".repeat(65)]), Err(ManifestError::Name));
        assert_eq!(of(vec!["a".into(), "a".into()]), Err(ManifestError::Order));
        assert_eq!(of((0..65).map(|i| i.to_string()).collect()), Err(ManifestError::TooMany));
        let most = of((0..64).map(|i| format!("{i:064}")).collect()).expect("fits");
        assert_eq!(most.encode().len(), LONGEST_MANIFEST);
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(hello: Vec<u8>, list: Vec<u8>) {
            let _ = decode_hello(&hello);
            if let Ok(manifest) = Manifest::decode(&list) {
                prop_assert_eq!(manifest.encode(), list);
            }
        }

        #[test]
        fn lists_round_trip(entries in proptest::collection::btree_map("[ -~]{1,64}", any::<[u8; 32]>(), 0..8)) {
            let manifest = Manifest::new(entries).expect("well formed");
            prop_assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }

        #[test]
        fn any_peer_ends_in_an_error(hello: Vec<u8>, list: Vec<u8>) {
            let (mut model, mut data) = memory_pair([0; 32]);
            data.send(PHASE, hello).expect("queued");
            data.send(PHASE, list).expect("queued");
            prop_assert!(agree(&mut model, &Manifest::default(), [0; 32], M, D, [1; 32]).is_err());
        }
    }
}
