//! The permutation of cells that copy constraints make (spec 01 §4.2).

use crate::column::{Cell, Column};
use crate::error::KeyError;
use ff::Field;
use rayon::prelude::*;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use twain_algebra::domain::DELTA;
use twain_algebra::{Domain, Fr, vector};
use twain_party::{PartyError, Watched};

/// Cells that are gone through, which takes some milliseconds, between two looks whether to go on.
const CELLS: usize = 1 << 16;

/// A permutation of the cells of the permutation columns; cell `(i, row)` is number `i·n + row`,
/// `i` the column's position in the list.
#[derive(Clone, Debug)]
pub(crate) struct Permutation {
    rows: usize,
    successors: Vec<u32>,
}

impl Permutation {
    /// Joins the cycles of the two cells of each copy, in order; copies within a cycle change nothing.
    /// Cells from row `usable_rows` on cannot be copied.
    pub(crate) fn new(
        columns: &[Column],
        rows: usize,
        usable_rows: usize,
        copies: &[(Cell, Cell)],
        watched: &Watched,
    ) -> Result<Self, KeyError> {
        let cells = columns.len().checked_mul(rows).and_then(|cells| u32::try_from(cells).ok());
        let cells = cells.ok_or(KeyError::TooManyCells { columns: columns.len(), rows })?;
        let position: HashMap<Column, usize> =
            columns.iter().enumerate().map(|(i, column)| (*column, i)).collect();
        let number = |cell: &Cell| match position.get(&cell.column) {
            Some(i) if (cell.row as usize) < usable_rows => Ok((i * rows) as u32 + cell.row),
            _ => Err(KeyError::CopyOutside { cell: *cell }),
        };
        let mut successors: Vec<u32> = (0..cells).collect();
        let mut cycles = Cycles::new(cells);
        for (index, (a, b)) in copies.iter().enumerate() {
            if index % CELLS == 0 {
                watched.check().map_err(|_| KeyError::Cancelled)?;
            }
            let (a, b) = (number(a)?, number(b)?);
            if cycles.join(a, b) {
                successors.swap(a as usize, b as usize);
            }
        }
        Ok(Self { rows, successors })
    }

    /// The permutation with these polynomials' values, see [`Self::values`]; none if they are those of
    /// no permutation, or of more cells than 32 bits count.
    ///
    /// # Errors
    /// [`PartyError::Cancelled`].
    pub(crate) fn from_values(
        values: &[Vec<Fr>],
        domain: &Domain,
        watched: &Watched,
    ) -> Result<Option<Self>, PartyError> {
        let rows = domain.n();
        let cells = values.len().checked_mul(rows).and_then(|cells| u32::try_from(cells).ok());
        let Some(cells) = cells else { return Ok(None) };
        let mut successors: Vec<u32> = (0..cells).collect();
        // Only the moved cells are looked up.
        let mut moved: HashMap<Fr, u32, BuildHasherDefault<Spread>> = HashMap::default();
        let mut numbers = 0..cells;
        let mut first = Fr::ONE;
        for column in values {
            watched.check()?;
            let mut identity = first;
            for (value, number) in column.iter().zip(&mut numbers) {
                if *value != identity {
                    moved.insert(identity, number);
                }
                identity *= domain.omega();
            }
            first *= DELTA;
        }
        let mut sources: Vec<u32> = moved.values().copied().collect();
        sources.sort_unstable();
        for (index, number) in sources.into_iter().enumerate() {
            if index % CELLS == 0 {
                watched.check()?;
            }
            let value = values[number as usize / rows].get(number as usize % rows);
            let Some(next) = value.and_then(|value| moved.remove(value)) else { return Ok(None) };
            successors[number as usize] = next;
        }
        Ok(Some(Self { rows, successors }))
    }

    /// Whether the permutation moves cell `row` of the column at `position`.
    pub(crate) fn moves(&self, position: usize, row: usize) -> bool {
        self.successor(position, row) != position * self.rows + row
    }

    /// The number of the cell that follows cell `row` of the column at `position`.
    pub(crate) fn successor(&self, position: usize, row: usize) -> usize {
        self.successors[position * self.rows + row] as usize
    }

    /// The rows of the column at `position` that the permutation moves, in increasing order.
    pub(crate) fn moved_rows(&self, position: usize) -> Vec<usize> {
        (0..self.rows).filter(|row| self.moves(position, *row)).collect()
    }

