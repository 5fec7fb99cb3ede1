//! Errors of keys, reference strings and proofs.

use crate::column::Cell;
use crate::polynomial::Polynomial;

/// Why a key could not be made or read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// Its columns are not those of the circuit.
    #[error("its columns are not those of the circuit: make the keys with setup, on this machine")]
    OtherCircuit,
    /// The operator ended the work.
    #[error("cancelled")]
    Cancelled,
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
    /// A number of commitments that is not the constraint system's.
    #[error(
        "the key has commitments to {found} {what} where the circuit has {expected}: \
         was it made with other settings?"
    )]
    Commitments {
        /// Kind of columns.
        what: &'static str,
        /// Columns of the constraint system.
        expected: usize,
        /// Commitments given.
        found: usize,
    },
    /// A number of columns that is not the constraint system's.
    #[error("{found} {what} where the circuit has {expected}")]
    Columns {
        /// Kind of columns.
        what: &'static str,
        /// Columns of the constraint system.
        expected: usize,
        /// Columns given.
        found: usize,
    },
    /// A column that is too short or too long.
    #[error("column {index} has {found} values where the circuit has {rows} rows")]
    ColumnLength {
        /// Position.
        index: usize,
        /// Rows of the circuit.
        rows: usize,
        /// Values given.
        found: usize,
    },
    /// A selector's rows are not those of the circuit.
    #[error("the rows of selector {index} take {found} bytes instead of {expected}")]
    SelectorLength {
        /// Index of the selector.
        index: usize,
        /// One bit for each row.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A selector is on where no constraint may hold.
    #[error("selector {index} is on beyond the {usable} usable rows")]
    SelectorOutside {
        /// Index of the selector.
        index: usize,
        /// Usable rows.
        usable: usize,
    },
    /// The selectors' rows are not those the key commits to.
    #[error("the rows of a selector are not those it commits to, or it was made with another SRS")]
    SelectorRows,
    /// A copy constraint on a cell that cannot have one.
    #[error(
        "a copy constraint on {cell:?}, whose column has no equality enabled or whose row is not usable"
    )]
    CopyOutside {
        /// The cell.
        cell: Cell,
    },
    /// The permutation does not fit 32-bit cell numbers.
    #[error("{columns} permutation columns of {rows} rows are more than 2^32 cells")]
    TooManyCells {
        /// Permutation columns.
        columns: usize,
        /// Rows.
        rows: usize,
    },
    /// The SRS was not downsized to the circuit, or is too small.
    #[error("the circuit has 2^{circuit} rows, the SRS 2^{srs} powers")]
    SrsSize {
        /// log2 of the circuit's rows.
        circuit: u32,
        /// log2 of the SRS's powers.
        srs: u32,
    },
    /// A commitment that is no point.
    #[error("the key's commitment {index} of the {what} is not on the curve")]
    NotOnCurve {
        /// Kind of columns.
        what: &'static str,
        /// Position.
        index: usize,
    },
}

/// Why an SRS cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SrsError {
    /// More powers than the field has roots of unity for.
    #[error("an SRS of 2^{k} powers is larger than the field's 2^28 roots of unity allow")]
    TooLarge {
        /// log2 of the number of powers.
        k: u32,
    },
    /// Vectors that are not `2^k` long.
    #[error("an SRS of 2^{k} powers has {g} powers and {g_lagrange} Lagrange points")]
    Length {
        /// log2 of the number of powers.
        k: u32,
        /// Number of powers given.
        g: usize,
        /// Number of Lagrange points given.
        g_lagrange: usize,
    },
    /// Not enough powers for the circuit.
    #[error("the circuit has 2^{needed} rows, the SRS only 2^{found} powers: get a larger one")]
    TooSmall {
        /// log2 of the circuit's rows.
        needed: u32,
        /// log2 of the SRS's powers.
        found: u32,
    },
    /// A point that is not on the curve, the identity, or of the wrong order.
    #[error("{0} of the SRS is not a valid point")]
    BadPoint(&'static str),
    /// The operator ended the work.
    #[error("cancelled")]
    Cancelled,
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
    /// Wrong number of instance columns.
    #[error("{found} columns of public values where the circuit has {expected}")]
    InstanceColumns {
        /// Columns of the circuit.
        expected: usize,
        /// Columns given.
        found: usize,
    },
    /// More instances than usable rows.
    #[error("{found} public values in a column of {limit} usable rows")]
    InstanceRows {
        /// Usable rows.
        limit: usize,
        /// Values given.
        found: usize,
    },
    /// The constraint system uses a value that it has not registered for opening.
    #[error("the circuit uses {polynomial:?} at rotation {rotation} without opening it there")]
    NotEvaluated {
        /// The polynomial.
        polynomial: Polynomial,
        /// The rotation.
        rotation: i32,
    },
    /// A challenge fell on a row (probability below 2^-220 for an honest proof).
    #[error("a challenge of the proof falls on a row of the circuit")]
    ChallengeInDomain,
    /// The proof is well formed and wrong.
    #[error(
        "the proof does not hold: it was made for other public values or another key, \
         or has been changed"
    )]
    Rejected,
}
