//! Graphs: nodes, edges, loops (spec 02 §2.2, §2.3).

use crate::{InputType, ModelVisibility, SupportedOp};
use std::collections::BTreeMap;
use std::fmt;

/// One output of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Outlet {
    /// The node's index, its key in [`Graph::nodes`].
    pub node: usize,
    /// Which of its outputs.
    pub slot: usize,
}

/// A directed graph of operations. Nodes are evaluated in the order of their indices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The nodes by index; indices have gaps.
    pub nodes: BTreeMap<usize, NodeKind>,
    /// Indices of the input nodes.
    pub inputs: Vec<usize>,
    /// The outputs.
    pub outputs: Vec<Outlet>,
    /// The type of each output.
    pub output_types: Vec<InputType>,
}

/// A graph and who may see its inputs, parameters and outputs. A loop body is a model again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// The operations.
    pub graph: Graph,
    /// The visibilities.
    pub visibility: ModelVisibility,
}

/// A node of a graph.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // loops are rare, nodes are many
pub enum NodeKind {
    /// An operation.
    Node(Node),
    /// A loop.
    SubGraph(SubGraph),
}

/// An operation with its place in the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The operation.
    pub op: SupportedOp,
    /// The base-2 exponent of the output's fixed-point factor.
    pub out_scale: i32,
    /// The operands (without those folded into the operation).
    pub inputs: Vec<Outlet>,
    /// The output's shape.
    pub out_dims: Vec<usize>,
    /// The index, equal to the key in [`Graph::nodes`].
    pub idx: usize,
    /// How many inlets read the node, at least 1. A constant with one use has no cells of its own.
    pub num_uses: usize,
}

/// A loop over slices of its inputs (ONNX Scan, LSTM, GRU, RNN).
///
/// It runs `ceil(dims[axis] / chunk)` times, all stacked inputs agreeing, and once if there is
/// none.
#[derive(Clone, Debug, PartialEq)]
pub struct SubGraph {
    /// The body.
    pub model: Model,
    /// The operands.
    pub inputs: Vec<Outlet>,
    /// The index, equal to the key in [`Graph::nodes`].
    pub idx: usize,
    /// What becomes of each output of the body.
    pub output_mappings: Vec<Vec<OutputMapping>>,
    /// Where each input of the body comes from.
    pub input_mappings: Vec<InputMapping>,
    /// Shapes of the outlets.
    pub out_dims: Vec<Vec<usize>>,
    /// Scales of the outlets.
    pub out_scales: Vec<i32>,
}

/// What becomes of an output of a loop's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputMapping {
    /// The value of the last iteration.
    Single {
        /// Outlet of the loop.
        outlet: usize,
        /// Whether it is also the state of the next iteration.
        is_state: bool,
    },
    /// The values of all iterations, concatenated.
    Stacked {
        /// Outlet of the loop.
        outlet: usize,
        /// Axis of the concatenation.
        axis: usize,
        /// Whether it is also the state of the next iteration.
        is_state: bool,
    },
}

impl OutputMapping {
    /// The outlet of the loop.
    pub fn outlet(&self) -> usize {
        match *self {
            OutputMapping::Single { outlet, .. } | OutputMapping::Stacked { outlet, .. } => outlet,
        }
    }

    /// Whether it is also the state of the next iteration.
    pub fn is_state(&self) -> bool {
        match *self {
            OutputMapping::Single { is_state, .. } | OutputMapping::Stacked { is_state, .. } => {
                is_state
            }
        }
    }
}

/// Where an input of a loop's body comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputMapping {
    /// The whole operand, in every iteration.
    Full,
    /// The operand first, then the state of the previous iteration.
    State,
    /// A slice of the operand.
    Stacked {
        /// Axis of the slices.
        axis: usize,
        /// Length of a slice along the axis.
        chunk: usize,
    },
}

impl NodeKind {
    /// The index in the graph.
    pub fn idx(&self) -> usize {
        match self {
            NodeKind::Node(node) => node.idx,
            NodeKind::SubGraph(subgraph) => subgraph.idx,
        }
    }

    /// The operands.
    pub fn inputs(&self) -> &[Outlet] {
        match self {
            NodeKind::Node(node) => &node.inputs,
            NodeKind::SubGraph(subgraph) => &subgraph.inputs,
        }
    }

    /// Shapes of the outlets.
    pub fn out_dims(&self) -> &[Vec<usize>] {
        match self {
            NodeKind::Node(node) => std::slice::from_ref(&node.out_dims),
            NodeKind::SubGraph(subgraph) => &subgraph.out_dims,
        }
    }

    /// Scales of the outlets.
    pub fn out_scales(&self) -> &[i32] {
        match self {
            NodeKind::Node(node) => std::slice::from_ref(&node.out_scale),
            NodeKind::SubGraph(subgraph) => &subgraph.out_scales,
        }
    }

    /// How many inlets read the node; 0 for loops, whose results are kept.
    pub fn num_uses(&self) -> usize {
        match self {
            NodeKind::Node(node) => node.num_uses,
            NodeKind::SubGraph(_) => 0,
        }
    }
}

impl Model {
    /// Calls `f` on every operation in the order of the indices, those of a loop's body at the
    /// place of the loop.
    pub fn for_each_node<'a>(&'a self, f: &mut impl FnMut(&'a Node)) {
        for kind in self.graph.nodes.values() {
            match kind {
                NodeKind::Node(node) => f(node),
                NodeKind::SubGraph(subgraph) => subgraph.model.for_each_node(f),
            }
        }
    }

    /// As [`Model::for_each_node`], to change the operations.
    pub fn for_each_node_mut(&mut self, f: &mut impl FnMut(&mut Node)) {
        for kind in self.graph.nodes.values_mut() {
            match kind {
                NodeKind::Node(node) => f(node),
                NodeKind::SubGraph(subgraph) => subgraph.model.for_each_node_mut(f),
            }
        }
    }
}

/// As in messages: `node 5 (Hybrid MaxPool)`.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} ({})", self.idx, self.op)
    }
}

/// As in messages: `node 5 (loop)`.
impl fmt::Display for SubGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} (loop)", self.idx)
    }
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeKind::Node(node) => node.fmt(f),
            NodeKind::SubGraph(subgraph) => subgraph.fmt(f),
        }
    }
}
