//! Which rows of the hash module's columns are taken (spec 04 §7.4).

use super::parameters::Parameters;
use std::collections::HashMap;
use twain_plonk::Column;

/// A column or selector a region occupies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Occupied {
    Column(Column),
    Selector(u32),
}

/// The heights of the hash module's columns: its regions lie below each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct HashModule {
    heights: HashMap<Occupied, usize>,
    pub(super) parameters: Option<Parameters>,
}

impl HashModule {
    /// The first row of a region, which takes `rows` rows of these columns.
    pub(super) fn region(&mut self, occupied: &[Occupied], rows: usize) -> usize {
        let height = |what: &Occupied| self.heights.get(what).copied().unwrap_or(0);
        let first = occupied.iter().map(height).max().unwrap_or(0);
        self.heights.extend(occupied.iter().map(|what| (*what, first + rows)));
        first
    }
}
