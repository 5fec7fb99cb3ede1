//! What the conversion of a node reads and changes of the nodes before it (spec 05 §2.2, §2.3).

use twain_graph::{Constant, Input, InputType, Node, NodeKind, SupportedOp, Tensor};

/// What a node reads: copies of its operands' records, which conversion may change.
pub(crate) struct Operands<'a> {
    /// The records, by inlet; written back afterwards.
    records: Vec<NodeKind>,
    /// Scales of all outlets of the records; behind a loop with several, positions shift.
    scales: Vec<i32>,
    /// Shapes of all outlets of the records.
    shapes: Vec<Vec<usize>>,
    /// The shape of the result.
    pub out_dims: &'a [usize],
    /// Inlets that became part of the operation.
    deleted: Vec<usize>,
}

impl<'a> Operands<'a> {
    pub fn new(records: Vec<NodeKind>, out_dims: &'a [usize]) -> Self {
        let scales = records.iter().flat_map(NodeKind::out_scales).copied().collect();
        let shapes = records.iter().flat_map(NodeKind::out_dims).cloned().collect();
        Self { records, scales, shapes, out_dims, deleted: Vec::new() }
    }

    /// The records, changed, and the inlets that became part of the operation.
    pub fn into_changes(self) -> (Vec<NodeKind>, Vec<usize>) {
        (self.records, self.deleted)
    }

    /// How many inlets there are.
    pub fn count(&self) -> usize {
        self.records.len()
    }

    /// The scale at a position.
    pub fn scale(&self, position: usize) -> Result<i32, String> {
        let scale = self.scales.get(position).copied();
        scale.ok_or_else(|| format!("operand {position} is missing"))
    }

    pub fn shape(&self, position: usize) -> Result<&[usize], String> {
        let shape = self.shapes.get(position).map(Vec::as_slice);
        shape.ok_or_else(|| format!("operand {position} is missing"))
    }

    pub fn node_mut(&mut self, position: usize) -> Option<&mut Node> {
        match self.records.get_mut(position)? {
            NodeKind::Node(node) => Some(node),
            NodeKind::SubGraph(_) => None,
        }
    }

    pub fn constant(&self, position: usize) -> Option<&Constant> {
        match self.records.get(position)? {
            NodeKind::Node(Node { op: SupportedOp::Constant(constant), .. }) => Some(constant),
            _ => None,
        }
    }

    /// Makes a constant operand part of the operation.
    pub fn absorb(&mut self, position: usize) -> Result<Tensor<f32>, String> {
        let raw = self.constant(position).map(|constant| constant.raw_values.clone());
        let raw = raw.ok_or_else(|| format!("operand {position} must be a constant"))?;
        self.delete(position);
        Ok(raw)
    }

    /// Takes an operand out of those of the operation.
    pub fn delete(&mut self, position: usize) {
        if let Some(node) = self.node_mut(position) {
            node.num_uses = node.num_uses.saturating_sub(1);
        }
        self.deleted.push(position);
    }

    /// The only element of a constant operand.
    pub fn single(&self, position: usize) -> Option<f32> {
        match self.constant(position)?.raw_values.inner[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    pub fn absorb_single(&mut self, position: usize) -> Result<f32, String> {
        match self.absorb(position)?.inner[..] {
            [value] => Ok(value),
            _ => Err(format!("operand {position} must be one number")),
        }
    }

    /// An index operand: part of the operation if it is constant; an input is one of whole numbers.
    pub fn indices(
        &mut self,
        decomp: bool,
        number: impl Fn(f32) -> usize,
    ) -> Result<Option<Tensor<usize>>, String> {
        if self.constant(1).is_some() {
            let raw = self.absorb(1)?;
            let indices = raw.inner.iter().map(|value| number(*value)).collect();
            return Ok(Some(Tensor::new(indices, raw.dims)));
        }
        if let Some(Node { op: SupportedOp::Input(input), out_scale, .. }) = self.node_mut(1) {
            *input = Input { scale: 0, datum_type: InputType::TDim, decomp };
            *out_scale = 0;
        }
        Ok(None)
    }
}
