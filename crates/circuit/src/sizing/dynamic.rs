//! What tables of values known to a prover only cost: lookups in them, sorting, order statistics
//! (spec 05 §4.2, spec 04 §2, §4).

use crate::sizing::primitives::one;
use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor};
use std::ops::Range;
use twain_algebra::Fr;
use twain_graph::indices::coordinates;

/// The constants 0, 1, …
pub(crate) fn counting(count: usize) -> Vec<Element> {
    (0..count as u64).map(|position| Element::Constant(position.into())).collect()
}

impl Region {
    /// Lookups of pairs in a table of pairs.
    fn dynamic_lookup(
        &mut self,
        queries: [&[Element]; 2],
        table: [&[Element]; 2],
    ) -> Result<(), String> {
        let length = table[0].len();
        let gap = self.dynamic_gap(length)?;
        self.constant(Fr::from(self.dynamic.num_dynamic_lookups as u64));
        table.into_iter().chain(queries).for_each(|elements| self.assign(elements));
        self.dynamic.total_dynamic_col_size += length + gap;
        self.dynamic.num_dynamic_lookups += 1;
        self.dynamic.max_dynamic_input_len = self.dynamic.max_dynamic_input_len.max(length);
        self.cells += queries[0].len();
        Ok(())
    }

    /// The entries of a table at positions a prover knows.
    pub fn select(
        &mut self,
        table: &[Element],
        indices: &[Element],
    ) -> Result<Vec<Element>, String> {
        let selected = vec![Element::Value; indices.len()];
        self.table_lookup(indices, &selected, table)?;
        Ok(selected)
    }

    /// That a table has these values at these positions.
    pub fn table_lookup(
        &mut self,
        indices: &[Element],
        values: &[Element],
        table: &[Element],
    ) -> Result<(), String> {
        self.dynamic_lookup([indices, values], [&counting(table.len()), table])
    }

    /// That `output` is `input` in another order.
    pub fn shuffle(&mut self, output: &[Element], input: &[Element]) -> Result<(), String> {
        let length = output.len();
        let gap = self.dynamic_gap(length)?;
        self.constant(Fr::from(self.shuffles.num_shuffles as u64));
        self.assign(output);
        self.assign(input);
        self.assign(&counting(length));
        self.shuffles.total_shuffle_col_size += length + gap;
        self.shuffles.num_shuffles += 1;
        self.cells += length;
        Ok(())
    }

    /// The elements in ascending order; `by_index`: equal ones in the order of their positions.
    pub fn sort(&mut self, elements: &[Element], by_index: bool) -> Result<Vec<Element>, String> {
        let count = elements.len();
        if count < 2 {
            return Ok(elements.to_vec());
        }
        let sorted = vec![Element::Value; count];
        self.cells += count;
        self.shuffle(&sorted, elements)?;
        let neighbours = Tensor::values(vec![count - 1]);
        let ordered = if by_index {
            let greater = self.greater(&neighbours, &neighbours)?;
            let equal = self.equals(&neighbours, &neighbours);
            let later = self.greater(&neighbours, &neighbours)?;
            let tie = self.and(&equal, &later);
            self.or(&greater, &tie)
        } else {
            self.greater_equal(&neighbours, &neighbours)?
        };
        self.enforce_equal(&ordered, &one());
        Ok(sorted)
    }

    /// The largest or the smallest element.
    pub fn extreme_of(&mut self, elements: &[Element]) -> Result<Element, String> {
        let sorted = self.sort(elements, false)?;
        sorted.last().copied().ok_or_else(|| "the largest of no elements".into())
    }

    /// The position of the largest or the smallest element.
    pub fn extreme_position(&mut self, elements: &[Element]) -> Result<Element, String> {
        self.cells += 1;
        let selected = self.select(elements, &[Element::Value])?;
        let sorted = self.sort(elements, true)?;
        let extreme = sorted.last().copied().ok_or("the largest of no elements")?;
        let scalar = |element| Tensor { elements: vec![element], dims: vec![1] };
        self.enforce_equal(&scalar(selected[0]), &scalar(extreme));
        let position = if elements.len() == 1 { counting(1)[0] } else { Element::Value };
        self.enforce_equal(&scalar(Element::Value), &scalar(position));
        Ok(Element::Value)
    }

    /// Applies `run` to the elements along `axes`, at each position of the others; `length` is that
    /// of a result along the first of `axes`.
    pub fn along(
        &mut self,
        tensor: &Tensor,
        axes: &[usize],
        length: Option<usize>,
        run: impl Fn(&mut Self, &Tensor) -> Result<(), String>,
    ) -> Result<Tensor, String> {
        let first = *axes.first().ok_or("no axis is named")?;
        let mut kept = tensor.dims.clone();
        for axis in axes {
            *kept.get_mut(*axis).ok_or_else(|| format!("no axis {axis}"))? = 1;
        }
        let tensor = self.identity(tensor);
        let mut dims = tensor.dims.clone();
        dims[first] = length.unwrap_or(dims[first]);
        if dims.len() == 1 {
            run(self, &tensor)?;
            return Ok(Tensor::values(dims));
        }
        for coordinate in coordinates(&kept) {
            let range = |(axis, c): (usize, &usize)| -> Range<usize> {
                if axes.contains(&axis) { 0..tensor.dims[axis] } else { *c..c + 1 }
            };
            let ranges: Vec<_> = coordinate.iter().enumerate().map(range).collect();
            let slice = tensor.slice(&ranges)?;
            let flat = vec![slice.len()];
            let slice = slice.reshape(&flat)?;
            self.item(|region| run(region, &slice))?;
        }
        Ok(Tensor::values(dims))
    }

    /// The `k` largest or smallest elements along an axis.
    pub fn top_k(&mut self, tensor: &Tensor, axis: usize, k: usize) -> Result<Tensor, String> {
        if tensor.dims.get(axis).is_none_or(|length| k > *length) {
            return Err(format!("{k} elements along axis {axis} of a tensor {:?}", tensor.dims));
        }
        self.along(tensor, &[axis], Some(k), |region, slice| {
            region.sort(&slice.elements, false).map(drop)
        })
    }
}
