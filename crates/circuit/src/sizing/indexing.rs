//! What gathers, scatters and one-hot encodings cost, by indices of the graph or of a prover
//! (spec 05 §4.2, spec 04 §4.4, §4.5).

use crate::sizing::dynamic;
use crate::sizing::primitives::one;
use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor, coordinates, strides};
use twain_algebra::Fr;

/// A tuple of indices, the first axes of a tensor, and what it picks.
struct Tuples {
    /// Shape of what picks: batch axes, then others.
    picks: Vec<usize>,
    /// Length of a tuple.
    length: usize,
    /// Axes that belong to the batch.
    batch: usize,
    /// Lengths of the axes after the tuple's.
    trailing: Vec<usize>,
}

impl Tuples {
    fn new(indices: &[usize], dims: &[usize], batch: usize) -> Result<Self, String> {
        let misfit = || format!("indices of shape {indices:?} into a tensor {dims:?}");
        let (length, picks) = indices.split_last().ok_or_else(misfit)?;
        let end = batch.checked_add(*length).filter(|end| *end <= dims.len());
        let trailing = dims[end.ok_or_else(misfit)?..].to_vec();
        if batch > picks.len() || picks[..batch] != dims[..batch] {
            return Err(misfit());
        }
        Ok(Self { picks: picks.to_vec(), length: *length, batch, trailing })
    }

    /// The shape of what is picked.
    fn dims(&self) -> Vec<usize> {
        [&self.picks[..], &self.trailing].concat()
    }
}

/// Where the elements at these coordinates are.
fn position(coordinate: &[usize], dims: &[usize]) -> Result<usize, String> {
    if coordinate.len() != dims.len() || coordinate.iter().zip(dims).any(|(c, dim)| c >= dim) {
        return Err(format!("an index {coordinate:?} is outside of a tensor {dims:?}"));
    }
    Ok(coordinate.iter().zip(strides(dims)).map(|(c, stride)| c * stride).sum())
}

/// The positions an index tensor of the graph picks along an axis.
fn along_axis(
    indices: &[usize],
    index_dims: &[usize],
    dims: &[usize],
    axis: usize,
) -> Result<Vec<usize>, String> {
    if axis >= index_dims.len() {
        return Err(format!("indices of shape {index_dims:?} along axis {axis}"));
    }
    let picked = coordinates(index_dims).zip(indices).map(|(mut coordinate, index)| {
        coordinate[axis] = *index;
        position(&coordinate, dims)
    });
    picked.collect()
}

/// The positions tuples of the graph pick.
fn of_tuples(indices: &[usize], tuples: &Tuples, dims: &[usize]) -> Result<Vec<usize>, String> {
    let mut positions = Vec::new();
    let mut rest = indices.chunks(tuples.length.max(1));
    for pick in coordinates(&tuples.picks) {
        let tuple = if tuples.length == 0 { Some(&[][..]) } else { rest.next() };
        let tuple = tuple.ok_or("a tuple of indices is missing")?;
        for trailing in coordinates(&tuples.trailing) {
            positions.push(position(&[&pick[..tuples.batch], tuple, &trailing].concat(), dims)?);
        }
    }
    Ok(positions)
}

fn picked(tensor: &Tensor, positions: &[usize], dims: &[usize]) -> Result<Tensor, String> {
    let elements = positions.iter().map(|position| tensor.elements[*position]).collect();
    Tensor::new(elements, dims.to_vec())
}

fn replaced(tensor: &Tensor, positions: &[usize], updates: &Tensor) -> Result<Tensor, String> {
    if positions.len() != updates.len() {
        return Err(format!("{} indices for {} updates", positions.len(), updates.len()));
    }
    let mut result = tensor.clone();
    for (position, update) in positions.iter().zip(&updates.elements) {
        result.elements[*position] = *update;
    }
    Ok(result)
}

/// By indices of the graph: no cells.
impl Tensor {
    pub fn gather_elements(
        &self,
        indices: &twain_graph::Tensor<usize>,
        axis: usize,
    ) -> Result<Self, String> {
        let positions = along_axis(&indices.inner, &indices.dims, &self.dims, axis)?;
        picked(self, &positions, &indices.dims)
    }

