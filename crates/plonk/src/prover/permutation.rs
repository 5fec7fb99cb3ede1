//! The grand products `z` of the permutation argument (spec 01 §5.5).
//!
//! A party that holds the values divides numerators by denominators. Two parties convert the
//! numerator of every *moved* secret cell (one that is no fixed point of `σ`) to factors, once: the
//! denominator of a cell is the numerator of the cell that `σ` sends it to. Products, inverses and
//! running products of factors are local; one conversion for each row that changed brings `z` back
//! to additive shares (docs/counts.md §3). From the last moved secret cell on `z` is public, because
//! it ends at 1, and so it is before the first.

use super::error::ProveError;
use crate::CompiledSystem;
use ff::{Field, PrimeField};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use twain_algebra::{Domain, Fr, vector};
use twain_party::{CellKinds, Factors, Kind, Operand, PartyError, ProverParty, Role, Shares};

const BLOCK: usize = 1 << 12;

/// The cells that the permutation covers.
pub(super) struct PermutedColumns<'a> {
    pub(super) system: &'a CompiledSystem,
    pub(super) domain: &'a Domain,
    /// In the order of the permutation's columns.
    pub(super) columns: Vec<PermutedColumn<'a>>,
    pub(super) beta: Fr,
    pub(super) gamma: Fr,
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
    cells: &PermutedColumns<'_>,
) -> Result<Vec<GrandProduct>, ProveError> {
    if party.holds_values() { products_of_values(cells) } else { products_of_shares(party, cells) }
}

impl PermutedColumns<'_> {
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

fn products_of_values(cells: &PermutedColumns<'_>) -> Result<Vec<GrandProduct>, ProveError> {
    let (n, usable) = (cells.system.rows(), cells.system.usable_rows());
    let mut moved_secret = Vec::new();
    let mut products: Vec<Shares> = Vec::new();
    let mut start = Fr::ONE;
    for chunk in 0..cells.chunks() {
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
                    let shifted = *value + cells.gamma;
                    *numerator *= shifted + cells.beta * identity;
                    *denominator *= shifted + cells.beta * sigma;
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
        return Err(PartyError::ZeroFactor);
    }
    vector::batch_invert(values);
    Ok(())
}

/// A moved cell of an advice column.
#[derive(Clone, Copy)]
struct MovedCell {
    position: usize,
    row: usize,
    kind: Kind,
}

/// What one row of a chunk multiplies `z` by.
struct RowRatio {
    /// The part that every party knows.
    known: Fr,
    /// This party's factor of the rest.
    own: Fr,
    /// Who knows the rest; none if there is none. A public advice cell counts as the model's, since
    /// only the side that adds public values holds it.
    kind: Option<Kind>,
    /// Whether a moved secret cell is in the row.
    secret: bool,
}

fn products_of_shares<P: ProverParty>(
    party: &mut P,
    cells: &PermutedColumns<'_>,
) -> Result<Vec<GrandProduct>, ProveError> {
    let moved = moved_advice_cells(cells);
    let secret: Vec<MovedCell> =
        moved.iter().filter(|cell| cell.kind != Kind::Public).copied().collect();
    let operands: Vec<Operand> = secret
        .iter()
        .map(|cell| {
            let identity = cells.identities(cell.position, cell.row).next().unwrap_or(Fr::ZERO);
            let mut share = cells.columns[cell.position].values[cell.row];
            if party.adds_public_to(cell.kind) {
                share += cells.beta * identity + cells.gamma;
            }
            Operand { share, kind: cell.kind, bits: 254 }
        })
        .collect();
    let factors = party.to_multiplicative(&operands)?;
    let ratios = row_ratios(cells, &moved, &secret, &factors, party.adds_public())?;
    running_products(party, cells, &moved, &ratios)
}

/// All moved cells of advice columns, column by column.
fn moved_advice_cells(cells: &PermutedColumns<'_>) -> Vec<MovedCell> {
    let mut moved = Vec::new();
    for (position, column) in cells.columns.iter().enumerate() {
        let Some(kinds) = column.kinds else { continue };
        let identities = cells.identities(position, 0);
        let rows = column.sigma.iter().zip(identities).enumerate();
        let rows = rows.filter(|(_, (sigma, identity))| *sigma != identity);
        moved.extend(rows.map(|(row, _)| MovedCell { position, row, kind: kinds.row(row) }));
    }
    moved
}

