//! The second implementation of `Party`: two processes, a channel between them, additive shares.

use crate::arithmetic::{
    self, SCALAR_BYTES, decode_scalars, encode_scalars, malformed, open_scalars, products,
};
use crate::channel::{Channel, Traffic};
use crate::digits::{DigitMaskSource, Hints, InlineMaterial, PlannedMaterial};
use crate::ole::{OleSource, PooledOle};
use crate::preprocessing::Plan;
use crate::quotient;
use ff::Field;
use group::{Curve, GroupEncoding};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};
use std::ops::Range;
use twain_algebra::{Fr, G1, G1Affine};
use twain_party::{
    BlindingItem, BlindingSeeds, Factors, HintBatch, Kind, KnownPolynomial, LookupArgument,
    Multiplicities, Numerator, Opening, Operand, PartyError, ProverParty, Role, SecretPolynomial,
    Seed, Shares, WitnessParty,
};

/// Bytes of the messages of a coin toss: the commitment, and the summand with its nonce.
pub(crate) const COIN_BYTES: [usize; 2] = [32, SCALAR_BYTES + 32];

/// One side of a pair.
pub struct TwoParty<'a> {
    channel: &'a mut dyn Channel,
    source: Box<dyn OleSource>,
    hints: Hints,
    rng: ChaCha20Rng,
    role: Role,
    blinding: BlindingSeeds,
    opened: Vec<(Opening, usize)>,
}

/// What one side draws at random: `blinding` enters the proof, `protocol` (masks, factors) never shows.
pub struct PartySeeds {
    /// Seed of the blinding rows.
    pub blinding: Seed,
    /// Seed of everything else.
    pub protocol: Seed,
}

impl PartySeeds {
    /// The generator for one purpose in one session. A machine cloned with its randomness diverges
    /// with the session id, to which the peer contributes.
    pub(crate) fn generator(&self, channel: &dyn Channel, purpose: &str) -> ChaCha20Rng {
        let mut hash = Sha256::new();
        hash.update(b"twain protocol randomness");
        hash.update(channel.session_id());
        hash.update([channel.role() as u8]);
        hash.update(self.protocol.0);
        hash.update(purpose);
        ChaCha20Rng::from_seed(hash.finalize().into())
    }
}

impl<'a> TwoParty<'a> {
    /// This side of the pair at the other end of `channel`; all correlations are made when they are
    /// needed.
    pub fn inline(channel: &'a mut dyn Channel, seeds: &PartySeeds) -> Self {
        let source = Box::new(PooledOle::seeded(seeds, channel));
        let masks = Box::new(InlineMaterial::new(seeds.generator(channel, "digit masks")));
        Self::new(channel, source, masks, seeds)
    }

    /// The same for a proof of this plan: digit masks are made some calls ahead.
    pub fn planned(channel: &'a mut dyn Channel, plan: &Plan, seeds: &PartySeeds) -> Self {
        let source = Box::new(PooledOle::seeded(seeds, channel));
        let rng = seeds.generator(channel, "digit masks");
        let masks = Box::new(PlannedMaterial::new(rng, plan.demands().cloned()));
        Self::new(channel, source, masks, seeds)
    }

    /// This side of the pair, with these sources of correlations.
    pub fn new(
        channel: &'a mut dyn Channel,
        source: Box<dyn OleSource>,
        masks: Box<dyn DigitMaskSource>,
        seeds: &PartySeeds,
    ) -> Self {
        let role = channel.role();
        TwoParty {
            source,
            hints: Hints::new(masks, seeds.generator(channel, "hints")),
            rng: seeds.generator(channel, "arithmetic"),
            role,
            blinding: BlindingSeeds::Own(role, seeds.blinding.clone()),
            opened: Vec::new(),
            channel,
        }
    }

    /// What went over the link so far.
    pub fn traffic(&self) -> Traffic {
        self.channel.traffic()
    }

    /// Every opening so far, with how many values it opened: nothing else was revealed.
    pub fn audit_log(&self) -> &[(Opening, usize)] {
        &self.opened
    }

    /// A challenge neither side can choose: both commit to a summand, then open.
    fn coin(&mut self) -> Result<Fr, PartyError> {
        const PHASE: &str = "coin toss";
        let mut own = encode_scalars(&[Fr::random(&mut self.rng)]);
        let mut nonce = [0u8; COIN_BYTES[1] - SCALAR_BYTES];
        self.rng.fill_bytes(&mut nonce);
        own.extend(nonce);
        let commit = |role: Role, opening: &[u8]| {
            let mut hash = Sha256::new();
            hash.update([role as u8]);
            hash.update(opening);
            hash.finalize().to_vec()
        };
        let commitment = self.channel.exchange(PHASE, commit(self.role, &own), COIN_BYTES[0])?;
        let theirs = self.channel.exchange(PHASE, own.clone(), own.len())?;
        if commit(self.role.other(), &theirs) != commitment {
            return Err(malformed(PHASE));
        }
        let own = decode_scalars(&own[..SCALAR_BYTES], PHASE)?;
        let theirs = decode_scalars(&theirs[..SCALAR_BYTES], PHASE)?;
        Ok(own[0] + theirs[0])
    }
}