    pub fn gather_nd(
        &self,
        indices: &twain_graph::Tensor<usize>,
        batch: usize,
    ) -> Result<Self, String> {
        let tuples = Tuples::new(&indices.dims, &self.dims, batch)?;
        picked(self, &of_tuples(&indices.inner, &tuples, &self.dims)?, &tuples.dims())
    }

    pub fn scatter_elements(
        &self,
        indices: &twain_graph::Tensor<usize>,
        updates: &Tensor,
        axis: usize,
    ) -> Result<Self, String> {
        replaced(self, &along_axis(&indices.inner, &indices.dims, &self.dims, axis)?, updates)
    }

    pub fn scatter_nd(
        &self,
        indices: &twain_graph::Tensor<usize>,
        updates: &Tensor,
    ) -> Result<Self, String> {
        let tuples = Tuples::new(&indices.dims, &self.dims, 0)?;
        replaced(self, &of_tuples(&indices.inner, &tuples, &self.dims)?, updates)
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
        axis: usize,
    ) -> Result<Tensor, String> {
        let mut dims = tensor.dims.clone();
        *dims.get_mut(axis).ok_or_else(|| format!("no axis {axis}"))? = index.len();
        let strides = strides(&tensor.dims);
        let mut positions = Vec::new();
        for mut coordinate in coordinates(&dims) {
            let index = index.elements[std::mem::take(&mut coordinate[axis])];
            let offset = coordinate.iter().zip(&strides).map(|(c, stride)| c * stride).sum();
            positions.push(self.linear(index, strides[axis], offset));
        }
        Tensor::new(self.select(&tensor.elements, &positions)?, dims)
    }

    fn element_positions(
        &mut self,
        dims: &[usize],
        index: &Tensor,
        axis: usize,
    ) -> Result<Vec<Element>, String> {
        if index.dims.len() == 1 {
            return Ok(index.elements.clone());
        }
        if index.dims.len() != dims.len() || axis >= dims.len() {
            return Err(format!("indices of shape {:?} into a tensor {dims:?}", index.dims));
        }
        let strides = strides(dims);
        let mut positions = Vec::new();
        for (mut coordinate, element) in coordinates(&index.dims).zip(&index.elements) {
            coordinate[axis] = 0;
            let offset = coordinate.iter().zip(&strides).map(|(c, stride)| c * stride).sum();
            positions.push(self.linear(*element, strides[axis], offset));
        }
        Ok(positions)
    }

    pub fn gather_elements(
        &mut self,
        tensor: &Tensor,
        index: &Tensor,
        axis: usize,
    ) -> Result<Tensor, String> {
        let positions = self.element_positions(&tensor.dims, index, axis)?;
        Tensor::new(self.select(&tensor.elements, &positions)?, index.dims.clone())
    }

    fn tuple_positions(
        &mut self,
        dims: &[usize],
        index: &Tensor,
        tuples: &Tuples,
    ) -> Result<Vec<Element>, String> {
        if tuples.batch > 0 && !tuples.trailing.is_empty() {
            return Err("indices of a part of the axes, in batches, are not supported".into());
        }
        let number = |number: usize| Element::Constant(Fr::from(number as u64));
        let strides = strides(dims);
        let factors: Vec<Element> = strides[tuples.batch..].iter().map(|s| number(*s)).collect();
        let factors = Tensor { dims: vec![factors.len()], elements: factors };
        let mut positions = Vec::new();
        let mut rest = index.elements.chunks(tuples.length.max(1));
        for pick in coordinates(&tuples.picks) {
            let tuple = rest.next().ok_or("a tuple of indices is missing")?;
            let batch = pick[..tuples.batch].iter().zip(&strides).map(|(c, s)| c * s).sum();
            for trailing in coordinates(&tuples.trailing) {
                let mut tuple = tuple.to_vec();
                tuple.extend(trailing.into_iter().map(number));
                let tuple = Tensor { dims: vec![tuple.len()], elements: tuple };
                positions.push(self.item(|region| {
                    let mut summands = region.pairwise(&tuple, &factors).elements;
                    summands.push(number(batch));
                    region.sum(&summands)
                }));
            }
        }
        Ok(positions)
    }

