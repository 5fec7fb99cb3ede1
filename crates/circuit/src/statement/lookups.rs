//! What lookup arguments state (protocol §25; spec 01 §5.4): tuples of wires, known tuples, the
//! table.

use super::cells::Cells;
use super::monomials::{Monomial, at, monomials, not_covered};
use crate::program::Wire;
use ff::Field;
use twain_algebra::Fr;
use twain_party::{Affine, LookupShape, LookupStatement, PartyError, SecretWire, Shares};
use twain_plonk::{Expression, LookupArgument};

/// A lookup argument multiplied out: for each input and for the table the components of its tuple.
pub(super) struct Lookup {
    inputs: Vec<Vec<Vec<Monomial>>>,
    table: Vec<Vec<Monomial>>,
}

/// A component of a looked-up tuple: a wire, if it is secret, and how it enters.
struct Component {
    wire: Option<Wire>,
    affine: Affine,
}

impl Lookup {
    pub fn of(argument: &LookupArgument) -> Result<Self, PartyError> {
        let tuple = |tuple: &Vec<Expression>| tuple.iter().map(monomials).collect();
        let inputs = argument.inputs.iter().map(tuple).collect::<Result<_, _>>()?;
        Ok(Self { inputs, table: tuple(&argument.table)? })
    }

    /// All that is looked up, tuple by tuple: inputs first, then rows. Without values of wires what
    /// is public counts as 0.
    fn looked_up(
        &self,
        cells: Cells<'_>,
        values: Option<&[Fr]>,
        mut each: impl FnMut(&[Component]) -> Result<(), PartyError>,
    ) -> Result<(), PartyError> {
        for input in &self.inputs {
            for row in 0..cells.circuit.columns.geometry.usable_rows {
                each(&tuple(cells, input, row, values)?)?;
            }
        }
        Ok(())
    }

    /// The rows of the table, likewise.
    fn rows(
        &self,
        cells: Cells<'_>,
        values: Option<&[Fr]>,
        mut each: impl FnMut(usize, &[Component]),
    ) -> Result<(), PartyError> {
        for row in 0..cells.circuit.columns.geometry.usable_rows {
            each(row, &tuple(cells, &self.table, row, values)?);
        }
        Ok(())
    }

    /// What both sides know of it.
    pub fn shape(&self, cells: Cells<'_>) -> Result<LookupShape, PartyError> {
        let secrets = |tuple: &[Component]| {
            let secret = |wire| SecretWire { wire, kind: cells.kind(wire) };
            tuple.iter().map(|component| component.wire.map(secret)).collect()
        };
        let (mut tuples, mut secret_rows) = (Vec::new(), Vec::new());
        self.looked_up(cells, None, |tuple| {
            if is_secret(tuple) {
                tuples.push(secrets(tuple));
            }
            Ok(())
        })?;
        self.rows(cells, None, |row, tuple| {
            if is_secret(tuple) {
                secret_rows.push((row, secrets(tuple)));
            }
        })?;
        let table_rows = cells.circuit.columns.geometry.usable_rows;
        Ok(LookupShape { tuples, width: self.table.len(), table_rows, secret_rows })
    }

    /// The argument with its values.
    pub fn statement(
        &self,
        cells: Cells<'_>,
        values: &[Fr],
        multiplicities: Shares,
    ) -> Result<LookupStatement, PartyError> {
        let (mut tuples, mut known) = (Vec::new(), Vec::<(Vec<Fr>, u64)>::new());
        self.looked_up(cells, Some(values), |tuple| {
            if is_secret(tuple) {
                tuples.push(tuple.iter().map(|component| component.affine).collect());
                return Ok(());
            }
            let tuple: Vec<Fr> = tuple.iter().map(|component| component.affine.constant).collect();
            // Rows without a lookup follow each other, and look up the same.
            match known.last_mut() {
                Some((last, count)) if *last == tuple => *count += 1,
                _ => known.push((tuple, 1)),
            }
            Ok(())
        })?;
        let (mut table, mut secret_rows) = (vec![Vec::new(); self.table.len()], Vec::new());
        self.rows(cells, Some(values), |_, tuple| {
            for (column, component) in table.iter_mut().zip(tuple) {
                column.push(component.affine.constant);
            }
            if is_secret(tuple) {
                secret_rows.push(tuple.iter().map(|component| component.affine).collect());
            }
        })?;
        Ok(LookupStatement { tuples, known, table, secret_rows, multiplicities })
    }
}

/// Whether a side does not know the tuple.
fn is_secret(tuple: &[Component]) -> bool {
    tuple.iter().any(|component| component.wire.is_some())
}

/// A tuple in a row.
fn tuple(
    cells: Cells<'_>,
    components: &[Vec<Monomial>],
    row: usize,
    values: Option<&[Fr]>,
) -> Result<Vec<Component>, PartyError> {
    components.iter().map(|of| component(cells, of, row, values)).collect()
}

/// A component of a tuple in a row.
fn component(
    cells: Cells<'_>,
    monomials: &[Monomial],
    row: usize,
    values: Option<&[Fr]>,
) -> Result<Component, PartyError> {
    let rows = cells.circuit.columns.geometry.rows();
    let affine = Affine { coefficient: Fr::ZERO, constant: Fr::ZERO };
    let mut sum = Component { wire: None, affine };
    for monomial in monomials {
        let mut coefficient = monomial.coefficient(&cells.circuit.assembly, row);
        if coefficient == Fr::ZERO {
            continue;
        }
        let mut secret = None;
        for &(column, rotation) in &monomial.advice {
            let row = at(row, rotation, rows);
            match (cells.secret(column, row), cells.wire(column, row)) {
                (Some(found), _) if secret.is_none() => secret = Some(found.wire),
                (Some(_), _) => return Err(not_covered("a lookup of a product")),
                (None, wire) => {
                    let value = |wire: Wire| values.map_or(Fr::ZERO, |v| v[wire as usize]);
                    coefficient *= wire.map_or(Fr::ZERO, value);
                }
            }
        }
        match (secret, sum.wire) {
            (None, _) => sum.affine.constant += coefficient,
            (Some(wire), known) if known.is_none_or(|known| known == wire) => {
                sum.wire = Some(wire);
                sum.affine.coefficient += coefficient;
            }
            _ => return Err(not_covered("a lookup of a sum")),
        }
    }
    Ok(sum)
}
