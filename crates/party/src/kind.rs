//! Who knows a value (protocol §2). Kinds follow from the circuit alone, so all sides derive the same.

/// A side of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Owns the parameters (`--id model`).
    Model,
    /// Owns the inputs (`--id data`).
    Data,
}

impl Role {
    /// The other side.
    pub fn other(self) -> Role {
        match self {
            Role::Model => Role::Data,
            Role::Data => Role::Model,
        }
    }
}

/// Who knows a value. A public or owned value is the share of its holder, and 0 is the other's
/// (a public value is held by the side for which `adds_public` is true).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Both know it.
    Public,
    /// One side knows it.
    Owned(Role),
    /// Neither knows it.
    Shared,
}

impl Kind {
    /// The kind of a function of two values.
    pub fn join(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Public, k) | (k, Kind::Public) => k,
            (a, b) if a == b => a,
            _ => Kind::Shared,
        }
    }
}
