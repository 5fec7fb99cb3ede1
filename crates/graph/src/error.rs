//! Why a graph or a number is refused.

/// An error of a graph, of settings or of a conversion of numbers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// A node of the graph is inconsistent.
    #[error("{node}: {reason}")]
    Node {
        /// The node, as `node 5 (Hybrid MaxPool)`; for loop bodies with the loops around it.
        node: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The graph as a whole is inconsistent.
    #[error("{0}")]
    Graph(String),
    /// A run argument is out of range.
    #[error("run argument {name}: {reason}")]
    RunArgument {
        /// Its name, as in `settings.json`.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A value does not fit the fixed-point format.
    #[error("the value {value} does not fit 127 bits at scale {scale}: use a smaller scale")]
    Overflow {
        /// The value.
        value: f64,
        /// The base-2 exponent of the fixed-point factor.
        scale: i32,
    },
    /// A value is not of the declared type.
    #[error("the value {value} is not a {expected}")]
    Datum {
        /// The value.
        value: String,
        /// The type.
        expected: &'static str,
    },
}
