//! The numerator of the quotient as a graph over polynomials (spec 01 §5.7), built by the prover
//! from the constraint system and evaluated by a party: pointwise on cosets alone, with as few
//! products as the degrees need in pairs.

use crate::{CellKinds, PartyError};
use ff::Field;
use twain_algebra::domain::ZETA;
use twain_algebra::{Domain, Fr, vector};

/// Index of a node.
pub type NodeId = u32;

/// Where a public polynomial comes from; its `n` coefficients are an argument of `quotient`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PublicPolynomial {
    /// Given by coefficients, by index into the `publics` argument.
    Given(u32),
    /// `X` itself.
    Identity,
}

/// An operation on polynomials. Children come before their parents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A constant both know.
    Constant(Fr),
    /// A polynomial both know, at `rotation` rows.
    Public(PublicPolynomial, i32),
    /// A polynomial of shares, by index into the `secrets` argument, at `rotation` rows.
    Secret(u32, i32),
    /// Sum.
    Sum(NodeId, NodeId),
    /// Difference.
    Difference(NodeId, NodeId),
    /// Product with a constant.
    Scaled(NodeId, Fr),
    /// Product.
    Product(NodeId, NodeId),
    /// `sum_i factor_i * left_i * right_i`. In pairs one masked answer for the sum. If
    /// `vanishes_on_active_rows`, a satisfied witness makes the value 0 on rows `0..u`.
    InnerProduct {
        /// Factor, left and right.
        terms: Vec<(Fr, NodeId, NodeId)>,
        /// Whether the sum is zero on the usable rows of a satisfied circuit.
        vanishes_on_active_rows: bool,
    },
}

/// A numerator: nodes in dependency order; the last one is the result.
#[derive(Clone, Debug, Default)]
pub struct Numerator {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// log2 of the number of rows.
    pub k: u32,
    /// Usable rows `u`.
    pub usable_rows: usize,
}

/// A polynomial that every party knows, as an operand of the quotient.
#[derive(Clone, Copy)]
pub struct KnownPolynomial<'a> {
    /// The `n` coefficients.
    pub coefficients: &'a [Fr],
    /// Its values on the cosets of [`coset_shifts`], `n` each in the order of the rows, for who has
    /// them already; otherwise empty.
    pub cosets: &'a [Vec<Fr>],
}

/// The shifts of the `count` cosets of the rows on which a quotient of `count` pieces is computed:
/// `zeta·W^j`, with `W` the root of unity whose order is the number of rows times the next power of
/// two. None of the cosets is that of the rows. They are those of a key's extended form (spec 01
/// §1.4).
///
/// # Errors
/// There is no such root of unity.
pub fn coset_shifts(k: u32, count: usize) -> Result<Vec<Fr>, PartyError> {
    let extended = Domain::new(k + count.next_power_of_two().trailing_zeros());
    let extended = extended.map_err(|error| PartyError::Unsupported(error.to_string()))?;
    let mut shifts = vector::powers(extended.omega(), count);
    vector::scale(&mut shifts, ZETA);
    Ok(shifts)
}

/// How the parts `V_e` of a polynomial `sum_e X^(e·n)·V_e` follow from its residues on as many
/// cosets, on which `X^n` is one of the `constants`: row `e` of the matrix gives part `e` from the
/// residues times `c - 1`, what is left of `(X^n - 1)·V` there. The inverse Vandermonde matrix,
/// from the coefficients of Lagrange's basis.
///
/// # Errors
/// Two constants are equal, or one of them is 1.
pub fn recombination(constants: &[Fr]) -> Result<Vec<Vec<Fr>>, PartyError> {
    let mut rows = vec![Vec::with_capacity(constants.len()); constants.len()];
    for (i, constant) in constants.iter().enumerate() {
        let mut basis = vec![Fr::ONE];
        let mut denominator = *constant - Fr::ONE;
        for (_, other) in constants.iter().enumerate().filter(|(j, _)| *j != i) {
            basis.push(Fr::ZERO);
            for e in (0..basis.len()).rev() {
                let lower = if e == 0 { Fr::ZERO } else { basis[e - 1] };
                basis[e] = lower - *other * basis[e];
            }
            denominator *= *constant - *other;
        }
        let inverse = Option::<Fr>::from(denominator.invert())
            .ok_or_else(|| PartyError::Unsupported("the cosets of the quotient coincide".into()))?;
        for (row, coefficient) in rows.iter_mut().zip(basis) {
            row.push(coefficient * inverse);
        }
    }
    Ok(rows)
}

/// A polynomial of shares, as an operand of the quotient.
#[derive(Clone, Copy)]
pub struct SecretPolynomial<'a> {
    /// This party's share of the `n` coefficients.
    pub coefficients: &'a [Fr],
    /// Who knows the value at each row (blinding rows included). The prover of a party that holds
    /// the values may leave it at `Uniform(Shared)`.
    pub kinds: &'a CellKinds,
    /// The wire in each of the first rows; beyond the list, and where the value is public, there is
    /// none.
    pub wires: &'a [u32],
}

/// What a quotient is made of beside its numerator. Every vector has `n` entries.
pub struct QuotientOperands<'a> {
    /// The polynomials known to all.
    pub publics: Vec<KnownPolynomial<'a>>,
    /// The polynomials of shares, in the order in which the numerator names them.
    pub secrets: Vec<SecretPolynomial<'a>>,
    /// Parts of the quotient.
    pub pieces: usize,
}
