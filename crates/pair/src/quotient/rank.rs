//! Whether what a peer can combine of a side's operands is hidden by that side's own random rows
//! (protocol §2.3), as far as draws at random tell.
//!
//! Input: the products of a level and which of their operands meet ([`Together`]). For each such
//! set the operands are formed for draws of the side's blinding rows, with all else of it fixed,
//! and then for draws of everything. If the second set of draws has differences that are no
//! combinations of the first's, some combination of the operands is a function of the rows alone:
//! who guesses these knows it. Then the circuit is refused.
//!
//! A product's operand is a share, the value less what the other side has of it, which is fixed: so
//! values are formed, as differences are the same. Columns of which a side has no random rows hide
//! nothing of themselves and stay as they are: the other side's, and those of `polycommit`
//! (protocol §1.2).

use super::place::{Evaluation, Place};
use super::products::{Level, Scaled};
use crate::arithmetic::holds;
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use twain_algebra::Fr;
use twain_ole::Together;
use twain_party::{Node, NodeId, PartyError, PublicPolynomial, Role};

/// A point: a place, and the number of one of its elements.
type Point = (Place, usize);

/// Refuses a level of products some operands of which the peer could combine to what nothing hides.
///
/// # Errors
/// [`PartyError::Unsupported`].
pub(super) fn check(
    evaluation: &Evaluation<'_>,
    level: &Level,
    together: &[Together],
) -> Result<(), PartyError> {
    // The same for both sides: nothing is hidden by these numbers.
    let mut rng = ChaCha20Rng::from_seed(*b"ranks of what can be combined...");
    let mut publics = HashMap::new();
    for set in together {
        let operands: Option<Vec<(&Scaled, usize)>> = set
            .values
            .iter()
            .map(|(operand, element)| Some((level.operands.get(*operand as usize)?, *element)))
            .collect();
        let operands =
            operands.ok_or(PartyError::Bug("an operand that is not there meets others"))?;
        let set = Set::new(evaluation, set.role, &operands, &mut publics, &mut rng);
        if !set.is_hidden(&mut rng) {
            return Err(PartyError::Unsupported(
                "the circuit cannot be proved in pairs: its columns have too few random rows for the \
                 products that its quotient takes, so that a peer could find out single values"
                    .into(),
            ));
        }
    }
    Ok(())
}

/// Operands that meet, of one side.
struct Set<'e> {
    evaluation: &'e Evaluation<'e>,
    /// Node, point and factor of each.
    operands: Vec<(NodeId, Point, Fr)>,
    /// At each point, the nodes that operands are made of, in order.
    recipes: BTreeMap<Point, Vec<NodeId>>,
    /// Values of public nodes.
    publics: HashMap<(NodeId, Point), Fr>,
    /// Of each column at each point: what its value is but for the blinding rows, ...
    fixed: BTreeMap<(u32, Point), Fr>,
    /// ... and what each of these counts for; empty if they are not this side's.
    blinding: BTreeMap<(u32, Point), Vec<Fr>>,
}

impl<'e> Set<'e> {
    fn new(
        evaluation: &'e Evaluation<'e>,
        role: Role,
        operands: &[(&Scaled, usize)],
        publics: &mut HashMap<(u32, Point), Fr>,
        rng: &mut ChaCha20Rng,
    ) -> Self {
        let operands: Vec<(NodeId, Point, Fr)> = operands
            .iter()
            .map(|(operand, element)| (operand.node, (operand.place, *element), operand.factor))
            .collect();
        let points: BTreeSet<Point> = operands.iter().map(|(_, point, _)| *point).collect();
        let recipes = points.into_iter().map(|point| {
            let here = operands.iter().filter(|(_, at, _)| *at == point).map(|(node, ..)| *node);
            (point, all_below(evaluation, here.collect()))
        });
        let recipes: BTreeMap<Point, Vec<NodeId>> = recipes.collect();
        let mut set = Self {
            evaluation,
            operands,
            recipes,
            publics: HashMap::new(),
            fixed: BTreeMap::new(),
            blinding: BTreeMap::new(),
        };
        let recipes = set.recipes.clone();
        for (point, node) in recipes.iter().flat_map(|(at, nodes)| nodes.iter().map(|n| (*at, *n)))
        {
            match &evaluation.numerator.nodes[node as usize] {
                Node::Public(polynomial, rotation) => {
                    let at = rotated(evaluation, point, *rotation);
                    let value = match polynomial {
                        PublicPolynomial::Identity => abscissa(evaluation, at),
                        PublicPolynomial::Given(index) => *publics
                            .entry((*index, at))
                            .or_insert_with(|| public(evaluation, *index, at)),
                    };
                    set.publics.insert((node, point), value);
                }
                Node::Secret(column, rotation) => {
                    let at = rotated(evaluation, point, *rotation);
                    set.fixed.entry((*column, at)).or_insert_with(|| Fr::random(&mut *rng));
                    set.blinding
                        .entry((*column, at))
                        .or_insert_with(|| blinding(evaluation, role, *column, at));
                }
                _ => {}
            }
        }
        set
    }