    /// The values of all permutation polynomials: `delta^i' w^row'` where `(i', row')` follows.
    pub(crate) fn values(&self, domain: &Domain) -> Vec<Vec<Fr>> {
        let roots = vector::powers(domain.omega(), self.rows);
        let columns = self.successors.len() / self.rows;
        let deltas: Vec<Fr> =
            std::iter::successors(Some(Fr::ONE), |d| Some(*d * DELTA)).take(columns).collect();
        let column = |successors: &[u32]| {
            let value = |next: &u32| {
                let next = *next as usize;
                deltas[next / self.rows] * roots[next % self.rows]
            };
            successors.par_iter().map(value).collect()
        };
        self.successors.chunks(self.rows).map(column).collect()
    }
}

/// Hashes what is spread evenly already, by the first 64 bits of what is last written.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Which cycle a cell is in: a forest with path halving, joined by size.
struct Cycles {
    parents: Vec<u32>,
    sizes: Vec<u32>,
}

impl Cycles {
    fn new(cells: u32) -> Self {
        Self { parents: (0..cells).collect(), sizes: vec![1; cells as usize] }
    }

    fn root(&mut self, mut cell: u32) -> u32 {
        loop {
            let parent = self.parents[cell as usize];
            if parent == cell {
                return cell;
            }
            let above = self.parents[parent as usize];
            self.parents[cell as usize] = above;
            cell = above;
        }
    }

    /// Joins two cycles; false if they are one already.
    fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return false;
        }
        let (small, large) =
            if self.sizes[a as usize] < self.sizes[b as usize] { (a, b) } else { (b, a) };
        self.parents[small as usize] = large;
        self.sizes[large as usize] += self.sizes[small as usize];
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColumnKind;
    use proptest::prelude::*;

    fn cell(index: u32, row: u32) -> Cell {
        Cell { column: Column { kind: ColumnKind::Fixed, index }, row }
    }

    fn successors(copies: &[(Cell, Cell)]) -> Vec<u32> {
        let columns = [cell(1, 0).column, cell(0, 0).column];
        Permutation::new(&columns, 8, 8, copies, &Watched::default()).unwrap().successors
    }

    #[test]
    fn constants_visit_their_copies_in_reverse() {
        // Column 1 is at position 0, so cell (1, row) is number `row`, cell (0, row) 8 + row.
        let copies: Vec<_> = (2..5).map(|row| (cell(1, row), cell(0, 0))).collect();
        let next = successors(&copies);
        assert_eq!([next[8], next[4], next[3], next[2]], [4, 3, 2, 8]);
        assert_eq!(successors(&[&copies[..], &copies[..]].concat()), next);
    }

    #[test]
    fn cells_outside_are_refused() {
        let column = [cell(0, 0).column];
        for bad in [cell(0, 5), cell(1, 0)] {
            let copies = [(cell(0, 1), bad)];
            let error = Permutation::new(&column, 8, 5, &copies, &Watched::default()).err();
            assert_eq!(error, Some(KeyError::CopyOutside { cell: bad }));
        }
    }

    #[test]
    fn values_of_the_identity() {
        let columns = [cell(0, 0).column, cell(1, 0).column];
        let permutation = Permutation::new(&columns, 8, 8, &[], &Watched::default()).unwrap();
        let domain = Domain::new(3).unwrap();
        let values = permutation.values(&domain);
        assert_eq!(values[1][3], DELTA * domain.omega().pow_vartime([3u64]));
        assert!(permutation.moved_rows(1).is_empty());
    }

    #[test]
    fn values_of_no_permutation() {
        let copies = [(cell(1, 2), cell(0, 0)), (cell(0, 0), cell(0, 5))];
        let columns = [cell(1, 0).column, cell(0, 0).column];
        let permutation = Permutation::new(&columns, 8, 8, &copies, &Watched::default()).unwrap();
        let domain = Domain::new(3).unwrap();
        let values = permutation.values(&domain);
        let read = |values: &[Vec<Fr>]| {
            Permutation::from_values(values, &domain, &Watched::default()).unwrap()
        };
        assert_eq!(read(&values).unwrap().successors, permutation.successors);
        for bad in [Fr::ZERO, values[1][0]] {
            let mut values = values.clone();
            values[0][2] = bad;
            assert!(read(&values).is_none());
        }
    }

    proptest! {
        /// Against the definition: cycles looked up by walking them.
        #[test]
        fn agrees_with_the_definition(pairs in prop::collection::vec((0u32..16, 0u32..16), 0..30)) {
            let at = |number: u32| cell(1 - number / 8, number % 8);
            let copies: Vec<_> = pairs.iter().map(|(a, b)| (at(*a), at(*b))).collect();
            let mut next: Vec<u32> = (0..16).collect();
            for (a, b) in pairs {
                let mut walk = next[a as usize];
                while walk != a && walk != b {
                    walk = next[walk as usize];
                }
                if a != b && walk != b {
                    next.swap(a as usize, b as usize);
                }
            }
            prop_assert_eq!(successors(&copies), next);
        }
    }
}
