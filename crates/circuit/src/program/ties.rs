//! Sets of values that are tied to each other, one of which stands for all (protocol §1.3).

use super::Wire;

/// For each value one that it is tied to and that is known earlier; for the first of all, itself.
#[derive(Default)]
pub(super) struct Tied(Vec<Wire>);

impl Tied {
    pub fn push(&mut self, wire: Wire) {
        self.0.push(wire);
    }

    /// The first of all values that this one is tied to.
    pub fn first(&mut self, wire: Wire) -> Wire {
        let mut first = wire;
        while self.0[first as usize] != first {
            first = self.0[first as usize];
        }
        let mut next = wire;
        while next != first {
            next = std::mem::replace(&mut self.0[next as usize], first);
        }
        first
    }

    /// Says that `wire`, the first of its set, comes after `first`.
    pub fn follow(&mut self, wire: Wire, first: Wire) {
        self.0[wire as usize] = first;
    }

    /// The first of each.
    pub fn firsts(mut self) -> Vec<Wire> {
        for wire in 0..self.0.len() as Wire {
            self.first(wire);
        }
        self.0
    }
}
