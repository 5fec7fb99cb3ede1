//! What a contract that verifies proofs of one circuit has to do (spec 01 §5.2, §5.8, §6): the
//! order of the transcript, the arithmetic on scalars, and the points whose combination must pair
//! to one. Both contracts are made from this.

use crate::error::EvmError;
use crate::program::{Input, Program, Value};
use ff::{Field, PrimeField};
use group::prime::PrimeCurveAffine;
use std::collections::HashMap;
use twain_algebra::{Fr, G1Affine, G2Affine};
use twain_plonk::{
    Challenges, Polynomial, RotationSet, VerifyingKey, all_rotations, constraints, evaluations,
    rotation_sets,
};

/// Bytes of a point in a proof.
const POINT: usize = 64;
/// Bytes of a scalar.
const SCALAR: usize = 32;

/// Absorbs the next bytes of the proof, then squeezes challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Squeeze {
    /// Bytes of the proof, after those absorbed before. (The key and the instances come before
    /// all.)
    pub absorbs: usize,
    /// How many challenges.
    pub challenges: usize,
}

/// A point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// At this byte of the proof.
    Proof(usize),
    /// Of the key, or the generator.
    Constant(G1Affine),
}

/// Everything a contract needs to know of a circuit.
#[derive(Debug)]
pub struct Verifier {
    /// log2 of the number of rows.
    pub(crate) k: u32,
    /// Blinding rows after the last row.
    pub(crate) blinding_factors: usize,
    /// Number of public values.
    pub(crate) instances: usize,
    /// The scalar that stands for the key in the transcript.
    pub(crate) key: Fr,
    /// `[s]` of the generator of G2.
    pub(crate) s_g2: G2Affine,
    /// Bytes of a proof.
    pub(crate) proof_length: usize,
    /// First byte of the evaluations in a proof.
    pub(crate) evaluations: usize,
    /// Number of evaluations.
    pub(crate) evaluation_count: usize,
    /// The transcript.
    pub(crate) transcript: Vec<Squeeze>,
    /// Position of the evaluation point among the challenges.
    pub(crate) x: usize,
    /// All arithmetic on scalars.
    pub(crate) program: Program,
    /// Its first half computes this, whose inverse its second half needs.
    pub(crate) inverted: Value,
    /// Where the proof has the point whose weight in `E` is 1.
    pub(crate) first: usize,
    /// The other points of `E`, with their weights.
    pub(crate) terms: Vec<(Point, Value)>,
    /// Where the proof has the commitment to the opening.
    pub(crate) opening: usize,
}

/// Positions of commitments and challenges, as the transcript goes by.
#[derive(Default)]
struct Reading {
    position: usize,
    pending: usize,
    transcript: Vec<Squeeze>,
    challenges: usize,
}

impl Reading {
    fn point(&mut self) -> Point {
        let at = self.position;
        self.take(POINT);
        Point::Proof(at)
    }

    fn take(&mut self, bytes: usize) {
        self.position += bytes;
        self.pending += bytes;
    }

    /// Squeezes a challenge: its position.
    fn squeeze(&mut self) -> usize {
        let absorbs = std::mem::take(&mut self.pending);
        match self.transcript.last_mut() {
            Some(last) if absorbs == 0 => last.challenges += 1,
            _ => self.transcript.push(Squeeze { absorbs, challenges: 1 }),
        }
        self.challenges += 1;
        self.challenges - 1
    }
}

/// Positions of the challenges, except those of the circuit.
struct Positions {
    circuit: Vec<usize>,
    theta: usize,
    beta: usize,
    gamma: usize,
    y: usize,
}

