//! What is said where a circuit means something else than the network of the file.

use std::fmt;
use tract_onnx::pb::NodeProto;

/// An operator whose circuit is not what the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The node's name.
    pub name: String,
    /// Its operator.
    pub op: String,
    /// What the circuit does instead, and what helps.
    pub what: String,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node `{}` ({}): {}", self.name, self.op, self.what)
    }
}

/// A node's name in the file, or that of its first output.
pub(crate) fn name_of(node: &NodeProto) -> String {
    let named = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    named.cloned().unwrap_or_default()
}
