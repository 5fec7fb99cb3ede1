//! Which side of a pair one is, as the command line says it.

use clap::ValueEnum;

/// A side of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Owns the parameters.
    Model,
    /// Owns the inputs.
    Data,
}

impl From<Side> for twain_party::Role {
    fn from(side: Side) -> Self {
        match side {
            Side::Model => Self::Model,
            Side::Data => Self::Data,
        }
    }
}