impl WitnessParty for TwoParty<'_> {
    fn adds_public(&self) -> bool {
        self.role == Role::Model
    }

    fn inner_products(
        &mut self,
        left: &[Operand],
        right: &[Operand],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        arithmetic::inner_products(self.channel, &mut *self.source, left, right, ends)
    }

    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        self.hints.hints(self.channel, &mut *self.source, batches)
    }

    fn multiplicities(
        &mut self,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        let columns = self.hints.multiplicities(self.channel, arguments, rows)?;
        // A looked-up value outside its table must not reach a commitment.
        self.check_zero(&[])?;
        Ok(columns)
    }

    fn check_zero(&mut self, values: &[Fr]) -> Result<(), PartyError> {
        let claims = self.hints.take_claims();
        let challenge = self.coin()?;
        let all = values.iter().chain(&claims).rev();
        let combination = all.fold(Fr::ZERO, |sum, v| sum * challenge + v);
        let factor = Fr::random(&mut self.rng);
        let masked = products(self.channel, &mut *self.source, &[combination], &[factor])?;
        match open_scalars(self.channel, "validity test", &masked)?[0] {
            Fr::ZERO => Ok(()),
            _ => Err(PartyError::Invalid),
        }
    }

    fn open(&mut self, what: Opening, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        self.opened.push((what, shares.len()));
        open_scalars(self.channel, "openings", shares)
    }
}

impl ProverParty for TwoParty<'_> {
    fn blinding(&self, item: BlindingItem, kind: Kind, rows: Range<usize>) -> Shares {
        self.blinding.values(item, kind, rows).into()
    }

    fn open_points(&mut self, parts: &[G1Affine]) -> Result<Vec<G1Affine>, PartyError> {
        const PHASE: &str = "commitments";
        self.opened.push((Opening::Proof, parts.len()));
        let encoded: Vec<u8> = parts.iter().flat_map(|p| p.to_bytes().as_ref().to_vec()).collect();
        let length = encoded.len();
        let theirs = self.channel.exchange(PHASE, encoded, length)?;
        let size = length.checked_div(parts.len()).unwrap_or(1);
        let sums: Vec<G1> = parts
            .iter()
            .zip(theirs.chunks_exact(size))
            .map(|(part, bytes)| {
                let mut repr = <G1Affine as GroupEncoding>::Repr::default();
                repr.as_mut().copy_from_slice(bytes);
                let theirs: Option<G1Affine> = G1Affine::from_bytes(&repr).into();
                theirs.map(|theirs| G1::from(*part) + theirs).ok_or_else(|| malformed(PHASE))
            })
            .collect::<Result<_, _>>()?;
        let mut points = vec![G1Affine::default(); sums.len()];
        G1::batch_normalize(&sums, &mut points);
        Ok(points)
    }

    fn compare(&mut self, digest: &[u8; 32]) -> Result<(), PartyError> {
        const PHASE: &str = "transcript comparison";
        if self.channel.exchange(PHASE, digest.to_vec(), 32)? != digest {
            return Err(malformed(PHASE));
        }
        Ok(())
    }

    fn to_multiplicative(&mut self, values: &[Operand]) -> Result<Factors, PartyError> {
        let (channel, source) = (&mut *self.channel, &mut *self.source);
        arithmetic::to_multiplicative(channel, source, &mut self.rng, values).map(Factors::new)
    }

    fn to_additive(&mut self, factors: Factors, kinds: &[Kind]) -> Result<Shares, PartyError> {
        arithmetic::to_additive(self.channel, &mut *self.source, &factors, kinds).map(Shares::new)
    }

    fn invert(&mut self, values: &[Operand]) -> Result<Vec<Fr>, PartyError> {
        arithmetic::invert(self.channel, &mut *self.source, &mut self.rng, values)
    }

    fn quotient(
        &mut self,
        numerator: &Numerator,
        publics: &[KnownPolynomial],
        secrets: &[SecretPolynomial],
        pieces: usize,
    ) -> Result<Vec<Shares>, PartyError> {
        let leaves = quotient::Leaves { publics, secrets };
        quotient::quotient(self.channel, &mut *self.source, numerator, leaves, pieces)
    }
}
