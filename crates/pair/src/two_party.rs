//! The second implementation of `Party`: two processes, a channel between them, additive shares.

use crate::acceptance::{Acceptance, ArgumentShape};
use crate::arithmetic::{self, open_scalars, products, products_of_shared};
use crate::coin::Coins;
use crate::factors::{Conversion, to_additive};
use crate::hints::Hints;
use crate::inverses::Inversion;
use crate::points::{decode_points, encode_points};
use crate::preprocessing::{Plan, stored};
use crate::quotient::Begun;
use crate::statement::{LateInverses, TaggedMasks};
use crate::wires::{InlineMaskProducts, MaskProducts, MaskSeed, Wires};
use ff::Field;
use group::Curve;
use rand_chacha::ChaCha20Rng;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;
use twain_algebra::{Fr, G1, G1Affine};
use twain_link::channel::{Channel, Overlap, Traffic};
use twain_link::scalars::{decode_scalars, encode_scalars};
use twain_masks::{DigitMaskSource, InlineMaterial, PlannedMaterial};
use twain_ole::{BgvOle, OleSource, PooledOle};
use twain_party::{
    Accepted, Argument, BlindingItem, BlindingSeeds, Factors, HintBatch, Inverted, Kind,
    LateInverse, LookupArgument, Multiplicities, Numerator, Opening, Operand, PartyError,
    PartySeeds, ProverParty, QuotientOperands, QuotientPart, Role, Shares, Statement,
    StatementShape, Tested, Watched, WireValue, WitnessParty,
};
use twain_tags::{RingTags, TagSource};

/// Bytes of a digest of the transcript, before what is opened under it.
const DIGEST_BYTES: usize = 32;

/// One side of a pair.
pub struct TwoParty<'a> {
    channel: Overlap<&'a mut dyn Channel>,
    source: Box<dyn OleSource>,
    hints: Hints,
    wires: Wires,
    /// What the tests take, if there are any.
    tests: Tests,
    coins: Coins,
    rng: ChaCha20Rng,
    role: Role,
    blinding: BlindingSeeds,
    opened: Vec<(Opening, usize)>,
    watched: Watched,
    /// The peer is an echo, and what is computed has no meaning.
    rehearses: bool,
}

/// The tests of what the peer does, in their order.
enum Tests {
    /// The peer is trusted to follow the protocol.
    None,
    /// That the witness satisfies the circuit.
    OfWitness(Box<TaggedMasks>),
    /// That the witness satisfies what is said of its late inverses, once they are made.
    OfInverses(Box<LateInverses>),
    /// That the proof is about such a witness.
    OfArgument(Box<Acceptance>),
    /// All are over.
    Passed,
}

impl<'a> TwoParty<'a> {
    /// This side of the pair at the other end of `channel`; all correlations are made when they are
    /// needed, of masks and factors too late to be tested against a peer that cheats.
    ///
    /// # Errors
    /// As [`TwoParty::new`].
    pub fn inline(channel: &'a mut dyn Channel, seeds: &PartySeeds) -> Result<Self, PartyError> {
        let source = Box::new(PooledOle::seeded(seeds, channel));
        let masks = Box::new(InlineMaterial::new(seeds.generator(
            channel.session_id(),
            channel.role(),
            "digit masks",
        )));
        Self::new(channel, source, masks, seeds)
    }

    /// The same for a proof of this plan: digit masks and random products are made some calls
    /// ahead.
    ///
    /// # Errors
    /// As [`TwoParty::new`].
    pub fn planned(
        channel: &'a mut dyn Channel,
        plan: &Plan,
        seeds: &PartySeeds,
    ) -> Result<Self, PartyError> {
        let source = PooledOle::seeded(seeds, channel).planned(plan.products_of_calls().iter());
        let source = Box::new(source);
        let rng = seeds.generator(channel.session_id(), channel.role(), "digit masks");
        let masks = Box::new(PlannedMaterial::new(rng, plan.demands().cloned()));
        let seed = mask_seed(channel, seeds);
        let products = InlineMaskProducts::planned(seed, plan.mask_pairs().cloned());
        Ok(Self::new(channel, source, masks, seeds)?.with_mask_products(Box::new(products)))
    }

