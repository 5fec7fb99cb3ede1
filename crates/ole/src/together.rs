//! Which values at points meet: those that a cheating peer can combine (protocol §2.3).
//!
//! To an answer an evaluator can add any multiples of what the encryptor's ciphertexts under one
//! key hold in the same slot; an encryptor's errors are multiplied by what an answer's multipliers
//! hold there.

use super::OleGroup;
use super::components::Component;
use super::packing::{Block, Layout, Run, Use};
use std::collections::BTreeSet;
use twain_party::Role;

/// Values of one side that the other can combine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// Whose they are.
    pub role: Role,
    /// Of each, the operand, by its number among that side's of the call, and the element.
    /// Ascending.
    pub values: Vec<(u32, usize)>,
}

impl Together {
    /// Each of these operands by itself, for both sides.
    pub(super) fn apart<'g>(groups: impl Iterator<Item = &'g OleGroup>) -> Vec<Self> {
        let terms = groups.filter(|group| group.length > 0).flat_map(|group| &group.terms);
        let alone = terms.flat_map(|&(model, data)| [(Role::Model, model), (Role::Data, data)]);
        let alone: BTreeSet<(usize, u32)> =
            alone.map(|(role, operand)| (role as usize, operand)).collect();
        let alone = alone.into_iter().map(|(role, operand)| Together {
            role: [Role::Model, Role::Data][role],
            values: vec![(operand, 0)],
        });
        alone.collect()
    }

    /// All kinds of sets that meet under this layout of these groups, each once: sets that differ
    /// by how far on their elements are count as one.
    pub(super) fn of_layout(layout: &Layout, groups: &[&OleGroup]) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut note = |role: Role, values: BTreeSet<(u32, usize)>| {
            let values: Vec<(u32, usize)> = values.into_iter().collect();
            let Some(first) = values.iter().map(|(_, element)| *element).min() else { return };
            let shape: Vec<(u32, usize)> =
                values.iter().map(|(operand, element)| (*operand, element - first)).collect();
            if seen.insert((role as usize, shape)) {
                found.push(Together { role, values });
            }
        };
        let at_points = || layout.blocks.iter().filter(|block| block.of != Use::Others);
        for encryptor in [Role::Model, Role::Data] {
            let own = || at_points().filter(move |block| block.encryptor == encryptor);
            let keys: BTreeSet<usize> = own().map(|block| block.key).collect();
            for key in keys {
                let under = || own().filter(move |block| block.key == key);
                let slots: BTreeSet<usize> =
                    under().flat_map(|block| &block.runs).map(|run| run.slot).collect();
                for slot in slots {
                    let met = under().flat_map(|block| encrypted(layout, block, slot));
                    note(encryptor, met.collect());
                }
            }
        }
        for block in at_points() {
            for run in &block.runs {
                let component = &layout.components[run.component];
                for group in &component.groups {
                    let multipliers = multipliers(component, run, block.encryptor, groups[*group]);
                    note(block.encryptor.other(), multipliers);
                }
            }
        }
        found
    }
}

/// What a block's encryptions hold in a slot.
fn encrypted(layout: &Layout, block: &Block, slot: usize) -> Vec<(u32, usize)> {
    let here = |run: &&Run| (run.slot..run.slot + run.length).contains(&slot);
    let Some(run) = block.runs.iter().find(here) else { return Vec::new() };
    let component = &layout.components[run.component];
    let operands =
        (0..block.encryptions).filter_map(|e| component.operand(block.encryptor, run.lane, e));
    operands.map(|operand| (operand, run.element + slot - run.slot)).collect()
}

/// The evaluator's operands of a group's answer in the first slot of a run.
fn multipliers(
    component: &Component,
    run: &Run,
    encryptor: Role,
    group: &OleGroup,
) -> BTreeSet<(u32, usize)> {
    let here = group.terms.iter().filter(|(model, _)| component.has_on_lane(run.lane, *model));
    let own = here.map(|&(model, data)| [model, data][encryptor.other() as usize]);
    own.map(|operand| (operand, run.element)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Products;
    use twain_rlwe::SLOTS;

    /// Of two cosets, on each of which two columns are multiplied, both ways.
    fn cosets(rows: usize) -> Products {
        let coset = |first: u32| OleGroup {
            length: rows,
            terms: vec![(first, first + 1), (first + 1, first)],
        };
        Products { points: vec![coset(0), coset(2)], others: Vec::new() }
    }

    fn found(products: &Products, encryptor: Role) -> Vec<Together> {
        let groups: Vec<&OleGroup> = products.groups().collect();
        Together::of_layout(&Layout::encrypted_by(products, encryptor), &groups)
    }

    #[test]
    fn what_is_under_a_key_in_one_slot_is_together() {
        let meets = |found: &[Together], role, values: &[(u32, usize)]| {
            found.iter().any(|set| set.role == role && set.values == values)
        };
        // Both cosets of each block of points; what is multiplied, coset by coset.
        let products = cosets(2 * SLOTS);
        let sets = found(&products, Role::Data);
        assert!(meets(&sets, Role::Data, &[(0, 0), (1, 0), (2, 0), (3, 0)]), "{sets:?}");
        assert!(meets(&sets, Role::Model, &[(0, 0), (1, 0)]));
        assert!(meets(&sets, Role::Model, &[(2, 0), (3, 0)]));
        assert_eq!(sets.len(), 3);
        // Side by side in a block: each coset by itself.
        let sets = found(&cosets(SLOTS / 2), Role::Model);
        for role in [Role::Model, Role::Data] {
            assert!(meets(&sets, role, &[(0, 0), (1, 0)]), "{sets:?}");
            assert!(meets(&sets, role, &[(2, 0), (3, 0)]));
        }
        assert_eq!(sets.len(), 4);
        // Nothing of what is not at points.
        let others: Products = cosets(2 * SLOTS).points.into();
        assert!(found(&others, Role::Data).is_empty());
        assert_eq!(Together::apart(products.groups()).len(), 8);
    }
}
