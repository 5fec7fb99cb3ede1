//! A graph of nodes without repetitions: equal operations on equal nodes are one node, and
//! operations with 0 and 1 leave none.

use ff::Field;
use std::collections::HashMap;
use twain_algebra::Fr;
use twain_party::{Node, NodeId};

/// Nodes in dependency order.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    index: HashMap<Node, NodeId>,
}

impl Graph {
    /// A node as it is.
    pub(super) fn leaf(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.index.get(&node) {
            return *id;
        }
        let id = self.nodes.len() as NodeId;
        self.nodes.push(node.clone());
        self.index.insert(node, id);
        id
    }

    pub(super) fn constant(&mut self, value: Fr) -> NodeId {
        self.leaf(Node::Constant(value))
    }

    pub(super) fn as_constant(&self, id: NodeId) -> Option<Fr> {
        match self.nodes.get(id as usize) {
            Some(Node::Constant(value)) => Some(*value),
            _ => None,
        }
    }

    fn as_scaled(&self, id: NodeId) -> Option<(NodeId, Fr)> {
        match self.nodes.get(id as usize) {
            Some(Node::Scaled(node, factor)) => Some((*node, *factor)),
            _ => None,
        }
    }

    pub(super) fn sum(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => self.constant(x + y),
            (Some(x), None) if x == Fr::ZERO => b,
            (None, Some(y)) if y == Fr::ZERO => a,
            _ => match (self.as_scaled(a), self.as_scaled(b)) {
                (_, Some((b, factor))) if factor == -Fr::ONE => self.difference(a, b),
                (Some((a, factor)), _) if factor == -Fr::ONE => self.difference(b, a),
                _ => self.leaf(Node::Sum(a.min(b), a.max(b))),
            },
        }
    }

    fn difference(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if a == b { self.constant(Fr::ZERO) } else { self.leaf(Node::Difference(a, b)) }
    }

    /// Products with a factor and with its negative share the multiplication.
    pub(super) fn scaled(&mut self, a: NodeId, factor: Fr) -> NodeId {
        if let Some(value) = self.as_constant(a) {
            return self.constant(value * factor);
        }
        if factor == Fr::ZERO {
            return self.constant(Fr::ZERO);
        }
        if let Some((a, inner)) = self.as_scaled(a) {
            return self.scaled(a, inner * factor);
        }
        if factor == Fr::ONE {
            return a;
        }
        match self.index.get(&Node::Scaled(a, -factor)) {
            Some(negative) if factor != -Fr::ONE => {
                let negative = *negative;
                self.leaf(Node::Scaled(negative, -Fr::ONE))
            }
            _ => self.leaf(Node::Scaled(a, factor)),
        }
    }

    pub(super) fn product(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if let Some(factor) = self.as_constant(a) {
            return self.scaled(b, factor);
        }
        if let Some(factor) = self.as_constant(b) {
            return self.scaled(a, factor);
        }
        // Constants outside, so that products of the same factors are found.
        let (a, of_a) = self.as_scaled(a).unwrap_or((a, Fr::ONE));
        let (b, of_b) = self.as_scaled(b).unwrap_or((b, Fr::ONE));
        let product = self.leaf(Node::Product(a.min(b), a.max(b)));
        self.scaled(product, of_a * of_b)
    }

    /// The nodes, with `result` as the last one.
    pub(super) fn finish(mut self, result: NodeId) -> Vec<Node> {
        if result as usize + 1 != self.nodes.len() {
            self.nodes.push(Node::Scaled(result, Fr::ONE));
        }
        self.nodes
    }
}
