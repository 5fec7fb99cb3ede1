//! Lookups in tables of witness values (spec 04 §2): shuffles, which state that one list is a
//! permutation of another, and lookups of pairs.

use crate::LayoutError;
use crate::columns::{Columns, DynamicSelectors};
use crate::geometry::Variable;
use crate::layouter::Layouter;
use crate::program::{Bound, MINUS_ONE, ONE, Wire, ZERO};
use crate::tensor::{Element, Tensor};
use std::sync::Arc;
use twain_algebra::Fr;
use twain_party::{Hint, StaticTable};

/// A pair of lists of equal length.
pub(super) type Pairs<'a> = (&'a Tensor, &'a Tensor);

/// The positions an index may mean, and the bit of each.
pub(super) type Choice = Vec<(usize, Wire)>;

/// How often each position of a table is looked up.
#[derive(Clone, Copy)]
pub(super) enum Hit<'a> {
    /// For each lookup the positions it may be at.
    Choices(&'a [Choice]),
    /// The bits of the positions that are looked up, once each and in order.
    InOrder(&'a [Wire]),
}

/// Where a table and its lookups are.
struct Placed {
    /// The row of the table's first entry, in its columns.
    first_row: usize,
    /// The input selector of each lookup.
    selectors: Vec<u32>,
}

impl Layouter {
    /// The constants `0, 1, …, count - 1`.
    pub(super) fn counting(&mut self, count: usize) -> Tensor {
        Tensor::flat((0..count as u64).map(|i| self.constant(Fr::from(i))).collect())
    }

    /// The coordinate of the next table of `length` rows, which must not cross the end of a column.
    fn place_table(&mut self, length: usize) -> Result<usize, LayoutError> {
        let rows = self.columns.geometry.usable_rows;
        if length > rows {
            let text =
                format!("a table of {length} values does not fit the {rows} rows of a column");
            return Err(LayoutError::Operands(text));
        }
        let cursor = self.dynamic.cursor;
        let fits = cursor / rows == (cursor + length) / rows;
        let first = if fits { cursor } else { cursor + rows - cursor % rows };
        self.dynamic.cursor = first + length;
        Ok(first)
    }

    /// Turns on the selectors of a table from row `first` on and of lookups from the cursor on.
    fn select_rows(
        &mut self,
        selectors: fn(&Columns) -> Option<&DynamicSelectors>,
        (first, length): (usize, usize),
        lookups: usize,
    ) -> Result<Placed, LayoutError> {
        let tables = self.tables()?;
        let missing = LayoutError::OutOfCells("tables of witness values");
        let selectors = selectors(&self.columns).ok_or(missing)?;
        let (columns, inner) = (self.columns.a.columns(), self.inner());
        let mut block = 0;
        let mut enabled = Vec::with_capacity(length + lookups);
        for row in first..first + length {
            let at = tables[0].coordinate(row)?;
            block = at.block;
            enabled.push((selectors.tables[at.block], at.row));
        }
        let mut placed = Placed {
            first_row: tables[0].coordinate(first)?.row,
            selectors: Vec::with_capacity(lookups),
        };
        for i in 0..lookups {
            let at = self.coordinate(i)?;
            let index = block * columns + at.block * inner + at.inner;
            enabled.push((selectors.inputs[index], at.row));
            placed.selectors.push(selectors.inputs[index].index);
        }
        enabled.into_iter().for_each(|(selector, row)| self.enable(selector, row));
        for selector in &placed.selectors {
            self.dynamic.hits.entry(*selector).or_default().lookups += 1;
        }
        Ok(placed)
    }

    fn tables(&self) -> Result<[Variable; 3], LayoutError> {
        self.columns.dynamic.ok_or(LayoutError::OutOfCells("tables of witness values"))
    }

    /// States that `output` is a permutation of `input`; `positions` are the places in `input` of
    /// the elements of `output`. They are not bound to the table (spec 04 §9.2).
    pub(super) fn shuffle(
        &mut self,
        output: &Tensor,
        input: &Tensor,
        positions: &[Wire],
    ) -> Result<(), LayoutError> {
        let length = input.len();
        if output.len() != length || positions.len() != length {
            let text = format!("{} elements are no permutation of {length}", output.len());
            return Err(LayoutError::Operands(text));
        }
        let (tables, first) = (self.tables()?, self.place_table(length)?);
        let (a, b, o) = (self.columns.a, self.columns.b, self.columns.o);
        let number = self.constant(Fr::from(self.dynamic.shuffles));
        self.assign_from(tables[0], output, first)?;
        self.assign(a, input)?;
        let number = self.assign_from(tables[1], &Tensor::flat(vec![number; length]), first)?;
        self.assign(b, &number)?;
        let cells = positions.iter().map(|wire| Element::unplaced(*wire)).collect();
        self.assign_from(tables[2], &Tensor::flat(cells), first)?;
        let places = self.counting(length);
        self.assign(o, &places)?;
        let placed =
            self.select_rows(|columns| columns.shuffles.as_ref(), (first, length), length)?;
        self.count_shuffled(&placed, positions)?;
        self.dynamic.shuffles += 1;
        self.cursor += length;
        Ok(())
    }

    /// Every element of a shuffle is hit once, by the argument that its place in the other list
    /// belongs to.
    fn count_shuffled(&mut self, placed: &Placed, positions: &[Wire]) -> Result<(), LayoutError> {
        self.count_once(placed, &vec![ONE; positions.len()], positions)
    }

    /// Each position of the table whose bit in `chosen` is 1 is hit once, by the lookup whose
    /// number is in `numbers` (at other positions that is a number up to the number of lookups).
    fn count_once(
        &mut self,
        placed: &Placed,
        chosen: &[Wire],
        numbers: &[Wire],
    ) -> Result<(), LayoutError> {
        let mut selectors = placed.selectors.clone();
        selectors.sort_unstable();
        selectors.dedup();
        // The last selector's are what is left.
        let Some(last) = selectors.pop() else { return Ok(()) };
        let mut left: Vec<_> = chosen.iter().map(|bit| vec![(ONE, *bit)]).collect();
        for selector in selectors {
            let values = placed.selectors.iter().map(|s| i128::from(*s == selector));
            let values = values.chain([0]).take(chosen.len()).collect();
            let name = "places of a list in columns".into();
            let table = Hint::Table(Arc::new(StaticTable { name, low: 0, values }));
            let hint = self.recorder.hint_id(table);
            let bits = self.recorder.hint(hint, numbers, &[Bound::BIT])?;
            let both = |(bit, chosen): (Wire, &Wire)| self.recorder.mul(bit, *chosen);
            let bits: Vec<Wire> = bits.into_iter().zip(chosen).map(both).collect();
            left.iter_mut().zip(&bits).for_each(|(terms, bit)| terms.push((MINUS_ONE, *bit)));
            self.hit(selector, placed.first_row, bits.into_iter().enumerate());
        }
        let bits: Vec<Wire> = left.iter().map(|terms| self.recorder.linear(terms)).collect();
        self.hit(last, placed.first_row, bits.into_iter().enumerate());
        Ok(())
    }

    /// How many of the bits before each are 1.
    fn ranks(&mut self, bits: &[Wire]) -> Vec<Wire> {
        let mut before = ZERO;
        let mut ranks = Vec::with_capacity(bits.len());
        for (count, bit) in bits.iter().enumerate() {
            ranks.push(before);
            before = self.recorder.add(before, *bit);
            self.recorder.refine(before, Bound::new(0.0, count as f64 + 1.0));
        }
        ranks
    }

    fn hit(&mut self, selector: u32, first_row: usize, bits: impl Iterator<Item = (usize, Wire)>) {
        let hits = self.dynamic.hits.entry(selector).or_default();
        hits.counts.extend(bits.map(|(position, bit)| (first_row + position, bit)));
    }

    /// States that every pair of `pairs` is in the `table`; returns the cells of its second list.
    pub(super) fn dynamic_lookup(
        &mut self,
        pairs: Pairs,
        table: Pairs,
        hits: Hit,
    ) -> Result<Tensor, LayoutError> {
        let (length, lookups) = (table.0.len(), pairs.0.len());
        if table.1.len() != length || pairs.1.len() != lookups {
            return Err(LayoutError::Operands("pairs of lists of different lengths".into()));
        }
        let (tables, first) = (self.tables()?, self.place_table(length)?);
        let (a, b, o) = (self.columns.a, self.columns.b, self.columns.o);
        let number = self.constant(Fr::from(self.dynamic.lookups));
        self.assign_from(tables[0], table.0, first)?;
        self.assign_from(tables[1], table.1, first)?;
        self.assign_from(tables[2], &Tensor::flat(vec![number; length]), first)?;
        self.assign(a, pairs.0)?;
        let found = self.assign(b, pairs.1)?;
        self.assign(o, &Tensor::flat(vec![number; lookups]))?;
        let placed =
            self.select_rows(|columns| columns.dynamic_lookups.as_ref(), (first, length), lookups)?;
        match hits {
            Hit::Choices(choices) => {
                for (selector, choice) in placed.selectors.iter().zip(choices) {
                    self.hit(*selector, placed.first_row, choice.iter().copied());
                }
            }
            Hit::InOrder(bits) => {
                let ranks = self.ranks(bits);
                self.count_once(&placed, bits, &ranks)?;
            }
        }
        self.dynamic.lookups += 1;
        self.cursor += lookups;
        Ok(found)
    }

    /// The elements of `tensor` at the indices; `values` are their wires, `hits` the positions that
    /// the indices mean.
    pub(super) fn select(
        &mut self,
        tensor: &Tensor,
        indices: &Tensor,
        values: &[Wire],
        hits: Hit,
    ) -> Result<Tensor, LayoutError> {
        let places = self.counting(tensor.len());
        let values = values.iter().map(|wire| Element::unplaced(*wire)).collect();
        let values = Tensor::new(values, &indices.dims)?;
        self.dynamic_lookup((indices, &values), (&places, tensor), hits)
    }
}
