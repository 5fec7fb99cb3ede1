//! Names of the objects a constraint system allocates: columns, cells, selectors, challenges
//! (spec 01 §3.1). Each kind is numbered from 0 in the order of allocation.

/// The kind of a column; advice columns are numbered together, whatever their phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnKind {
    /// Witness values, committed in the given phase.
    Advice {
        /// 0 for the first phase; later phases are assigned when earlier challenges are known.
        phase: u8,
    },
    /// Values fixed at key generation; lookup tables are fixed columns.
    Fixed,
    /// Public inputs.
    Instance,
}

/// A column: its kind and its number among the columns of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column {
    /// Kind and phase.
    pub kind: ColumnKind,
    /// Number within the kind.
    pub index: u32,
}

/// A cell of the circuit's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Column.
    pub column: Column,
    /// Row, from 0.
    pub row: u32,
}

/// A virtual 0/1 column that key generation turns into (a share of) a fixed column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    /// Number among the selectors.
    pub index: u32,
    /// A simple selector multiplies whole gates only and may share a fixed column with others.
    pub simple: bool,
}

/// A challenge of the circuit, squeezed after all advice columns of its phase are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Challenge {
    /// Number among the challenges.
    pub index: u32,
    /// The phase after which it is known.
    pub phase: u8,
}
