//! The grand products `z` of the permutation argument (spec 01 §5.5).
//!
//! A party that holds the values divides numerators by denominators. Two parties convert the
//! numerator of every *moved* secret cell (one that is no fixed point of `σ`) to factors, once: the
//! denominator of a cell is the numerator of the cell that `σ` sends it to. Products, inverses and
//! running products of factors are local; one conversion for each row that changed brings `z` back
//! to additive shares (counts §3). From the last moved secret cell on `z` is public, because
//! it ends at 1, and so it is before the first.

use super::error::ProveError;
use super::operands::Operands;
use crate::permutation::Permutation;
use crate::{CompiledSystem, ProvingKey};
use ff::{Field, PrimeField};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use twain_algebra::{Domain, Fr, vector};
use twain_party::{
    CellKinds, Factors, Kind, Operand, PartyError, ProverParty, Role, Shares, Watched, WireValue,
};

const BLOCK: usize = 1 << 12;

/// Cells that are gone through, which takes some milliseconds, between two looks whether to go on.
const CELLS: usize = 1 << 16;

/// The cells that the permutation covers.
pub(super) struct PermutedColumns<'a> {
    pub(super) key: &'a ProvingKey,
    pub(super) system: &'a CompiledSystem,
    pub(super) domain: &'a Domain,
    pub(super) watched: &'a Watched,
    /// In the order of the permutation's columns.
    pub(super) columns: Vec<PermutedColumn<'a>>,
}

/// The moved cells of advice columns, of which the secret ones are on the way to factors. A party that
/// holds the values needs none.
pub(super) struct MovedCells<C> {
    beta: Fr,
    gamma: Fr,
    cells: Vec<MovedCell>,
    /// Those among them that are not public.
    secret: Vec<MovedCell>,
    conversion: Option<C>,
}

impl<C> MovedCells<C> {
    /// Prepares what does not depend on `β` and `γ`.
    pub(super) fn prepare<P: ProverParty<Conversion = C>>(
        party: &mut P,
        columns: &PermutedColumns<'_>,
    ) -> Result<Self, ProveError> {
        let (beta, gamma) = (Fr::ZERO, Fr::ZERO);
        if party.holds_values() {
            let (cells, secret) = Default::default();
            return Ok(Self { beta, gamma, cells, secret, conversion: None });
        }
        let cells = moved_advice_cells(columns, columns.permutation()?);
        let secret = cells.iter().filter(|cell| cell.kind != Kind::Public);
        let secret: Vec<MovedCell> = secret.copied().collect();
        let mut values = Operands::default();
        for cell in &secret {
            let column = &columns.columns[cell.position];
            let share = column.values[cell.row];
            let operand = Operand { share, kind: cell.kind, bits: 254 };
            let wire = column.wires.get(cell.row).copied().unwrap_or(u32::MAX);
            values.push(WireValue { wire, operand });
        }
        let conversion = Some(party.prepare_factors(&values)?);
        Ok(Self { beta, gamma, cells, secret, conversion })
    }

    /// The factors are to be those of the numerators `v + β·id + γ`.
    pub(super) fn begin<P: ProverParty<Conversion = C>>(
        &mut self,
        party: &mut P,
        beta: Fr,
        gamma: Fr,
    ) -> Result<(), ProveError> {
        (self.beta, self.gamma) = (beta, gamma);
        if let Some(conversion) = self.conversion.take() {
            let shift = |cell: &MovedCell| beta * cell.identity + gamma;
            let shifts: Vec<Fr> = self.secret.iter().map(shift).collect();
            self.conversion = Some(party.begin_factors(conversion, &shifts)?);
        }
        Ok(())
    }
}

/// A column of the permutation argument.
#[derive(Clone, Copy)]
pub(super) struct PermutedColumn<'a> {
    /// Values, or this party's shares if there are kinds.
    pub(super) values: &'a [Fr],
    /// Values of the permutation polynomial.
    pub(super) sigma: &'a [Fr],
    /// Who knows the cells; none of a column that every party knows.
    pub(super) kinds: Option<&'a CellKinds>,
    /// Which wires the first cells are.
    pub(super) wires: &'a [u32],
}

/// The grand product of a chunk.
pub(super) struct GrandProduct {
    /// `n` shares, 0 from row `u + 1` on.
    pub(super) shares: Shares,
    /// Who knows the value in each of the rows `0..=u`.
    pub(super) kinds: CellKinds,
    /// Whether the value is public in all rows, so that blinding would hide nothing.
    pub(super) public: bool,
    /// Whether every party knows the values: then `shares` are the values for all.
    pub(super) known: bool,
}