impl Verifier {
    /// The verifier of proofs under `key` with so many public values.
    ///
    /// # Errors
    /// A circuit that EZKL does not make: instances that are looked up in other rows, more than one
    /// column of them.
    pub fn new(key: &VerifyingKey, s_g2: G2Affine, instances: usize) -> Result<Self, EvmError> {
        let system = key.system();
        let other_instances =
            system.instance_queries().iter().any(|(column, at)| column.index != 0 || *at != 0);
        if system.instance_columns() > 1 || other_instances {
            let reason = "public values in more than one column, or queried in other rows";
            return Err(EvmError::Unsupported(reason.into()));
        }
        if instances > system.usable_rows() {
            return Err(EvmError::Unsupported("more public values than rows".into()));
        }
        let mut reading = Reading::default();
        let mut points = HashMap::new();
        let at = read_commitments(key, &mut reading, &mut points);
        let pieces: Vec<Point> = (0..system.quotient_pieces()).map(|_| reading.point()).collect();
        let x = reading.squeeze();
        let opened = evaluations(system);
        let first_evaluation = reading.position;
        reading.take(SCALAR * opened.len());
        let (fold, combine) = (reading.squeeze(), reading.squeeze());
        let combined = reading.point();
        let u = reading.squeeze();
        let opening = reading.position;
        let proof_length = opening + POINT;

        let mut program = Program::default();
        for (position, (polynomial, rotation)) in opened.iter().enumerate() {
            let value = program.input(Input::Evaluation(position));
            program.name_polynomial(*polynomial, *rotation, value);
        }
        let quotient = expected_quotient(key, &at, x, &mut program)?;
        program.name_polynomial(Polynomial::FoldedQuotient, 0, quotient);
        let constants = [
            (Polynomial::Fixed as fn(u32) -> Polynomial, key.fixed_commitments()),
            (Polynomial::Sigma, key.permutation_commitments()),
        ];
        for (name, commitments) in constants {
            let commitments = (0..).map(name).zip(commitments.iter().copied());
            points.extend(commitments.map(|(name, point)| (name, Point::Constant(point))));
        }
        let opened = Opening {
            sets: rotation_sets(system),
            k: system.k(),
            x: program.input(Input::Challenge(x)),
            u: program.input(Input::Challenge(u)),
            fold: program.input(Input::Challenge(fold)),
            combine: program.input(Input::Challenge(combine)),
            pieces,
            combined,
            opening: Point::Proof(opening),
        };
        let Combination { inverted, first, terms } = opened.combination(&points, &mut program)?;
        Ok(Self {
            k: system.k(),
            blinding_factors: system.blinding_factors(),
            instances,
            key: key.transcript_repr(),
            s_g2,
            proof_length,
            evaluations: first_evaluation,
            evaluation_count: evaluations(system).len(),
            transcript: reading.transcript,
            x,
            program,
            inverted,
            first,
            terms,
            opening,
        })
    }

    /// Number of challenges.
    pub(crate) fn challenges(&self) -> usize {
        self.transcript.iter().map(|squeeze| squeeze.challenges).sum()
    }

    /// All values that the contract needs of the program.
    pub(crate) fn results(&self) -> Vec<Value> {
        let weights = self.terms.iter().map(|(_, weight)| *weight);
        weights.chain([self.inverted]).collect()
    }
}

/// A root of unity of order `2^k` to some power.
pub fn root(k: u32, exponent: i64) -> Fr {
    let omega = Fr::ROOT_OF_UNITY.pow_vartime([1u64 << Fr::S.saturating_sub(k)]);
    let rows = 1i64 << k;
    omega.pow_vartime([exponent.rem_euclid(rows).unsigned_abs()])
}

/// The transcript up to the random polynomial (spec 01 §5.2, steps 3 to 11).
fn read_commitments(
    key: &VerifyingKey,
    reading: &mut Reading,
    points: &mut HashMap<Polynomial, Point>,
) -> Positions {
    let system = key.system();
    let mut circuit = vec![0; system.challenges().len()];
    for phase in 0..system.phases() {
        for (index, of_column) in (0..).zip(system.advice_phases()) {
            if *of_column == phase {
                points.insert(Polynomial::Advice(index), reading.point());
            }
        }
        for (position, challenge) in circuit.iter_mut().zip(system.challenges()) {
            if challenge.phase == phase {
                *position = reading.squeeze();
            }
        }
    }
    let lookups = system.lookups().len() as u32;
    let theta = reading.squeeze();
    points.extend((0..lookups).map(|i| (Polynomial::Multiplicity(i), reading.point())));
    let (beta, gamma) = (reading.squeeze(), reading.squeeze());
    let chunks = system.permutation_chunks().len() as u32;
    points.extend((0..chunks).map(|i| (Polynomial::PermutationProduct(i), reading.point())));
    points.extend((0..lookups).map(|i| (Polynomial::LookupSum(i), reading.point())));
    points.insert(Polynomial::Random, reading.point());
    Positions { circuit, theta, beta, gamma, y: reading.squeeze() }
}

/// A number for a challenge in constraints that are stated over numbers. It comes from a hash, so
/// no circuit's constant equals it but by a chance of about `2^-250`.
fn stand_in(position: usize) -> Fr {
    let mut hash = blake2b_simd::State::new();
    hash.update(b"a challenge of the verifier").update(&position.to_le_bytes());
    ff::FromUniformBytes::from_uniform_bytes(hash.finalize().as_array())
}

