//! The tables of witness values (spec 04 §2): what is taken of their columns, what is looked up.

use crate::program::Wire;
use std::collections::BTreeMap;

/// The tables of witness values so far. Their number separates tables in the same columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct DynamicTables {
    /// Linear coordinate of the next free row of the table columns.
    pub cursor: usize,
    pub lookups: u64,
    pub shuffles: u64,
    /// What each input selector looks up.
    pub hits: BTreeMap<u32, Hits>,
}

/// What the rows of one input selector look up in their table of witness values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hits {
    /// A row of the table's columns, and a wire that is added to how often it is hit.
    pub counts: Vec<(usize, Wire)>,
    /// Rows with the selector on.
    pub lookups: u64,
}
