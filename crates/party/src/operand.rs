//! What products and hints take.

use crate::Kind;
use twain_algebra::Fr;

/// A value that takes part in a product or a hint: this party's share and what both know about it.
#[derive(Clone, Copy)]
pub struct Operand {
    /// This party's share. In the calls of [`WitnessParty`](crate::WitnessParty) a public operand
    /// carries its value here on every side, since a product with it is local for all; in those of
    /// [`ProverParty`](crate::ProverParty) it is a share like any other (the value where
    /// `adds_public`, 0 elsewhere).
    pub share: Fr,
    /// Who knows the value.
    pub kind: Kind,
    /// A static bound of the value as a signed integer: `|value| < 2^bits` (254: none known).
    pub bits: u16,
}

/// A wire and what this party holds of it. Wires are numbered by the witness program; a value that
/// stands in several cells is one wire, and so are all cells that the circuit ties together.
#[derive(Clone, Copy)]
pub struct WireValue {
    /// Its number.
    pub wire: u32,
    /// Its value.
    pub operand: Operand,
}

/// What follows from one or two wires by numbers that both parties know: `factor * wire + offset`,
/// and the second wire times its factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireForm {
    /// The wire's number.
    pub wire: u32,
    /// Not 0.
    pub factor: Fr,
    /// What is added.
    pub offset: Fr,
    /// Another wire, and its factor, which is not 0.
    pub second: Option<(u32, Fr)>,
}

/// A value that is inverted.
#[derive(Clone, Copy)]
pub struct Inverted {
    /// The value.
    pub operand: Operand,
    /// How it follows from claimed, shared wires, if it does.
    pub form: Option<WireForm>,
}
