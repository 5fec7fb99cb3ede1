//! What the prover asks of whoever knows the witness: the advice columns, phase by phase, and the
//! multiplicities of the lookups. `twain-circuit` interprets its witness program to answer.

use super::advice_column::AdviceColumn;
use super::error::ProveError;
use super::lookup_view::LookupView;
use twain_algebra::Fr;
use twain_party::Multiplicities;

/// The source of the witness for a party of type `P`.
pub trait WitnessSource<P> {
    /// The advice columns of `phase` in increasing order of their index. `challenges` are those of
    /// the circuit by index, 0 where not known yet.
    fn advice(
        &mut self,
        party: &mut P,
        phase: u8,
        challenges: &[Fr],
    ) -> Result<Vec<AdviceColumn>, ProveError>;

    /// For an advice column whose cells choose what is looked up (the column of a table): by the
    /// values `j` from 0 up that a cell may have, shares of `[it is j]`. Rows where nothing is
    /// chosen have no kind. None for other columns; asked for only by a party that holds shares.
    fn choice_bits(&self, party: &P, column: u32) -> Option<Vec<AdviceColumn>>;

    /// The multiplicities of each lookup argument (spec 01 §5.4): `n` shares each, 0 from row `u`
    /// on.
    fn multiplicities(
        &mut self,
        party: &mut P,
        lookups: &LookupView<'_>,
    ) -> Result<Vec<Multiplicities>, ProveError>;
}
