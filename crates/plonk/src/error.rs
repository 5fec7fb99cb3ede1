//! Errors of keys and proofs.

/// Why a key could not be made or read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// The extended domain would exceed the field's two-adicity.
    #[error(
        "a circuit of 2^{k} rows and degree {degree} is larger than the field's 2^28 roots of unity allow"
    )]
    TooLarge {
        /// log2 of the rows.
        k: u32,
        /// Degree of the system.
        degree: usize,
    },
    /// Not even the blinding rows fit.
    #[error("2^{k} rows are too few: the circuit needs at least {needed}")]
    TooFewRows {
        /// log2 of the rows.
        k: u32,
        /// Least number of rows.
        needed: usize,
    },
    /// The number of selector bit vectors is not the constraint system's.
    #[error("{found} selectors where the circuit has {expected}")]
    SelectorCount {
        /// Selectors of the constraint system.
        expected: usize,
        /// Selectors given.
        found: usize,
    },
}

/// Why a proof is not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProofError {
    /// The proof ends too early.
    #[error("the proof ends at byte {offset}, within {item}")]
    Truncated {
        /// What was to be read.
        item: String,
        /// Length of the proof.
        offset: usize,
    },
    /// A number is not below its modulus.
    #[error("{item} at byte {offset} of the proof is not a canonical field element")]
    NotCanonical {
        /// What was read.
        item: String,
        /// Where it starts.
        offset: usize,
    },
    /// A pair of coordinates that is no point.
    #[error("{item} at byte {offset} of the proof is not on the curve")]
    NotOnCurve {
        /// What was read.
        item: String,
        /// Where it starts.
        offset: usize,
    },
}
