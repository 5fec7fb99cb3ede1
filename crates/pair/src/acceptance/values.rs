//! The values of an argument's polynomials at the points where it is tested (protocol §26). Input: the
//! polynomials; output: this side's values, to be given as inputs, and those that both sides know.

use super::point::PointCircuit;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use twain_algebra::{Domain, Fr, G1Affine, vector};
use twain_party::{Argument, ArgumentPolynomial, PartyError, PublicPolynomial, Shares};

/// A secret polynomial of which both sides have a part: this side's coefficients, and the
/// commitments of this side and of the peer.
#[derive(Clone, Copy)]
pub(super) struct SharedPolynomial<'a> {
    pub coefficients: &'a [Fr],
    pub commitments: [G1Affine; 2],
}

/// Secret polynomials at the points.
pub(super) struct SecretValues<'a> {
    /// Polynomials that are shared, each with its rotation, and this side's values in that order.
    pub shared: Vec<(u32, i32, SharedPolynomial<'a>)>,
    pub own: Shares,
    /// Those of which both sides know the value after all.
    pub known: HashMap<(u32, i32), Fr>,
}

impl<'a> SecretValues<'a> {
    /// Of these polynomials, each at a rotation of `zeta`.
    ///
    /// # Errors
    /// There is no such polynomial.
    pub fn of(
        argument: &'a dyn Argument,
        names: &BTreeSet<(u32, i32)>,
        (domain, zeta): (&Domain, Fr),
    ) -> Result<Self, PartyError> {
        let (mut shared, mut known) = (Vec::new(), HashMap::new());
        let mut own = Shares::zero(names.len());
        let rotations: BTreeSet<i32> = names.iter().map(|(_, rotation)| *rotation).collect();
        for rotation in rotations {
            let powers = vector::powers(domain.rotate(zeta, rotation), domain.n());
            let value = |coefficients: &[Fr]| {
                vector::inner_product(coefficients, &powers[..coefficients.len()])
            };
            for (index, _) in names.iter().filter(|(_, of_name)| *of_name == rotation) {
                match argument.secret(*index)? {
                    ArgumentPolynomial::Known(coefficients) => {
                        known.insert((*index, rotation), value(coefficients));
                    }
                    ArgumentPolynomial::Shared { coefficients, own: of_own, theirs } => {
                        own[shared.len()] = value(coefficients);
                        let commitments = [of_own, theirs];
                        let polynomial = SharedPolynomial { coefficients, commitments };
                        shared.push((*index, rotation, polynomial));
                    }
                }
            }
        }
        Ok(Self { shared, own, known })
    }
}

/// The values of polynomials that both sides know.
///
/// # Errors
/// There is no such polynomial.
pub(super) fn known_values(
    argument: &dyn Argument,
    circuit: &PointCircuit,
    (domain, zeta): (&Domain, Fr),
) -> Result<HashMap<(PublicPolynomial, i32), Fr>, PartyError> {
    let mut names: BTreeMap<i32, Vec<PublicPolynomial>> = BTreeMap::new();
    for (name, rotation) in circuit.known() {
        let names = names.entry(rotation).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut values = HashMap::new();
    for (rotation, names) in names {
        let found = argument.known(&names, domain.rotate(zeta, rotation))?;
        values.extend(names.into_iter().map(|name| (name, rotation)).zip(found));
    }
    Ok(values)
}
