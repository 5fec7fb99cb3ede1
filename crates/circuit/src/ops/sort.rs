//! Sorting, and what reads a sorted list: extremes, the largest few, their places (spec 04 §4.1,
//! §4.2).

use super::dynamic::Hit;
use super::order::Rows;
use crate::LayoutError;
use crate::decompositions::SignIs;
use crate::layouter::Layouter;
use crate::program::{ONE, Wire, ZERO};
use crate::tensor::{Element, Tensor, coordinates};
use twain_graph::indices::Addressing;

/// How equal values are ordered, and whether the circuit says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ties {
    /// The circuit does not say; positions increase.
    Free,
    /// Positions increase.
    SmallestFirst,
    /// Positions decrease.
    LargestFirst,
}

/// A sorted list without cells.
pub(super) struct Order {
    /// The values, smallest first.
    pub values: Vec<Wire>,
    /// Their places in the list that was sorted.
    pub positions: Vec<Wire>,
}

impl Layouter {
    /// The order of each list's elements; the lists are of equal length.
    pub(super) fn orders(
        &mut self,
        lists: &[Tensor],
        ties: Ties,
    ) -> Result<Vec<Order>, LayoutError> {
        let length = lists.first().map_or(0, Tensor::len) as i128;
        let mut rows: Vec<Rows> = Vec::with_capacity(lists.len());
        for list in lists {
            let places: Vec<Element> = self.counting(list.len()).elements;
            let pairs = list.elements.iter().zip(places);
            rows.push(pairs.map(|(element, place)| vec![element.wire, place.wire]).collect());
        }
        let place = if ties == Ties::LargestFirst { -1 } else { 1 };
        self.order(&mut rows, &[length, place])?;
        let column = |rows: &Rows, index: usize| rows.iter().map(|row| row[index]).collect();
        let orders =
            rows.iter().map(|rows| Order { values: column(rows, 0), positions: column(rows, 1) });
        Ok(orders.collect())
    }

    /// The elements, smallest first, and their positions without cells.
    pub(super) fn sort(
        &mut self,
        tensor: &Tensor,
        ties: Ties,
    ) -> Result<(Tensor, Tensor), LayoutError> {
        let order = self.orders(std::slice::from_ref(tensor), ties)?.pop();
        let order = order.ok_or_else(|| LayoutError::Operands("nothing to sort".into()))?;
        self.sort_cells(tensor, order, ties)
    }

    /// The cells of [`Layouter::sort`].
    pub(super) fn sort_cells(
        &mut self,
        tensor: &Tensor,
        order: Order,
        ties: Ties,
    ) -> Result<(Tensor, Tensor), LayoutError> {
        let length = tensor.len();
        if length <= 1 {
            return Ok((Tensor::flat(tensor.elements.clone()), Tensor::constants(ZERO, length)));
        }
        let sorted = self.assign_wires(self.columns.a, &order.values, &[length])?;
        self.cursor += length;
        self.shuffle(&sorted, &Tensor::flat(tensor.elements.clone()), &order.positions)?;
        let positions: Vec<Element> =
            order.positions.iter().map(|wire| Element::unplaced(*wire)).collect();
        let positions = Tensor::flat(positions);
        let neighbours = |list: &Tensor| {
            let elements = &list.elements;
            let (first, second) = (elements[..length - 1].to_vec(), elements[1..].to_vec());
            (Tensor::flat(first), Tensor::flat(second))
        };
        let (first, second) = neighbours(&sorted);
        let ones = Tensor::constants(ONE, length - 1);
        let ordered = match ties {
            Ties::Free => self.greater_equal_with(&second, &first, SignIs::Positive)?,
            Ties::SmallestFirst | Ties::LargestFirst => {
                let (first_place, second_place) = neighbours(&positions);
                let greater = self.greater(&second, &first)?;
                let equal = self.equals(&second, &first)?;
                let in_order = match ties {
                    Ties::LargestFirst => self.greater(&first_place, &second_place)?,
                    _ => self.greater(&second_place, &first_place)?,
                };
                let tied = self.and(&equal, &in_order)?;
                self.or(&greater, &tied)?
            }
        };
        self.enforce_equality(&ones, &ordered)?;
        Ok((sorted, positions))
    }

    /// The largest element, or the smallest.
    pub(super) fn extreme(
        &mut self,
        tensor: &Tensor,
        largest: bool,
    ) -> Result<Element, LayoutError> {
        let (sorted, _) = self.sort(tensor, Ties::Free)?;
        end(&sorted, largest)
    }

    /// The largest (or smallest) element along the axes.
    pub fn reduce_extreme(
        &mut self,
        tensor: &Tensor,
        axes: &[usize],
        largest: bool,
    ) -> Result<Tensor, LayoutError> {
        self.along_axes(tensor, axes, |layouter, part| layouter.extreme(part, largest))
    }

