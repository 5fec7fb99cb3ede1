//! The products of shares in a numerator, level by level. Which there are, on which rows and
//! cosets, and of which operands, follows from the numerator and from who knows the cells of its
//! columns: that is the [`Level`]. Its values are this party's operands of them.

use super::graph::children;
use super::place::{Evaluation, Place, ROWS};
use crate::arithmetic::{InnerProducts, cross_terms};
use ff::Field;
use std::collections::HashMap;
use std::ops::Range;
use twain_algebra::{Fr, vector};
use twain_ole::OleGroup;
use twain_party::{Kind, Node, NodeId, Operand, Role, WireValue};

/// The products of the nodes of one level.
pub(super) struct Level {
    pub ids: Vec<NodeId>,
    /// Of each product on a coset, the node and the place.
    pub results: Vec<(NodeId, Place)>,
    /// Of each product on a coset, its cross terms.
    pub groups: Vec<OleGroup>,
    /// What the operands of the groups are.
    pub operands: Vec<Scaled>,
    /// The rows that any of them has a product on.
    rows: Range<usize>,
}

/// A node's values at a place, times a factor.
pub(super) struct Scaled {
    pub place: Place,
    pub node: NodeId,
    pub factor: Fr,
}

/// This party's values of products on cosets.
#[derive(Default)]
pub(super) struct CosetValues {
    /// The operands of the groups.
    pub operands: Vec<Vec<Fr>>,
    /// What is local of each result.
    pub locals: Vec<Vec<Fr>>,
}

/// Products on the rows, and the nodes they belong to with the first row that is not zero.
pub(super) struct RowProducts {
    pub products: InnerProducts,
    /// Pairs of claimed wires that are multiplied, ...
    pub factors: Vec<[WireValue; 2]>,
    /// ... and for each the number of the product, of all rows', that it is added to, by this
    /// factor.
    pub outputs: Vec<(usize, Fr)>,
    pub results: Vec<(NodeId, usize)>,
}

impl Level {
    /// What is not made yet of a level.
    pub fn new(evaluation: &Evaluation<'_>, level: u32) -> Self {
        let n = evaluation.n;
        let is_due = |&id: &NodeId| {
            let facts = evaluation.nodes[id as usize];
            let made = evaluation.made.contains_key(&(id, ROWS));
            facts.interactive && facts.level == level && !made
        };
        let ids: Vec<NodeId> = (0..evaluation.nodes.len() as NodeId).filter(is_due).collect();
        let start = ids.iter().map(|&id| first_row(evaluation, id)).min().unwrap_or(n);
        let (mut results, mut groups, mut operands) = (Vec::new(), Vec::new(), Vec::new());
        for place in 1..=evaluation.operands.pieces {
            // An operand of several products is one operand of the OLEs.
            let mut known: HashMap<NodeId, usize> = HashMap::new();
            for &id in ids.iter().filter(|&&id| place < dense_places(evaluation, id)) {
                let mut terms = Vec::new();
                for (factor, l, r) in self::terms(evaluation, id).0 {
                    if !(evaluation.is_secret(l) && evaluation.is_secret(r)) {
                        continue;
                    }
                    let mut operand = |node, factor| {
                        operands.push(Scaled { place, node, factor });
                        operands.len() - 1
                    };
                    let a = match factor == Fr::ONE {
                        true => *known.entry(l).or_insert_with(|| operand(l, factor)),
                        false => operand(l, factor),
                    };
                    let b = *known.entry(r).or_insert_with(|| operand(r, Fr::ONE));
                    terms.extend([(a as u32, b as u32), (b as u32, a as u32)]);
                }
                groups.push(OleGroup { length: n, terms });
                results.push((id, place));
            }
        }
        Self { ids, results, groups, operands, rows: start..n }
    }

    /// The nodes whose values are multiplied.
    fn factors(&self, evaluation: &Evaluation<'_>) -> Vec<NodeId> {
        self.ids.iter().flat_map(|&id| evaluation.children(id)).collect()
    }

    /// The values of all that is multiplied on the rows, from the first one on which anything is.
    pub fn row_values(&self, evaluation: &Evaluation<'_>) -> HashMap<NodeId, Vec<Fr>> {
        evaluation.evaluate(ROWS, self.rows.clone(), &self.factors(evaluation))
    }

