//! Why settings or a model cannot be laid out, or a witness cannot be made.

use twain_party::PartyError;

/// An error of configuration or layout.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LayoutError {
    /// An operation that is not there yet.
    #[error("node {node}: {op} is not supported yet")]
    Unsupported {
        /// Index of the node.
        node: usize,
        /// The operation, and what about it is not supported.
        op: String,
    },
    /// The settings ask for something that is not there yet.
    #[error("the settings ask for {0}, which is not supported yet")]
    UnsupportedSettings(String),
    /// The settings are inconsistent.
    #[error("settings: {0}")]
    Settings(String),
    /// The columns the settings provide are too few.
    #[error("the settings provide too few {0}: run gen-settings for this model again")]
    OutOfCells(&'static str),
    /// An operation does not fit its operands.
    #[error("{0}")]
    Operands(String),
    /// The circuit exceeds what 32-bit numbers count.
    #[error("the circuit is too large")]
    TooLarge,
    /// An error with the node it happened at.
    #[error("{node}: {source}")]
    Node {
        /// The node, as `node 5 (Linear Conv)`.
        node: String,
        /// What happened.
        source: Box<LayoutError>,
    },
}

/// An error of witness generation.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// Inputs or parameters do not fit the model.
    #[error("{0}")]
    Sources(String),
    /// An element of an input or a parameter is out of the range that a pair relies on (told to its
    /// owner only).
    #[error(
        "element {index} of {tensor} is not in the range {low} to {high}, for which the masks of two \
         parties are made: use smaller values or a smaller {scale}"
    )]
    OutOfBound {
        /// The input or the constant.
        tensor: String,
        /// The element's place in it, row by row, from 0.
        index: usize,
        /// The smallest integer it may be.
        low: i128,
        /// The largest.
        high: i128,
        /// The flag that makes it smaller.
        scale: &'static str,
    },
    /// A value is too large for the decomposition of the circuit (told to local users only).
    #[error(
        "{step}: the value {value} is out of the range the circuit can hold ({range}): perhaps the input \
         is unlike the samples the settings were calibrated with; otherwise use a smaller scale, or a \
         larger decomp_base, decomp_legs or lookup_range"
    )]
    OutOfRange {
        /// The node.
        step: String,
        /// The value.
        value: String,
        /// The range.
        range: String,
    },
    /// What is used as a Boolean is none (told to local users only).
    #[error(
        "{step}: {value} is used as a Boolean, which is 0 or 1 in a circuit: compare with Greater or \
         Equal where the model casts to bool"
    )]
    NotBoolean {
        /// The node.
        step: String,
        /// The value.
        value: String,
    },
    /// A claim of the circuit does not hold (told to local users only).
    #[error("{step}: two values that must be equal are {left} and {right}")]
    Unequal {
        /// The node.
        step: String,
        /// One value.
        left: String,
        /// The other.
        right: String,
    },
    /// A step of the party failed.
    #[error(transparent)]
    Party(#[from] PartyError),
}