/// All constraints folded with `y`, over `x^n - 1` (spec 01 §5.7).
fn expected_quotient(
    key: &VerifyingKey,
    at: &Positions,
    x: usize,
    program: &mut Program,
) -> Result<Value, EvmError> {
    let system = key.system();
    let x = program.input(Input::Challenge(x));
    program.name_polynomial(Polynomial::Identity, 0, x);
    for (polynomial, input) in [
        (Polynomial::Instance(0), Input::Instance),
        (Polynomial::FirstRow, Input::FirstRow),
        (Polynomial::LastRow, Input::LastRow),
        (Polynomial::ActiveRows, Input::ActiveRows),
    ] {
        let value = program.input(input);
        program.name_polynomial(polynomial, 0, value);
    }
    let challenges = Challenges {
        circuit: at.circuit.iter().copied().map(stand_in).collect(),
        theta: stand_in(at.theta),
        beta: stand_in(at.beta),
        gamma: stand_in(at.gamma),
        ..Challenges::default()
    };
    for position in at.circuit.iter().chain([&at.theta, &at.beta, &at.gamma]) {
        let value = program.input(Input::Challenge(*position));
        program.name_stand_in(stand_in(*position), value);
    }
    // The permutation's positions: beta delta^j.
    let beta = program.input(Input::Challenge(at.beta));
    for position in 0..system.permutation().len() as u64 {
        let delta = Fr::DELTA.pow_vartime([position]);
        let factor = program.number(delta);
        let value = program.mul(beta, factor);
        program.name_stand_in(challenges.beta * delta, value);
    }
    let values: Vec<Value> = constraints(system)
        .into_iter()
        .rev()
        .map(|constraint| constraint.evaluate(system, &challenges, program))
        .collect();
    if let Some((polynomial, rotation)) = program.missing() {
        let reason = format!("{polynomial:?} at rotation {rotation} is not in the proof");
        return Err(EvmError::Unsupported(reason));
    }
    let y = program.input(Input::Challenge(at.y));
    let folded = program.horner(&values, y);
    let inverse = program.input(Input::VanishingInverse);
    Ok(program.mul(folded, inverse))
}

/// SHPLONK's side of the verifier.
struct Opening {
    sets: Vec<RotationSet>,
    k: u32,
    x: Value,
    u: Value,
    /// `y'`: folds the polynomials of a set.
    fold: Value,
    /// `v`: folds the sets.
    combine: Value,
    pieces: Vec<Point>,
    combined: Point,
    opening: Point,
}

/// `E`, and what has to be inverted for it.
struct Combination {
    inverted: Value,
    first: usize,
    terms: Vec<(Point, Value)>,
}

impl Opening {
    fn combination(
        &self,
        points: &HashMap<Polynomial, Point>,
        program: &mut Program,
    ) -> Result<Combination, EvmError> {
        let distances = self.distances(program);
        let first_set = self.sets.first().map_or(&[][..], |set| &set.rotations);
        // To be inverted: x, and the distances to the points that the first set lacks.
        let beyond: Vec<i32> =
            all_rotations(&self.sets).into_iter().filter(|r| !first_set.contains(r)).collect();
        let divisors: Vec<Value> =
            std::iter::once(self.x).chain(beyond.iter().map(|r| distances[r])).collect();
        let inverted = program.product_of(&divisors);
        let inverses = inverses(&divisors, program);
        let inverse_x = inverses[0];
        let inverse_of: HashMap<i32, Value> =
            beyond.iter().copied().zip(inverses[1..].iter().copied()).collect();

        let mut terms = Terms::default();
        let mut constant = program.number(Fr::ZERO);
        let mut set_weight = program.number(Fr::ONE);
        for set in &self.sets {
            // Z_i / Z_0: the distances to the first set's points that this one lacks, over those to
            // this one's that the first lacks.
            let mut weight = set_weight;
            for rotation in first_set.iter().filter(|r| !set.rotations.contains(r)) {
                weight = program.mul(weight, distances[rotation]);
            }
            for rotation in set.rotations.iter().filter(|r| !first_set.contains(r)) {
                weight = program.mul(weight, inverse_of[rotation]);
            }
            let value = self.value_at_u(set, &distances, inverse_x, program)?;
            let value = program.mul(weight, value);
            constant = program.add(constant, value);
            for polynomial in &set.polynomials {
                self.add_terms(*polynomial, weight, points, &mut terms, program)?;
                weight = program.mul(weight, self.fold);
            }
            set_weight = program.mul(set_weight, self.combine);
        }
        let zero = program.number(Fr::ZERO);
        let minus_constant = program.sub(zero, constant);
        terms.add(Point::Constant(G1Affine::generator()), minus_constant, program);
        let first_distances: Vec<Value> = first_set.iter().map(|r| distances[r]).collect();
        let first_distance = program.product_of(&first_distances);
        let minus_distance = program.sub(zero, first_distance);
        terms.add(self.combined, minus_distance, program);
        terms.add(self.opening, self.u, program);

        let mut terms = terms.0.into_iter();
        match terms.next() {
            Some((Point::Proof(first), weight)) if program.as_number(weight) == Some(Fr::ONE) => {
                Ok(Combination { inverted, first, terms: terms.collect() })
            }
            _ => Err(EvmError::Unsupported("a circuit without advice columns".into())),
        }
    }

