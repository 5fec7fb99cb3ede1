//! What a session of products keeps between calls: how many keys and proofs there were, and what of
//! the statistical security is used up; and during a call the keys that were drawn for it (protocol
//! §2.1, §2.3). The moves of a proof are here as well.

use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use twain_algebra::Fr;
use twain_party::{PartyError, Role};
use twain_rlwe::proof::{
    Batch, BatchId, CHALLENGE_BYTES, COMMITMENT_BYTES, Challenged, Masked, Openings, Prover,
    Received, Verified, Weighed,
};
use twain_rlwe::{Answer, Encryption, Evaluator, Opening, PublicKey, SecretKey};

pub fn failed(error: impl std::error::Error + Send + Sync + 'static) -> PartyError {
    PartyError::Peer(Box::new(error))
}

const OUT_OF_ORDER: PartyError = PartyError::Bug("the moves of a proof are out of order");

/// SHA-256 of a purpose in a session, and who encrypts.
fn derived(label: &str, session: &[u8; 32], encryptor: Role) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(label);
    hash.update(session);
    hash.update([encryptor as u8]);
    hash
}

/// The uniform halves of an encryptor's key with this number, and of its ciphertexts, hang on this.
fn ring_session(session: &[u8; 32], encryptor: Role, number: u64) -> [u8; 32] {
    let hash = derived("twain OLE ring-LWE session", session, encryptor);
    hash.chain_update(number.to_le_bytes()).finalize().into()
}

/// The proofs of one encryptor hang on this.
fn proof_session(session: &[u8; 32], encryptor: Role) -> [u8; 32] {
    derived("twain OLE ring-LWE proofs", session, encryptor).finalize().into()
}

/// This side's keys, and its proofs.
#[derive(Default)]
struct Own {
    /// Those of this call.
    keys: Vec<SecretKey>,
    /// How many there were in the calls before.
    keys_before: u64,
    proofs: u64,
    /// Of the batch that is not proved yet, key by key.
    openings: Vec<(usize, Vec<Opening>)>,
    masked: Option<Masked>,
}

/// How far the peer has come with its batch.
enum Stage {
    Sent(Vec<Received<PublicKey, Encryption>>),
    Weighed(Weighed),
    Challenged(Challenged),
}

/// The peer's keys, and its proofs.
struct Theirs {
    /// Those of this call, and how many encryptions came under each.
    keys: Vec<(PublicKey, u64)>,
    keys_before: u64,
    proofs: u64,
    stage: Stage,
}

/// What a session uses.
pub struct Keys {
    session: [u8; 32],
    role: Role,
    own: Own,
    theirs: Theirs,
    /// Answers the peer's encryptions.
    pub evaluator: Evaluator,
}

impl Keys {
    pub fn new(session: [u8; 32], role: Role) -> Self {
        let stage = Stage::Sent(Vec::new());
        let theirs = Theirs { keys: Vec::new(), keys_before: 0, proofs: 0, stage };
        Self { session, role, own: Own::default(), theirs, evaluator: Evaluator::default() }
    }

    pub fn session(&self) -> &[u8; 32] {
        &self.session
    }

    /// Forgets the keys of the call that is over.
    pub fn end_call(&mut self) {
        self.own.keys_before += self.own.keys.len() as u64;
        self.own.keys.clear();
        self.theirs.keys_before += self.theirs.keys.len() as u64;
        self.theirs.keys.clear();
    }

    /// A new key's public half.
    pub fn make_key(&mut self, rng: &mut ChaCha20Rng) -> PublicKey {
        let number = self.own.keys_before + self.own.keys.len() as u64;
        let (key, public) =
            SecretKey::generate(ring_session(&self.session, self.role, number), rng);
        self.own.keys.push(key);
        public
    }

    pub fn take_key(&mut self, bytes: &[u8]) -> Result<(), PartyError> {
        let number = self.theirs.keys_before + self.theirs.keys.len() as u64;
        let session = ring_session(&self.session, self.role.other(), number);
        self.theirs.keys.push((PublicKey::from_bytes(session, bytes).map_err(failed)?, 0));
        Ok(())
    }

    /// The slots of an answer under this side's key with this number in the call.
    pub fn decrypt(&self, key: usize, answer: &Answer) -> Result<Vec<Fr>, PartyError> {
        Ok(self.own.keys.get(key).ok_or(OUT_OF_ORDER)?.decrypt(answer))
    }

