//! What the circuit states of its witness (protocol §25): each gate in each row, and each lookup,
//! over wires.
//!
//! Copies state nothing here: cells they tie are one wire. Input: a laid-out circuit, and with the
//! values of a run a party's shares; output: [`StatementShape`], which both sides know beforehand,
//! and the [`Statement`].

mod cells;
mod lookups;
mod monomials;

use crate::circuit::Circuit;
use crate::program::{ONE, Wire};
use cells::Cells;
use ff::Field;
use lookups::Lookup;
use monomials::{Monomial, at, monomials, not_covered};
use std::collections::{BTreeMap, HashMap};
use twain_algebra::Fr;
use twain_party::{
    Combination, Kind, LateInverse, LookupShape, LookupStatement, Multiplicities, Operand,
    OwnedPolynomial, PartyError, Role, SecretWire, Statement, StatementShape,
};

/// A term of a gate in a row: what its cells are multiplied with, and their places.
struct Term {
    coefficient: Fr,
    /// Column and row; cells that nobody assigns make no term.
    cells: Vec<(u32, usize)>,
}

/// How a gate in a row is tested.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    /// As a sum of wires and of products of two columns in a row.
    Combined,
    /// By its wires' owner.
    Owned(Role),
    /// Not at all: it says what a late inverse is, which is made so that it holds.
    LateInverse,
}

/// A circuit with its gates and lookups multiplied out.
struct Expanded<'a> {
    circuit: &'a Circuit,
    cells: Cells<'a>,
    gates: Vec<Vec<Monomial>>,
    lookups: Vec<Lookup>,
    /// The late inverses, by their own wires.
    late_inverses: HashMap<Wire, LateInverse<Wire>>,
}

impl<'a> Expanded<'a> {
    fn of(circuit: &'a Circuit) -> Result<Self, PartyError> {
        if circuit.cs.advice_phases().iter().any(|phase| *phase > 0) {
            return Err(not_covered("a circuit with a second phase"));
        }
        let gates = circuit.cs.gates().iter().flat_map(|gate| &gate.polynomials);
        let gates = gates.map(monomials).collect::<Result<_, _>>()?;
        let lookups = circuit.cs.lookup_arguments();
        let lookups = lookups.iter().map(Lookup::of).collect::<Result<_, _>>()?;
        let late_inverses = circuit.program.late_inverses.iter();
        let late_inverses = late_inverses.map(|late| (late.inverse, *late)).collect();
        Ok(Self { circuit, cells: Cells { circuit }, gates, lookups, late_inverses })
    }

    /// The terms of a polynomial in a row.
    fn terms(&self, polynomial: &[Monomial], row: usize) -> Vec<Term> {
        let rows = self.circuit.columns.geometry.rows();
        let terms = polynomial.iter().filter_map(|monomial| {
            let coefficient = monomial.coefficient(&self.circuit.assembly, row);
            if coefficient == Fr::ZERO {
                return None;
            }
            let cell = |&(column, rotation): &(u32, i32)| {
                let row = at(row, rotation, rows);
                self.cells.wire(column, row).map(|_| (column, row))
            };
            let cells = monomial.advice.iter().map(cell).collect::<Option<_>>()?;
            Some(Term { coefficient, cells })
        });
        terms.collect()
    }

