//! Which values of a program are one wire (protocol §1.3), and when each is claimed.
//!
//! Copies of the circuit tie cells, and so the values that stand in them: values that are tied are
//! one wire, whose value is the first of them to be known. The others are computed as well, and
//! that they are equal goes to the validity test; but in cells and as operands of products stands
//! the wire. Input: the ties, the values in cells and what the argument multiplies; output: the
//! wire of each value, and for each level the wires to be claimed there.

use super::record::{CONSTANT, LATE, Recorder};
use super::{InstanceRow, Level, Wire};
use crate::LayoutError;
use twain_party::{Kind, LateInverse};

impl Recorder {
    /// States that two values stand in cells that the circuit's copies make equal.
    pub fn tie(&mut self, left: Wire, right: Wire) {
        let (left, right) = (self.tied.first(left), self.tied.first(right));
        if left == right {
            return;
        }
        // A value of the circuit itself is known before all others.
        let rank = |wire: Wire| match self.levels[wire as usize] {
            CONSTANT => (0, wire),
            level => (level + 1, wire),
        };
        match rank(left) < rank(right) {
            true => self.tied.follow(right, left),
            false => self.tied.follow(left, right),
        }
    }

    /// Lets products take, and instances show, wires in place of values that are tied to them.
    pub(super) fn take_wires(&mut self) {
        let (tied, levels) = (&mut self.tied, &mut self.program_levels);
        for row in &mut self.instances {
            if let InstanceRow::Opened(value) = row {
                *value = tied.first(*value);
            }
        }
        for level in levels.iter_mut().chain(&mut self.second_levels) {
            let products = &mut level.products;
            for operand in products.left.iter_mut().chain(&mut products.right) {
                *operand = tied.first(*operand);
            }
        }
    }

    /// The late inverses, of wires in place of values that are tied to them.
    ///
    /// # Errors
    /// Something depends on one, or it is tied to an earlier value.
    pub(super) fn take_late_inverses(&mut self) -> Result<Vec<LateInverse<Wire>>, LayoutError> {
        let mut late = std::mem::take(&mut self.late_inverses);
        let mut is_late = !self.computes_with_late;
        for LateInverse { value, nonzero, inverse } in &mut late {
            *value = self.tied.first(*value);
            *nonzero = nonzero.map(|nonzero| self.tied.first(nonzero));
            let shared = [Some(*value), *nonzero].into_iter().flatten();
            is_late &= shared.into_iter().all(|wire| self.kinds[wire as usize] == Kind::Shared)
                && self.tied.first(*inverse) == *inverse;
        }
        match is_late {
            true => Ok(late),
            false => Err(LayoutError::Operands("something depends on a late inverse".into())),
        }
    }

    /// Says at which level each wire is claimed: the shared ones that stand in cells, and all that
    /// the program or the argument multiplies by what the other side may know, or that stands
    /// in columns of tables of witness values. That is the first
    /// level with products at which the wire is known, or the last one.
    pub(super) fn claim_wires(
        &mut self,
        in_cells: impl Iterator<Item = Wire>,
        multiplied: impl Iterator<Item = (Wire, Wire)>,
        in_tables: impl Iterator<Item = Wire>,
    ) {
        let mut claimed = vec![false; self.kinds.len()];
        for value in in_cells {
            let wire = self.tied.first(value);
            claimed[wire as usize] |= self.kind(wire) == Kind::Shared;
        }
        let levels = self.program_levels.iter().chain(&self.second_levels);
        let products = levels.flat_map(|Level { products, .. }| {
            products.left.iter().copied().zip(products.right.iter().copied())
        });
        let (kinds, tied) = (&self.kinds, &mut self.tied);
        let in_rows = multiplied.map(|(left, right)| (tied.first(left), tied.first(right)));
        for (left, right) in products.chain(in_rows) {
            let [l, r] = [left, right].map(|wire| kinds[wire as usize]);
            if l != Kind::Public && r != Kind::Public && l.join(r) == Kind::Shared {
                claimed[left as usize] = true;
                claimed[right as usize] = true;
            }
        }
        for value in in_tables {
            let wire = tied.first(value);
            claimed[wire as usize] |= kinds[wire as usize] != Kind::Public;
        }
        for wire in (0..self.wires()).filter(|wire| claimed[*wire as usize]) {
            match self.levels[wire as usize] {
                // Claimed when they are made.
                LATE => {}
                level => self.at(level).claims.push(wire),
            }
        }
        for levels in [&mut self.program_levels, &mut self.second_levels] {
            let count = levels.len();
            let mut waiting = Vec::new();
            for (number, level) in levels.iter_mut().enumerate() {
                waiting.append(&mut level.claims);
                if !level.products.ends.is_empty() || number + 1 == count {
                    level.claims = std::mem::take(&mut waiting);
                }
            }
        }
    }
}
