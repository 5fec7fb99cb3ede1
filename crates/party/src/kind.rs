//! Who knows a value (protocol §1). Kinds follow from the circuit alone, so all sides derive the
//! same.

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

impl std::fmt::Display for Role {
    /// As messages name it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Role::Model => "the model's side",
            Role::Data => "the data's side",
        })
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
    /// The side whose share takes a public summand of a value of this kind: the owner's, so that
    /// the other share stays 0, and otherwise the model's.
    pub fn public_side(self) -> Role {
        match self {
            Kind::Owned(role) => role,
            Kind::Public | Kind::Shared => Role::Model,
        }
    }

    /// The kind of a function of two values.
    pub fn join(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Public, k) | (k, Kind::Public) => k,
            (a, b) if a == b => a,
            _ => Kind::Shared,
        }
    }
}

/// Who knows each cell of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellKinds {
    /// All cells alike.
    Uniform(Kind),
    /// Row by row. Cells that no one assigns have no kind: they hold 0, and so do both shares of
    /// them. Likewise the rows beyond the list.
    Rows(Vec<Option<Kind>>),
}

impl CellKinds {
    /// The kind of an assigned cell; none if no one assigns it.
    pub fn assigned(&self, row: usize) -> Option<Kind> {
        match self {
            CellKinds::Uniform(kind) => Some(*kind),
            CellKinds::Rows(kinds) => kinds.get(row).copied().flatten(),
        }
    }

    /// The kind of a row; cells that no one assigns are public.
    pub fn row(&self, row: usize) -> Kind {
        self.assigned(row).unwrap_or(Kind::Public)
    }

    /// Who knows all of the cells in `rows`.
    pub fn join(&self, rows: std::ops::Range<usize>) -> Kind {
        match self {
            CellKinds::Uniform(kind) => *kind,
            CellKinds::Rows(kinds) => {
                let rows = kinds.get(rows.start..rows.end.min(kinds.len())).unwrap_or(&[]);
                rows.iter().flatten().fold(Kind::Public, |join, kind| join.join(*kind))
            }
        }
    }
}
