//! Which operations have a layout: asked of a whole model before any work starts.

use crate::LayoutError;
use crate::ops::check_formats;
use twain_graph::{HybridOp, Model, Node, PolyOp, SupportedOp};

/// Every node whose operation has no layout yet.
pub fn check_supported(model: &Model) -> Vec<LayoutError> {
    let mut missing = Vec::new();
    model.for_each_node(&mut |node| {
        let refused = refusal(&node.op);
        missing.extend(refused.map(|op| LayoutError::Unsupported { node: node.idx, op }));
    });
    missing
}

/// The error of a node without a layout.
pub(crate) fn unsupported(node: &Node) -> LayoutError {
    let op = refusal(&node.op).unwrap_or_else(|| node.op.to_string());
    LayoutError::Unsupported { node: node.idx, op }
}

/// The name of an operation without a layout.
pub(crate) fn refusal(op: &SupportedOp) -> Option<String> {
    let supported = match op {
        SupportedOp::Linear(op) => match op {
            PolyOp::Conv { data_format, kernel_format, .. }
            | PolyOp::DeConv { data_format, kernel_format, .. } => {
                check_formats(*data_format, *kernel_format).is_ok()
            }
            _ => true,
        },
        SupportedOp::Hybrid(op) => match op {
            HybridOp::SumPool { data_format, .. } | HybridOp::MaxPool { data_format, .. } => {
                check_formats(*data_format, Default::default()).is_ok()
            }
            HybridOp::Output { .. } => false,
            _ => true,
        },
        SupportedOp::Nonlinear(_) | SupportedOp::Input(_) | SupportedOp::Constant(_) => true,
        SupportedOp::Unknown => false,
        SupportedOp::Rescaled(rescaled) => return refusal(&rescaled.inner),
        SupportedOp::RebaseScale(rebased) => {
            let rebase = SupportedOp::Hybrid(rebased.rebase_op.clone());
            return refusal(&rebased.inner).or_else(|| refusal(&rebase));
        }
    };
    (!supported).then(|| op.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use twain_graph::{Graph, NodeKind, RebaseScale};

    #[test]
    fn names_every_node_without_a_layout() {
        let node = |idx, op| {
            let node =
                Node { op, out_scale: 0, inputs: vec![], out_dims: vec![1], idx, num_uses: 1 };
            (idx, NodeKind::Node(node))
        };
        let nested = SupportedOp::RebaseScale(RebaseScale {
            inner: Box::new(SupportedOp::Hybrid(HybridOp::Output { decomp: true })),
            rebase_op: HybridOp::Div { denom: 2.0 },
            target_scale: 0,
            original_scale: 1,
            multiplier: 2.0,
        });
        let nodes = [
            node(1, SupportedOp::Linear(PolyOp::Add)),
            node(3, SupportedOp::Unknown),
            node(4, nested),
        ];
        let graph = Graph { nodes: nodes.into(), ..Graph::default() };
        let missing = check_supported(&Model { graph, ..Model::default() });
        let texts: Vec<String> = missing.iter().map(LayoutError::to_string).collect();
        assert_eq!(
            texts,
            ["node 3: Unknown is not supported yet", "node 4: Hybrid Output is not supported yet",]
        );
    }
}