    /// Whether no combination depends on the rows and not on the blinding, whatever the rows are.
    fn is_hidden(&self, rng: &mut ChaCha20Rng) -> bool {
        let zero = self.fixed.keys().map(|at| (*at, Fr::ZERO)).collect();
        [self.fixed.clone(), zero].into_iter().all(|fixed| {
            let mut basis = Basis::default();
            let first = self.draw(&fixed, rng);
            for _ in 0..=self.operands.len() {
                basis.add(difference(self.draw(&fixed, rng), &first));
            }
            (0..=self.operands.len()).all(|_| {
                let mut other = fixed.clone();
                for (at, value) in &mut other {
                    if !self.blinding[at].is_empty() {
                        *value = Fr::random(&mut *rng);
                    }
                }
                !basis.add(difference(self.draw(&other, rng), &first))
            })
        })
    }

    /// The operands, for blinding rows drawn at random.
    fn draw(&self, fixed: &BTreeMap<(u32, Point), Fr>, rng: &mut ChaCha20Rng) -> Vec<Fr> {
        let mut rows: BTreeMap<u32, Vec<Fr>> = BTreeMap::new();
        let mut columns: BTreeMap<(u32, Point), Fr> = BTreeMap::new();
        for (at, fixed) in fixed {
            let weights = &self.blinding[at];
            let rows = rows.entry(at.0).or_default();
            rows.resize_with(weights.len().max(rows.len()), || Fr::random(&mut *rng));
            let blinded = weights.iter().zip(rows.iter()).map(|(weight, row)| *weight * row);
            columns.insert(*at, *fixed + blinded.sum::<Fr>());
        }
        let mut values: HashMap<(NodeId, Point), Fr> = HashMap::new();
        for (point, nodes) in &self.recipes {
            for node in nodes {
                let value = self.node(*node, *point, &columns, &values);
                values.insert((*node, *point), value);
            }
        }
        self.operands
            .iter()
            .map(|(node, point, factor)| values[&(*node, *point)] * factor)
            .collect()
    }

    fn node(
        &self,
        id: NodeId,
        point: Point,
        columns: &BTreeMap<(u32, Point), Fr>,
        values: &HashMap<(NodeId, Point), Fr>,
    ) -> Fr {
        let of = |node: &NodeId| values[&(*node, point)];
        match &self.evaluation.numerator.nodes[id as usize] {
            Node::Constant(value) => *value,
            Node::Public(..) => self.publics[&(id, point)],
            Node::Secret(column, rotation) => {
                columns[&(*column, rotated(self.evaluation, point, *rotation))]
            }
            Node::Sum(a, b) => of(a) + of(b),
            Node::Difference(a, b) => of(a) - of(b),
            Node::Scaled(a, factor) => of(a) * factor,
            Node::Product(a, b) => of(a) * of(b),
            Node::InnerProduct { terms, .. } => {
                terms.iter().map(|(factor, a, b)| *factor * of(a) * of(b)).sum()
            }
        }
    }
}

/// These nodes and all that they are made of, in order.
fn all_below(evaluation: &Evaluation<'_>, mut stack: Vec<NodeId>) -> Vec<NodeId> {
    let mut found = BTreeSet::new();
    while let Some(id) = stack.pop() {
        if found.insert(id) {
            stack.extend(evaluation.children(id));
        }
    }
    found.into_iter().collect()
}

/// The point so many rows further on.
fn rotated(evaluation: &Evaluation<'_>, (place, element): Point, rotation: i32) -> Point {
    let n = evaluation.n as i64;
    (place, (element as i64 + i64::from(rotation)).rem_euclid(n) as usize)
}

fn abscissa(evaluation: &Evaluation<'_>, (place, element): Point) -> Fr {
    let shift = place.checked_sub(1).map_or(Fr::ONE, |coset| evaluation.shifts[coset]);
    shift * evaluation.domain.omega().pow_vartime([element as u64])
}

/// A public polynomial's value.
fn public(evaluation: &Evaluation<'_>, index: u32, point: Point) -> Fr {
    let known = evaluation.operands.publics[index as usize];
    let coset = point.0.checked_sub(1).and_then(|coset| known.cosets.get(coset));
    if let Some(value) = coset.and_then(|values| values.get(point.1)) {
        return *value;
    }
    let x = abscissa(evaluation, point);
    known.coefficients.iter().rev().fold(Fr::ZERO, |sum, coefficient| sum * x + coefficient)
}

/// What each of a side's own random rows of a column counts for at a point off the rows: Lagrange's
/// basis. The first row that is not usable is left out, since not every column has a random value
/// there.
fn blinding(evaluation: &Evaluation<'_>, role: Role, column: u32, point: Point) -> Vec<Fr> {
    let kinds = evaluation.operands.secrets[column as usize].kinds;
    let rows = evaluation.numerator.usable_rows + 1..evaluation.n;
    let own = rows.filter(|row| kinds.assigned(*row).is_some_and(|kind| holds(role, kind)));
    let n = evaluation.n as u64;
    let x = abscissa(evaluation, point);
    let common = (x.pow_vartime([n]) - Fr::ONE) * Fr::from(n).invert().unwrap_or(Fr::ZERO);
    let weight = |row: usize| {
        let node = evaluation.domain.omega().pow_vartime([row as u64]);
        common * node * (x - node).invert().unwrap_or(Fr::ZERO)
    };
    own.map(weight).collect()
}

