//! What gathers, scatters and one-hot encodings cost, by indices of the graph or of a prover
//! (spec 05 §4.2, spec 04 §4.4, §4.5).

use crate::sizing::dynamic::counting;
use crate::sizing::primitives::one;
use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor};
use twain_algebra::Fr;
use twain_graph::Tensor as Indices;
use twain_graph::indices::{
    Addressing, Tuples, axis_shape, coordinates, offset, positions, result_shape, strides,
};

/// By indices of the graph: no cells.
impl Tensor {
    pub fn gather(&self, index: &Indices<usize>, how: Addressing) -> Result<Self, String> {
        let (positions, dims) = positions(&self.dims, index, how)?;
        Self::new(positions.into_iter().map(|position| self.elements[position]).collect(), dims)
    }

    pub fn scatter(
        &self,
        index: &Indices<usize>,
        updates: &Tensor,
        how: Addressing,
    ) -> Result<Self, String> {
        let (positions, _) = positions(&self.dims, index, how)?;
        if positions.len() != updates.len() {
            return Err(format!("{} indices for {} updates", positions.len(), updates.len()));
        }
        let mut result = self.clone();
        for (position, update) in positions.into_iter().zip(&updates.elements) {
            result.elements[position] = *update;
        }
        Ok(result)
    }
}

/// By indices a prover knows.
impl Region {
    /// A position from an index along an axis.
    fn linear(&mut self, index: Element, stride: usize, offset: usize) -> Element {
        let number = |number: usize| Tensor::constant(Fr::from(number as u64));
        let index = Tensor { elements: vec![index], dims: vec![1] };
        self.item(|region| {
            let scaled = region.pairwise(&index, &number(stride));
            region.pairwise(&scaled, &number(offset)).elements[0]
        })
    }

    pub fn gather(
        &mut self,
        tensor: &Tensor,
        index: &Tensor,
        how: Addressing,
    ) -> Result<Tensor, String> {
        let (positions, dims) = self.positions(&tensor.dims, index, how)?;
        Tensor::new(self.select(&tensor.elements, &positions)?, dims)
    }

    /// The positions the indices mean, and the shape of the result.
    fn positions(
        &mut self,
        dims: &[usize],
        index: &Tensor,
        how: Addressing,
    ) -> Result<(Vec<Element>, Vec<usize>), String> {
        let shape = result_shape(dims, &index.dims, how)?;
        let strides = strides(dims);
        let mut positions = Vec::new();
        match how {
            Addressing::Elements { .. } if dims.len() == 1 => {
                positions.extend_from_slice(&index.elements);
            }
            Addressing::Slices { axis } | Addressing::Elements { axis } => {
                let (_, flat) = axis_shape(dims, &index.dims, how)?;
                for (i, coordinate) in coordinates(&shape).enumerate() {
                    let element = index.elements[if flat { coordinate[axis] } else { i }];
                    let offset = offset(&coordinate, &strides, axis);
                    positions.push(self.linear(element, strides[axis], offset));
                }
            }
            Addressing::Tuples { batch } => {
                let Tuples { length, rest } = Tuples::new(dims, &index.dims, batch)?;
                let outer = &index.dims[..index.dims.len() - 1];
                let number = |number: usize| Element::Constant(Fr::from(number as u64));
                let factors: Vec<Element> = strides[batch..].iter().map(|s| number(*s)).collect();
                let factors = Tensor { dims: vec![factors.len()], elements: factors };
                for (tuple, coordinate) in index.elements.chunks(length).zip(coordinates(outer)) {
                    let first = offset(&coordinate[..batch], &strides, dims.len());
                    for trailing in coordinates(&rest) {
                        let mut tuple = tuple.to_vec();
                        tuple.extend(trailing.into_iter().map(number));
                        let tuple = Tensor { dims: vec![tuple.len()], elements: tuple };
                        positions.push(self.item(|region| {
                            let mut summands = region.pairwise(&tuple, &factors).elements;
                            summands.push(number(first));
                            region.sum(&summands)
                        }));
                    }
                }
            }
        }
        Ok((positions, shape))
    }

