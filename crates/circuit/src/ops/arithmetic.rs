//! Element-wise sums, differences and products, equality and identity (spec 03 §5.1, §5.2, §5.11).

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Wire, ZERO};
use crate::tensor::{Place, Tensor, broadcast_shape};
use twain_graph::numbers::integer_to_field;

/// An element-wise operation with a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pairwise {
    Add,
    Sub,
    Mult,
}

impl Layouter {
    /// `left op right`, broadcast.
    pub fn pairwise(
        &mut self,
        left: &Tensor,
        right: &Tensor,
        op: Pairwise,
    ) -> Result<Tensor, LayoutError> {
        let shape = broadcast_shape(&left.dims, &right.dims);
        let left = left.expand(&shape, self.capacity)?;
        let right = right.expand(&shape, self.capacity)?;
        let wires: Vec<Wire> = left
            .wires()
            .zip(right.wires())
            .map(|(l, r)| match op {
                Pairwise::Add => self.recorder.add(l, r),
                Pairwise::Sub => self.recorder.sub(l, r),
                Pairwise::Mult => self.recorder.mul(l, r),
            })
            .collect();
        self.pairwise_cells(&left, &right, op, &wires)
    }

    /// The cells of [`Layouter::pairwise`] for results known otherwise; operands of the same shape.
    pub fn pairwise_cells(
        &mut self,
        left: &Tensor,
        right: &Tensor,
        op: Pairwise,
        wires: &[Wire],
    ) -> Result<Tensor, LayoutError> {
        let (a, b, o) = (self.columns.a, self.columns.b, self.columns.o);
        self.assign(a, left)?;
        self.assign(b, right)?;
        let result = self.assign_wires(o, wires, &left.dims)?;
        for i in 0..wires.len() {
            let at = self.coordinate(i)?;
            let base = &self.columns.base;
            let selectors = match op {
                Pairwise::Add => &base.add,
                Pairwise::Sub => &base.sub,
                Pairwise::Mult => &base.mult,
            };
            let selector = selectors[at.block * self.inner() + at.inner];
            self.enable(selector, at.row);
        }
        self.cursor += wires.len();
        Ok(result)
    }

    /// `tensor op number`.
    pub fn pairwise_number(
        &mut self,
        tensor: &Tensor,
        number: i128,
        op: Pairwise,
    ) -> Result<Tensor, LayoutError> {
        let number = Tensor::flat(vec![self.constant(integer_to_field(number))]);
        self.pairwise(tensor, &number, op)
    }

    /// `0 - tensor`.
    pub fn neg(&mut self, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        self.pairwise(&Tensor::constant(ZERO), tensor, Pairwise::Sub)
    }

    /// `tensor` to a positive power.
    pub fn pow(&mut self, tensor: &Tensor, exponent: u32) -> Result<Tensor, LayoutError> {
        let mut power = tensor.clone();
        for _ in 1..exponent {
            power = self.pairwise(&power, tensor, Pairwise::Mult)?;
        }
        Ok(power)
    }

    /// The tensor in cells: unchanged if it has them already.
    pub fn identity(&mut self, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        if tensor.all_assigned() {
            return Ok(tensor.clone());
        }
        let written = self.assign(self.columns.o, tensor)?;
        self.cursor += tensor.len();
        Ok(written)
    }

    /// Constrains two tensors to be equal, element by element.
    pub fn enforce_equality(
        &mut self,
        left: &Tensor,
        right: &Tensor,
    ) -> Result<Tensor, LayoutError> {
        if left.len() != right.len() {
            let text = format!("{} elements cannot equal {}", left.len(), right.len());
            return Err(LayoutError::Operands(text));
        }
        for (l, r) in left.wires().zip(right.wires()) {
            let (l, r) = (self.recorder.now(l), self.recorder.now(r));
            self.recorder.equal(l, r);
        }
        let (b, o) = (self.columns.b, self.columns.o);
        let left = self.assign(b, left)?;
        let right = self.assign(o, right)?;
        for (l, r) in left.elements.iter().zip(&right.elements) {
            if let (
                Place::Cell(l) | Place::ConstantCell(l),
                Place::Cell(r) | Place::ConstantCell(r),
            ) = (l.place, r.place)
            {
                self.copy(l, r);
            }
        }
        self.cursor += left.len();
        Ok(right)
    }
}