    /// Encrypts for the next proof, under the key with this number in the call.
    pub fn encrypt(
        &mut self,
        key: usize,
        plaintexts: &[&[Fr]],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<Encryption>, PartyError> {
        let under = self.own.keys.get_mut(key).ok_or(OUT_OF_ORDER)?;
        let made = under.encrypt(plaintexts, rng).map_err(failed)?;
        let (encryptions, openings): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        match self.own.openings.last_mut() {
            Some((last, of_key)) if *last == key => of_key.extend(openings),
            _ => self.own.openings.push((key, openings)),
        }
        Ok(encryptions)
    }

    /// The commitment of this side's proof to these weights.
    pub fn commit(&mut self, weights: &[u8], rng: &mut ChaCha20Rng) -> Result<Vec<u8>, PartyError> {
        let id =
            BatchId { session: proof_session(&self.session, self.role), number: self.own.proofs };
        self.own.proofs += 1;
        let openings = std::mem::take(&mut self.own.openings);
        let mut parts = Vec::with_capacity(openings.len());
        for (key, openings) in openings {
            let key = self.own.keys.get(key).ok_or(OUT_OF_ORDER)?;
            parts.push(Openings { key, openings });
        }
        let prover = Prover::new(id, parts).map_err(failed)?;
        let (masked, commitment) = prover.commit(&fixed::<CHALLENGE_BYTES>(weights)?, rng);
        self.own.masked = Some(masked);
        Ok(commitment.to_vec())
    }

    /// The responses of this side's proof.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<Vec<u8>>, PartyError> {
        let masked = self.own.masked.take().ok_or(OUT_OF_ORDER)?;
        masked.respond(&fixed::<CHALLENGE_BYTES>(challenge)?).map_err(failed)
    }

    /// Takes the peer's next encryption under its key with this number in the call in.
    pub fn take_encryption(&mut self, key: usize, bytes: &[u8]) -> Result<(), PartyError> {
        let (public, count) = self.theirs.keys.get_mut(key).ok_or(OUT_OF_ORDER)?;
        *count += 1;
        let made = Encryption::from_bytes(*public.session(), *count, bytes).map_err(failed)?;
        let Stage::Sent(received) = &mut self.theirs.stage else { return Err(OUT_OF_ORDER) };
        match received.last_mut() {
            Some(last) if last.key.session() == public.session() => last.encryptions.push(made),
            _ => received.push(Received { key: public.clone(), encryptions: vec![made] }),
        }
        Ok(())
    }

    /// The weights of the peer's batch.
    pub fn weigh(&mut self, rng: &mut ChaCha20Rng) -> Result<Vec<u8>, PartyError> {
        let Stage::Sent(received) = self.stage() else { return Err(OUT_OF_ORDER) };
        let id = BatchId {
            session: proof_session(&self.session, self.role.other()),
            number: self.theirs.proofs,
        };
        self.theirs.proofs += 1;
        let batch = Batch::new(id, received).map_err(failed)?;
        let (weighed, weights) = batch.weigh(rng);
        self.theirs.stage = Stage::Weighed(weighed);
        Ok(weights.to_vec())
    }

    /// The challenge to the peer's commitment.
    pub fn challenge(
        &mut self,
        commitment: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, PartyError> {
        let Stage::Weighed(weighed) = self.stage() else { return Err(OUT_OF_ORDER) };
        let (challenged, challenge) =
            weighed.challenge(fixed::<COMMITMENT_BYTES>(commitment)?, rng);
        self.theirs.stage = Stage::Challenged(challenged);
        Ok(challenge.to_vec())
    }

    /// What the peer's responses prove, key by key.
    pub fn verify(&mut self, responses: &[Vec<u8>]) -> Result<Vec<Verified>, PartyError> {
        let Stage::Challenged(challenged) = self.stage() else { return Err(OUT_OF_ORDER) };
        challenged.verify(responses).map_err(failed)
    }

    /// The stage, which is over.
    fn stage(&mut self) -> Stage {
        std::mem::replace(&mut self.theirs.stage, Stage::Sent(Vec::new()))
    }
}

/// A message of a length that the channel has seen to.
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], PartyError> {
    bytes.try_into().map_err(|_| PartyError::Bug("a short message of a proof has another length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encryptor_and_every_key_has_its_own_session() {
        let of = |session: u8| {
            [Role::Model, Role::Data].into_iter().flat_map(move |role| {
                let session = [session; 32];
                let of_keys = [0, 1, 256].map(|number| ring_session(&session, role, number));
                of_keys.into_iter().chain([proof_session(&session, role)])
            })
        };
        let mut all: Vec<[u8; 32]> = of(1).chain(of(2)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 16);
    }

    /// No key outlives its call, and none comes again.
    #[test]
    fn keys_are_forgotten_after_their_call() {
        let mut rng = rand_core::SeedableRng::seed_from_u64(1);
        let mut keys = Keys::new([1; 32], Role::Model);
        let first = keys.make_key(&mut rng);
        assert!(keys.encrypt(0, &[&[Fr::from(1)]], &mut rng).is_ok());
        keys.end_call();
        assert!(keys.encrypt(0, &[&[Fr::from(1)]], &mut rng).is_err());
        let next = keys.make_key(&mut rng);
        assert_ne!(first.session(), next.session());
    }
}
