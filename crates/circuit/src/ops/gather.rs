//! Gather and scatter with computed indices (spec 04 §4.4, §4.5). A computed index is an element of
//! the circuit; what it chooses is a sum over all positions it may mean, each times the bit that
//! says so.

use super::Pairwise;
use super::dynamic::{Choice, Hit};
use super::sort::{Order, Ties};
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, ONE, Wire};
use crate::tensor::Tensor;
use twain_algebra::Fr;
use twain_graph::indices::{
    Addressing, Tuples, axis_shape, coordinates, misfit, offset, result_shape, strides,
};
use twain_party::Hint;

impl Layouter {
    /// The unit vector with a 1 at the place `index`. From then on the place in it stands for the
    /// index, which may have come from numbers of any size but is below `length` in a valid
    /// witness.
    pub(super) fn unit(&mut self, index: Wire, length: usize) -> Result<Vec<Wire>, LayoutError> {
        let index = self.recorder.now(index);
        if let Some(unit) = self.units.get(&(index, length)) {
            return Ok(unit.clone());
        }
        let hint = self.recorder.hint_id(Hint::unit(length));
        let unit = self.recorder.hint(hint, &[index], &vec![Bound::BIT; length])?;
        if !self.is_place(index, length) {
            let numbers: Vec<Wire> =
                (0..length as u64).map(|i| self.recorder.constant(Fr::from(i))).collect();
            let terms: Vec<_> = numbers.into_iter().zip(unit.iter().copied()).collect();
            let place = self.recorder.linear(&terms);
            self.recorder.refine(place, Bound::new(0.0, length as f64 - 1.0));
            self.recorder.replace(index, place);
            self.units.insert((place, length), unit.clone());
        }
        Ok(unit)
    }

    /// Takes an index of something of this length as a place in it, if its bounds do not say so
    /// already.
    pub fn bound_index(&mut self, index: Wire, length: usize) -> Result<(), LayoutError> {
        let index = self.recorder.now(index);
        match self.is_place(index, length) {
            true => Ok(()),
            false => self.unit(index, length).map(drop),
        }
    }

    fn is_place(&self, index: Wire, length: usize) -> bool {
        let known = self.recorder.bound(index);
        let places = Bound::new(0.0, length as f64 - 1.0);
        known == known.intersection(places) || self.recorder.constant_value(index).is_some()
    }

    /// The elements of a tensor that the indices mean.
    pub fn gather_at(
        &mut self,
        tensor: &Tensor,
        index: &Tensor,
        how: Addressing,
    ) -> Result<Tensor, LayoutError> {
        let choices = self.choices(&tensor.dims, index, how)?;
        let linear = self.linear_indices(&tensor.dims, index, how)?;
        let values = self.chosen(tensor, &choices);
        self.select(tensor, &linear, &values, Hit::Choices(&choices))
    }

