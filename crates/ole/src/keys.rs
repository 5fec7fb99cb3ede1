//! What a session of products keeps between calls: this side's key, the peer's, and what of the
//! statistical security is used up (protocol §2.1). The moves of a proof are here as well.

use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use twain_party::{PartyError, Role};
use twain_rlwe::proof::{
    Batch, BatchId, CHALLENGE_BYTES, COMMITMENT_BYTES, Challenged, Masked, Openings, Prover,
    Received, Verified, Weighed,
};
use twain_rlwe::{Encryption, Evaluator, Opening, ProofBudget, PublicKey, SecretKey};

pub fn failed(error: impl std::error::Error + Send + Sync + 'static) -> PartyError {
    PartyError::Peer(Box::new(error))
}

const OUT_OF_ORDER: PartyError = PartyError::Bug("the moves of a proof are out of order");

/// SHA-256 of a purpose in a session, and who encrypts.
fn derived(label: &str, session: &[u8; 32], encryptor: Role) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(label);
    hash.update(session);
    hash.update([encryptor as u8]);
    hash.finalize().into()
}

/// The uniform halves of one encryptor's key and ciphertexts hang on this.
fn ring_session(session: &[u8; 32], encryptor: Role) -> [u8; 32] {
    derived("twain OLE ring-LWE session", session, encryptor)
}

/// The proofs of one encryptor hang on this.
fn proof_session(session: &[u8; 32], encryptor: Role) -> [u8; 32] {
    derived("twain OLE ring-LWE proofs", session, encryptor)
}

/// This side's key, and its proofs.
struct Own {
    key: Option<SecretKey>,
    proofs: u64,
    budget: ProofBudget,
    /// Of the batch that is not proved yet.
    openings: Vec<Opening>,
    masked: Option<Masked>,
}

/// How far the peer has come with its batch.
enum Stage {
    Sent(Vec<Encryption>),
    Weighed(Weighed),
    Challenged(Challenged),
}

/// The peer's key, and its proofs.
struct Theirs {
    key: Option<PublicKey>,
    proofs: u64,
    /// Number of the next encryption.
    next_counter: u64,
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
        let own = Own {
            key: None,
            proofs: 0,
            budget: ProofBudget::default(),
            openings: Vec::new(),
            masked: None,
        };
        let stage = Stage::Sent(Vec::new());
        let theirs = Theirs { key: None, proofs: 0, next_counter: 1, stage };
        Self { session, role, own, theirs, evaluator: Evaluator::default() }
    }

    pub fn session(&self) -> &[u8; 32] {
        &self.session
    }

    /// By role, whose keys are not there yet.
    pub fn keyless(&self) -> [bool; 2] {
        let mut keyless = [self.own.key.is_none(); 2];
        keyless[self.role.other() as usize] = self.theirs.key.is_none();
        keyless
    }

    /// A new key's public half.
    pub fn make_key(&mut self, rng: &mut ChaCha20Rng) -> PublicKey {
        let (key, public) = SecretKey::generate(ring_session(&self.session, self.role), rng);
        self.own.key = Some(key);
        public
    }

    pub fn take_key(&mut self, bytes: &[u8]) -> Result<(), PartyError> {
        let session = ring_session(&self.session, self.role.other());
        self.theirs.key = Some(PublicKey::from_bytes(session, bytes).map_err(failed)?);
        Ok(())
    }

    /// This side's key.
    pub fn own(&self) -> Result<&SecretKey, PartyError> {
        self.own.key.as_ref().ok_or(OUT_OF_ORDER)
    }

    /// Encrypts for the next proof.
    pub fn encrypt(
        &mut self,
        plaintexts: &[&[twain_algebra::Fr]],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<Encryption>, PartyError> {
        let key = self.own.key.as_mut().ok_or(OUT_OF_ORDER)?;
        let made = key.encrypt(plaintexts, rng).map_err(failed)?;
        let (encryptions, openings): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        self.own.openings.extend(openings);
        Ok(encryptions)
    }

    /// The commitment of this side's proof to these weights.
    pub fn commit(&mut self, weights: &[u8], rng: &mut ChaCha20Rng) -> Result<Vec<u8>, PartyError> {
        let id =
            BatchId { session: proof_session(&self.session, self.role), number: self.own.proofs };
        self.own.proofs += 1;
        let key = self.own.key.as_ref().ok_or(OUT_OF_ORDER)?;
        let openings = std::mem::take(&mut self.own.openings);
        let parts = vec![Openings { key, openings }];
        let prover = Prover::new(id, parts, &mut self.own.budget).map_err(failed)?;
        let (masked, commitment) = prover.commit(&fixed::<CHALLENGE_BYTES>(weights)?, rng);
        self.own.masked = Some(masked);
        Ok(commitment.to_vec())
    }

    /// The responses of this side's proof.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<Vec<u8>>, PartyError> {
        let masked = self.own.masked.take().ok_or(OUT_OF_ORDER)?;
        Ok(masked.respond(&fixed::<CHALLENGE_BYTES>(challenge)?))
    }

    /// Takes the peer's next encryption in.
    pub fn take_encryption(&mut self, bytes: &[u8]) -> Result<(), PartyError> {
        let session = ring_session(&self.session, self.role.other());
        let counter = self.theirs.next_counter;
        self.theirs.next_counter += 1;
        let Stage::Sent(received) = &mut self.theirs.stage else { return Err(OUT_OF_ORDER) };
        received.push(Encryption::from_bytes(session, counter, bytes).map_err(failed)?);
        Ok(())
    }

    /// The weights of the peer's batch.
    pub fn weigh(&mut self, rng: &mut ChaCha20Rng) -> Result<Vec<u8>, PartyError> {
        let Stage::Sent(encryptions) = self.stage() else { return Err(OUT_OF_ORDER) };
        let id = BatchId {
            session: proof_session(&self.session, self.role.other()),
            number: self.theirs.proofs,
        };
        self.theirs.proofs += 1;
        let key = self.theirs.key.clone().ok_or(OUT_OF_ORDER)?;
        let batch = Batch::new(id, vec![Received { key, encryptions }]).map_err(failed)?;
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

    /// What the peer's responses prove.
    pub fn verify(&mut self, responses: &[Vec<u8>]) -> Result<Verified, PartyError> {
        let Stage::Challenged(challenged) = self.stage() else { return Err(OUT_OF_ORDER) };
        challenged.verify(responses).map_err(failed)?.pop().ok_or(OUT_OF_ORDER)
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
    fn every_encryptor_has_its_own_sessions() {
        let of = |session: u8| {
            [Role::Model, Role::Data].into_iter().flat_map(move |role| {
                let session = [session; 32];
                [ring_session(&session, role), proof_session(&session, role)]
            })
        };
        let mut all: Vec<[u8; 32]> = of(1).chain(of(2)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 8);
    }
}