/// The grand products of all chunks.
pub(super) fn grand_products<P: ProverParty>(
    party: &mut P,
    columns: &PermutedColumns<'_>,
    mut moved: MovedCells<P::Conversion>,
) -> Result<Vec<GrandProduct>, ProveError> {
    let Some(conversion) = moved.conversion.take() else {
        return products_of_values(columns, moved.beta, moved.gamma);
    };
    let factors = party.finish_factors(conversion)?;
    let ratios = row_ratios(columns, &moved, &factors, party.adds_public())?;
    running_products(party, columns, &moved.cells, &ratios)
}

impl PermutedColumns<'_> {
    fn permutation(&self) -> Result<&Permutation, ProveError> {
        self.key.permutation(self.domain, self.watched)?.ok_or_else(|| {
            let text = "a permutation polynomial of the key does not permute the cells";
            ProveError::Unsupported(text.to_owned())
        })
    }

    fn chunk_length(&self) -> usize {
        self.system.degree() - 2
    }

    fn chunks(&self) -> usize {
        self.system.permutation_chunks().len()
    }

    /// Position and column of the columns of a chunk.
    fn chunk(&self, chunk: usize) -> impl Iterator<Item = (usize, &PermutedColumn<'_>)> {
        let start = chunk * self.chunk_length();
        self.columns.iter().enumerate().skip(start).take(self.chunk_length())
    }

    /// The identity of the cells of column `position` from `row` on: `δ^position·ω^row`.
    fn identities(&self, position: usize, row: usize) -> impl Iterator<Item = Fr> + use<> {
        let omega = self.domain.omega();
        let first = Fr::DELTA.pow_vartime([position as u64]) * omega.pow_vartime([row as u64]);
        std::iter::successors(Some(first), move |identity| Some(*identity * omega))
    }
}

/// Which chunks have a `z` that is public in all rows: those without a moved secret cell that are
/// before all such cells or behind them all.
fn public_chunks(moved_secret: &[bool]) -> Vec<bool> {
    let first = moved_secret.iter().position(|moved| *moved).unwrap_or(moved_secret.len());
    let last = moved_secret.iter().rposition(|moved| *moved);
    (0..moved_secret.len()).map(|i| i < first || last.is_none_or(|last| i > last)).collect()
}

fn products_of_values(
    cells: &PermutedColumns<'_>,
    beta: Fr,
    gamma: Fr,
) -> Result<Vec<GrandProduct>, ProveError> {
    let (n, usable) = (cells.system.rows(), cells.system.usable_rows());
    let mut moved_secret = Vec::new();
    let mut products: Vec<Shares> = Vec::new();
    let mut start = Fr::ONE;
    for chunk in 0..cells.chunks() {
        cells.watched.check()?;
        let mut product = Shares::zero(n);
        let mut denominators = Shares::zero(usable);
        let moved = AtomicBool::new(false);
        let numerators = product[1..=usable].par_chunks_mut(BLOCK);
        let blocks = numerators.zip(denominators.par_chunks_mut(BLOCK)).enumerate();
        blocks.for_each(|(block, (numerators, denominators))| {
            let first = block * BLOCK;
            numerators.fill(Fr::ONE);
            denominators.fill(Fr::ONE);
            for (position, column) in cells.chunk(chunk) {
                let rows = first..first + numerators.len();
                let values = column.values[rows.clone()].iter().zip(&column.sigma[rows]);
                let identities = cells.identities(position, first);
                let rows = (first..).zip(values.zip(identities));
                let factors = numerators.iter_mut().zip(denominators.iter_mut());
                for ((row, ((value, sigma), identity)), (numerator, denominator)) in
                    rows.zip(factors)
                {
                    let shifted = *value + gamma;
                    *numerator *= shifted + beta * identity;
                    *denominator *= shifted + beta * sigma;
                    if *sigma != identity
                        && column.kinds.is_some_and(|kinds| kinds.row(row) != Kind::Public)
                    {
                        moved.store(true, Ordering::Relaxed);
                    }
                }
            }
        });
        moved_secret.push(moved.into_inner());
        invert_all(&mut denominators)?;
        vector::mul_assign(&mut product[1..=usable], &denominators);
        product[0] = start;
        vector::prefix_product(&mut product[..=usable]);
        start = product[usable];
        products.push(product);
    }
    if start != Fr::ONE {
        let text = "two cells that a copy constraint makes equal differ";
        return Err(ProveError::Unsatisfied(text.to_owned()));
    }
    let product = |(shares, public)| GrandProduct {
        shares,
        kinds: CellKinds::Uniform(Kind::Shared),
        public,
        known: false,
    };
    Ok(products.into_iter().zip(public_chunks(&moved_secret)).map(product).collect())
}

fn invert_all(values: &mut [Fr]) -> Result<(), PartyError> {
    if values.par_iter().any(|value| bool::from(value.is_zero())) {
        return Err(PartyError::Ended);
    }
    vector::batch_invert(values);
    Ok(())
}

