//! A column of tagged masks.

use crate::values::TaggedVector;
use ff::Field;
use twain_algebra::Fr;
use twain_party::{CellKinds, Kind, Role};

/// The masks of a column's cells, and which side has a part of each: an owner alone, or both; none
/// of a public cell.
pub struct MaskColumn {
    /// Row by row.
    pub masks: TaggedVector,
    /// Of the cells.
    pub kinds: CellKinds,
}

/// Whether this side has a part of cells of a kind.
pub(super) fn holds(kind: Kind, role: Role) -> bool {
    kind == Kind::Shared || kind == Kind::Owned(role)
}

impl MaskColumn {
    /// Whether no side has a part of a mask that its kind does not give it, as far as `role` can
    /// see. A peer's share where it has none would be tagged, but not multiplied.
    pub(super) fn fits_its_kinds(&self, role: Role) -> bool {
        self.masks.iter().enumerate().all(|(row, mask)| {
            let kind = self.kinds.row(row);
            let none_here = mask.share == Fr::ZERO && mask.tag == Fr::ZERO;
            let none_there = mask.key == Fr::ZERO;
            (holds(kind, role) || none_here) && (holds(kind, role.other()) || none_there)
        })
    }
}