    /// The cells of a term that are secret.
    fn secrets<'t>(
        &'t self,
        term: &'t Term,
    ) -> impl Iterator<Item = (u32, usize, SecretWire)> + 't {
        term.cells.iter().filter_map(|&(column, row)| {
            self.cells.secret(column, row).map(|secret| (column, row, secret))
        })
    }

    /// Whether terms are a multiple of `value * inverse - nonzero`.
    fn is_about(&self, terms: &[Term], late: &LateInverse<Wire>) -> bool {
        let wires = |term: &Term| -> Vec<Wire> {
            let wires =
                term.cells.iter().filter_map(|(column, row)| self.cells.wire(*column, *row));
            wires.collect()
        };
        let [one, other] = terms else { return false };
        let is_product = |term: &Term| term.cells.len() == 2;
        let (product, nonzero) = if is_product(one) { (one, other) } else { (other, one) };
        let factors = wires(product);
        product.coefficient == -nonzero.coefficient
            && (factors == [late.value, late.inverse] || factors == [late.inverse, late.value])
            && wires(nonzero) == [late.nonzero.unwrap_or(ONE)]
    }

    fn test(&self, terms: &[Term]) -> Result<Test, PartyError> {
        let secrets = || terms.iter().flat_map(|term| self.secrets(term));
        if let Some(late) = secrets().find_map(|(_, _, of)| self.late_inverses.get(&of.wire)) {
            return match self.is_about(terms, late) {
                true => Ok(Test::LateInverse),
                false => Err(PartyError::Bug("a gate takes a late inverse for something else")),
            };
        }
        let is_a_product = |term: &Term| {
            let rows: Vec<usize> = self.secrets(term).map(|(_, row, _)| row).collect();
            rows.len() > 2 || matches!(rows[..], [left, right] if left != right)
        };
        if !terms.iter().any(is_a_product) {
            return Ok(Test::Combined);
        }
        let kinds = secrets().fold(Kind::Public, |kind, (_, _, secret)| kind.join(secret.kind));
        match kinds {
            Kind::Owned(owner) => Ok(Test::Owned(owner)),
            _ => Err(not_covered("a product of more than two values of both sides")),
        }
    }

    /// All gates in all rows that have terms, in order: gates first, then rows.
    fn polynomials(&self) -> impl Iterator<Item = (usize, Vec<Term>)> + '_ {
        let usable = self.circuit.columns.geometry.usable_rows;
        self.gates.iter().flat_map(move |gate| {
            let of_row = move |row| (row, self.terms(gate, row));
            (0..usable).map(of_row).filter(|(_, terms)| !terms.is_empty())
        })
    }

    fn shape(&self) -> Result<StatementShape, PartyError> {
        let columns = (0..self.circuit.cells.len() as u32).map(|column| {
            let rows = self.circuit.cells[column as usize].len();
            (0..rows).map(|row| self.cells.secret(column, row)).collect()
        });
        let mut shape = StatementShape {
            k: self.circuit.columns.geometry.k,
            columns: columns.collect(),
            ..StatementShape::default()
        };
        let mut pairs = BTreeMap::new();
        for (_, terms) in self.polynomials() {
            let test = self.test(&terms)?;
            shape.polynomials += usize::from(test == Test::Combined);
            for term in &terms {
                let columns: Vec<u32> = self.secrets(term).map(|(column, ..)| column).collect();
                match (test, &columns[..]) {
                    (Test::Combined, [left, right]) => {
                        pairs.insert([*left, *right], ());
                    }
                    (Test::Owned(owner), columns) => {
                        let degree = &mut shape.owned_degrees[owner as usize];
                        *degree = columns.len().max(*degree);
                    }
                    _ => {}
                }
            }
        }
        shape.pairs = pairs.into_keys().collect();
        shape.lookups =
            self.lookups.iter().map(|lookup| lookup.shape(self.cells)).collect::<Result<_, _>>()?;
        let is_late = |cell: &Option<SecretWire>| {
            cell.is_some_and(|of| self.late_inverses.contains_key(&of.wire))
        };
        if shape.lookups.iter().flat_map(LookupShape::secret_tuples).flatten().any(is_late) {
            return Err(PartyError::Bug("a late inverse is looked up"));
        }
        shape.late_inverses = self.circuit.program.late_inverses.clone();
        Ok(shape)
    }
}

impl Circuit {
    /// What both sides know of the circuit's statement.
    ///
    /// # Errors
    /// [`PartyError::Unsupported`]: some of it is not tested against a peer that cheats.
    pub fn statement_shape(&self) -> Result<StatementShape, PartyError> {
        Expanded::of(self)?.shape()
    }
}

/// The statement of a circuit about the values of a run.
pub(crate) struct WitnessStatement<'a> {
    expanded: Expanded<'a>,
    values: &'a [Fr],
    pairs: BTreeMap<[u32; 2], usize>,
    lookups: Vec<LookupStatement>,
}

