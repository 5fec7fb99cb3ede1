//! The proof system: constraint system, keys, transcript, prover over a Party, verifier.

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
pub use prover::{AdviceColumn, LookupView, ProveError, WitnessSource, prove};
pub use proving_key::{
    ColumnPolynomials, ExtendedDomain, ProvingKey, RowPolynomials, split_into_cosets,
};
pub use srs::{Srs, VerifierSrs};
pub use transcript::{ProofReader, ProofWriter, Transcript};
pub use verifier::{verify, verify_any};
pub use verifying_key::{VerifyingKey, VerifyingKeyParts};