fn difference(mut values: Vec<Fr>, from: &[Fr]) -> Vec<Fr> {
    values.iter_mut().zip(from).for_each(|(value, from)| *value -= from);
    values
}

/// Vectors in echelon form: each with the place of its first entry, a one that no other vector
/// before it has.
#[derive(Default)]
struct Basis(Vec<(usize, Vec<Fr>)>);

impl Basis {
    /// Adds a vector, and says whether it was no combination of those before.
    fn add(&mut self, mut vector: Vec<Fr>) -> bool {
        for (pivot, row) in &self.0 {
            let factor = vector[*pivot];
            if factor != Fr::ZERO {
                vector.iter_mut().zip(row).for_each(|(value, entry)| *value -= factor * entry);
            }
        }
        let Some(pivot) = vector.iter().position(|value| *value != Fr::ZERO) else { return false };
        let inverse = vector[pivot].invert().unwrap_or(Fr::ZERO);
        vector.iter_mut().for_each(|value| *value *= inverse);
        self.0.push((pivot, vector));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twain_party::{CellKinds, Kind, Numerator, QuotientOperands, SecretPolynomial};

    const K: u32 = 4;
    const ROWS: usize = 1 << K;

    /// A column of shares with so many random rows that both sides have a part of, the first of
    /// which does not count.
    fn kinds(random: usize) -> CellKinds {
        let kind = |row: usize| match row {
            row if row + random >= ROWS => Kind::Shared,
            row if row + 6 >= ROWS => Kind::Public,
            _ => Kind::Shared,
        };
        CellKinds::Rows((0..ROWS).map(|row| Some(kind(row))).collect())
    }

    /// Whether the operands of products of two columns, `f` and `f + g`, on so many cosets, at so
    /// many elements of each that meet in one slot, are hidden.
    fn is_hidden(kinds: [&CellKinds; 2], cosets: usize, elements: usize, rotated: bool) -> bool {
        let nodes = vec![
            Node::Secret(0, 0),
            Node::Secret(1, 0),
            Node::Sum(0, 1),
            Node::Secret(0, 1),
            Node::Product(if rotated { 3 } else { 0 }, 2),
        ];
        let numerator = Numerator { nodes, k: K, usable_rows: ROWS - 6 };
        let none: Vec<Fr> = vec![Fr::ZERO; ROWS];
        let secret = |kinds| SecretPolynomial { coefficients: &none, kinds, wires: &[] };
        let secrets = kinds.map(secret).to_vec();
        let operands = QuotientOperands { publics: Vec::new(), secrets, pieces: cosets };
        let evaluation = Evaluation::new(Role::Model, &numerator, operands).unwrap();
        let left = if rotated { 3 } else { 0 };
        let mut level = Level::new(&evaluation, 1);
        level.operands = (1..=cosets)
            .flat_map(|place| [left, 2].map(|node| Scaled { place, node, factor: Fr::ONE }))
            .collect();
        let values =
            (0..2 * cosets as u32).flat_map(|operand| (0..elements).map(move |e| (operand, 3 * e)));
        let together = [Together { role: Role::Data, values: values.collect() }];
        check(&evaluation, &level, &together).is_ok()
    }

    #[test]
    fn as_many_points_as_random_rows_are_hidden_and_no_more() {
        let all = kinds(6);
        // Five rows count: of a column by itself five points are hidden, six are not.
        assert!(is_hidden([&all, &all], 1, 5, false));
        assert!(!is_hidden([&all, &all], 1, 6, false));
        assert!(is_hidden([&all, &all], 2, 2, false));
        assert!(!is_hidden([&all, &all], 2, 3, false));
        // One row short.
        assert!(!is_hidden([&kinds(4), &all], 1, 5, false));
        assert!(!is_hidden([&all, &kinds(4)], 1, 5, false));
        assert!(is_hidden([&kinds(4), &all], 1, 4, false));
        // What a second column hides needs no random rows of the first, at whatever rotation that
        // is.
        assert!(is_hidden([&all, &all], 1, 5, true));
        assert!(!is_hidden([&all, &all], 1, 6, true));
    }

    #[test]
    fn columns_without_random_rows_hide_nothing_of_their_own() {
        let all = kinds(6);
        let none = CellKinds::Uniform(Kind::Owned(Role::Model));
        assert!(is_hidden([&none, &all], 1, 5, false));
        assert!(!is_hidden([&none, &all], 1, 6, false));
        assert!(is_hidden([&none, &none], 3, 9, true));
    }

    #[test]
    fn a_basis_takes_what_is_new() {
        let mut basis = Basis::default();
        assert!(basis.add(vec![Fr::from(2), Fr::from(4)]));
        assert!(!basis.add(vec![Fr::from(3), Fr::from(6)]));
        assert!(basis.add(vec![Fr::from(3), Fr::from(7)]));
        assert!(!basis.add(vec![Fr::from(11), Fr::from(13)]));
    }
}