impl<'a> WitnessStatement<'a> {
    /// `values` are those of the program's wires; `multiplicities` this side's, of all lookup
    /// arguments.
    pub fn new(
        circuit: &'a Circuit,
        values: &'a [Fr],
        multiplicities: Vec<Multiplicities>,
    ) -> Result<Self, PartyError> {
        let expanded = Expanded::of(circuit)?;
        if multiplicities.len() != expanded.lookups.len() {
            return Err(PartyError::Bug("a lookup argument was not counted"));
        }
        let pairs = (0..).zip(expanded.shape()?.pairs).map(|(number, pair)| (pair, number));
        let pairs = pairs.collect();
        let counted = expanded.lookups.iter().zip(multiplicities);
        let lookups =
            counted.map(|(lookup, counts)| lookup.statement(expanded.cells, values, counts.shares));
        let lookups = lookups.collect::<Result<_, _>>()?;
        Ok(Self { expanded, values, pairs, lookups })
    }

    /// A term's coefficient with its public cells, and the others.
    fn reduced(&self, term: &Term) -> (Fr, Vec<(u32, usize, Wire)>) {
        let (mut coefficient, mut secrets) = (term.coefficient, Vec::new());
        for &(column, row) in &term.cells {
            match (self.expanded.cells.secret(column, row), self.expanded.cells.wire(column, row)) {
                (Some(secret), _) => secrets.push((column, row, secret.wire)),
                (None, Some(wire)) => coefficient *= self.values[wire as usize],
                (None, None) => coefficient = Fr::ZERO,
            }
        }
        (coefficient, secrets)
    }

    /// The polynomials that are tested so, each with its terms.
    fn tested(&self, test: Test) -> impl Iterator<Item = (usize, Vec<Term>)> + '_ {
        let polynomials = self.expanded.polynomials();
        polynomials.filter(move |(_, terms)| self.expanded.test(terms).is_ok_and(|t| t == test))
    }
}

impl Statement for WitnessStatement<'_> {
    fn operand(&self, wire: u32) -> Operand {
        self.expanded.circuit.program.operand(wire, self.values)
    }

    fn combination(&self, challenge: Fr) -> Combination {
        let rows = self.expanded.circuit.columns.geometry.rows();
        let mut combination = Combination {
            products: vec![vec![Fr::ZERO; rows]; self.pairs.len()],
            ..Combination::default()
        };
        let mut of_wires = vec![Fr::ZERO; self.expanded.circuit.program.wires()];
        let mut weight = Fr::ONE;
        for (_, terms) in self.tested(Test::Combined) {
            for term in &terms {
                let (coefficient, secrets) = self.reduced(term);
                let coefficient = coefficient * weight;
                match secrets[..] {
                    [] => combination.constant += coefficient,
                    [(_, _, wire)] => of_wires[wire as usize] += coefficient,
                    [(left, row, _), (right, ..), ..] => {
                        if let Some(pair) = self.pairs.get(&[left, right]) {
                            combination.products[*pair][row] += coefficient;
                        }
                    }
                }
            }
            weight *= challenge;
        }
        let weighed = (0..).zip(of_wires).filter(|(_, weight)| *weight != Fr::ZERO);
        combination.wires = weighed.collect();
        combination
    }

    fn owned(&self, owner: Role) -> Vec<OwnedPolynomial> {
        let polynomial = |(_, terms): (usize, Vec<Term>)| {
            let mut polynomial = OwnedPolynomial { constant: Fr::ZERO, terms: Vec::new() };
            for term in &terms {
                let (coefficient, secrets) = self.reduced(term);
                match secrets.is_empty() {
                    true => polynomial.constant += coefficient,
                    false => {
                        let wires = secrets.into_iter().map(|(_, _, wire)| wire).collect();
                        polynomial.terms.push((coefficient, wires));
                    }
                }
            }
            polynomial
        };
        self.tested(Test::Owned(owner)).map(polynomial).collect()
    }

    fn lookups(&self) -> &[LookupStatement] {
        &self.lookups
    }
}
