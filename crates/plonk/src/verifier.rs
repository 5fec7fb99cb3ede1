//! The verifier (spec 01 §6): replays the transcript, folds all constraints at the evaluation
//! point, and checks one SHPLONK opening with one pairing equation.

use crate::compiled::CompiledSystem;
use crate::constraints::{Challenges, Evaluator, constraints};
use crate::error::ProofError;
use crate::opening::{RotationSet, all_rotations, evaluations, rotation_sets};
use crate::polynomial::Polynomial;
use crate::rotation::Rotations;
use crate::srs::VerifierSrs;
use crate::transcript::ProofReader;
use crate::verifying_key::VerifyingKey;
use ff::Field;
use group::{Curve, Group};
use halo2curves::pairing::{MillerLoopResult, MultiMillerLoop};
use std::collections::HashMap;
use twain_algebra::{Bn256, Fr, G1, G1Affine, msm};
use twain_party::PointOpening;

/// Accepts iff `proof` proves that the key's circuit has a witness with these instances (one vector
/// per instance column, without padding).
///
/// Bytes after the end of the proof are ignored, as EZKL ignores them: whoever identifies proofs by
/// their bytes must compare lengths too.
pub fn verify(
    key: &VerifyingKey,
    srs: &VerifierSrs,
    instances: &[Vec<Fr>],
    proof: &[u8],
) -> Result<(), ProofError> {
    let system = key.system();
    check_instances(system, instances)?;
    let mut reader = ProofReader::new(proof);
    reader.transcript.absorb_scalar(&key.transcript_repr());
    instances.iter().flatten().for_each(|value| reader.transcript.absorb_scalar(value));
    let mut commitments = HashMap::new();
    let mut challenges = read_witness_commitments(system, &mut reader, &mut commitments)?;
    challenges.y = reader.transcript.squeeze();
    let pieces = (0..system.quotient_pieces())
        .map(|i| reader.read_point(format_args!("commitment of quotient piece {i}")))
        .collect::<Result<Vec<_>, _>>()?;
    let x = reader.transcript.squeeze();
    let mut values = HashMap::new();
    for (polynomial, rotation) in evaluations(system) {
        let item = format_args!("evaluation of {polynomial:?} at rotation {rotation}");
        values.insert((polynomial, rotation), reader.read_scalar(item)?);
    }
    let rotations = Rotations::new(system.k(), x);
    let vanishing = rotations.vanishing();
    let quotient = expected_quotient(system, instances, &challenges, &rotations, &mut values)?;
    values.insert((Polynomial::FoldedQuotient, 0), quotient);
    commitments.insert(Polynomial::FoldedQuotient, fold_points(&pieces, vanishing + Fr::ONE));
    insert_commitments(&mut commitments, Polynomial::Fixed, key.fixed_commitments());
    insert_commitments(&mut commitments, Polynomial::Sigma, key.permutation_commitments());
    check_opening(system, srs, &mut reader, &rotations, &values, &commitments)
}