    /// The tensor with the elements that the indices mean replaced by `updates`.
    pub fn scatter_at(
        &mut self,
        tensor: &Tensor,
        index: &Tensor,
        updates: &Tensor,
        how: Addressing,
    ) -> Result<Tensor, LayoutError> {
        let index = match index.all_assigned() {
            true => index.clone(),
            false => {
                let written = self.assign(self.columns.b, index)?;
                self.cursor += index.len();
                written
            }
        };
        let (length, dims) = (tensor.len(), &tensor.dims);
        let choices = self.choices(dims, &index, how)?;
        if choices.len() != updates.len() || choices.len() > length {
            return Err(LayoutError::Operands(misfit(dims, &index.dims)));
        }
        let (replaced, written) = self.scattered(tensor, updates, &choices);
        let output = self.assign_wires(self.columns.o, &written, dims)?;
        self.cursor += length;
        let linear = self.linear_indices(dims, &index, how)?;
        let values = self.chosen(&output, &choices);
        let found = self.select(&output, &linear, &values, Hit::Choices(&choices))?;
        self.enforce_equality(&found, updates)?;

        // What is not replaced: its positions in order, and the values there.
        let places = self.counting(length);
        let kept_bits: Vec<Wire> =
            replaced.iter().map(|bit| self.recorder.sub(ONE, *bit)).collect();
        let rows = places.wires().zip(replaced).zip(output.wires());
        let mut rows = vec![rows.map(|((place, bit), value)| vec![bit, place, value]).collect()];
        self.order(&mut rows, &[length as i128, 1, 0])?;
        let kept = rows[0].iter().take(length - choices.len());
        let (kept, values): (Vec<Wire>, Vec<Wire>) = kept.map(|row| (row[1], row[2])).unzip();
        let missing = self.assign_wires(self.columns.o, &kept, &[kept.len()])?;
        self.cursor += kept.len();
        let mut all = linear.elements;
        all.extend_from_slice(&missing.elements);
        let positions: Vec<Wire> = all.iter().map(|element| element.wire).collect();
        self.shuffle(&Tensor::flat(all), &places, &positions)?;
        let positions = self.counting(kept.len()).wires().collect();
        let order = Order { values: kept, positions };
        let (missing, _) = self.sort_cells(&missing, order, Ties::Free)?;
        let hits = Hit::InOrder(&kept_bits);
        let kept = self.select(&output, &missing, &values, hits)?;
        self.dynamic_lookup((&missing, &kept), (&places, tensor), hits)?;
        Ok(output)
    }

    /// For each position whether it is replaced, and its value afterwards.
    fn scattered(
        &mut self,
        tensor: &Tensor,
        updates: &Tensor,
        choices: &[Choice],
    ) -> (Vec<Wire>, Vec<Wire>) {
        let mut by_position: Vec<Vec<(Wire, Wire)>> = vec![Vec::new(); tensor.len()];
        for (choice, update) in choices.iter().zip(updates.wires()) {
            for (position, bit) in choice {
                by_position[*position].push((*bit, update));
            }
        }
        let recorder = &mut self.recorder;
        let mut replaced = Vec::with_capacity(tensor.len());
        let mut values = Vec::with_capacity(tensor.len());
        for (old, mut news) in tensor.wires().zip(by_position) {
            let bits: Vec<_> = news.iter().map(|(bit, _)| (ONE, *bit)).collect();
            let bit = recorder.linear(&bits);
            recorder.refine(bit, Bound::BIT);
            let bounds = news.iter().map(|(_, new)| recorder.bound(recorder.now(*new)));
            let bound = bounds.fold(recorder.bound(recorder.now(old)), Bound::union);
            let kept = recorder.sub(ONE, bit);
            news.push((kept, old));
            let value = recorder.accumulate(None, &news);
            recorder.refine(value, bound);
            replaced.push(bit);
            values.push(value);
        }
        (replaced, values)
    }

    /// The values at what each choice means.
    fn chosen(&mut self, tensor: &Tensor, choices: &[Choice]) -> Vec<Wire> {
        let recorder = &mut self.recorder;
        let mut values = Vec::with_capacity(choices.len());
        for choice in choices {
            let wire = |position: usize| tensor.elements[position].wire;
            let pairs: Vec<_> = choice.iter().map(|(p, bit)| (*bit, wire(*p))).collect();
            let bounds = pairs.iter().map(|(_, wire)| recorder.bound(recorder.now(*wire)));
            let bound = bounds.reduce(Bound::union).unwrap_or(Bound::UNKNOWN);
            let value = recorder.accumulate(None, &pairs);
            recorder.refine(value, bound);
            values.push(value);
        }
        values
    }

