//! What products and hints take.

use crate::Kind;
use ff::Field;
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

/// What follows from one or two wires by numbers that both parties know: each wire times its
/// factor, and an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireForm {
    /// A wire.
    pub first: WireTerm,
    /// Another one.
    pub second: Option<WireTerm>,
    /// What is added.
    pub offset: Fr,
}

/// A wire times a number that both parties know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireTerm {
    /// The wire's number.
    pub wire: u32,
    /// Who knows it: not [`Kind::Public`].
    pub kind: Kind,
    /// Not 0.
    pub factor: Fr,
}

impl From<WireTerm> for WireForm {
    /// Nothing else.
    fn from(first: WireTerm) -> Self {
        Self { first, second: None, offset: Fr::ZERO }
    }
}

/// A value that is inverted.
#[derive(Clone, Copy)]
pub struct Inverted {
    /// The value.
    pub operand: Operand,
    /// How it follows from claimed wires, if it does.
    pub form: Option<WireForm>,
}