/// Accepts iff the proof is valid for one of the keys; returns its position. EZKL's keys of
/// circuits with more than eight columns a table depend on its number of threads (spec 01 §8.1), so
/// the same files may stand for several keys. The error is that of the first key.
pub fn verify_any<'a>(
    keys: impl IntoIterator<Item = &'a VerifyingKey>,
    srs: &VerifierSrs,
    instances: &[Vec<Fr>],
    proof: &[u8],
) -> Result<usize, ProofError> {
    let mut first_error = None;
    for (position, key) in keys.into_iter().enumerate() {
        match verify(key, srs, instances, proof) {
            Ok(()) => return Ok(position),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or(ProofError::Rejected))
}

fn check_instances(system: &CompiledSystem, instances: &[Vec<Fr>]) -> Result<(), ProofError> {
    let (expected, found) = (system.instance_columns(), instances.len());
    if expected != found {
        return Err(ProofError::InstanceColumns { expected, found });
    }
    let limit = system.usable_rows();
    match instances.iter().map(Vec::len).find(|length| *length > limit) {
        Some(found) => Err(ProofError::InstanceRows { limit, found }),
        None => Ok(()),
    }
}

/// Steps 3 to 10: all commitments before the quotient, with the challenges between them.
fn read_witness_commitments(
    system: &CompiledSystem,
    reader: &mut ProofReader<'_>,
    commitments: &mut HashMap<Polynomial, G1Affine>,
) -> Result<Challenges, ProofError> {
    let mut read = |polynomial: Polynomial, reader: &mut ProofReader<'_>| {
        let point = reader.read_point(format_args!("commitment of {polynomial:?}"))?;
        commitments.insert(polynomial, point);
        Ok(())
    };
    let mut challenges =
        Challenges { circuit: vec![Fr::ZERO; system.challenges().len()], ..Default::default() };
    for phase in 0..system.phases() {
        for (index, of_column) in (0u32..).zip(system.advice_phases()) {
            if *of_column == phase {
                read(Polynomial::Advice(index), reader)?;
            }
        }
        for (value, challenge) in challenges.circuit.iter_mut().zip(system.challenges()) {
            if challenge.phase == phase {
                *value = reader.transcript.squeeze();
            }
        }
    }
    let lookups = system.lookups().len() as u32;
    challenges.theta = reader.transcript.squeeze();
    (0..lookups).try_for_each(|i| read(Polynomial::Multiplicity(i), reader))?;
    challenges.beta = reader.transcript.squeeze();
    challenges.gamma = reader.transcript.squeeze();
    let chunks = system.permutation_chunks().len() as u32;
    (0..chunks).try_for_each(|i| read(Polynomial::PermutationProduct(i), reader))?;
    (0..lookups).try_for_each(|i| read(Polynomial::LookupSum(i), reader))?;
    read(Polynomial::Random, reader)?;
    Ok(challenges)
}

fn insert_commitments(
    commitments: &mut HashMap<Polynomial, G1Affine>,
    name: fn(u32) -> Polynomial,
    points: &[G1Affine],
) {
    commitments.extend((0u32..).map(name).zip(points.iter().copied()));
}

/// The value the folded quotient must have at `x`: all constraints folded with `y`, over `x^n - 1`.
/// Adds to `values` what the verifier computes by itself.
fn expected_quotient(
    system: &CompiledSystem,
    instances: &[Vec<Fr>],
    challenges: &Challenges,
    rotations: &Rotations,
    values: &mut HashMap<(Polynomial, i32), Fr>,
) -> Result<Fr, ProofError> {
    let inverse = Option::<Fr>::from(rotations.vanishing().invert());
    let inverse = inverse.ok_or(ProofError::ChallengeInDomain)?;
    for (column, rotation) in system.instance_queries() {
        let instance = instances.get(column.index as usize).map_or(&[][..], Vec::as_slice);
        let weights = rotations.lagrange(-i64::from(*rotation), instance.len());
        let value = instance.iter().zip(weights).map(|(value, weight)| *value * weight).sum();
        values.insert((Polynomial::Instance(column.index), *rotation), value);
    }
    let tail = rotations.lagrange(i64::from(system.last_rotation()), system.blinding_factors() + 1);
    let last = tail[0];
    let blinded: Fr = tail[1..].iter().sum();
    values.insert((Polynomial::FirstRow, 0), rotations.lagrange(0, 1)[0]);
    values.insert((Polynomial::LastRow, 0), last);
    values.insert((Polynomial::ActiveRows, 0), Fr::ONE - last - blinded);
    values.insert((Polynomial::Identity, 0), rotations.point(0));
    let mut at = AtPoint { values, missing: None };
    let folded = constraints(system).into_iter().fold(Fr::ZERO, |folded, constraint| {
        folded * challenges.y + constraint.evaluate(system, challenges, &mut at)
    });
    match at.missing {
        Some((polynomial, rotation)) => Err(ProofError::NotEvaluated { polynomial, rotation }),
        None => Ok(folded * inverse),
    }
}

/// Evaluates constraints on values at `x`.
struct AtPoint<'a> {
    values: &'a HashMap<(Polynomial, i32), Fr>,
    missing: Option<(Polynomial, i32)>,
}

