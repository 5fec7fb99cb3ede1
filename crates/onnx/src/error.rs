//! Why a model cannot be loaded or converted.

use twain_graph::GraphError;

/// An error of an ONNX file or of its conversion.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The bytes are no ONNX model, or a part of one.
    #[error("not a complete ONNX model: {0}")]
    Parse(String),
    /// A tensor is kept in another file, which cannot be read.
    #[error(
        "tensor `{tensor}` is kept in {file}: {reason}; put that file beside the model, or save the \
         model with its weights inside (in Python: onnx.save(onnx.load(FILE), FILE, \
         save_as_external_data=False))"
    )]
    ExternalData {
        /// The tensor.
        tensor: String,
        /// Where it is said to be.
        file: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// An operator of the file that cannot be read.
    #[error("node `{name}` ({op}): {reason}")]
    Operator {
        /// The node's name, or that of its first output.
        name: String,
        /// The operator.
        op: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The model could not be analysed.
    #[error("the ONNX model cannot be analysed: {0}")]
    Analyse(String),
    /// A dimension of an input is not known.
    #[error(
        "dimension {axis} of input `{input}` is not known: set it with --variables '{variable}->1', or another number"
    )]
    UnknownDimension {
        /// Name of the input.
        input: String,
        /// Which of its dimensions, from 0.
        axis: usize,
        /// The variable that sets it.
        variable: String,
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
