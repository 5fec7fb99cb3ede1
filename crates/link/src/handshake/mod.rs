//! The first frames of a session (protocol §18): both sides name what they hold and what they were
//! told to do, and whatever differs is named on both. Input: an authenticated channel and this
//! side's [`Manifest`]. Output: a [`Session`], whose identifier enters every key derivation that
//! follows.
//!
//! `session id = H(label, TLS exporter, fingerprints, nonces, manifests)`, each pair in the order
//! model, data.

mod manifest;

pub use manifest::{Difference, Item, Manifest, ManifestError};

use crate::channel::tls::TlsChannel;
use crate::channel::{Channel, ChannelError};
use crate::identity::Fingerprint;
use manifest::LONGEST_MANIFEST;
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};
use twain_party::Role;

const PHASE: &str = "handshake";
const SESSION_LABEL: &[u8] = b"twain session v1";
const NONCE_LENGTH: usize = 32;
const HELLO_LENGTH: usize = NONCE_LENGTH + 4;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The link failed.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The peer's list is none.
    #[error("the peer's list of what it holds: {0}")]
    Peer(#[from] ManifestError),
    /// The peer has found that it cannot go on.
    #[error("{role} cannot start: {reason}")]
    Refused {
        /// The peer's role.
        role: Role,
        /// Its reason.
        reason: String,
    },
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
/// Every difference is named, with what both sides have, on both sides (names that one list lacks:
/// if there is no other), [`Item::Any`] of a side without an excuse among them; or the peer's
/// refusal.
pub fn handshake(channel: &mut TlsChannel, manifest: &Manifest) -> Result<Session, HandshakeError> {
    let (exporter, own, peer) = (channel.exporter(), channel.own(), channel.peer());
    let mut nonce = [0; NONCE_LENGTH];
    OsRng.fill_bytes(&mut nonce);
    let session = agree(channel, manifest, exporter, own, peer, nonce)?;
    channel.bind(session.id);
    Ok(session)
}

/// As [`handshake`], over any channel: `exporter` is the secret both ends of the connection share,
/// `own` and `peer` are the keys its ends showed, `nonce` is fresh.
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
    if let Some(reason) = peer_manifest.refuses() {
        return Err(HandshakeError::Refused { role: role.other(), reason: reason.into() });
    }
    let in_order = |own, peer| match role {
        Role::Model => (own, peer),
        Role::Data => (peer, own),
    };
    let (model_manifest, data_manifest) = match role {
        Role::Model => (manifest, &peer_manifest),
        Role::Data => (&peer_manifest, manifest),
    };
    let differences = manifest.differences(model_manifest, data_manifest);
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
    hash.update(model_manifest.encode());
    hash.update(data_manifest.encode());
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
        let item = |(name, byte): &(&str, u8)| (name.to_string(), Item::Digest([*byte; 32]));
        Manifest::new(entries.iter().map(item)).expect("well formed")
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
        let digest = |name: &str, byte: u8| (name.to_string(), Item::Digest([byte; 32]));
        let text = |name: &str, text: &str| (name.to_string(), Item::Text(text.into()));
        let any = ("weights".to_string(), Item::Any);
        let a =
            [digest("pk", 1), digest("settings", 2), digest("vk", 3), any, text("zeal", "prove")];
        let b = [digest("pk", 1), digest("settings", 4), digest("srs", 5), digest("weights", 7)];
        let excuse = |list: Manifest| list.excuse(Role::Model, "weights");
        let a = excuse(Manifest::new(a).expect("well formed"));
        let b = b.into_iter().chain([text("zeal", "wait")]);
        let b = excuse(Manifest::new(b).expect("well formed"));
        for result in run(&a, &b, [1, 2]) {
            let error = result.expect_err("different");
            let text = error.to_string();
            let zeal = "zeal (model: prove, data: wait)";
            let settings = "settings (model: 0202020202020202…, data: 0404040404040404…)";
            assert_eq!(text, format!("the two sides differ in: {settings}; {zeal}"));
        }
        // What one list lacks is named beside other differences only by who insists on it.
        let (c, d) = (manifest(&[("pk", 1), ("own", 3)]), manifest(&[("pk", 2), ("srs", 5)]));
        let [model, data] = run(&c.insist("own"), &d, [1, 2]);
        let pk = "pk (model: 0101010101010101…, data: 0202020202020202…)";
        let text = model.expect_err("different").to_string();
        let own = "own (model: 0303030303030303…, data: none)";
        assert_eq!(text, format!("the two sides differ in: {own}; {pk}"));
        let text = data.expect_err("different").to_string();
        assert_eq!(text, format!("the two sides differ in: {pk}"));
        // What one list lacks otherwise only matters if there is nothing else.
        let (a, b) = (manifest(&[("pk", 1), ("vk", 3)]), manifest(&[("pk", 1), ("srs", 5)]));
        for result in run(&a, &b, [1, 2]) {
            let text = result.expect_err("different").to_string();
            let srs = "srs (model: none, data: 0505050505050505…)";
            let vk = "vk (model: 0303030303030303…, data: none)";
            assert_eq!(text, format!("the two sides differ in: {srs}; {vk}"));
        }
    }

    #[test]
    fn only_who_is_excused_may_say_any() {
        let of = |item: Item| Manifest::new([("weights".to_string(), item)]).expect("well formed");
        let excuse = |manifest: Manifest| manifest.excuse(Role::Data, "weights");
        let digest = Item::Digest([7; 32]);
        let cases = [
            (digest.clone(), digest.clone(), true),
            (digest.clone(), Item::Any, true),
            (Item::Any, digest.clone(), false),
            (Item::Any, Item::Any, false),
            (digest, Item::Digest([8; 32]), false),
        ];
        for (model, data, fit) in cases {
            for result in run(&excuse(of(model.clone())), &excuse(of(data.clone())), [1, 2]) {
                assert_eq!(result.is_ok(), fit, "{model:?} {data:?}");
            }
        }
        // A peer that excuses itself is not excused.
        let [model, data] = run(&of(Item::Digest([7; 32])), &excuse(of(Item::Any)), [1, 2]);
        let text = model.expect_err("nobody is excused").to_string();
        assert!(text.ends_with("weights (model: 0707070707070707…, data: any)"), "{text}");
        data.expect("by its own excuse");
    }

    #[test]
    fn a_refusal_is_told_to_the_peer() {
        let long = "input 0 has 2 elements,\n the circuit takes \u{1f980}3".repeat(9);
        let [model, data] = run(&manifest(&[("pk", 1)]), &Manifest::refusal(&long), [1, 2]);
        let text = model.expect_err("refused").to_string();
        assert!(text.starts_with("the data's side cannot start: input 0 has 2"), "{text}");
        assert!(text.is_ascii() && !text.contains('\n'), "{text}");
        assert_eq!(text.len(), "the data's side cannot start: ".len() + 200);
        assert!(matches!(data, Err(HandshakeError::Differences(_))));
        for result in run(&Manifest::refusal(""), &Manifest::refusal("x"), [1, 2]) {
            assert!(matches!(result, Err(HandshakeError::Refused { .. })));
        }
    }

    #[test]
    fn a_reflected_nonce_is_refused() {
        for result in run(&Manifest::default(), &Manifest::default(), [1, 1]) {
            assert!(matches!(result, Err(HandshakeError::Reflected)));
        }
    }

    proptest! {
        #[test]
        fn any_greeting_decodes_without_panic(hello: Vec<u8>) {
            let _ = decode_hello(&hello);
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