/// The ratios of all rows `0..u`, chunk by chunk.
fn row_ratios(
    cells: &PermutedColumns<'_>,
    moved: &[MovedCell],
    secret: &[MovedCell],
    factors: &Factors,
    adds_public: bool,
) -> Result<Vec<Vec<RowRatio>>, ProveError> {
    let usable = cells.system.usable_rows();
    let (beta, gamma) = (cells.beta, cells.gamma);
    let mut known = vec![(Fr::ONE, Fr::ONE); cells.chunks() * usable];
    let mut own = known.clone();
    let mut kinds = vec![(None, false); known.len()];
    let place = |position: usize, row: usize| {
        (row < usable).then(|| position / cells.chunk_length() * usable + row)
    };

    // Columns that all know: numerator and denominator from the value itself.
    for (position, column) in cells.columns.iter().enumerate() {
        if column.kinds.is_some() {
            continue;
        }
        let identities = cells.identities(position, 0);
        for (row, (sigma, identity)) in column.sigma.iter().zip(identities).enumerate() {
            if let Some(place) = place(position, row).filter(|_| *sigma != identity) {
                let shifted = column.values[row] + gamma;
                known[place].0 *= shifted + beta * identity;
                known[place].1 *= shifted + beta * sigma;
            }
        }
    }

    // Public advice cells: the same, for the side that holds them. A secret cell's value is that of
    // the cell it is sent to, so a denominator is the target's numerator.
    let index: HashMap<(usize, usize), usize> =
        secret.iter().enumerate().map(|(i, cell)| ((cell.position, cell.row), i)).collect();
    let cell_of_identity = identities_of_moved_cells(cells);
    for cell in moved {
        let (column, identity) = (
            cells.columns[cell.position],
            cells.identities(cell.position, cell.row).next().unwrap_or(Fr::ZERO),
        );
        let Some(place) = place(cell.position, cell.row) else { continue };
        let (value, sigma) = (column.values[cell.row], column.sigma[cell.row]);
        let Some(factor) = index.get(&(cell.position, cell.row)) else {
            if adds_public {
                own[place].0 *= value + beta * identity + gamma;
                own[place].1 *= value + beta * sigma + gamma;
            }
            kinds[place].0 = Some(join(kinds[place].0, Kind::Owned(Role::Model)));
            continue;
        };
        kinds[place] = (Some(join(kinds[place].0, cell.kind)), true);
        own[place].0 *= factors[*factor];
        let Some(target) = cell_of_identity.get(&sigma) else {
            let text = "a permutation polynomial of the key does not permute the cells";
            return Err(ProveError::Unsupported(text.to_owned()));
        };
        if let Some(factor) = index.get(target) {
            own[place].1 *= factors[*factor];
            kinds[place].0 = Some(join(kinds[place].0, secret[*factor].kind));
        } else {
            let column = cells.columns[target.0];
            let denominator = column.values[target.1] + beta * sigma + gamma;
            if column.kinds.is_none() {
                known[place].1 *= denominator;
            } else if adds_public {
                own[place].1 *= denominator;
                kinds[place].0 = Some(join(kinds[place].0, Kind::Owned(Role::Model)));
            } else {
                kinds[place].0 = Some(join(kinds[place].0, Kind::Owned(Role::Model)));
            }
        }
    }

    let known = divide(known)?;
    let own = divide(own)?;
    let rows = known.iter().zip(own.iter()).zip(kinds);
    let ratios: Vec<RowRatio> = rows
        .map(|((known, own), (kind, secret))| RowRatio { known: *known, own: *own, kind, secret })
        .collect();
    let mut chunks = Vec::with_capacity(cells.chunks());
    let mut ratios = ratios.into_iter();
    for _ in 0..cells.chunks() {
        chunks.push(ratios.by_ref().take(usable).collect());
    }
    Ok(chunks)
}

fn join(a: Option<Kind>, b: Kind) -> Kind {
    a.map_or(b, |a| a.join(b))
}

/// Position and row of every moved cell by its identity `δ^position·ω^row`.
fn identities_of_moved_cells(cells: &PermutedColumns<'_>) -> HashMap<Fr, (usize, usize)> {
    let mut map = HashMap::new();
    for (position, column) in cells.columns.iter().enumerate() {
        let identities = cells.identities(position, 0);
        for (row, (sigma, identity)) in column.sigma.iter().zip(identities).enumerate() {
            if *sigma != identity {
                map.insert(identity, (position, row));
            }
        }
    }
    map
}

