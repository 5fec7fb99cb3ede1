//! What a proof is tested by against a peer that may do anything (protocol §25, §26), as far as it
//! follows from the circuit. Output: what the two-party prover is given, or why there is no test.

use crate::error::Error;
use crate::prover::Prover;
use std::sync::Arc;
use twain_pair::ArgumentShape;
use twain_party::{PartyError, StatementShape};
use twain_plonk::argument_numerator;

/// How both sides say that they take the other's word for it.
pub const TRUST: &str = "--trust-peer";

/// The tests of a circuit's proofs.
pub struct Tests {
    /// Of the witness.
    pub statement: Arc<StatementShape>,
    /// Of the argument.
    pub argument: ArgumentShape,
}

impl Tests {
    /// The tests of this circuit.
    ///
    /// # Errors
    /// There is none for some part of it.
    pub fn of(prover: &Prover) -> Result<Self, Error> {
        let statement = prover.circuit.statement_shape().map_err(|error| {
            PartyError::Unsupported(format!(
                "{error}; with {TRUST} on both sides it is proven, for a peer that is trusted to \
                 follow the protocol"
            ))
        })?;
        let system = prover.key.system();
        let pieces = system.quotient_pieces();
        let argument = ArgumentShape::new(&argument_numerator(system), pieces);
        Ok(Self { statement: Arc::new(statement), argument })
    }
}