    /// `u - x w^r`, for every rotation.
    fn distances(&self, program: &mut Program) -> HashMap<i32, Value> {
        let rotations = all_rotations(&self.sets).into_iter();
        rotations
            .map(|rotation| {
                let root = program.number(root(self.k, rotation.into()));
                let point = program.mul(self.x, root);
                (rotation, program.sub(self.u, point))
            })
            .collect()
    }

    /// `sum_j y'^j R_j(u)` of a set: its polynomials' values, interpolated to `u`. The difference
    /// of two points is `x` times a constant, so only `x` has to be inverted.
    fn value_at_u(
        &self,
        set: &RotationSet,
        distances: &HashMap<i32, Value>,
        inverse_x: Value,
        program: &mut Program,
    ) -> Result<Value, EvmError> {
        let mut sum = program.number(Fr::ZERO);
        for rotation in &set.rotations {
            let others: Vec<i32> =
                set.rotations.iter().copied().filter(|o| o != rotation).collect();
            let here = root(self.k, (*rotation).into());
            let differences: Fr = others.iter().map(|o| here - root(self.k, (*o).into())).product();
            let inverse = Option::<Fr>::from(differences.invert());
            let inverse = inverse.ok_or_else(|| EvmError::Unsupported("equal rotations".into()))?;
            let mut weight = program.number(inverse);
            for other in &others {
                weight = program.mul(weight, inverse_x);
                weight = program.mul(weight, distances[other]);
            }
            let values = set.polynomials.iter().map(|polynomial| {
                program.named(*polynomial, *rotation).ok_or_else(|| {
                    let reason = format!("{polynomial:?} is not evaluated at {rotation}");
                    EvmError::Unsupported(reason)
                })
            });
            let values = values.collect::<Result<Vec<Value>, _>>()?;
            let value = program.horner(&values, self.fold);
            let value = program.mul(weight, value);
            sum = program.add(sum, value);
        }
        Ok(sum)
    }

    fn add_terms(
        &self,
        polynomial: Polynomial,
        weight: Value,
        points: &HashMap<Polynomial, Point>,
        terms: &mut Terms,
        program: &mut Program,
    ) -> Result<(), EvmError> {
        if polynomial == Polynomial::FoldedQuotient {
            let power = program.input(Input::Power);
            let mut weight = weight;
            for piece in &self.pieces {
                terms.add(*piece, weight, program);
                weight = program.mul(weight, power);
            }
            return Ok(());
        }
        let point = points.get(&polynomial);
        let reason = || EvmError::Unsupported(format!("there is no commitment to {polynomial:?}"));
        terms.add(*point.ok_or_else(reason)?, weight, program);
        Ok(())
    }
}

/// The inverses of values, from the program's one inverse: that of their product.
fn inverses(values: &[Value], program: &mut Program) -> Vec<Value> {
    let all = program.input(Input::Inverse);
    let inverse_of = |position: usize, program: &mut Program| {
        let before = program.product_of(&values[..position]);
        let after = values[position + 1..].iter().rev().copied().collect::<Vec<_>>();
        let after = program.product_of(&after);
        let others = program.mul(before, after);
        program.mul(all, others)
    };
    (0..values.len()).map(|position| inverse_of(position, program)).collect()
}

/// Points with weights. What the key has several times is multiplied once, and the identity never.
#[derive(Default)]
struct Terms(Vec<(Point, Value)>);

impl Terms {
    fn add(&mut self, point: Point, weight: Value, program: &mut Program) {
        if let Point::Constant(constant) = point {
            if constant.is_identity().into() {
                return;
            }
            if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == point) {
                *known = program.add(*known, weight);
                return;
            }
        }
        self.0.push((point, weight));
    }
}
