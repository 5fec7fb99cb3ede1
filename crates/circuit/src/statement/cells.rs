//! What stands in the cells of a circuit, for its statement. Input: a laid-out circuit; output:
//! wires and who knows them.

use crate::circuit::Circuit;
use crate::program::{Wire, ZERO};
use twain_party::{Kind, SecretWire};

/// The cells of a circuit.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub circuit: &'a Circuit,
}

impl Cells<'_> {
    /// What stands in a cell, if someone assigns it.
    pub fn wire(&self, column: u32, row: usize) -> Option<Wire> {
        let value = *self.circuit.cells.get(column as usize)?.get(row)?;
        let wire = self.circuit.program.wires[value as usize];
        (wire != ZERO).then_some(wire)
    }

    /// Who knows a wire.
    pub fn kind(&self, wire: Wire) -> Kind {
        self.circuit.program.kind(wire)
    }

    /// What stands in a cell, if not both sides know it.
    pub fn secret(&self, column: u32, row: usize) -> Option<SecretWire> {
        let wire = self.wire(column, row)?;
        let kind = self.kind(wire);
        (kind != Kind::Public).then_some(SecretWire { wire, kind })
    }
}