fn divide(fractions: Vec<(Fr, Fr)>) -> Result<Shares, PartyError> {
    let (numerators, denominators): (Vec<Fr>, Vec<Fr>) = fractions.into_iter().unzip();
    let (mut quotients, mut denominators) = (Shares::new(numerators), Shares::new(denominators));
    invert_all(&mut denominators)?;
    vector::mul_assign(&mut quotients, &denominators);
    Ok(quotients)
}

/// Running products over all chunks, back to additive shares.
fn running_products<P: ProverParty>(
    party: &mut P,
    cells: &PermutedColumns<'_>,
    moved: &[MovedCell],
    ratios: &[Vec<RowRatio>],
) -> Result<Vec<GrandProduct>, ProveError> {
    let steps = || ratios.iter().flatten().enumerate();
    let first_secret = steps().find(|(_, ratio)| ratio.secret).map(|(step, _)| step);
    let last_secret = steps().filter(|(_, ratio)| ratio.secret).last().map(|(step, _)| step);

    // The running product of factors after every changed row between the first and the last secret.
    let (mut running, mut kind) = (Fr::ONE, None);
    let (mut factors, mut kinds) = (Vec::new(), Vec::new());
    if let (Some(first), Some(last)) = (first_secret, last_secret) {
        for (step, ratio) in steps().take(last) {
            running *= ratio.own;
            kind = ratio.kind.map(|k| join(kind, k)).or(kind);
            if let (Some(kind), true) = (kind, step >= first && ratio.kind.is_some()) {
                factors.push(running);
                kinds.push(kind);
            }
        }
    }
    let additive = party.to_additive(Factors::new(factors), &kinds)?;
    let mut converted = additive.iter().zip(&kinds);

    // What remains to be multiplied from each step of the tail on; z there is its inverse.
    let tail = last_secret.map_or(0, |last| last + 1);
    let total = ratios.iter().map(Vec::len).sum::<usize>();
    let mut remaining = Shares::new(vec![Fr::ONE; total + 1 - tail]);
    for (step, ratio) in steps().collect::<Vec<_>>().into_iter().rev().take(total - tail) {
        remaining[step - tail] = remaining[step + 1 - tail] * ratio.known * ratio.own;
    }
    invert_all(&mut remaining)?;
    let known_to_all = chunks_known_to_all(cells, moved, ratios);
    let moved_secret: Vec<bool> =
        ratios.iter().map(|chunk| chunk.iter().any(|ratio| ratio.secret)).collect();
    let public = public_chunks(&moved_secret);

    let (n, usable) = (cells.system.rows(), cells.system.usable_rows());
    let (mut known, mut own) = (Fr::ONE, Fr::ONE);
    let mut current: Option<(Fr, Kind)> = None;
    let mut products = Vec::with_capacity(ratios.len());
    for (chunk, rows) in ratios.iter().enumerate() {
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
            // The step from the last row leads to the next chunk's first row: nothing to multiply.
            let Some(ratio) = rows.get(row) else { continue };
            known *= ratio.known;
            own *= ratio.own;
            if first_secret.is_some_and(|first| step >= first) && ratio.kind.is_some() {
                current = converted.next().map(|(share, kind)| (*share, *kind)).or(current);
            }
        }
        let kinds = CellKinds::Rows(kinds);
        products.push(GrandProduct { shares, kinds, public: public[chunk], known: is_known });
    }
    Ok(products)
}

/// For chunks whose `z` is public: whether every party can compute it, since no public advice cell,
/// which only one side holds, enters.
fn chunks_known_to_all(
    cells: &PermutedColumns<'_>,
    moved: &[MovedCell],
    ratios: &[Vec<RowRatio>],
) -> Vec<bool> {
    let mut with_advice = vec![false; ratios.len()];
    for cell in moved {
        if let Some(chunk) = with_advice.get_mut(cell.position / cells.chunk_length()) {
            *chunk = true;
        }
    }
    let secret: Vec<bool> = ratios.iter().map(|rows| rows.iter().any(|r| r.secret)).collect();
    (0..ratios.len())
        .map(|i| {
            // Computed from the start before the first secret cell, from the end after the last.
            let before = !secret[..=i].contains(&true);
            let advice = if before { &with_advice[..=i] } else { &with_advice[i..] };
            !advice.contains(&true)
        })
        .collect()
}