    /// The same with all correlations from the bundle `id`.
    ///
    /// # Errors
    /// The bundle cannot be read, or the link failed.
    pub fn from_bundle(
        channel: &'a mut dyn Channel,
        id: [u8; 32],
        bundle: impl Read + Send + 'static,
        seeds: &PartySeeds,
    ) -> Result<Self, PartyError> {
        let (source, masks, products) = stored(id, bundle)?;
        let party = Self::new(channel, Box::new(source), Box::new(masks), seeds)?;
        Ok(party.with_mask_products(Box::new(products)))
    }

    /// This side of the pair, with these sources of correlations; products of masks of wires are
    /// made from the first when they are needed. One message each way: both commit to
    /// the first of their coins.
    ///
    /// # Errors
    /// The link failed.
    pub fn new(
        channel: &'a mut dyn Channel,
        source: Box<dyn OleSource>,
        masks: Box<dyn DigitMaskSource>,
        seeds: &PartySeeds,
    ) -> Result<Self, PartyError> {
        let (session, role) = (channel.session_id(), channel.role());
        let generator = |purpose| seeds.generator(session, role, purpose);
        let products = InlineMaskProducts::new(mask_seed(channel, seeds));
        let mut rng = generator("arithmetic");
        Ok(TwoParty {
            source,
            wires: Wires::new(Box::new(products)),
            tests: Tests::None,
            hints: Hints::new(masks, generator("hints")),
            coins: Coins::commit(channel, &mut rng)?,
            rng,
            role,
            blinding: BlindingSeeds::Own(role, seeds.blinding.clone()),
            opened: Vec::new(),
            channel: Overlap::new(channel),
            watched: Watched::default(),
            rehearses: false,
        })
    }

    /// The same over a link that sends back what it is sent, to find out what it is asked to do.
    pub(crate) fn rehearsing(mut self) -> Self {
        self.hints.rehearse();
        Self { rehearses: true, ..self }
    }

    /// The same with masks of wires, and products of them, from this source.
    pub fn with_mask_products(self, products: Box<dyn MaskProducts>) -> Self {
        Self { wires: Wires::new(products), ..self }
    }

    /// The same, tested whatever the peer does: the witness by a circuit's statement (protocol
    /// §25), and the argument before anything of its quotient is shown (§26). Tags the masks of
    /// wires, which must not have been used yet. Both sides do.
    ///
    /// # Errors
    /// The link failed, or [`PartyError::Ended`].
    pub fn testing(
        self,
        shape: Arc<StatementShape>,
        argument: ArgumentShape,
        seeds: &PartySeeds,
    ) -> Result<Self, PartyError> {
        let session = self.channel.session_id();
        let generator = |purpose| seeds.generator(session, self.role, purpose);
        let source = Box::new(RingTags::new(generator("tags of masks")));
        // Under a key that serves for nothing else, and is gone after it.
        let mut ole = BgvOle::new(generator("products of tagged masks"));
        self.testing_from((source, &mut ole), shape, argument, seeds)
    }

    /// The same with tags, and products of what is tagged, from these sources.
    ///
    /// # Errors
    /// As [`TwoParty::testing`].
    pub fn testing_from(
        mut self,
        sources: (Box<dyn TagSource>, &mut dyn OleSource),
        shape: Arc<StatementShape>,
        argument: ArgumentShape,
        seeds: &PartySeeds,
    ) -> Result<Self, PartyError> {
        let rng = seeds.generator(self.channel.session_id(), self.role, "witness test");
        let mask = |wire| self.wires.mask_to_tag(wire);
        let shapes = (shape, argument);
        let tagged = TaggedMasks::prepare(&mut self.channel, sources, shapes, &mask, rng)?;
        self.tests = Tests::OfWitness(Box::new(tagged));
        Ok(self)
    }