    /// The products on the rows: by the kinds of the cells, and none where the sum is known to
    /// vanish. Values that are missing are taken for 0.
    pub fn row_products(
        &self,
        evaluation: &Evaluation<'_>,
        values: &HashMap<NodeId, Vec<Fr>>,
    ) -> RowProducts {
        let kinds = row_kinds(evaluation, self.rows.clone(), &self.factors(evaluation));
        let column = |id: NodeId| Factor {
            id,
            values: values.get(&id).map_or(&[][..], Vec::as_slice),
            kinds: kinds.get(&id).and_then(Option::as_ref),
        };
        let mut outputs = Vec::new();
        let mut results = Vec::new();
        for &id in &self.ids {
            let first = first_row(evaluation, id);
            let terms = self::terms(evaluation, id).0;
            let terms: Vec<_> = terms.iter().map(|&(f, l, r)| (f, column(l), column(r))).collect();
            outputs.push((terms, first - self.rows.start..self.rows.len()));
            results.push((id, first));
        }
        let mut places =
            outputs.iter().flat_map(|(terms, rows)| rows.clone().map(move |row| (terms, row)));
        let count = outputs.iter().map(|(_, rows)| rows.len()).sum();
        let (mut factors, mut of_factors) = (Vec::new(), Vec::new());
        let products = InnerProducts::new(evaluation.role, count, |output, product| {
            let Some((terms, row)) = places.next() else { return };
            for (factor, l, r) in terms {
                let wires = [l, r].map(|of| of.wire(evaluation, self.rows.start, row));
                if let [Some(l), Some(r)] = wires
                    && cross_terms(l.operand.kind, r.operand.kind) > 0
                {
                    factors.push([l, r]);
                    of_factors.push((output, *factor));
                    continue;
                }
                let l = l.operand(row);
                product(Operand { share: factor * l.share, ..l }, r.operand(row));
            }
        });
        RowProducts { products, factors, outputs: of_factors, results }
    }

    /// The values of the products on the cosets, where everything secret is shared. Of the nodes
    /// `rest`, values are kept at all places that are visited.
    pub fn coset_values(&self, evaluation: &mut Evaluation<'_>, rest: &[NodeId]) -> CosetValues {
        let mut values = CosetValues::default();
        values.operands.resize_with(self.operands.len(), Vec::new);
        for place in 1..=evaluation.operands.pieces {
            self.values_at(place, evaluation, rest, &mut values);
        }
        values
    }

    fn values_at(
        &self,
        place: Place,
        evaluation: &mut Evaluation<'_>,
        rest: &[NodeId],
        all: &mut CosetValues,
    ) {
        let here = || self.results.iter().zip(&self.groups).filter(|((_, at), _)| *at == place);
        let mut targets: Vec<NodeId> =
            here().flat_map(|((id, _), _)| evaluation.children(*id)).collect();
        if targets.is_empty() {
            return;
        }
        targets.extend(rest);
        let mut values = evaluation.evaluate(place, 0..evaluation.n, &targets);
        let scaled = |node: &NodeId, factor: Fr| {
            let mut scaled = values[node].clone();
            vector::scale(&mut scaled, factor);
            scaled
        };
        let operands = || self.operands.iter().enumerate().filter(|(_, o)| o.place == place);
        for (number, operand) in operands().filter(|(_, operand)| operand.factor != Fr::ONE) {
            all.operands[number] = scaled(&operand.node, operand.factor);
        }
        for ((id, _), group) in here() {
            let mut local = vec![Fr::ZERO; evaluation.n];
            let mut cross = group.terms.iter().step_by(2);
            for (factor, l, r) in terms(evaluation, *id).0 {
                let secret = [l, r].map(|node| evaluation.is_secret(node));
                let cross = if secret == [true; 2] { cross.next() } else { None };
                if secret == [false; 2] && evaluation.role == Role::Data {
                    continue;
                }
                match cross {
                    _ if factor == Fr::ONE => {
                        vector::mul_add(&mut local, &values[&l], &values[&r]);
                    }
                    Some((a, _)) => {
                        vector::mul_add(&mut local, &all.operands[*a as usize], &values[&r]);
                    }
                    None => {
                        let mut left = scaled(&l, factor);
                        vector::mul_add(&mut local, &left, &values[&r]);
                        twain_algebra::erase(&mut left);
                    }
                }
            }
            all.locals.push(local);
        }
        // What is not scaled is moved, now that the products are done.
        let mut moved = HashMap::new();
        for (number, operand) in operands().filter(|(_, operand)| operand.factor == Fr::ONE) {
            all.operands[number] = values.remove(&operand.node).unwrap_or_default();
            moved.insert(operand.node, number);
        }
        for id in rest {
            let operand = moved.get(id).map(|number| all.operands[*number].clone());
            let value = operand.or_else(|| values.remove(id));
            evaluation.made.extend(value.map(|value| ((*id, place), value)));
        }
        values.values_mut().for_each(|values| twain_algebra::erase(values));
    }
}

