//! Class labels, and what becomes of those that are texts.

use tract_onnx::pb::NodeProto;

/// The class labels of a classifier.
pub(super) enum Labels {
    /// Numbers.
    Numbers(Vec<i64>),
    /// So many texts.
    Texts(usize),
}

impl Labels {
    pub fn of(node: &NodeProto, numbers: &str) -> Result<Self, String> {
        let attribute = |name: &str| node.attribute.iter().find(|a| a.name == name);
        match (attribute(numbers), attribute("classlabels_strings")) {
            (Some(labels), _) if !labels.ints.is_empty() => Ok(Self::Numbers(labels.ints.clone())),
            (_, Some(labels)) if !labels.strings.is_empty() => {
                Ok(Self::Texts(labels.strings.len()))
            }
            _ => Err("it has no class labels".into()),
        }
    }

    pub fn count(&self) -> usize {
        match self {
            Self::Numbers(labels) => labels.len(),
            Self::Texts(count) => *count,
        }
    }
}

/// What is left out of a classifier whose labels are texts.
pub(super) fn texts_are_positions() -> String {
    "its class labels are texts: the output is the position of the label in their list".into()
}
