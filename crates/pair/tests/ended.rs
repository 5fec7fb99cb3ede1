//! Whatever check of a session fails, this side ends with the same words, and says nothing more:
//! the peer is told neither which check it was nor what it was about.

use ff::Field;
use std::thread;
use twain_algebra::{Fr, G1Affine};
use twain_link::channel::{Channel, ChannelError, MemoryChannel, TrafficMeter, memory_pair};
use twain_link::scalars::{decode_scalars, encode_scalars};
use twain_masks::IdealMaterial;
use twain_ole::{IdealOle, ideal_pair};
use twain_pair::TwoParty;
use twain_party::{
    Accepted, Inverted, Kind, LateInverse, Operand, PartyError, PartySeeds, ProverParty, Role,
    Seed, WireTerm, WireValue, WitnessParty,
};

/// What a peer makes of a frame it sends, knowing what was sent to it before.
type Change = fn(&[u8], &mut [u8]);

/// A link whose peer changes what it sends in one step, once or always.
struct Deviant {
    inner: MemoryChannel,
    step: &'static str,
    change: Change,
    /// Frames of the step before the changed one.
    before: usize,
    sent: Vec<u8>,
    /// What was sent since the changed frame arrived.
    sent_after: Option<usize>,
}

impl Channel for Deviant {
    fn role(&self) -> Role {
        self.inner.role()
    }
    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.sent.clone_from(&frame);
        if let Some(count) = &mut self.sent_after {
            *count += 1;
        }
        self.inner.send(phase, frame)
    }
    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let mut frame = self.inner.receive(phase, length)?;
        if phase == self.step && self.sent_after.is_none() {
            if self.before == 0 {
                (self.change)(&self.sent, &mut frame);
                self.sent_after = Some(0);
            }
            self.before = self.before.saturating_sub(1);
        }
        Ok(frame)
    }
    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }
    fn meter(&self) -> &TrafficMeter {
        self.inner.meter()
    }
}

type Work = dyn Fn(&mut TwoParty) -> Result<(), PartyError> + Sync;

fn party<'a>(channel: &'a mut dyn Channel, ole: IdealOle) -> Result<TwoParty<'a>, PartyError> {
    let role = channel.role() as u8;
    let seeds = PartySeeds { blinding: Seed([role; 32]), protocol: Seed([role + 2; 32]) };
    TwoParty::new(channel, Box::new(ole), Box::new(IdealMaterial::new(1)), &seeds)
}