    /// The same, watched.
    pub fn watched_by(self, watched: Watched) -> Self {
        Self { watched, ..self }
    }

    /// What went over the link so far.
    pub fn traffic(&self) -> Traffic {
        self.channel.traffic()
    }

    /// Every opening so far, with how many values it opened: nothing else was revealed.
    pub fn audit_log(&self) -> &[(Opening, usize)] {
        &self.opened
    }

    /// Opens values; zeros in a rehearsal: that is what the validity test wants, and in the range
    /// of whatever is computed with public values.
    fn sums(&mut self, phase: &'static str, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        let mut sums = open_scalars(&mut self.channel, phase, shares)?;
        if self.rehearses {
            sums.fill(Fr::ZERO);
        }
        Ok(sums)
    }
}

/// What the masks of this side's wires follow from.
fn mask_seed(channel: &dyn Channel, seeds: &PartySeeds) -> MaskSeed {
    let (session, role) = (channel.session_id(), channel.role());
    MaskSeed::draw(&mut seeds.generator(session, role, "masks of wires"))
}

impl WitnessParty for TwoParty<'_> {
    fn watched(&self) -> Watched {
        self.watched.clone()
    }

    fn adds_public(&self) -> bool {
        self.role == Role::Model
    }

    fn claim(&mut self, wires: &[WireValue]) -> Result<Shares, PartyError> {
        self.wires.claim(&mut self.channel, wires)
    }

    fn inner_products(
        &mut self,
        left: &[WireValue],
        right: &[WireValue],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        let (channel, source) = (&mut self.channel, &mut *self.source);
        self.wires.inner_products(channel, source, left, right, ends)
    }

    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        self.hints.hints(&mut self.channel, batches)
    }

    fn prepare_lookups(&mut self, arguments: &[LookupArgument]) -> Result<(), PartyError> {
        self.hints.prepare_lookups(&mut self.channel, arguments)
    }

    fn multiplicities(
        &mut self,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        self.hints.multiplicities(self.role, arguments, rows)
    }

    fn tests_statements(&self) -> bool {
        matches!(self.tests, Tests::OfWitness(_))
    }

    fn test_statement(&mut self, statement: &dyn Statement) -> Result<(), PartyError> {
        let Tests::OfWitness(tagged) = std::mem::replace(&mut self.tests, Tests::Passed) else {
            return Err(PartyError::Bug("a statement is tested twice, or never"));
        };
        let late = tagged.test(&mut self.channel, &mut self.wires, statement)?;
        self.tests = match late.are_none() {
            true => Tests::OfArgument(Box::new(late.acceptance())),
            false => Tests::OfInverses(Box::new(late)),
        };
        Ok(())
    }

    fn late_inverses(&mut self, wanted: &[LateInverse<WireValue>]) -> Result<Shares, PartyError> {
        let (channel, source) = (&mut self.channel, &mut *self.source);
        match std::mem::replace(&mut self.tests, Tests::Passed) {
            Tests::None => {
                self.tests = Tests::None;
                let shares = self.hints.inverses(channel, source, wanted)?;
                let claims = wanted.iter().zip(shares.iter()).map(|(late, share)| WireValue {
                    wire: late.inverse,
                    operand: Operand { share: *share, kind: Kind::Shared, bits: 254 },
                });
                self.wires.claim(channel, &claims.collect::<Vec<_>>())
            }
            Tests::OfInverses(late) => {
                // A plan is the same with tests and without.
                source.skip(&vec![products_of_shared(wanted.len())].into())?;
                let (shares, acceptance) = late.make(channel, &mut self.wires, wanted)?;
                self.tests = Tests::OfArgument(Box::new(acceptance));
                Ok(shares)
            }
            _ => Err(PartyError::Bug("late inverses are made out of their turn")),
        }
    }

    fn check_zero(&mut self, values: &[Fr]) -> Result<Tested, PartyError> {
        self.wires.make_products(&mut self.channel, &mut *self.source)?;
        let claims = self.hints.take_claims();
        match self.tests {
            Tests::None => {}
            // The statement says all that is to hold of what stands in cells. What is opened here
            // has no tag: a peer that has made an error in it, times a hidden value, could open it
            // to 0 whatever it is, and see by this side's part whether it was.
            Tests::OfArgument(_) => {
                self.source.skip(&vec![products_of_shared(1)].into())?;
                return Ok(Tested::by_test());
            }
            _ => return Err(PartyError::Bug("the statement is tested before the validity test")),
        }
        let challenge = self.coins.toss(&mut self.channel, &mut self.rng, self.rehearses)?;
        let all = values.iter().chain(&claims).rev();
        let combination = all.fold(Fr::ZERO, |sum, v| sum * challenge + v);
        let factor = Fr::random(&mut self.rng);
        let masked = products(&mut self.channel, &mut *self.source, &[combination], &[factor])?;
        match self.sums("validity test", &masked)?[0] {
            Fr::ZERO => Ok(Tested::by_test()),
            _ => Err(PartyError::Ended),
        }
    }

    fn open_instances(&mut self, _: Tested, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        self.opened.push((Opening::Instances, shares.len()));
        self.sums("openings", shares)
    }
}

