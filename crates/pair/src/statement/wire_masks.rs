//! Tagged masks of the wires of a statement (protocol §25). Input: what both sides know of the
//! statement, this side's masks; output: a tagged mask a wire.

use crate::arithmetic::holds;
use std::collections::{BTreeMap, HashMap};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{CellKinds, Kind, PartyError, Role, SecretWire, Shares, StatementShape};
use twain_tags::{MaskColumn, Owned, Preprocessing, Tagged, TaggedVector};

/// The masks, wire by wire.
pub struct WireMasks {
    /// In the order of their numbers.
    pub wires: Vec<SecretWire>,
    places: HashMap<u32, usize>,
    pub masks: TaggedVector,
}

impl WireMasks {
    /// Where a wire stands among them.
    pub fn place(&self, wire: u32) -> Result<usize, PartyError> {
        let unknown = PartyError::Bug("a statement is about another wire than it said");
        self.places.get(&wire).copied().ok_or(unknown)
    }

    /// Tags the masks of these wires.
    pub fn tag(
        stage: &mut Preprocessing,
        channel: &mut dyn Channel,
        shape: &StatementShape,
        mask: &dyn Fn(u32) -> Fr,
    ) -> Result<Self, PartyError> {
        let in_cells = shape.columns.iter().flatten().flatten();
        let wires: BTreeMap<u32, SecretWire> = in_cells.map(|cell| (cell.wire, *cell)).collect();
        let wires: Vec<SecretWire> = wires.into_values().collect();
        let places = wires.iter().enumerate().map(|(place, cell)| (cell.wire, place)).collect();
        let role = channel.role();
        let of = |side: Role| wires.iter().filter(move |cell| holds(side, cell.kind));
        let own: Shares = Shares::new(of(role).map(|cell| mask(cell.wire)).collect());
        let halves = stage.tag(channel, &own, of(role.other()).count())?;
        let mut next = [0; 2];
        let masks = wires.iter().map(|cell| sum_of_holders(cell.kind, &halves, &mut next));
        let masks = masks.collect();
        Ok(Self { wires, places, masks })
    }

    /// A column of masks.
    pub fn column(&self, cells: &[Option<SecretWire>]) -> Result<MaskColumn, PartyError> {
        let mask = |cell: &Option<SecretWire>| match cell {
            Some(cell) => Ok(self.masks.get(self.place(cell.wire)?)),
            None => Ok(Tagged::zero()),
        };
        let masks = cells.iter().map(mask).collect::<Result<TaggedVector, PartyError>>()?;
        let kinds = cells.iter().map(|cell| cell.map(|cell| cell.kind)).collect();
        Ok(MaskColumn { masks, kinds: CellKinds::Rows(kinds) })
    }
}

/// The next value of a kind: the sum of what its holders have tagged.
fn sum_of_holders(kind: Kind, halves: &[Owned; 2], next: &mut [usize; 2]) -> Tagged {
    let mut sum = Tagged::zero();
    for (side, half) in [Role::Model, Role::Data].into_iter().zip(halves) {
        if holds(side, kind) {
            sum = &sum + &half.get(next[side as usize]);
            next[side as usize] += 1;
        }
    }
    sum
}
