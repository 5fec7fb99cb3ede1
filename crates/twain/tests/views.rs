//! Whole sessions of the prover: what a side receives is as it is whichever of two secrets the
//! other side holds, if the output is the same. As in `crates/pair/tests/views.rs`: sessions of
//! fresh randomness for either secret, every frame received, the sums of what both sides send at
//! once, two-sample tests; and mutants, in which masks are missing or not fresh, that these tests
//! find. A whole proof's session has the tests of witness and argument in it. Products and tags
//! come from ideal functionalities; the messages of the real protocols have views of their own
//! (`crates/ole/tests/views_of_products.rs`, `crates/tags`, and `preprocessing`).

mod in_process;

use in_process::{Case, Secrets, case};
use std::sync::Arc;
use std::thread;
use twain_algebra::Fr;
use twain_circuit::WitnessError;
use twain_link::channel::view::{LIMIT, View, distance, observe};
use twain_link::channel::{Channel, Frame, MemoryChannel, Recorder, Way, memory_pair};
use twain_masks::IdealMaterial;
use twain_ole::{IdealOle, OleSource, ideal_pair};
use twain_pair::TwoParty;
use twain_party::{PartyError, PartySeeds, Role, Seed};
use twain_tags::{TagSource, ideal_tags};

/// Which randomness is fresh in each session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fresh {
    All,
    /// The mutant: digit masks are the same in all sessions.
    AllButDigitMasks,
    /// The mutant: so is the blinding that enters the proof.
    AllButBlinding,
}

/// The frames of both ends, and the proof's instances.
struct Seen {
    frames: [Vec<Frame>; 2],
    instances: Vec<Fr>,
}

/// How far a session goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Witness,
    /// To the validity test, which fails.
    Refusal,
    Proof,
}

/// A circuit, two secrets of one side, and whose views of them are compared.
struct Comparison<'a> {
    case: &'a Case,
    secrets: [Secrets; 2],
    viewer: Role,
    until: Until,
    /// Left out: a phase in which what both may know is opened, and differs.
    but: Option<&'a str>,
}

