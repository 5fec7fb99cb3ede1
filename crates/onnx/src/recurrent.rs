//! Attributes of recurrent layers that the reader of ONNX files overlooks: the circuit would be
//! that of another network.

use tract_onnx::pb::NodeProto;

/// What the reader overlooks of a node, as `direction = reverse`; nothing if the node means what it
/// reads.
pub(crate) fn overlooked(node: &NodeProto) -> Option<String> {
    let defaults: &[&str] = match node.op_type.as_str() {
        "RNN" => &["Tanh"],
        "GRU" => &["Sigmoid", "Tanh"],
        "LSTM" => &["Sigmoid", "Tanh", "Tanh"],
        _ => return None,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    node.attribute.iter().find_map(|attribute| match attribute.name.as_str() {
        "direction" if attribute.s != b"forward" => {
            Some(format!("direction = {}", text(&attribute.s)))
        }
        "activations" => {
            let given: Vec<String> = attribute.strings.iter().map(|s| text(s)).collect();
            let same = given.len() == defaults.len()
                && given.iter().zip(defaults).all(|(given, name)| given.eq_ignore_ascii_case(name));
            (!same && !given.is_empty()).then(|| format!("activations = {}", given.join(", ")))
        }
        "clip" => Some(format!("clip = {}", attribute.f)),
        "input_forget" if attribute.i != 0 => Some(format!("input_forget = {}", attribute.i)),
        _ => None,
    })
}

/// Whether a recurrent layer runs in both directions, of which the reader makes no circuit at all.
pub(crate) fn is_bidirectional(node: &NodeProto) -> bool {
    matches!(node.op_type.as_str(), "RNN" | "GRU" | "LSTM")
        && node
            .attribute
            .iter()
            .any(|attribute| attribute.name == "direction" && attribute.s == b"bidirectional")
}
