//! What is known of an argument before there is a proof (protocol §26). Input: its numerator, but for
//! constants; output: what its test takes.

use super::point::PointCircuit;
use std::collections::BTreeSet;
use twain_party::Numerator;

/// What the test of an argument takes: the same for all proofs of a circuit.
#[derive(Clone)]
pub struct ArgumentShape {
    pub(super) k: u32,
    /// Secret polynomials, each at a rotation.
    pub(super) secrets: BTreeSet<(u32, i32)>,
    pub(super) products: usize,
    pub(super) pieces: usize,
}

impl ArgumentShape {
    /// Of arguments with this numerator, but for constants, and a quotient of so many pieces.
    pub fn new(numerator: &Numerator, pieces: usize) -> Self {
        let circuit = PointCircuit::new(numerator);
        let (secrets, products) = (circuit.secrets(), circuit.products());
        Self { k: numerator.k, secrets, products, pieces }
    }

    /// The rotations of the point at which something is opened; the pieces are at the first.
    pub(super) fn rotations(&self) -> Vec<i32> {
        let others: BTreeSet<i32> = self.secrets.iter().map(|(_, rotation)| *rotation).collect();
        [0].into_iter().chain(others.into_iter().filter(|rotation| *rotation != 0)).collect()
    }

    /// Coefficients of the random polynomial: as many as there are numbers shown of it, a value at
    /// each point and a commitment.
    pub(super) fn cover(&self) -> usize {
        self.rotations().len() + 1
    }

    /// What each side gives as inputs.
    pub(crate) fn inputs(&self) -> usize {
        self.secrets.len() + 2 * self.pieces + self.cover()
    }

    /// Triples: for the products and the zero test.
    pub(crate) fn triples(&self) -> usize {
        self.products + 1
    }
}
