//! What a witness has to satisfy, in terms of wires: what a party tests that does not trust its
//! peer (protocol §25). Input: a circuit's gates and lookups, by whoever knows it. Output: sums of
//! wires and of products of wires, which are 0.

use crate::{Kind, Operand, Role, Shares};
use twain_algebra::Fr;

/// A wire of which not both sides know the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretWire {
    /// Its number.
    pub wire: u32,
    /// Who knows it: not [`Kind::Public`].
    pub kind: Kind,
}

/// An inverse of a shared value that is made once the rest of the statement is tested: with
/// `z = 1 - nonzero`, which is `[value = 0]`, it is `1/(value + z) - z`. Then
/// `value * inverse = nonzero`. Of wires `W`: their numbers, or also what a side holds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateInverse<W> {
    /// What is inverted.
    pub value: W,
    /// `[value != 0]`; 1 if there is none.
    pub nonzero: Option<W>,
    /// The wire of the inverse.
    pub inverse: u32,
}

/// What is known of a statement before there is a witness: the same on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementShape {
    /// log2 of the number of rows.
    pub k: u32,
    /// The secret wires in each column's cells, from the first row on.
    pub columns: Vec<Vec<Option<SecretWire>>>,
    /// Pairs of columns of which cells in the same row are multiplied.
    pub pairs: Vec<[u32; 2]>,
    /// How many polynomials a [`Combination`] is of.
    pub polynomials: usize,
    /// The inverses that are made after the test: what the circuit says of them is in none of these
    /// polynomials.
    pub late_inverses: Vec<LateInverse<u32>>,
    /// The lookup arguments.
    pub lookups: Vec<LookupShape>,
    /// The highest degree of polynomials of one side's own wires that no pair of columns states:
    /// the model's and the data's; 0 without any.
    pub owned_degrees: [usize; 2],
}

/// A lookup argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookupShape {
    /// The tuples that are looked up and not public: for each its components, of which public ones
    /// are no wires.
    pub tuples: Vec<Vec<Option<SecretWire>>>,
    /// Components of a tuple.
    pub width: usize,
    /// Rows of the table.
    pub table_rows: usize,
    /// The rows of the table that are not public, in order, and the components of each as of a
    /// tuple.
    pub secret_rows: Vec<(usize, Vec<Option<SecretWire>>)>,
}

impl LookupShape {
    /// All tuples that are not public, those of the table last.
    pub fn secret_tuples(&self) -> impl Iterator<Item = &Vec<Option<SecretWire>>> {
        self.tuples.iter().chain(self.secret_rows.iter().map(|(_, tuple)| tuple))
    }
}

/// What a witness has to satisfy, with what this side knows of the wires.
pub trait Statement {
    /// This side's share of a wire, and who knows it.
    fn operand(&self, wire: u32) -> Operand;

    /// The sum of all polynomials that are 0, each times the next power of the challenge.
    fn combination(&self, challenge: Fr) -> Combination;

    /// The polynomials of one side's own wires that are 0 and in no [`Combination`].
    fn owned(&self, owner: Role) -> Vec<OwnedPolynomial>;

    /// What is looked up, in the order of [`StatementShape::lookups`].
    fn lookups(&self) -> &[LookupStatement];
}

/// A linear combination of wires and of products of wires.
#[derive(Clone, Debug, Default)]
pub struct Combination {
    /// The summand without a wire.
    pub constant: Fr,
    /// Wires and their coefficients, each wire once.
    pub wires: Vec<(u32, Fr)>,
    /// For each pair of columns the coefficient of the product in each row.
    pub products: Vec<Vec<Fr>>,
}

/// A polynomial of one side's wires.
#[derive(Clone, Debug)]
pub struct OwnedPolynomial {
    /// The summand without a wire.
    pub constant: Fr,
    /// Coefficients of products of wires.
    pub terms: Vec<(Fr, Vec<u32>)>,
}

/// `coefficient * wire + constant`.
#[derive(Clone, Copy, Debug)]
pub struct Affine {
    /// Any number if there is no wire.
    pub coefficient: Fr,
    /// The rest.
    pub constant: Fr,
}

/// A lookup argument with its values.
#[derive(Clone, Debug)]
pub struct LookupStatement {
    /// How the components of each tuple follow from their wires.
    pub tuples: Vec<Vec<Affine>>,
    /// Tuples that both sides know, and how often each is looked up.
    pub known: Vec<(Vec<Fr>, u64)>,
    /// The table: for each component its values, row by row; of rows that are not public, any.
    pub table: Vec<Vec<Fr>>,
    /// How the components of the rows that are not public follow from their wires.
    pub secret_rows: Vec<Vec<Affine>>,
    /// This side's share of how often each row of the table is looked up, at least as many as it
    /// has rows.
    pub multiplicities: Shares,
}