    pub fn gather_nd(
        &mut self,
        tensor: &Tensor,
        index: &Tensor,
        batch: usize,
    ) -> Result<Tensor, String> {
        let tuples = Tuples::new(&index.dims, &tensor.dims, batch)?;
        let positions = self.tuple_positions(&tensor.dims, index, &tuples)?;
        Tensor::new(self.select(&tensor.elements, &positions)?, tuples.dims())
    }

    pub fn scatter_elements(
        &mut self,
        tensor: &Tensor,
        index: &Tensor,
        updates: &Tensor,
        axis: usize,
    ) -> Result<Tensor, String> {
        self.claim(tensor, index);
        let positions = self.element_positions(&tensor.dims, index, axis)?;
        self.scatter(tensor, updates, positions)
    }

    pub fn scatter_nd(
        &mut self,
        tensor: &Tensor,
        index: &Tensor,
        updates: &Tensor,
    ) -> Result<Tensor, String> {
        self.claim(tensor, index);
        let tuples = Tuples::new(&index.dims, &tensor.dims, 0)?;
        let positions = self.tuple_positions(&tensor.dims, index, &tuples)?;
        self.scatter(tensor, updates, positions)
    }

    /// The indices and the claimed result of a scatter.
    fn claim(&mut self, tensor: &Tensor, index: &Tensor) {
        self.assign(&index.elements);
        self.cells += index.len() + tensor.len();
    }

    /// The claimed result has the updates at their positions and the old elements elsewhere.
    fn scatter(
        &mut self,
        tensor: &Tensor,
        updates: &Tensor,
        positions: Vec<Element>,
    ) -> Result<Tensor, String> {
        let result = Tensor::values(tensor.dims.clone());
        let found = self.select(&result.elements, &positions)?;
        let found = Tensor { dims: vec![found.len()], elements: found };
        self.enforce_equal(&found, updates);

        let missing = tensor.len().checked_sub(positions.len());
        let missing = vec![Element::Value; missing.ok_or("more updates than elements")?];
        self.cells += missing.len();
        let all = dynamic::positions(tensor.len());
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
                let entry = region.gather(&encoded, &index, 0)?;
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
    use twain_graph::Tensor as GraphTensor;

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
        let index = GraphTensor::new(vec![2, 0], vec![2, 1]);
        let gathered = tensor.gather_elements(&index, 1).unwrap();
        assert!(constants(&gathered, &[3, 4]));
        let updated = tensor.scatter_elements(&index, &numbers(&[2, 1]), 1).unwrap();
        assert!(constants(&updated, &[1, 2, 1, 2, 5, 6]));
        let rows = GraphTensor::new(vec![1, 0, 1], vec![3, 1]);
        let gathered = tensor.gather_nd(&rows, 0).unwrap();
        assert!(constants(&gathered, &[4, 5, 6, 1, 2, 3, 4, 5, 6]));
        assert_eq!(gathered.dims, [3, 3]);
        let in_batches = GraphTensor::new(vec![1, 0], vec![2, 1]);
        assert!(constants(&tensor.gather_nd(&in_batches, 1).unwrap(), &[2, 4]));
        let pairs = GraphTensor::new(vec![0, 2, 1, 1], vec![2, 2]);
        assert!(constants(
            &tensor.scatter_nd(&pairs, &numbers(&[2])).unwrap(),
            &[1, 2, 1, 4, 2, 6]
        ));
        let outside = GraphTensor::new(vec![3], vec![1, 1]);
        assert!(tensor.gather_elements(&outside, 1).is_err());
        assert!(tensor.gather_nd(&GraphTensor::new(vec![2], vec![1, 1]), 0).is_err());
    }

    /// Costs of spec 04 §4.5: P of n elements take 3P cells and one table of n rows.
    #[test]
    fn a_gather_by_secret_indices() {
        let mut region = Region::new(8, 2, 128, 2, true).unwrap();
        let picked = region.gather(&numbers(&[6]), &Tensor::values(vec![2]), 0).unwrap();
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
