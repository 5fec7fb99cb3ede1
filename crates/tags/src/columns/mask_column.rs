//! A column of tagged masks.

use crate::values::TaggedVector;
use twain_party::CellKinds;

/// The masks of a column's cells, and which side has a part of each: an owner alone, or both; none of
/// a public cell.
pub struct MaskColumn {
    /// Row by row.
    pub masks: TaggedVector,
    /// Of the cells.
    pub kinds: CellKinds,
}