    /// The claimed result has the updates at their positions and the old elements elsewhere.
    pub fn scatter(
        &mut self,
        tensor: &Tensor,
        index: &Tensor,
        updates: &Tensor,
        how: Addressing,
    ) -> Result<Tensor, String> {
        // The indices and the claimed result.
        self.assign(&index.elements);
        self.cells += index.len() + tensor.len();
        let (positions, _) = self.positions(&tensor.dims, index, how)?;
        let result = Tensor::values(tensor.dims.clone());
        let found = self.select(&result.elements, &positions)?;
        let found = Tensor { dims: vec![found.len()], elements: found };
        self.enforce_equal(&found, updates);

        let missing = tensor.len().checked_sub(positions.len());
        let missing = vec![Element::Value; missing.ok_or("more updates than elements")?];
        self.cells += missing.len();
        let all = counting(tensor.len());
        self.shuffle(&[positions, missing.clone()].concat(), &all)?;
        let missing = self.sort(&missing, false)?;
        let kept = self.select(&result.elements, &missing)?;
        self.table_lookup(&missing, &kept, &tensor.elements)?;
        Ok(result)
    }

    /// An axis of `classes` zeros and a one for each element.
    pub fn one_hot(
        &mut self,
        tensor: &Tensor,
        axis: usize,
        classes: usize,
    ) -> Result<Tensor, String> {
        let mut dims = tensor.dims.clone();
        if axis > dims.len() {
            return Err(format!("no axis {axis}"));
        }
        dims.insert(axis, classes);
        let encoded = Tensor::values(vec![classes]);
        for element in &tensor.elements {
            let index = Tensor { elements: vec![*element], dims: vec![1] };
            self.item(|region| {
                region.assign(&index.elements);
                region.boolean(&encoded);
                region.cells += classes.max(1);
                let sum = region.sum(&encoded.elements);
                region.enforce_equal(&one(), &Tensor { elements: vec![sum], dims: vec![1] });
                let entry = region.gather(&encoded, &index, Addressing::Slices { axis: 0 })?;
                region.enforce_equal(&one(), &entry);
                Ok::<_, String>(())
            })?;
        }
        Ok(Tensor::values(dims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::tensor::tests::numbers;

    fn constants(tensor: &Tensor, values: &[u64]) -> bool {
        tensor.elements.iter().eq(values
            .iter()
            .map(|v| Element::Constant((*v).into()))
            .collect::<Vec<_>>()
            .iter())
    }

    #[test]
    fn indices_of_the_graph_move_elements() {
        let tensor = numbers(&[2, 3]);
        let (elements, tuples) =
            (Addressing::Elements { axis: 1 }, |batch| Addressing::Tuples { batch });
        let index = Indices::new(vec![2, 0], vec![2, 1]);
        let gathered = tensor.gather(&index, elements).unwrap();
        assert!(constants(&gathered, &[3, 4]));
        let updated = tensor.scatter(&index, &numbers(&[2, 1]), elements).unwrap();
        assert!(constants(&updated, &[1, 2, 1, 2, 5, 6]));
        let rows = Indices::new(vec![1, 0, 1], vec![3, 1]);
        let gathered = tensor.gather(&rows, tuples(0)).unwrap();
        assert!(constants(&gathered, &[4, 5, 6, 1, 2, 3, 4, 5, 6]));
        assert_eq!(gathered.dims, [3, 3]);
        let in_batches = Indices::new(vec![1, 0], vec![2, 1]);
        assert!(constants(&tensor.gather(&in_batches, tuples(1)).unwrap(), &[2, 4]));
        let pairs = Indices::new(vec![0, 2, 1, 1], vec![2, 2]);
        let updated = tensor.scatter(&pairs, &numbers(&[2]), tuples(0)).unwrap();
        assert!(constants(&updated, &[1, 2, 1, 4, 2, 6]));
        assert!(tensor.scatter(&pairs, &numbers(&[3]), tuples(0)).is_err());
        let outside = Indices::new(vec![3], vec![1, 1]);
        assert!(tensor.gather(&outside, elements).is_err());
        assert!(tensor.gather(&Indices::new(vec![2], vec![1, 1]), tuples(0)).is_err());
    }

    /// Costs of spec 04 §4.5: P of n elements take 3P cells and one table of n rows.
    #[test]
    fn a_gather_by_secret_indices() {
        let mut region = Region::new(8, 2, 128, 2, true).unwrap();
        let how = Addressing::Slices { axis: 0 };
        let picked = region.gather(&numbers(&[6]), &Tensor::values(vec![2]), how).unwrap();
        assert_eq!((picked.dims, region.cells), (vec![2], 6));
        assert_eq!(region.dynamic.total_dynamic_col_size, 6);
        assert_eq!(region.dynamic.max_dynamic_input_len, 6);
        let mut region = Region::new(8, 2, 128, 2, true).unwrap();
        region.one_hot(&Tensor::values(vec![1]), 0, 4).unwrap();
        // 3C + w⌈C/w⌉ + 5 with C = 4, w = 2.
        assert_eq!(region.cells, 21);
        assert_eq!(region.dynamic.max_dynamic_input_len, 0);
    }
}