/// A factor of products on the rows.
#[derive(Clone, Copy)]
struct Factor<'f> {
    id: NodeId,
    /// This party's shares, from the first row on of those that are multiplied.
    values: &'f [Fr],
    kinds: Option<&'f Vec<Kind>>,
}

impl Factor<'_> {
    fn operand(&self, row: usize) -> Operand {
        let kind = self.kinds.map_or(Kind::Public, |kinds| kinds[row]);
        let share = self.values.get(row).copied().unwrap_or_default();
        Operand { share, kind, bits: 254 }
    }

    /// The wire it is in a row, counted from `start` on; none of what is no cell of the witness, or
    /// public.
    fn wire(&self, evaluation: &Evaluation<'_>, start: usize, row: usize) -> Option<WireValue> {
        let Node::Secret(index, rotation) = evaluation.numerator.nodes[self.id as usize] else {
            return None;
        };
        let column = &evaluation.operands.secrets[index as usize];
        let cell = (start + row) as i64 + i64::from(rotation);
        let cell = cell.rem_euclid(evaluation.n as i64) as usize;
        let wire = *column.wires.get(cell)?;
        let kind = column.kinds.assigned(cell).filter(|kind| *kind != Kind::Public)?;
        Some(WireValue { wire, operand: Operand { kind, ..self.operand(row) } })
    }
}

/// An interactive node as a sum of products, and whether it vanishes on the usable rows.
fn terms(evaluation: &Evaluation<'_>, id: NodeId) -> (Vec<(Fr, NodeId, NodeId)>, bool) {
    match &evaluation.numerator.nodes[id as usize] {
        Node::Product(l, r) => (vec![(Fr::ONE, *l, *r)], false),
        Node::InnerProduct { terms, vanishes_on_active_rows } => {
            (terms.clone(), *vanishes_on_active_rows)
        }
        _ => (Vec::new(), false),
    }
}

/// The first row on which an interactive node may be other than 0.
fn first_row(evaluation: &Evaluation<'_>, id: NodeId) -> usize {
    if terms(evaluation, id).1 { evaluation.numerator.usable_rows } else { 0 }
}

/// Places where a product is made by OLE.
pub(super) fn dense_places(evaluation: &Evaluation<'_>, id: NodeId) -> usize {
    evaluation.nodes[id as usize].dense_places(evaluation.operands.pieces)
}

/// Who knows which of the rows of each target; `None` for public polynomials, whose values both
/// hold. A public cell of a column of shares is held by the model's side only, unless no one
/// assigned it: then it is 0, both shares are, and it stays public, so that products with it are
/// free.
fn row_kinds(
    evaluation: &Evaluation<'_>,
    rows: Range<usize>,
    targets: &[NodeId],
) -> HashMap<NodeId, Option<Vec<Kind>>> {
    let held = |kind| if kind == Kind::Public { Kind::Owned(Role::Model) } else { kind };
    let mut all: HashMap<NodeId, Option<Vec<Kind>>> = HashMap::new();
    for id in evaluation.recipe(ROWS, targets).nodes {
        let node = &evaluation.numerator.nodes[id as usize];
        let kinds = match node {
            _ if !evaluation.is_secret(id) => None,
            Node::Secret(index, rotation) => {
                let cells = evaluation.operands.secrets[*index as usize].kinds;
                let row = |row: usize| {
                    (row as i64 + i64::from(*rotation)).rem_euclid(evaluation.n as i64) as usize
                };
                let kind = |r| cells.assigned(row(r)).map_or(Kind::Public, held);
                Some(rows.clone().map(kind).collect())
            }
            _ if evaluation.nodes[id as usize].interactive => Some(vec![Kind::Shared; rows.len()]),
            node => children(node)
                .into_iter()
                .map(|child| match all.get(&child) {
                    Some(Some(kinds)) => kinds.clone(),
                    // A public summand of a shared sum is held by the model's side; so may be
                    // one of an inner product.
                    _ if matches!(node, Node::Product(..)) => vec![Kind::Public; rows.len()],
                    _ => vec![Kind::Owned(Role::Model); rows.len()],
                })
                .reduce(|mut a, b| {
                    a.iter_mut().zip(b).for_each(|(a, b)| *a = a.join(b));
                    a
                }),
        };
        all.insert(id, kinds);
    }
    all.retain(|id, _| targets.contains(id));
    all
}
