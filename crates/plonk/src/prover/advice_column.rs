//! An advice column as one party holds it.

use twain_algebra::Fr;
use twain_party::{CellKinds, Shares};

/// An advice column: this party's shares and who knows the values.
#[derive(Clone, Debug)]
pub struct AdviceColumn {
    /// `n` shares. Cells that no one assigns are 0, and so are the rows from `u` on, which the
    /// prover fills.
    pub values: Shares,
    /// Who knows each of the first `u` rows.
    pub kinds: CellKinds,
    /// The wire in each of these rows. Beyond the list, and where a value is public, the number has
    /// no meaning.
    pub wires: Vec<u32>,
    /// The values of public cells, as both parties know them, in these rows; elsewhere any. None if
    /// nothing looks public and secret cells up together.
    pub publics: Vec<Fr>,
}