    /// The place of the largest (or smallest) element along an axis, of several the first.
    pub fn place_of_extreme(
        &mut self,
        tensor: &Tensor,
        axis: usize,
        largest: bool,
    ) -> Result<Tensor, LayoutError> {
        self.along_axes(tensor, &[axis], |layouter, part| {
            let ties = if largest { Ties::LargestFirst } else { Ties::SmallestFirst };
            let part = Tensor::flat(part.elements.clone());
            let order = layouter.orders(std::slice::from_ref(&part), ties)?.pop();
            let order = order.ok_or_else(|| LayoutError::Operands("nothing to sort".into()))?;
            let wire = |list: &[Wire]| {
                let wire = if largest { list.last() } else { list.first() };
                wire.copied().ok_or_else(|| LayoutError::Operands("an empty axis".into()))
            };
            let (value, place) = (wire(&order.values)?, wire(&order.positions)?);
            let choice = layouter.unit(place, part.len())?.into_iter().enumerate().collect();
            let place = layouter.assign_wires(layouter.columns.b, &[place], &[1])?;
            layouter.cursor += 1;
            let value = layouter.select(&part, &place, &[value], Hit::Choices(&[choice]))?;
            let (sorted, positions) = layouter.sort_cells(&part, order, ties)?;
            let (sorted, position) = (end(&sorted, largest)?, end(&positions, largest)?);
            layouter.enforce_equality(&value, &Tensor::flat(vec![sorted]))?;
            layouter.enforce_equality(&place, &Tensor::flat(vec![position]))?;
            Ok(place.elements[0])
        })
    }

    /// The `count` largest elements along an axis, largest first, or the smallest.
    pub fn top(
        &mut self,
        tensor: &Tensor,
        axis: usize,
        count: usize,
        largest: bool,
    ) -> Result<Tensor, LayoutError> {
        self.lists_along(tensor, axis, |layouter, list| {
            let (mut sorted, _) = layouter.sort(list, Ties::Free)?;
            if largest {
                sorted.elements.reverse();
            }
            if count > sorted.len() {
                let text = format!("the {count} largest of {} elements", sorted.len());
                return Err(LayoutError::Operands(text));
            }
            sorted.elements.truncate(count);
            Ok(sorted.elements)
        })
    }

    /// Replaces each list along an axis by another.
    pub(super) fn lists_along(
        &mut self,
        tensor: &Tensor,
        axis: usize,
        mut replace: impl FnMut(&mut Self, &Tensor) -> Result<Vec<Element>, LayoutError>,
    ) -> Result<Tensor, LayoutError> {
        let last = tensor.dims.len().checked_sub(1).filter(|last| axis <= *last);
        let Some(last) = last else {
            let text = format!("the shape {:?} has no axis {axis}", tensor.dims);
            return Err(LayoutError::Operands(text));
        };
        let tensor = match tensor.all_assigned() {
            true => tensor.clone(),
            false => {
                let written = self.assign(self.columns.a, tensor)?;
                self.cursor += tensor.len();
                written
            }
        };
        let lists = tensor.move_axis(axis, last)?;
        let mut dims = lists.dims.clone();
        let mut elements = Vec::new();
        for coordinate in coordinates(&dims[..last]) {
            let ranges: Vec<_> = coordinate.into_iter().map(|c| c..c + 1).collect();
            let list = Tensor::flat(lists.slice(&ranges)?.elements);
            let replaced = replace(self, &list)?;
            dims[last] = replaced.len();
            elements.extend(replaced);
        }
        Tensor::new(elements, &dims)?.move_axis(last, axis)
    }

    /// Unit vectors of `classes` elements for the elements of a tensor, along a new axis (spec 04
    /// §4.5).
    pub fn one_hot(
        &mut self,
        tensor: &Tensor,
        classes: usize,
        axis: usize,
    ) -> Result<Tensor, LayoutError> {
        if classes > self.columns.geometry.usable_rows || axis > tensor.dims.len() {
            let text = format!("{classes} classes on axis {axis} of a tensor of {:?}", tensor.dims);
            return Err(LayoutError::Operands(text));
        }
        let mut elements = Vec::new();
        for element in &tensor.elements {
            let index = Tensor::flat(vec![*element]);
            let unit = self.unit(element.wire, classes)?;
            let index = self.assign(self.columns.a, &index)?;
            let vector = unit.iter().map(|wire| Element::unplaced(*wire)).collect();
            let vector = self.boolean_identity(&Tensor::flat(vector))?;
            self.cursor += classes.max(1);
            let sum = Tensor::flat(vec![self.sum(&vector.elements)?]);
            self.enforce_equality(&Tensor::constant(ONE), &sum)?;
            let found = self.gather_at(&vector, &index, Addressing::Slices { axis: 0 })?;
            self.enforce_equality(&Tensor::constant(ONE), &found)?;
            elements.extend(vector.elements);
        }
        let mut dims = tensor.dims.clone();
        dims.push(classes);
        Tensor::new(elements, &dims)?.move_axis(tensor.dims.len(), axis)
    }
}

/// The last element, or the first.
fn end(list: &Tensor, last: bool) -> Result<Element, LayoutError> {
    let element = if last { list.elements.last() } else { list.elements.first() };
    element.copied().ok_or_else(|| LayoutError::Operands("an empty axis".into()))
}