impl Evaluator for AtPoint<'_> {
    type Value = Fr;
    fn constant(&mut self, value: Fr) -> Fr {
        value
    }
    fn polynomial(&mut self, polynomial: Polynomial, rotation: i32) -> Fr {
        self.values.get(&(polynomial, rotation)).copied().unwrap_or_else(|| {
            self.missing = Some((polynomial, rotation));
            Fr::ZERO
        })
    }
    fn sum(&mut self, a: Fr, b: Fr) -> Fr {
        a + b
    }
    fn difference(&mut self, a: Fr, b: Fr) -> Fr {
        a - b
    }
    fn product(&mut self, a: Fr, b: Fr) -> Fr {
        a * b
    }
    fn scaled(&mut self, a: Fr, factor: Fr) -> Fr {
        a * factor
    }
}

/// `sum_i factor^i points_i`.
fn fold_points(points: &[G1Affine], factor: Fr) -> G1Affine {
    points.iter().rev().fold(G1::identity(), |sum, point| sum * factor + point).to_affine()
}

/// SHPLONK (spec 01 §5.8): all claimed values against all commitments.
fn check_opening(
    system: &CompiledSystem,
    srs: &VerifierSrs,
    reader: &mut ProofReader<'_>,
    rotations: &Rotations,
    values: &HashMap<(Polynomial, i32), Fr>,
    commitments: &HashMap<Polynomial, G1Affine>,
) -> Result<(), ProofError> {
    let y = reader.transcript.squeeze();
    let v = reader.transcript.squeeze();
    let combined = reader.read_point("commitment of the combined quotient")?;
    let u = reader.transcript.squeeze();
    let opening = reader.read_point("commitment of the opening")?;
    let sets = rotation_sets(system);
    let all = all_rotations(&sets);
    let distance = |rotation: i32| u - rotations.point(rotation);
    // The factor of a set: the distances from u to the points it lacks, relative to the first
    // set's.
    let missing = |set: &RotationSet| {
        let others = all.iter().filter(|rotation| !set.rotations.contains(rotation));
        others.map(|rotation| distance(*rotation)).product::<Fr>()
    };
    let normalise = sets.first().map_or(Fr::ONE, missing);
    let normalise = Option::<Fr>::from(normalise.invert()).ok_or(ProofError::ChallengeInDomain)?;
    let (mut scalars, mut points, mut constant) = (Vec::new(), Vec::new(), Fr::ZERO);
    let mut set_weight = Fr::ONE;
    for set in &sets {
        let basis =
            rotations.interpolation(&set.rotations, u).ok_or(ProofError::ChallengeInDomain)?;
        let mut weight = set_weight * missing(set) * normalise;
        for polynomial in &set.polynomials {
            let commitment = commitments.get(polynomial);
            let missing_value =
                |rotation| ProofError::NotEvaluated { polynomial: *polynomial, rotation };
            points.push(*commitment.ok_or_else(|| missing_value(0))?);
            scalars.push(weight);
            for (rotation, basis) in set.rotations.iter().zip(&basis) {
                let value = values.get(&(*polynomial, *rotation));
                constant += weight * basis * value.ok_or_else(|| missing_value(*rotation))?;
            }
            weight *= y;
        }
        set_weight *= v;
    }
    let first = sets.first().map_or(&[][..], |set| &set.rotations);
    let first_distance: Fr = first.iter().map(|rotation| distance(*rotation)).product();
    points.extend([srs.g, combined, opening]);
    scalars.extend([-constant, -first_distance, u]);
    let left = msm(&scalars, &points).to_affine();
    if is_multiple_by_secret(srs, opening, left) { Ok(()) } else { Err(ProofError::Rejected) }
}

/// Whether `right` is `left` times the secret of the SRS: `e(left, [s]G2) = e(right, G2)`.
fn is_multiple_by_secret(srs: &VerifierSrs, left: G1Affine, right: G1Affine) -> bool {
    let terms = [(&-left, &srs.s_g2), (&right, &srs.g2)];
    let product: <Bn256 as MultiMillerLoop>::Result = Bn256::multi_miller_loop(&terms);
    bool::from(product.final_exponentiation().is_identity())
}

/// Whether a commitment opens as is said: `s·W = C - value + point·W`.
pub(crate) fn opens(srs: &VerifierSrs, opening: &PointOpening) -> bool {
    let PointOpening { commitment, point, value, witness } = opening;
    let right = G1::from(*commitment) - srs.g * *value + *witness * *point;
    is_multiple_by_secret(srs, *witness, right.to_affine())
}