/// A moved cell of an advice column.
#[derive(Clone, Copy)]
struct MovedCell {
    position: usize,
    row: usize,
    identity: Fr,
    kind: Kind,
}

/// What each row of each chunk multiplies `z` by; the rows `0..u` of the chunks one after the other.
struct Ratios {
    /// The part that every party knows.
    known: Shares,
    /// This party's factor of the rest.
    own: Shares,
    /// Who knows the rest; none if there is none. A public advice cell counts as the model's, since
    /// only the side that adds public values holds it.
    kinds: Vec<Option<Kind>>,
    /// Whether a moved secret cell is in the row.
    secret: Vec<bool>,
}

/// Fractions under construction.
struct Fractions {
    numerators: Shares,
    denominators: Shares,
}

impl Fractions {
    fn ones(length: usize) -> Self {
        let ones = || Shares::new(vec![Fr::ONE; length]);
        Self { numerators: ones(), denominators: ones() }
    }

    fn quotients(mut self) -> Result<Shares, PartyError> {
        invert_all(&mut self.denominators)?;
        vector::mul_assign(&mut self.numerators, &self.denominators);
        Ok(self.numerators)
    }
}

/// All moved cells of advice columns, column by column.
fn moved_advice_cells(cells: &PermutedColumns<'_>, permutation: &Permutation) -> Vec<MovedCell> {
    let mut moved = Vec::new();
    for (position, column) in cells.columns.iter().enumerate() {
        let Some(kinds) = column.kinds else { continue };
        let identities = cells.identities(position, 0);
        let rows = identities.take(column.sigma.len()).enumerate();
        let rows = rows.filter(|(row, _)| permutation.moves(position, *row));
        moved.extend(rows.map(|(row, identity)| MovedCell {
            position,
            row,
            identity,
            kind: kinds.row(row),
        }));
    }
    moved
}

/// The ratios of all rows.
fn row_ratios<C>(
    cells: &PermutedColumns<'_>,
    MovedCells { beta, gamma, cells: moved, secret, .. }: &MovedCells<C>,
    factors: &Factors,
    adds_public: bool,
) -> Result<Ratios, ProveError> {
    let (usable, permutation) = (cells.system.usable_rows(), cells.permutation()?);
    let (beta, gamma) = (*beta, *gamma);
    let length = cells.chunks() * usable;
    let (mut known, mut own) = (Fractions::ones(length), Fractions::ones(length));
    let mut kinds = vec![None; length];
    let mut has_secret = vec![false; length];
    let step_of = |position: usize, row: usize| {
        (row < usable).then(|| position / cells.chunk_length() * usable + row)
    };

    // Columns that all know: numerator and denominator from the value itself.
    for (position, column) in cells.columns.iter().enumerate() {
        if column.kinds.is_some() {
            continue;
        }
        cells.watched.check()?;
        let identities = cells.identities(position, 0);
        for (row, (sigma, identity)) in column.sigma.iter().zip(identities).enumerate() {
            let moved = permutation.moves(position, row);
            if let Some(step) = step_of(position, row).filter(|_| moved) {
                let shifted = column.values[row] + gamma;
                known.numerators[step] *= shifted + beta * identity;
                known.denominators[step] *= shifted + beta * sigma;
            }
        }
    }

    // Public advice cells: the same, for the side that holds them. A secret cell's value is that of
    // the cell it is sent to, so its denominator is the target's numerator.
    let rows = cells.system.rows();
    let mut secret_index = vec![u32::MAX; cells.columns.len() * rows];
    for (index, cell) in (0..).zip(secret) {
        secret_index[cell.position * rows + cell.row] = index;
    }
    let mut own_factors = secret.iter().zip(factors.iter());
    for (index, cell) in moved.iter().enumerate() {
        if index % CELLS == 0 {
            cells.watched.check()?;
        }
        let factor = (cell.kind != Kind::Public).then(|| own_factors.next()).flatten();
        let Some(step) = step_of(cell.position, cell.row) else { continue };
        let column = &cells.columns[cell.position];
        let (value, sigma) = (column.values[cell.row], column.sigma[cell.row]);
        let Some((_, factor)) = factor else {
            if adds_public {
                own.numerators[step] *= value + beta * cell.identity + gamma;
                own.denominators[step] *= value + beta * sigma + gamma;
            }
            kinds[step] = Some(join(kinds[step], Kind::Owned(Role::Model)));
            continue;
        };
        has_secret[step] = true;
        own.numerators[step] *= factor;
        let next = permutation.successor(cell.position, cell.row);
        let mut kind = cell.kind;
        let target = secret_index[next] as usize;
        if let Some(target) = secret.get(target).zip(factors.get(target)) {
            own.denominators[step] *= target.1;
            kind = kind.join(target.0.kind);
        } else {
            let column = &cells.columns[next / rows];
            let denominator = column.values[next % rows] + beta * sigma + gamma;
            if column.kinds.is_none() {
                known.denominators[step] *= denominator;
            } else {
                kind = kind.join(Kind::Owned(Role::Model));
                if adds_public {
                    own.denominators[step] *= denominator;
                }
            }
        }
        kinds[step] = Some(join(kinds[step], kind));
    }
    Ok(Ratios { known: known.quotients()?, own: own.quotients()?, kinds, secret: has_secret })
}

