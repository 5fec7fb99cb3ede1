//! Dot products, sums and products along rows (spec 03 §5.3, §5.4).

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{ONE, Wire, ZERO};
use crate::tensor::{Element, Tensor, coordinates};
use std::ops::Range;

/// Which gates accumulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accumulation {
    Dot,
    Sum,
    Product,
}

impl Layouter {
    /// Fills up the last row.
    pub fn padded(&self, elements: &[Element], filler: Wire) -> Vec<Element> {
        let mut padded = elements.to_vec();
        let length = elements.len().next_multiple_of(self.inner());
        padded.resize(length, Element::constant(filler));
        padded
    }

    /// The running values of a dot product, one for each row.
    pub fn running_dot(&mut self, left: &[Element], right: &[Element]) -> Vec<Wire> {
        let inner = self.inner();
        let mut running = Vec::with_capacity(left.len().div_ceil(inner));
        let mut previous = None;
        let mut pairs = Vec::with_capacity(inner);
        for (left, right) in left.chunks(inner).zip(right.chunks(inner)) {
            pairs.clear();
            pairs.extend(left.iter().zip(right).map(|(l, r)| (l.wire, r.wire)));
            let sum = self.recorder.accumulate(previous, &pairs);
            previous = Some(sum);
            running.push(sum);
        }
        running
    }

    /// The running values of a sum, one for each row.
    pub fn running_sum(&mut self, elements: &[Element]) -> Vec<Wire> {
        let inner = self.inner();
        let mut running = Vec::with_capacity(elements.len().div_ceil(inner));
        let mut terms = Vec::with_capacity(inner + 1);
        for row in elements.chunks(inner) {
            terms.clear();
            terms.extend(running.last().map(|previous| (ONE, *previous)));
            terms.extend(row.iter().map(|element| (ONE, element.wire)));
            running.push(self.recorder.linear(&terms));
        }
        running
    }

    /// The running values of a product, one for each row.
    pub fn running_product(&mut self, elements: &[Element]) -> Vec<Wire> {
        let mut running = Vec::with_capacity(elements.len().div_ceil(self.inner()));
        let mut product = ONE;
        for row in elements.chunks(self.inner()) {
            for element in row {
                product = self.recorder.mul(product, element.wire);
            }
            running.push(product);
        }
        running
    }

    /// The dot product of two vectors of equal length.
    pub fn dot(&mut self, left: &[Element], right: &[Element]) -> Result<Element, LayoutError> {
        if left.len() != right.len() {
            let text = format!("a dot product of {} and {} elements", left.len(), right.len());
            return Err(LayoutError::Operands(text));
        }
        let running = self.running_dot(left, right);
        self.dot_cells(left, right, &running)
    }

    /// The cells of [`Layouter::dot`] for running values known already.
    pub fn dot_cells(
        &mut self,
        left: &[Element],
        right: &[Element],
        running: &[Wire],
    ) -> Result<Element, LayoutError> {
        let (left, right) = (self.padded(left, ZERO), self.padded(right, ZERO));
        self.accumulation(Some(&left), &right, running, Accumulation::Dot)
    }

    /// The sum; of one element the element itself.
    pub fn sum(&mut self, elements: &[Element]) -> Result<Element, LayoutError> {
        if let [element] = elements {
            return Ok(*element);
        }
        let running = self.running_sum(elements);
        let padded = self.padded(elements, ZERO);
        self.accumulation(None, &padded, &running, Accumulation::Sum)
    }

    /// The product.
    pub fn prod(&mut self, elements: &[Element]) -> Result<Element, LayoutError> {
        let running = self.running_product(elements);
        let padded = self.padded(elements, ONE);
        self.accumulation(None, &padded, &running, Accumulation::Product)
    }

    fn accumulation(
        &mut self,
        left: Option<&[Element]>,
        right: &[Element],
        running: &[Wire],
        kind: Accumulation,
    ) -> Result<Element, LayoutError> {
        self.flush();
        let (a, b, o) = (self.columns.a, self.columns.b, self.columns.o);
        let first = self.cursor;
        if let Some(left) = left {
            self.assign_duplicated(a, left, first)?;
        }
        let length = self.assign_duplicated(b, right, first)?;
        let last = self.assign_running(o, running, first, |layouter, at, starts| {
            let base = &layouter.columns.base;
            let selectors = match (kind, starts) {
                (Accumulation::Dot, true) => &base.dot_init,
                (Accumulation::Dot, false) => &base.dot,
                (Accumulation::Sum, true) => &base.sum_init,
                (Accumulation::Sum, false) => &base.sum,
                (Accumulation::Product, true) => &base.cum_prod_init,
                (Accumulation::Product, false) => &base.cum_prod,
            };
            let selector = selectors[at.block];
            layouter.enable(selector, at.row);
        })?;
        self.cursor += length;
        Ok(last)
    }

    /// Applies `reduce` to the elements along `axes`, whose lengths become 1.
    pub fn along_axes(
        &mut self,
        tensor: &Tensor,
        axes: &[usize],
        mut reduce: impl FnMut(&mut Self, &Tensor) -> Result<Element, LayoutError>,
    ) -> Result<Tensor, LayoutError> {
        if axes.is_empty() {
            return Ok(tensor.clone());
        }
        let mut dims = tensor.dims.clone();
        for axis in axes {
            let dim = dims.get_mut(*axis).ok_or_else(|| {
                LayoutError::Operands(format!("the shape {:?} has no axis {axis}", tensor.dims))
            })?;
            *dim = 1;
        }
        let mut elements = Vec::with_capacity(dims.iter().product());
        for coordinate in coordinates(&dims) {
            let range = |(axis, c): (usize, usize)| -> Range<usize> {
                if axes.contains(&axis) { 0..tensor.dims[axis] } else { c..c + 1 }
            };
            let ranges: Vec<_> = coordinate.into_iter().enumerate().map(range).collect();
            let slice = tensor.slice(&ranges)?;
            elements.push(reduce(self, &slice)?);
        }
        Tensor::new(elements, &dims)
    }
}
