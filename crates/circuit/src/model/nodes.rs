//! The nodes of a graph in the order of their indices, and loops iteration by iteration (spec 03
//! §3.3, spec 05 §4.3).

use super::Walk;
use crate::LayoutError;
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use twain_graph::{
    Graph, HybridOp, InputMapping, Model, Node, NodeKind, Outlet, OutputMapping, PolyOp, SubGraph,
    SupportedOp,
};

/// The results of nodes.
pub(super) type Results = BTreeMap<Outlet, Tensor>;

/// The results that are used as indices along an axis of something shorter than the numbers they
/// may be made of, and the length of that axis.
fn computed_indices(graph: &Graph) -> BTreeMap<Outlet, usize> {
    let mut indices: BTreeMap<Outlet, usize> = BTreeMap::new();
    // Readers come after what they read.
    for kind in graph.nodes.values().rev() {
        let NodeKind::Node(node) = kind else { continue };
        let length = match &node.op {
            SupportedOp::Hybrid(HybridOp::Gather { dim, constant_idx: None })
            | SupportedOp::Linear(PolyOp::GatherElements { dim, constant_idx: None }) => {
                let [tensor, index] = node.inputs[..] else { continue };
                let source = graph.nodes.get(&tensor.node);
                let dims = source.and_then(|source| source.out_dims().get(tensor.slot));
                dims.and_then(|dims| dims.get(*dim)).map(|length| (index, *length))
            }
            SupportedOp::Linear(PolyOp::Identity { .. } | PolyOp::Reshape { .. }) => {
                let length = indices.get(&Outlet { node: node.idx, slot: 0 });
                node.inputs.first().zip(length).map(|(operand, length)| (*operand, *length))
            }
            _ => None,
        };
        if let Some((index, length)) = length {
            let shortest = indices.entry(index).or_insert(length);
            *shortest = length.min(*shortest);
        }
    }
    indices
}

