//! Circuits that EZKL made, laid out anew and compared with its files.

mod case;
mod keys;
mod mock;
mod pair;
mod proofs;
mod warnings;