fn session(case: &Case, secrets: &Secrets, number: u64, until: Until, fresh: Fresh) -> Seen {
    let of = |mutant: Fresh| if fresh == mutant { 0 } else { number };
    let (masks, blinding) = (of(Fresh::AllButDigitMasks), of(Fresh::AllButBlinding));
    // Digit masks hang on the session's identifier as well.
    let (model, data) = memory_pair([masks as u8; 32]);
    let (model_ole, data_ole) = ideal_pair(number);
    let (model_products, data_products) = ideal_pair(number + 1000);
    let (model_tags, data_tags) = ideal_tags(number);
    let shape = Arc::new(case.circuit.statement_shape().unwrap_or_default());
    let side = |end: MemoryChannel, ole, tags, mut products: IdealOle| {
        let role = end.role();
        let mut recorder = Recorder::new(end);
        let seed = |number: u64| {
            let mut bytes = [role as u8; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            Seed(bytes)
        };
        let seeds = PartySeeds { blinding: seed(blinding), protocol: seed(number) };
        let material = Box::new(IdealMaterial::new(masks));
        let mut party = TwoParty::new(&mut recorder, Box::new(ole), material, &seeds).unwrap();
        let instances = match until {
            Until::Witness => case.side_values(&mut party, secrets, role).unwrap().instances,
            Until::Refusal => {
                let error = case.side_values(&mut party, secrets, role).unwrap_err();
                assert!(matches!(error, WitnessError::Party(PartyError::Ended)), "{error}");
                Vec::new()
            }
            Until::Proof => {
                let sources: (Box<dyn TagSource>, &mut dyn OleSource) =
                    (Box::new(tags), &mut products);
                let (shape, argument) = (shape.clone(), case.argument_shape());
                let mut party = party.testing_from(sources, shape, argument, &seeds).unwrap();
                case.side(&mut party, secrets, role).unwrap().0
            }
        };
        (recorder.frames().to_vec(), instances)
    };
    thread::scope(|scope| {
        let model = scope.spawn(|| side(model, model_ole, model_tags, model_products));
        let (data, instances) = side(data, data_ole, data_tags, data_products);
        Seen { frames: [model.join().unwrap().0, data], instances }
    })
}

/// Both sides' views over some sessions, the shape each had, and the instances.
struct Sessions {
    views: [View; 2],
    shapes: [Vec<(&'static str, Way, usize)>; 2],
    instances: Vec<Fr>,
}

impl Comparison<'_> {
    fn sessions(&self, secret: usize, fresh: Fresh) -> Sessions {
        const SESSIONS: u64 = 12;
        let first = 1 + 100 * secret as u64;
        let mut all: Option<Sessions> = None;
        for number in first..first + SESSIONS {
            let secrets = &self.secrets[secret];
            let Seen { frames, instances } = session(self.case, secrets, number, self.until, fresh);
            let shape = |frames: &Vec<Frame>| {
                frames.iter().map(|frame| (frame.phase, frame.way, frame.bytes.len())).collect()
            };
            let shapes = frames.each_ref().map(shape);
            let views = Default::default();
            let all = all.get_or_insert(Sessions { views, shapes: shapes.clone(), instances });
            assert_eq!(all.shapes, shapes, "sessions differ in shape");
            for (view, frames) in all.views.iter_mut().zip(&frames) {
                observe(view, frames, &[]);
            }
        }
        all.expect("a session")
    }

    /// How far the views are apart, and where.
    fn distance(&self, fresh: Fresh) -> (f64, String) {
        let Self { viewer, but, .. } = *self;
        let [one, other] = [0, 1].map(|secret| self.sessions(secret, fresh));
        assert_eq!(one.shapes, other.shapes, "lengths, seen by {viewer:?}");
        assert_eq!(one.instances == other.instances, but.is_none(), "the output is the same");
        let [one, other] = [one, other].map(|sessions| {
            let [model, data] = sessions.views;
            let mut view = if viewer == Role::Model { model } else { data };
            view.retain(|name, _| !but.is_some_and(|but| name.starts_with(but)));
            view
        });
        distance(&one, &other)
    }

    /// The views are alike, and those of the mutant are not.
    fn hides(&self, mutant: Fresh) {
        let viewer = self.viewer;
        let (statistic, place) = self.distance(Fresh::All);
        assert!(statistic < LIMIT, "seen by {viewer:?}: {statistic} in {place}");
        let (statistic, place) = self.distance(mutant);
        assert!(statistic > LIMIT, "{mutant:?}, seen by {viewer:?}: {statistic} in {place}");
    }
}

fn field(integer: i64) -> Fr {
    let size = Fr::from(integer.unsigned_abs());
    if integer < 0 { -size } else { size }
}

/// The parameters with twelve weights in place of the circuit's.
fn with_weights(case: &Case, weights: [i64; 12]) -> Vec<Vec<Fr>> {
    let mut parameters = case.secrets().parameters;
    let tensor = parameters.iter_mut().find(|tensor| tensor.len() == weights.len());
    *tensor.expect("weights of three inputs and four outputs") = weights.map(field).to_vec();
    parameters
}

/// Two secrets of `viewer`'s peer that give the same output with its own.
fn alike(case: &Case, viewer: Role) -> [Secrets; 2] {
    // All that comes before the activation is negative, so the output is zero.
    let (inputs, weights): ([[i64; 3]; 2], [i64; 2]) = match viewer {
        Role::Model => ([[-3000, -2000, -300], [-770, -2405, -2053]], [9, 9]),
        Role::Data => ([[500, 600, 700]; 2], [-19, -44]),
    };
    [0, 1].map(|i| Secrets {
        inputs: vec![inputs[i].map(field).to_vec()],
        parameters: with_weights(case, [weights[i]; 12]),
    })
}

#[test]
fn a_proof_shows_neither_secret() {
    let case = &case("1l_mlp-k9-private");
    let mutants = [(Role::Model, Fresh::AllButDigitMasks), (Role::Data, Fresh::AllButBlinding)];
    for (viewer, mutant) in mutants {
        let secrets = alike(case, viewer);
        Comparison { case, secrets, viewer, until: Until::Proof, but: None }.hides(mutant);
    }
}

/// A circuit whose output is one side's input, with two secrets of the other side: `viewer` owns
/// what comes out, and sees nothing of what it is compared with, whether the model's side or the
/// data's owns that, and whether or not the difference is in the circuit's range.
#[test]
fn two_owners_show_each_other_nothing_but_the_output() {
    let largest = (1 << 24) - 1;
    let within = ([5, -70, 700], [[5, 2405, -3], [-9000, -70, 701]]);
    let beyond = ([-largest; 3], [[largest; 3], [1234, 77, 2405]]);
    for viewer in [Role::Model, Role::Data] {
        let case = &case("../circuits/logic").owned_by(&[viewer.other(), viewer]);
        let in_range = match viewer {
            Role::Model => (within, Until::Witness, Fresh::AllButDigitMasks),
            Role::Data => (within, Until::Proof, Fresh::AllButBlinding),
        };
        let out_of_range = (beyond, Until::Refusal, Fresh::AllButDigitMasks);
        for ((own, theirs), until, mutant) in [in_range, out_of_range] {
            let secrets = theirs.map(|theirs| Secrets {
                inputs: vec![theirs.map(field).to_vec(), own.map(field).to_vec()],
                parameters: Vec::new(),
            });
            Comparison { case, secrets, viewer, until, but: None }.hides(mutant);
        }
    }
}

/// The digests of two secrets differ and are public, so what opens instances is left out.
#[test]
fn a_witness_with_hashes_shows_neither_secret_elsewhere() {
    let case = &case("../pair_circuits/hashed_input_parameters-k11");
    for viewer in [Role::Model, Role::Data] {
        let mut secrets = [case.secrets(), case.secrets()];
        let other = match viewer {
            Role::Model => &mut secrets[1].inputs,
            Role::Data => &mut secrets[1].parameters,
        };
        other.iter_mut().flatten().for_each(|value| *value = -*value);
        let (until, but) = (Until::Witness, Some("openings"));
        Comparison { case, secrets, viewer, until, but }.hides(Fresh::AllButDigitMasks);
    }
}