/// This party's parts of points of the proof, on their way to the peer.
pub struct SentPoints {
    digest: [u8; DIGEST_BYTES],
    parts: Vec<G1Affine>,
}

const COMMITMENTS: &str = "commitments";

/// What follows the digest in a frame, if the peer's transcript is in step.
fn in_step<'f>(own: &[u8; DIGEST_BYTES], frame: &'f [u8]) -> Result<&'f [u8], PartyError> {
    match frame.split_first_chunk() {
        Some((theirs, rest)) if theirs == own => Ok(rest),
        _ => Err(PartyError::Ended),
    }
}

impl ProverParty for TwoParty<'_> {
    type Points = SentPoints;
    type Conversion = Conversion;
    type Inversion = Inversion;
    type Quotient<'q> = Begun<'q>;

    fn rehearses(&self) -> bool {
        self.rehearses
    }

    fn blinding(&self, item: BlindingItem, kind: Kind, rows: Range<usize>) -> Shares {
        self.blinding.values(item, kind, rows).into()
    }

    fn begin_points(
        &mut self,
        digest: [u8; DIGEST_BYTES],
        parts: Vec<G1Affine>,
    ) -> Result<SentPoints, PartyError> {
        self.opened.push((Opening::Proof, parts.len()));
        let frame = [&digest[..], &encode_points(&parts)].concat();
        let length = frame.len();
        self.channel.send(COMMITMENTS, frame)?;
        self.channel.expect(COMMITMENTS, length);
        Ok(SentPoints { digest, parts })
    }

    fn finish_points(
        &mut self,
        SentPoints { digest, parts }: SentPoints,
    ) -> Result<Vec<G1Affine>, PartyError> {
        let frame = self.channel.take()?;
        let theirs = decode_points(in_step(&digest, &frame)?, COMMITMENTS)?;
        let sums = parts.iter().zip(theirs).map(|(part, theirs)| G1::from(*part) + theirs);
        let sums: Vec<G1> = sums.collect();
        let mut points = vec![G1Affine::default(); sums.len()];
        G1::batch_normalize(&sums, &mut points);
        Ok(points)
    }

    fn open_quotient(
        &mut self,
        digest: [u8; DIGEST_BYTES],
        part: QuotientPart,
        argument: &dyn Argument,
    ) -> Result<(Vec<G1Affine>, Accepted), PartyError> {
        let points = match std::mem::replace(&mut self.tests, Tests::Passed) {
            Tests::None => {
                self.tests = Tests::None;
                let points = self.begin_points(digest, part.commitments)?;
                self.finish_points(points)?
            }
            Tests::OfArgument(test) => {
                self.opened.push((Opening::Proof, part.commitments.len()));
                let (channel, rng) = (&mut self.channel, &mut self.rng);
                test.open_quotient((channel, rng), digest, &part, argument)?
            }
            _ => return Err(PartyError::Bug("a quotient is tested out of its turn")),
        };
        Ok((points, Accepted::by_test()))
    }

    fn open_evaluations(
        &mut self,
        _: Accepted,
        digest: [u8; DIGEST_BYTES],
        parts: &[Fr],
    ) -> Result<Vec<Fr>, PartyError> {
        const PHASE: &str = "evaluations";
        self.opened.push((Opening::Proof, parts.len()));
        let frame = [&digest[..], &encode_scalars(parts)].concat();
        let length = frame.len();
        let theirs = self.channel.exchange(PHASE, frame, length)?;
        let theirs = decode_scalars(in_step(&digest, &theirs)?, PHASE)?;
        Ok(parts.iter().zip(theirs).map(|(own, theirs)| own + theirs).collect())
    }

    fn products_of_shares(
        &mut self,
        left: &[Operand],
        right: &[Operand],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        arithmetic::inner_products(&mut self.channel, &mut *self.source, left, right, ends)
    }

    fn prepare_factors(&mut self, values: &[WireValue]) -> Result<Conversion, PartyError> {
        Conversion::prepare(&mut self.channel, &mut *self.source, &mut self.wires, values)
    }

    fn begin_factors(
        &mut self,
        conversion: Conversion,
        shifts: &[Fr],
    ) -> Result<Conversion, PartyError> {
        conversion.begin(&mut self.channel, shifts)
    }

    fn finish_factors(&mut self, conversion: Conversion) -> Result<Factors, PartyError> {
        conversion.finish(&mut self.channel)
    }

    fn to_additive(&mut self, factors: Factors, kinds: &[Kind]) -> Result<Shares, PartyError> {
        to_additive(&mut self.channel, &mut *self.source, &factors, kinds)
    }

    fn begin_inverses(
        &mut self,
        values: &[Inverted],
        multiples: &[u32],
        factors: &[Operand],
    ) -> Result<Inversion, PartyError> {
        // Who chooses its operand of such a product after the challenges sees by the product
        // whether a guess at a hidden value is right.
        let is_made_late =
            |value: &Inverted| value.operand.kind == Kind::Shared && value.form.is_none();
        if !matches!(self.tests, Tests::None) && values.iter().any(is_made_late) {
            let text = "a looked-up value of three or more secrets of both sides cannot be tested \
                        against a peer that cheats yet: --trust-peer on both sides proves it";
            return Err(PartyError::Unsupported(text.into()));
        }
        let (source, wires) = (&mut *self.source, &mut self.wires);
        let multiples = (multiples, factors);
        Inversion::begin(&mut self.channel, (source, wires), &mut self.rng, values, multiples)
    }

    fn finish_inverses(&mut self, inversion: Inversion) -> Result<Shares, PartyError> {
        inversion.finish(&mut self.channel)
    }

    fn begin_quotient<'q>(
        &mut self,
        numerator: &Numerator,
        operands: QuotientOperands<'q>,
    ) -> Result<Begun<'q>, PartyError> {
        let (channel, source) = (&mut self.channel, &mut *self.source);
        Begun::begin(channel, (source, &mut self.wires), numerator, operands, self.rehearses)
    }

    fn finish_quotient(
        &mut self,
        begun: Begun<'_>,
        numerator: &Numerator,
    ) -> Result<Vec<Shares>, PartyError> {
        begun.finish(&mut self.channel, (&mut *self.source, &mut self.wires), numerator)
    }
}
