//! Shares of the products of pairs of columns, on the rows and on the first coset, by OLE: not
//! checked yet.

use super::mask_column::MaskColumn;
use std::collections::BTreeMap;
use twain_algebra::domain::ZETA;
use twain_algebra::{Domain, Fr, vector};
use twain_link::channel::Channel;
use twain_ole::{OleGroup, OleSource};
use twain_party::{Kind, PartyError, Role, Shares};

/// This side's shares for each pair.
pub(super) struct PairProducts {
    pub rows: Vec<Shares>,
    pub coset: Vec<Shares>,
}

/// The cross terms of a product `x·y` that no side can make alone: `x_M·y_D`, and `y_M·x_D`.
type CrossTerms = [bool; 2];

fn cross_terms(x: Kind, y: Kind) -> CrossTerms {
    let holds = |kind, role| kind == Kind::Shared || kind == Kind::Owned(role);
    let crosses = |a, b| holds(a, Role::Model) && holds(b, Role::Data);
    [crosses(x, y), crosses(y, x)]
}

/// The vectors that are multiplied in one call, and where the results go.
#[derive(Default)]
struct Call {
    operands: Vec<Shares>,
    groups: Vec<OleGroup>,
}

impl Call {
    fn operand(&mut self, values: Shares) -> u32 {
        self.operands.push(values);
        self.operands.len() as u32 - 1
    }

    fn group(&mut self, terms: CrossTerms, x: u32, y: u32, length: usize) {
        let all = [(x, y), (y, x)];
        let terms = all.into_iter().zip(terms).filter_map(|(term, is_due)| is_due.then_some(term));
        self.groups.push(OleGroup { length, terms: terms.collect() });
    }
}

/// Rows that have the same cross terms.
type Rows = BTreeMap<CrossTerms, Vec<usize>>;

fn rows_by_terms(x: &MaskColumn, y: &MaskColumn, n: usize) -> Rows {
    let mut rows = Rows::new();
    for row in 0..n {
        let terms = cross_terms(x.kinds.row(row), y.kinds.row(row));
        if terms != [false; 2] {
            rows.entry(terms).or_default().push(row);
        }
    }
    rows
}

pub(super) fn pair_products(
    channel: &mut dyn Channel,
    ole: &mut dyn OleSource,
    domain: &Domain,
    columns: &[&MaskColumn],
    pairs: &[(usize, usize)],
) -> Result<PairProducts, PartyError> {
    let n = domain.n();
    let mut call = Call::default();
    let mut all_rows = Vec::new();
    for &(x, y) in pairs {
        let (x, y) = (columns[x], columns[y]);
        let rows = rows_by_terms(x, y, n);
        for (&terms, rows) in &rows {
            let mut gathered = |column: &MaskColumn| {
                let values = rows.iter().map(|&row| column.masks.shares[row]);
                call.operand(Shares::new(values.collect()))
            };
            let (x, y) = (gathered(x), gathered(y));
            call.group(terms, x, y, rows.len());
        }
        all_rows.push(rows);
    }
    // An operand on the coset serves all pairs that its column is in.
    let mut on_coset: BTreeMap<usize, u32> = BTreeMap::new();
    for column in pairs.iter().flat_map(|&(x, y)| [x, y]) {
        on_coset.entry(column).or_insert_with(|| {
            let mut values = columns[column].masks.shares.clone();
            domain.intt(&mut values);
            domain.coset_ntt_in_place(&mut values, ZETA);
            call.operand(values)
        });
    }
    let kind = |column: usize| columns[column].kinds.join(0..n);
    for (x, y) in pairs {
        call.group(cross_terms(kind(*x), kind(*y)), on_coset[x], on_coset[y], n);
    }

    let operands: Vec<&[Fr]> = call.operands.iter().map(|operand| &operand[..]).collect();
    let made = ole.inner_products(channel, "product columns", &operands, &call.groups)?;
    let mut made = made.into_iter().map(Shares::new);
    let lost = PartyError::Bug("a source of products makes one for each group");
    let mut products = PairProducts { rows: Vec::new(), coset: Vec::new() };
    for (rows, &(x, y)) in all_rows.iter().zip(pairs) {
        let mut share = local(&columns[x].masks.shares, &columns[y].masks.shares);
        for rows in rows.values() {
            let Some(cross) = made.next() else { return Err(lost) };
            rows.iter().zip(cross.iter()).for_each(|(&row, cross)| share[row] += cross);
        }
        products.rows.push(share);
    }
    for (x, y) in pairs {
        let operand = |column: &usize| &call.operands[on_coset[column] as usize];
        let mut share = local(operand(x), operand(y));
        let Some(cross) = made.next() else { return Err(lost) };
        vector::add_assign(&mut share, &cross);
        products.coset.push(share);
    }
    Ok(products)
}

/// What a side multiplies alone.
fn local(x: &[Fr], y: &[Fr]) -> Shares {
    let mut product = Shares::new(x.to_vec());
    vector::mul_assign(&mut product, y);
    product
}