/// How `honest`'s side ends whose peer changes a frame of `step`, and how often it sent after that.
fn ends(
    honest: Role,
    (step, before, change): (&'static str, usize, Change),
    work: &Work,
) -> (Result<(), PartyError>, usize) {
    let (model, data) = memory_pair([7; 32]);
    let (model_ole, data_ole) = ideal_pair(1);
    let (own, mut theirs, own_ole, their_ole) = match honest {
        Role::Model => (model, data, model_ole, data_ole),
        Role::Data => (data, model, data_ole, model_ole),
    };
    thread::scope(|scope| {
        // What becomes of the peer is its own affair.
        scope.spawn(move || party(&mut theirs, their_ole).and_then(|mut party| work(&mut party)));
        let (sent, sent_after) = (Vec::new(), None);
        let mut channel = Deviant { inner: own, step, change, before, sent, sent_after };
        let result = party(&mut channel, own_ole).and_then(|mut party| work(&mut party));
        (result, channel.sent_after.unwrap_or_default())
    })
}

fn one_bit(_: &[u8], frame: &mut [u8]) {
    frame[33] ^= 1;
}

fn nothing(_: &[u8], _: &mut [u8]) {}

/// The negative of what was sent: the sum is 0.
fn opposite(sent: &[u8], frame: &mut [u8]) {
    let own = decode_scalars(sent, "test").unwrap();
    let negated: Vec<Fr> = own.into_iter().map(|share| -share).collect();
    frame.copy_from_slice(&encode_scalars(&negated));
}

fn shared(party: &TwoParty, value: u64) -> Operand {
    let share = if party.adds_public() { Fr::from(value + 5) } else { -Fr::from(5) };
    Operand { share, kind: Kind::Shared, bits: 30 }
}

fn valid(party: &mut TwoParty) -> Result<(), PartyError> {
    let zero = shared(party, 0).share;
    party.check_zero(&[zero]).map(drop)
}

fn invalid(party: &mut TwoParty) -> Result<(), PartyError> {
    let one = shared(party, 1).share;
    party.check_zero(&[one]).map(drop)
}

fn inverse(party: &mut TwoParty) -> Result<(), PartyError> {
    let value = Inverted { operand: shared(party, 3), form: None };
    let begun = party.begin_inverses(&[value], &[], &[])?;
    party.finish_inverses(begun).map(drop)
}

fn inverse_of_a_wire(party: &mut TwoParty) -> Result<(), PartyError> {
    let wire = WireValue { wire: 4, operand: shared(party, 3) };
    let share = party.claim(&[wire])?[0];
    let operand = Operand { share, ..wire.operand };
    let form = WireTerm { wire: 4, kind: Kind::Shared, factor: Fr::ONE }.into();
    let begun = party.begin_inverses(&[Inverted { operand, form: Some(form) }], &[], &[])?;
    party.finish_inverses(begun).map(drop)
}

fn points(party: &mut TwoParty) -> Result<(), PartyError> {
    let begun = party.begin_points([1; 32], vec![G1Affine::generator()])?;
    party.finish_points(begun).map(drop)
}

fn evaluations(party: &mut TwoParty) -> Result<(), PartyError> {
    party.open_evaluations(Accepted::by_test(), [1; 32], &[Fr::ONE]).map(drop)
}

fn first_bit(_: &[u8], frame: &mut [u8]) {
    frame[0] ^= 1;
}

#[test]
fn every_check_ends_with_the_same_words_and_nothing_is_sent() {
    let checks: [(&str, usize, Change, &Work); 8] = [
        ("validity test", 0, nothing, &invalid),
        ("validity test", 0, first_bit, &valid),
        // The commitment, the summand's nonce.
        ("coin toss", 0, first_bit, &valid),
        ("coin toss", 1, one_bit, &valid),
        ("inverses", 0, opposite, &inverse),
        ("inverses", 0, opposite, &inverse_of_a_wire),
        ("commitments", 0, first_bit, &points),
        ("evaluations", 0, first_bit, &evaluations),
    ];
    for honest in [Role::Model, Role::Data] {
        for (step, before, change, work) in checks {
            let (result, sent) = ends(honest, (step, before, change), work);
            let error = result.expect_err(step);
            assert!(matches!(error, PartyError::Ended), "{step}: {error}");
            assert_eq!(error.to_string(), PartyError::Ended.to_string());
            // The summand is due whatever was committed to.
            let due = usize::from((step, before) == ("coin toss", 0));
            assert_eq!(sent, due, "{step}, number {before}");
        }
        for work in [valid, inverse, inverse_of_a_wire, points, evaluations] {
            let (result, _) = ends(honest, ("", 0, nothing), &work);
            result.expect("nothing is wrong");
        }
    }
}

/// A product of an inverse that a peer makes 0 goes on like any other, and is found by the validity
/// test: when the session ends says nothing of which inverse it was.
#[test]
fn an_inverse_of_zero_goes_on_to_the_validity_test() {
    let late = |party: &mut TwoParty| {
        let wanted = [3, 4].map(|value| LateInverse {
            value: WireValue { wire: value as u32, operand: shared(party, value) },
            nonzero: None,
            inverse: 10 + value as u32,
        });
        assert_eq!(party.late_inverses(&wanted)?.len(), 2);
        valid(party)
    };
    for honest in [Role::Model, Role::Data] {
        let (result, sent) = ends(honest, ("inverses", 0, opposite), &late);
        assert!(matches!(result, Err(PartyError::Ended)));
        assert_eq!(sent, 3, "the claims, the summand, and the product of the validity test");
        ends(honest, ("", 0, nothing), &late).0.expect("nothing is wrong");
    }
}
