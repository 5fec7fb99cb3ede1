//! What the quotient must know of a numerator's nodes before it evaluates them.

use twain_party::{Node, NodeId, Numerator};

#[derive(Clone, Copy, Default)]
pub(super) struct NodeFacts {
    /// The parties hold shares of it.
    pub secret: bool,
    /// It is a product of shares.
    pub interactive: bool,
    /// Interactive steps needed, its own included.
    pub level: u32,
    /// The polynomial's degree is below `size * n` (0: a constant).
    pub size: usize,
    /// The last place, of the rows and the cosets, where its value is needed.
    pub last_place: usize,
}

impl NodeFacts {
    /// Places where a product is made by OLE: the rows and `size - 1` cosets, or fewer if there are
    /// no more.
    pub fn dense_places(&self, cosets: usize) -> usize {
        self.size.min(cosets + 1)
    }
}

/// The facts of all nodes of a numerator whose quotient is computed on so many cosets.
pub(super) fn facts(numerator: &Numerator, cosets: usize) -> Vec<NodeFacts> {
    let mut nodes: Vec<NodeFacts> = Vec::with_capacity(numerator.nodes.len());
    for node in &numerator.nodes {
        nodes.push(facts_of(node, &nodes));
    }
    // The result is needed on all cosets, a product's operands where it is made, others' where they
    // are.
    if let Some(result) = nodes.last_mut() {
        result.last_place = cosets;
    }
    for (id, node) in numerator.nodes.iter().enumerate().rev() {
        let facts = nodes[id];
        let last = match facts.interactive {
            true => facts.dense_places(cosets) - 1,
            false => facts.last_place,
        };
        for child in children(node) {
            let child = &mut nodes[child as usize];
            child.last_place = child.last_place.max(last);
        }
    }
    nodes
}

/// The operands of a node.
pub(super) fn children(node: &Node) -> Vec<NodeId> {
    match node {
        Node::Constant(_) | Node::Public(..) | Node::Secret(..) => Vec::new(),
        Node::Scaled(a, _) => vec![*a],
        Node::Sum(a, b) | Node::Difference(a, b) | Node::Product(a, b) => vec![*a, *b],
        Node::InnerProduct { terms, .. } => terms.iter().flat_map(|&(_, a, b)| [a, b]).collect(),
    }
}

/// The facts of a node, from those of the nodes before it.
fn facts_of(node: &Node, earlier: &[NodeFacts]) -> NodeFacts {
    let of = |id: &NodeId| earlier[*id as usize];
    let product = |a: NodeFacts, b: NodeFacts| NodeFacts {
        secret: a.secret || b.secret,
        interactive: a.secret && b.secret,
        level: a.level.max(b.level),
        size: a.size + b.size,
        last_place: 0,
    };
    let sum = |a: NodeFacts, b: NodeFacts| NodeFacts {
        secret: a.secret || b.secret,
        interactive: a.interactive || b.interactive,
        level: a.level.max(b.level),
        size: a.size.max(b.size),
        last_place: 0,
    };
    let mut facts = match node {
        Node::Constant(_) => NodeFacts::default(),
        Node::Public(..) => NodeFacts { size: 1, ..NodeFacts::default() },
        Node::Secret(..) => NodeFacts { size: 1, secret: true, ..NodeFacts::default() },
        Node::Scaled(a, _) => NodeFacts { interactive: false, ..of(a) },
        Node::Sum(a, b) | Node::Difference(a, b) => {
            NodeFacts { interactive: false, ..sum(of(a), of(b)) }
        }
        Node::Product(a, b) => product(of(a), of(b)),
        Node::InnerProduct { terms, .. } => {
            terms.iter().map(|(_, a, b)| product(of(a), of(b))).reduce(sum).unwrap_or_default()
        }
    };
    facts.level += u32::from(facts.interactive);
    facts
}
