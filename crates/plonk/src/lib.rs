//! The proof system: constraint system, keys, transcript, prover over a Party, verifier.
//!
//! That someone knows a square root of 9, proved and verified:
//!
//! ```
//! use group::{Curve, prime::PrimeCurveAffine};
//! use twain_algebra::{Fr, G1, G1Affine, G2Affine, g_lagrange_from_g};
//! use twain_party::{Alone, CellKinds, Kind, Multiplicities, Role, Seed, Shares};
//! use twain_plonk::{
//!     AdviceColumn, Assembly, BitRows, Cell, ConstraintSystem, Expression, LookupView, ProveError, Srs,
//!     WitnessSource, generate_keys, prove, verify,
//! };
//!
//! const K: u32 = 4;
//!
//! /// The witness: the root in a column, its square in another.
//! struct Root(Fr);
//!
//! impl<P> WitnessSource<P> for Root {
//!     fn advice(&mut self, _: &mut P, _: u8, _: &[Fr]) -> Result<Vec<AdviceColumn>, ProveError> {
//!         let column = |value| {
//!             let mut values = vec![Fr::from(0); 1 << K];
//!             values[0] = value;
//!             let kinds = CellKinds::Rows(vec![Some(Kind::Owned(Role::Data))]);
//!             let (values, wires, publics) = (Shares::new(values), Vec::new(), Vec::new());
//!             AdviceColumn { values, kinds, wires, publics }
//!         };
//!         Ok(vec![column(self.0), column(self.0 * self.0)])
//!     }
//!     fn choice_bits(&self, _: &P, _: u32) -> Option<Vec<AdviceColumn>> {
//!         None
//!     }
//!     fn multiplicities(
//!         &mut self,
//!         _: &mut P,
//!         _: &LookupView<'_>,
//!     ) -> Result<Vec<Multiplicities>, ProveError> {
//!         Ok(Vec::new())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut system = ConstraintSystem::new();
//! let (root, square) = (system.advice_column(0), system.advice_column(0));
//! let public = system.instance_column();
//! let selector = system.selector();
//! system.enable_equality(square);
//! system.enable_equality(public);
//! let x = system.query(root, 0);
//! let is_square = system.query(square, 0) - x.clone() * x;
//! system.gate("square", vec![Expression::from(selector) * is_square]);
//!
//! // The gate is on in row 0, and the square there is the public number.
//! let mut on = BitRows::new(1 << K);
//! on.set(0);
//! let copies = vec![(Cell { column: square, row: 0 }, Cell { column: public, row: 0 })];
//! let assembly = Assembly { k: K, fixed: vec![], selectors: vec![on], copies };
//!
//! // A ceremony's, in real life: whoever knows the secret can prove anything.
//! let secret = Fr::from(0x5eed);
//! let powers = std::iter::successors(Some(G1::generator()), |point| Some(point * secret));
//! let g: Vec<G1Affine> = powers.take(1 << K).map(|point| point.to_affine()).collect();
//! let [g2, secret_g2] = [Fr::from(1), secret].map(|x| (G2Affine::generator() * x).to_affine());
//! let srs = Srs::new(K, g.clone(), g_lagrange_from_g(&g)?, g2, secret_g2)?;
//!
//! let key = generate_keys(system, assembly, &srs, true)?;
//! let instances = [vec![Fr::from(9)]];
//! let mut alone = Alone::new(Seed([1; 32]));
//! let proof = prove(&mut alone, &key, &srs, &instances, &mut Root(Fr::from(3)))?;
//! verify(key.vk(), srs.verifier(), &instances, &proof)?;
//! assert!(verify(key.vk(), srs.verifier(), &[vec![Fr::from(8)]], &proof).is_err());
//! # Ok(())
//! # }
//! ```

mod assembly;
mod column;
mod compiled;
mod constraint_system;
mod constraints;
mod error;
mod expression;
mod key_hash;
mod keygen;
mod lookup;
mod opening;
mod permutation;
mod polynomial;
mod prover;
mod proving_key;
mod rotation;
mod srs;
mod transcript;
mod verifier;
mod verifying_key;

pub use assembly::{Assembly, BitRows};
pub use column::{Cell, Challenge, Column, ColumnKind, Selector};
pub use compiled::{CompiledSystem, SelectorColumn, TWO_ADICITY};
pub use constraint_system::{ConstraintSystem, Gate};
pub use constraints::{Challenges, Constraint, Evaluator, compress, constraints};
pub use error::{KeyError, ProofError, SrsError};
pub use expression::{Expression, Query};
pub use keygen::{check_key, generate_keys, generate_keys_watched};
pub use lookup::{LookupArgument, LookupMap, LookupTable};
pub use opening::{RotationSet, all_rotations, evaluations, opening_queries, rotation_sets};
pub use polynomial::Polynomial;
pub use prover::{AdviceColumn, LookupView, ProveError, WitnessSource, argument_numerator, prove};
pub use proving_key::{
    ColumnPolynomials, ExtendedDomain, ProvingKey, RowPolynomials, split_into_cosets,
};
pub use srs::{Srs, VerifierSrs};
pub use transcript::{ProofReader, ProofWriter, Transcript};
pub use verifier::{verify, verify_any};
pub use verifying_key::{VerifyingKey, VerifyingKeyParts};