impl Walk<'_> {
    /// Lays out the nodes of the model or of a loop's body.
    pub(super) fn nodes(
        &mut self,
        model: &Model,
        inputs: &BTreeMap<usize, Tensor>,
    ) -> Result<Results, LayoutError> {
        let mut results = Results::new();
        let indices = computed_indices(&model.graph);
        for kind in model.graph.nodes.values() {
            let name: String =
                self.loops.iter().map(|idx| format!("node {idx} (loop), ")).collect();
            let name = name + &kind.to_string();
            self.step(name.clone());
            let at_node = |source| match source {
                error @ (LayoutError::Unsupported { .. }
                | LayoutError::OutOfCells(_)
                | LayoutError::Node { .. }) => error,
                source => LayoutError::Node { node: name, source: Box::new(source) },
            };
            let tensors = self.kind(kind, inputs, &results).and_then(|tensors| {
                self.bound_indices(kind, &tensors, &indices)?;
                Ok(tensors)
            });
            for (slot, tensor) in tensors.map_err(at_node)?.into_iter().enumerate() {
                results.insert(Outlet { node: kind.idx(), slot }, tensor);
            }
        }
        Ok(results)
    }

    /// Takes a result that will be an index as the place in what it is an index of at once, before
    /// more is computed from it: the next index of a tree is.
    fn bound_indices(
        &mut self,
        kind: &NodeKind,
        tensors: &[Tensor],
        indices: &BTreeMap<Outlet, usize>,
    ) -> Result<(), LayoutError> {
        if matches!(kind, NodeKind::Node(Node { op: SupportedOp::Constant(_), .. })) {
            return Ok(());
        }
        for (slot, tensor) in tensors.iter().enumerate() {
            let Some(length) = indices.get(&Outlet { node: kind.idx(), slot }) else { continue };
            for wire in tensor.wires() {
                self.layouter.bound_index(wire, *length)?;
            }
        }
        Ok(())
    }

    fn kind(
        &mut self,
        kind: &NodeKind,
        inputs: &BTreeMap<usize, Tensor>,
        results: &Results,
    ) -> Result<Vec<Tensor>, LayoutError> {
        let mut operands = Vec::with_capacity(kind.inputs().len());
        for outlet in kind.inputs() {
            let missing = || LayoutError::Operands(format!("{outlet:?} has no result"));
            operands.push(results.get(outlet).ok_or_else(missing)?.clone());
        }
        match kind {
            NodeKind::Node(node) => Ok(vec![self.node(node, inputs, &operands)?]),
            NodeKind::SubGraph(subgraph) => {
                self.loops.push(subgraph.idx);
                let tensors = self.repeat(subgraph, operands);
                self.loops.pop();
                tensors
            }
        }
    }

    fn node(
        &mut self,
        node: &Node,
        inputs: &BTreeMap<usize, Tensor>,
        operands: &[Tensor],
    ) -> Result<Tensor, LayoutError> {
        let result = match &node.op {
            SupportedOp::Constant(_) => {
                let mut path = self.loops.clone();
                path.push(node.idx);
                let missing = || LayoutError::Operands("the constant is missing".into());
                let tensor = self.parameters.get(&path).ok_or_else(missing)?.clone();
                match node.num_uses {
                    // Placed by its reader, at every read anew.
                    1 => tensor,
                    _ => self.layouter.apply(node, &node.op, &[tensor])?,
                }
            }
            SupportedOp::Input(_) => {
                let missing = || LayoutError::Operands("not among the graph's inputs".into());
                let tensor = inputs.get(&node.idx).ok_or_else(missing)?;
                self.layouter.apply(node, &node.op, std::slice::from_ref(tensor))?
            }
            op => self.layouter.apply(node, op, operands)?,
        };
        result.reshape(&node.out_dims)
    }

    /// Lays out every iteration of a loop; its results, by outlet.
    fn repeat(
        &mut self,
        subgraph: &SubGraph,
        mut operands: Vec<Tensor>,
    ) -> Result<Vec<Tensor>, LayoutError> {
        let body = &subgraph.model;
        let mut outlets: BTreeMap<usize, Tensor> = BTreeMap::new();
        for iteration in 0..iterations(subgraph, &operands)? {
            let mut inputs = BTreeMap::new();
            let mappings = subgraph.input_mappings.iter().zip(&operands);
            for (idx, (mapping, operand)) in body.graph.inputs.iter().zip(mappings) {
                inputs.insert(*idx, part(operand, mapping, iteration)?);
            }
            let results = self.nodes(body, &inputs)?;
            let before = outlets.clone();
            let mut states = Vec::new();
            for (outlet, mappings) in body.graph.outputs.iter().zip(&subgraph.output_mappings) {
                let missing =
                    || LayoutError::Operands("an output of its body has no result".into());
                let result = results.get(outlet).ok_or_else(missing)?;
                for mapping in mappings {
                    let value = match (mapping, before.get(&mapping.outlet())) {
                        (OutputMapping::Stacked { axis, .. }, Some(before)) => {
                            Tensor::concat(&[before, result], *axis, self.layouter.capacity)?
                        }
                        _ => result.clone(),
                    };
                    outlets.insert(mapping.outlet(), value);
                    if mapping.is_state() {
                        states.push(result.clone());
                    }
                }
            }
            let mut states = states.into_iter();
            for (mapping, operand) in subgraph.input_mappings.iter().zip(&mut operands) {
                if *mapping == InputMapping::State {
                    let missing = || LayoutError::Operands("a state is missing".into());
                    *operand = states.next().ok_or_else(missing)?;
                }
            }
        }
        Ok(outlets.into_values().collect())
    }
}

/// What an iteration reads of an operand.
fn part(operand: &Tensor, mapping: &InputMapping, iteration: usize) -> Result<Tensor, LayoutError> {
    let InputMapping::Stacked { axis, chunk } = *mapping else { return Ok(operand.clone()) };
    let mut ranges: Vec<_> = operand.dims.iter().map(|dim| 0..*dim).collect();
    if let Some(range) = ranges.get_mut(axis) {
        *range = iteration * chunk..((iteration + 1) * chunk).min(range.end);
    }
    operand.slice(&ranges)
}

/// How often a loop's body runs.
fn iterations(subgraph: &SubGraph, operands: &[Tensor]) -> Result<usize, LayoutError> {
    let mut count = None;
    for (mapping, operand) in subgraph.input_mappings.iter().zip(operands) {
        let InputMapping::Stacked { axis, chunk } = *mapping else { continue };
        let slices = operand.dims.get(axis).filter(|_| chunk > 0).map(|dim| dim.div_ceil(chunk));
        if slices != Some(*count.get_or_insert(slices.unwrap_or(0))) {
            let text = "its operands have different numbers of slices";
            return Err(LayoutError::Operands(text.into()));
        }
    }
    Ok(count.unwrap_or(1))
}