fn join(a: Option<Kind>, b: Kind) -> Kind {
    a.map_or(b, |a| a.join(b))
}

/// Running products over all chunks, back to additive shares.
fn running_products<P: ProverParty>(
    party: &mut P,
    cells: &PermutedColumns<'_>,
    moved: &[MovedCell],
    ratios: &Ratios,
) -> Result<Vec<GrandProduct>, ProveError> {
    let total = ratios.secret.len();
    let first_secret = ratios.secret.iter().position(|secret| *secret).unwrap_or(total);
    // The first step of the public tail.
    let tail = ratios.secret.iter().rposition(|secret| *secret).map_or(0, |last| last + 1);

    // The running product of factors after every changed row between the first and the last secret.
    let (mut running, mut kind) = (Fr::ONE, None);
    let mut factors = Factors::zero(tail.saturating_sub(first_secret));
    let mut kinds = Vec::new();
    for step in 0..tail.saturating_sub(1) {
        running *= ratios.own[step];
        let Some(of_row) = ratios.kinds[step] else { continue };
        let joined = join(kind, of_row);
        kind = Some(joined);
        if step >= first_secret {
            factors[kinds.len()] = running;
            kinds.push(joined);
        }
    }
    let mut factors = factors.into_vec();
    factors.truncate(kinds.len());
    let additive = party.to_additive(Factors::new(factors), &kinds)?;
    let mut converted = additive.iter().copied().zip(kinds.iter().copied());

    // What remains to be multiplied from each step of the tail on; z there is its inverse.
    let mut remaining = Shares::new(vec![Fr::ONE; total + 1 - tail]);
    for step in (tail..total).rev() {
        remaining[step - tail] = remaining[step + 1 - tail] * ratios.known[step] * ratios.own[step];
    }
    invert_all(&mut remaining)?;

    let (n, usable) = (cells.system.rows(), cells.system.usable_rows());
    let moved_secret: Vec<bool> =
        ratios.secret.chunks(usable).map(|rows| rows.contains(&true)).collect();
    let public = public_chunks(&moved_secret);
    let known_to_all = chunks_known_to_all(cells, moved, &moved_secret);
    let (mut known, mut own) = (Fr::ONE, Fr::ONE);
    let mut current: Option<(Fr, Kind)> = None;
    let mut products = Vec::with_capacity(cells.chunks());
    for chunk in 0..cells.chunks() {
        let mut shares = Shares::zero(n);
        let mut kinds = vec![Kind::Public; usable + 1];
        let is_known = public[chunk] && known_to_all[chunk];
        let public_share = |party: &P, value| if is_known { value } else { party.public(value) };
        for row in 0..=usable {
            let step = chunk * usable + row;
            if step >= tail {
                shares[row] = public_share(party, remaining[step - tail]);
            } else if let Some((share, kind)) = current {
                shares[row] = share * known;
                kinds[row] = kind;
            } else {
                shares[row] = public_share(party, own * known);
            }
            // Row `u` is the next chunk's row 0: nothing to multiply in between.
            if row == usable {
                continue;
            }
            known *= ratios.known[step];
            own *= ratios.own[step];
            if step >= first_secret && ratios.kinds[step].is_some() {
                current = converted.next().or(current);
            }
        }
        let kinds = CellKinds::Rows(kinds.into_iter().map(Some).collect());
        products.push(GrandProduct { shares, kinds, public: public[chunk], known: is_known });
    }
    Ok(products)
}

/// For chunks whose `z` is public: whether every party can compute it, since no public advice cell,
/// which only one side holds, enters.
fn chunks_known_to_all(
    cells: &PermutedColumns<'_>,
    moved: &[MovedCell],
    moved_secret: &[bool],
) -> Vec<bool> {
    let mut with_advice = vec![false; moved_secret.len()];
    for cell in moved {
        if let Some(chunk) = with_advice.get_mut(cell.position / cells.chunk_length()) {
            *chunk = true;
        }
    }
    let known = |i: usize| {
        // Computed from the start before the first secret cell, from the end after the last.
        let before = !moved_secret[..=i].contains(&true) && moved_secret.contains(&true);
        let advice = if before { &with_advice[..=i] } else { &with_advice[i..] };
        !advice.contains(&true)
    };
    (0..moved_secret.len()).map(known).collect()
}
