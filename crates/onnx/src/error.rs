//! Why a model cannot be loaded, converted or measured.

use twain_graph::GraphError;

/// An error of an ONNX file or of its conversion.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The bytes are no ONNX model.
    #[error("not a complete ONNX model: {0}")]
    Parse(String),
    /// The model could not be analysed.
    #[error("the ONNX model cannot be analysed: {0}")]
    Analyse(String),
    /// A dimension of an input is not known.
    #[error(
        "a dimension of input {input} is not known: name it with --variables \
         (`batch_size->1` sets the dimensions without a name)"
    )]
    UnknownDimension {
        /// Name of the input.
        input: String,
    },
    /// A node has no counterpart, or one outside what is supported.
    #[error("node {index} `{name}` ({op}): {reason}")]
    Node {
        /// The index of the node.
        index: usize,
        /// Its name in the ONNX file.
        name: String,
        /// Its operator.
        op: String,
        /// What is wrong.
        reason: String,
    },
    /// The visibilities do not go together.
    #[error("{0}")]
    Visibility(&'static str),
    /// A value or an argument is out of range.
    #[error(transparent)]
    Graph(#[from] GraphError),
}
