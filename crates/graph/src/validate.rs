//! Structural checks of a graph read from outside, so that code walking it may rely on them.

use crate::{
    Constant, GraphError, HybridOp, InputMapping, Model, NodeKind, PolyOp, SubGraph, SupportedOp,
    Tensor,
};
use std::collections::BTreeMap;

/// Most elements of a tensor: the cells of the largest circuit, 2^28 rows of sixteen columns.
const MOST_ELEMENTS: usize = 1 << 32;

impl Model {
    /// Checks that
    /// - keys equal indices, and operands and outputs name an outlet of an existing node with a
    ///   smaller index (so the order of the indices is an order of evaluation);
    /// - shapes have a number of elements that does not overflow (at most 2^32);
    /// - constants have as many elements as their shapes and a visibility; index tensors inside
    ///   operations have as many as theirs;
    /// - inputs are `Input` nodes, each output has a type, and loops map all inputs
    ///   and outputs to existing ones, with as many states going in as coming out.
    ///
    /// # Errors
    /// The first violation, naming the node.
    pub fn validate(&self) -> Result<(), GraphError> {
        self.validate_within("")
    }

    fn validate_within(&self, place: &str) -> Result<(), GraphError> {
        let graph = &self.graph;
        let mut slots: BTreeMap<usize, usize> = BTreeMap::new();
        for (key, kind) in &graph.nodes {
            let fail =
                |reason: String| Err(GraphError::Node { node: format!("{place}{kind}"), reason });
            if *key != kind.idx() {
                return fail(format!("is stored under index {key}"));
            }
            for outlet in kind.inputs() {
                if slots.get(&outlet.node).is_none_or(|count| outlet.slot >= *count) {
                    return fail(format!(
                        "reads output {} of node {}, which does not come before it",
                        outlet.slot, outlet.node
                    ));
                }
            }
            for dims in kind.out_dims() {
                if elements(dims).is_none() {
                    return fail(format!("its shape {dims:?} has too many elements"));
                }
            }
            match kind {
                NodeKind::Node(node) => check_op(&node.op).or_else(fail)?,
                NodeKind::SubGraph(subgraph) => {
                    self.check_loop(subgraph).or_else(fail)?;
                    subgraph.model.validate_within(&format!("{place}{subgraph}, "))?;
                }
            }
            slots.insert(*key, kind.out_dims().len());
        }
        let fail = |reason: String| Err(GraphError::Graph(format!("{place}{reason}")));
        for input in &graph.inputs {
            let is_input = |kind: &NodeKind| matches!(kind, NodeKind::Node(node) if matches!(node.op, SupportedOp::Input(_)));
            if !graph.nodes.get(input).is_some_and(is_input) {
                return fail(format!("input {input} of the graph is not an Input node"));
            }
        }
        for outlet in &graph.outputs {
            if slots.get(&outlet.node).is_none_or(|count| outlet.slot >= *count) {
                return fail(format!(
                    "output {} of node {} is an output of the graph but does not exist",
                    outlet.slot, outlet.node
                ));
            }
        }
        if graph.output_types.len() != graph.outputs.len() {
            return fail("the graph has not one type per output".into());
        }
        Ok(())
    }
}

impl Model {
    /// Checks the mappings of a loop whose operands exist.
    fn check_loop(&self, subgraph: &SubGraph) -> Result<(), String> {
        let check =
            |holds: bool, reason: &str| holds.then_some(()).ok_or_else(|| reason.to_string());
        let body = &subgraph.model.graph;
        let outlets = subgraph.out_dims.len();
        check(subgraph.out_scales.len() == outlets, "has not one scale per shape")?;
        check(
            subgraph.input_mappings.len() == subgraph.inputs.len()
                && body.inputs.len() == subgraph.inputs.len()
                && subgraph.output_mappings.len() == body.outputs.len(),
            "does not map all inputs and outputs of its body",
        )?;
        // a state that is nobody's output has the number of an outlet that does not exist
        let mappings = || subgraph.output_mappings.iter().flatten();
        check(
            mappings().all(|mapping| mapping.outlet() < outlets || mapping.is_state()),
            "maps an output of its body to an outlet it has not",
        )?;
        let states = |mapping: &&InputMapping| **mapping == InputMapping::State;
        check(
            subgraph.input_mappings.iter().filter(states).count()
                == mappings().filter(|mapping| mapping.is_state()).count(),
            "has not as many states going in as coming out",
        )?;
        for (mapping, outlet) in subgraph.input_mappings.iter().zip(&subgraph.inputs) {
            let InputMapping::Stacked { axis, chunk } = *mapping else {
                continue;
            };
            let operand = self.graph.nodes.get(&outlet.node).map(NodeKind::out_dims);
            let rank = operand.and_then(|dims| dims.get(outlet.slot)).map_or(0, Vec::len);
            check(axis < rank && chunk > 0, "slices an operand along an axis it has not")?;
        }
        Ok(())
    }
}

/// The number of elements of a shape, if it is at most 2^32.
fn elements(dims: &[usize]) -> Option<usize> {
    dims.iter()
        .try_fold(1usize, |count, dim| count.checked_mul(*dim))
        .filter(|count| *count <= MOST_ELEMENTS)
}

fn check_tensor<T>(tensor: &Tensor<T>, what: &str) -> Result<(), String> {
    if elements(&tensor.dims) == Some(tensor.len()) {
        return Ok(());
    }
    Err(format!("{what} of shape {:?} has {} elements", tensor.dims, tensor.len()))
}

fn check_op(op: &SupportedOp) -> Result<(), String> {
    match op {
        SupportedOp::Constant(Constant { quantized_values, .. }) => {
            if quantized_values.visibility.is_none() {
                return Err("a constant without visibility".into());
            }
            check_tensor(quantized_values, "the constant")
        }
        SupportedOp::Rescaled(rescaled) => check_op(&rescaled.inner),
        SupportedOp::RebaseScale(rebased) => check_op(&rebased.inner),
        SupportedOp::Linear(
            PolyOp::GatherElements { constant_idx: Some(indices), .. }
            | PolyOp::GatherND { indices: Some(indices), .. }
            | PolyOp::ScatterElements { constant_idx: Some(indices), .. }
            | PolyOp::ScatterND { constant_idx: Some(indices) },
        )
        | SupportedOp::Hybrid(HybridOp::Gather { constant_idx: Some(indices), .. }) => {
            check_tensor(indices, "the index tensor")
        }
        _ => Ok(()),
    }
}
