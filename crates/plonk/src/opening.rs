//! What is opened where: the evaluations in the proof (spec 01 §5.2 step 14) and the grouping of
//! SHPLONK (§5.8). A point is given by its rotation `r`: it is `x w^r`.

use crate::compiled::CompiledSystem;
use crate::polynomial::Polynomial;
use std::collections::{BTreeMap, BTreeSet};

/// Polynomials evaluated at the same points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationSet {
    /// The points, in increasing order (no result depends on their order).
    pub rotations: Vec<i32>,
    /// The polynomials, in the order of their powers of the folding challenge.
    pub polynomials: Vec<Polynomial>,
}

/// The evaluations in the proof, in order.
pub fn evaluations(system: &CompiledSystem) -> Vec<(Polynomial, i32)> {
    let mut list = column_queries(system.advice_queries());
    list.extend(column_queries(system.fixed_queries()));
    list.push((Polynomial::Random, 0));
    list.extend(sigmas(system));
    let chunks = system.permutation_chunks().len() as u32;
    for i in 0..chunks {
        let z = Polynomial::PermutationProduct(i);
        list.extend([(z, 0), (z, 1)]);
        if i + 1 < chunks {
            list.push((z, system.last_rotation()));
        }
    }
    list.extend(lookups(system));
    list
}

/// What is opened, in the order that decides the grouping.
pub fn opening_queries(system: &CompiledSystem) -> Vec<(Polynomial, i32)> {
    let mut list = column_queries(system.advice_queries());
    let chunks = system.permutation_chunks().len() as u32;
    let z = Polynomial::PermutationProduct;
    list.extend((0..chunks).flat_map(|i| [(z(i), 0), (z(i), 1)]));
    let linked = 0..chunks.saturating_sub(1);
    list.extend(linked.rev().map(|i| (z(i), system.last_rotation())));
    list.extend(lookups(system));
    list.extend(column_queries(system.fixed_queries()));
    list.extend(sigmas(system));
    list.extend([(Polynomial::FoldedQuotient, 0), (Polynomial::Random, 0)]);
    list
}

/// The rotation sets, in the order of their powers of `v`.
pub fn rotation_sets(system: &CompiledSystem) -> Vec<RotationSet> {
    let mut order = Vec::new();
    let mut rotations: BTreeMap<Polynomial, BTreeSet<i32>> = BTreeMap::new();
    for (polynomial, rotation) in opening_queries(system) {
        let of_polynomial = rotations.entry(polynomial).or_insert_with(|| {
            order.push(polynomial);
            BTreeSet::new()
        });
        of_polynomial.insert(rotation);
    }
    let mut sets: Vec<RotationSet> = Vec::new();
    for polynomial in order {
        let rotations: Vec<i32> = rotations[&polynomial].iter().copied().collect();
        match sets.iter_mut().find(|set| set.rotations == rotations) {
            Some(set) => set.polynomials.push(polynomial),
            None => sets.push(RotationSet { rotations, polynomials: vec![polynomial] }),
        }
    }
    sets
}

/// All rotations of the sets, in increasing order.
pub fn all_rotations(sets: &[RotationSet]) -> Vec<i32> {
    let union: BTreeSet<i32> = sets.iter().flat_map(|set| set.rotations.iter().copied()).collect();
    union.into_iter().collect()
}

fn column_queries(queries: &[(crate::Column, i32)]) -> Vec<(Polynomial, i32)> {
    queries.iter().map(|(column, rotation)| ((*column).into(), *rotation)).collect()
}

fn sigmas(system: &CompiledSystem) -> impl Iterator<Item = (Polynomial, i32)> {
    (0..system.permutation().len() as u32).map(|i| (Polynomial::Sigma(i), 0))
}

fn lookups(system: &CompiledSystem) -> impl Iterator<Item = (Polynomial, i32)> {
    let (phi, m) = (Polynomial::LookupSum, Polynomial::Multiplicity);
    (0..system.lookups().len() as u32).flat_map(move |i| [(phi(i), 0), (phi(i), 1), (m(i), 0)])
}