    /// The positions each index may mean, in the order of [`Layouter::linear_indices`].
    fn choices(
        &mut self,
        dims: &[usize],
        index: &Tensor,
        how: Addressing,
    ) -> Result<Vec<Choice>, LayoutError> {
        let shape = result_shape(dims, &index.dims, how).map_err(LayoutError::Operands)?;
        self.capacity.elements(&shape)?;
        let strides = strides(dims);
        let mut choices = Vec::new();
        match how {
            Addressing::Slices { axis } | Addressing::Elements { axis } => {
                let (shape, flat) =
                    axis_shape(dims, &index.dims, how).map_err(LayoutError::Operands)?;
                let units = index.wires().map(|wire| self.unit(wire, dims[axis]));
                let units = units.collect::<Result<Vec<_>, _>>()?;
                for (i, coordinate) in coordinates(&shape).enumerate() {
                    let unit = &units[if flat { coordinate[axis] } else { i }];
                    let first = offset(&coordinate, &strides, axis);
                    let places = unit.iter().enumerate();
                    choices
                        .push(places.map(|(r, bit)| (first + r * strides[axis], *bit)).collect());
                }
            }
            Addressing::Tuples { batch } => {
                let tuples = Tuples::new(dims, &index.dims, batch);
                let Tuples { length, rest } = tuples.map_err(LayoutError::Operands)?;
                let outer = &index.dims[..index.dims.len() - 1];
                let rest: usize = rest.iter().product();
                for (tuple, coordinate) in index.elements.chunks(length).zip(coordinates(outer)) {
                    let first = offset(&coordinate[..batch], &strides, dims.len());
                    let mut choice: Choice = vec![(first, ONE)];
                    for (axis, element) in (batch..).zip(tuple) {
                        let unit = self.unit(element.wire, dims[axis])?;
                        let mut longer = Choice::with_capacity(choice.len() * unit.len());
                        for (position, bit) in choice {
                            for (r, place) in unit.iter().enumerate() {
                                let both = self.recorder.mul(bit, *place);
                                longer.push((position + r * strides[axis], both));
                            }
                        }
                        choice = longer;
                    }
                    let shifted = |by: usize| choice.iter().map(move |(p, bit)| (p + by, *bit));
                    choices.extend((0..rest).map(|by| shifted(by).collect::<Choice>()));
                }
            }
        }
        Ok(choices)
    }

    /// The positions the indices mean, as elements of the circuit (spec 04 §4.4).
    fn linear_indices(
        &mut self,
        dims: &[usize],
        index: &Tensor,
        how: Addressing,
    ) -> Result<Tensor, LayoutError> {
        let strides = strides(dims);
        let mut elements = Vec::new();
        match how {
            Addressing::Elements { .. } if dims.len() == 1 => Ok(index.clone()),
            Addressing::Slices { axis } | Addressing::Elements { axis } => {
                let (shape, flat) =
                    axis_shape(dims, &index.dims, how).map_err(LayoutError::Operands)?;
                for (i, coordinate) in coordinates(&shape).enumerate() {
                    let element = index.elements[if flat { coordinate[axis] } else { i }];
                    let stride = strides[axis] as i128;
                    let offset = offset(&coordinate, &strides, axis) as i128;
                    let step = Tensor::flat(vec![element]);
                    let step = self.pairwise_number(&step, stride, Pairwise::Mult)?;
                    elements.extend(self.pairwise_number(&step, offset, Pairwise::Add)?.elements);
                }
                Tensor::new(elements, &shape)
            }
            Addressing::Tuples { batch } => {
                let tuples = Tuples::new(dims, &index.dims, batch);
                let Tuples { length, rest } = tuples.map_err(LayoutError::Operands)?;
                let mut shape = index.dims[..index.dims.len() - 1].to_vec();
                let weights = strides[batch..].iter().map(|s| self.constant(Fr::from(*s as u64)));
                let weights = Tensor::flat(weights.collect());
                for (tuple, coordinate) in index.elements.chunks(length).zip(coordinates(&shape)) {
                    let first = offset(&coordinate[..batch], &strides, dims.len());
                    for trailing in coordinates(&rest) {
                        let mut places = tuple.to_vec();
                        places.extend(trailing.iter().map(|c| self.constant(Fr::from(*c as u64))));
                        let steps = Tensor::flat(places);
                        let mut steps = self.pairwise(&steps, &weights, Pairwise::Mult)?;
                        steps.elements.push(self.constant(Fr::from(first as u64)));
                        elements.push(self.sum(&steps.elements)?);
                    }
                }
                shape.extend(rest);
                Tensor::new(elements, &shape)
            }
        }
    }
}
