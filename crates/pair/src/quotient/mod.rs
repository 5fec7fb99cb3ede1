//! The quotient over shares (counts §4).
//!
//! A product `T` of two shared polynomials, of degree below `(m + 1) * n`, is `T = t * V + U` with
//! `t = X^n - 1`: `U` is fixed by the `n` rows and `V` by `m` cosets. So one OLE per row and per point
//! of `m` cosets suffices; on every other coset the share of `T` follows locally. Where the circuit's
//! satisfaction makes a sum of products vanish on the usable rows, the rows cost nothing either.
//! All products of a level (nodes whose operands need the same number of interactive steps) go in one
//! batch, so the number of messages is the depth of the numerator. But for the last one they do not depend
//! on the challenge that weighs the constraints, and are made before it is known.

mod graph;
mod place;

use crate::arithmetic::InnerProducts;
use ff::Field;
use graph::{NodeFacts, children, facts, mark_last_places};
use std::collections::HashMap;
use std::ops::Range;
use twain_algebra::Fr;
use twain_algebra::domain::Domain;
use twain_algebra::vector;
use twain_link::channel::Channel;
use twain_ole::{OleGroup, OleSource};
use twain_party::{
    Kind, KnownPolynomial, Node, NodeId, Numerator, Operand, PartyError, Role, SecretPolynomial,
    Shares, coset_shifts, recombination,
};

/// What a numerator is made of.
#[derive(Clone, Copy)]
pub struct Operands<'a> {
    /// Coefficients of polynomials both know.
    pub publics: &'a [KnownPolynomial<'a>],
    /// This party's shares of the others' coefficients.
    pub secrets: &'a [SecretPolynomial<'a>],
    /// Parts of the quotient.
    pub pieces: usize,
    /// All values are zeros, and nothing is made of them: only what `source` is asked for counts.
    pub rehearsal: bool,
}

/// Where polynomials are evaluated: the rows, or a coset.
type Place = usize;
const ROWS: Place = 0;

/// A quotient of which the products below the last level are made, with the numerator they belong to.
pub struct Begun {
    nodes: Vec<Node>,
    made: Made,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.made.values_mut().for_each(|values| twain_algebra::erase(values));
    }
}

/// Makes the products on which others depend, see [`twain_party::ProverParty::begin_quotient`].
pub fn begin(
    channel: &mut dyn Channel,
    source: &mut dyn OleSource,
    numerator: &Numerator,
    operands: Operands,
) -> Result<Begun, PartyError> {
    let mut evaluation = Evaluation::new(channel.role(), numerator, operands)?;
    for level in 1..evaluation.depth() {
        evaluation.interact(channel, source, level)?;
    }
    Ok(Begun { nodes: numerator.nodes.clone(), made: evaluation.made })
}

/// `numerator / (X^n - 1)`, see [`twain_party::ProverParty::finish_quotient`].
pub fn finish(
    channel: &mut dyn Channel,
    source: &mut dyn OleSource,
    mut begun: Begun,
    numerator: &Numerator,
    operands: Operands,
) -> Result<Vec<Shares>, PartyError> {
    let mut evaluation = Evaluation::new(channel.role(), numerator, operands)?;
    let known = same_nodes(&begun.nodes, &numerator.nodes);
    evaluation.made = std::mem::take(&mut begun.made);
    evaluation.made.retain(|(id, _), values| {
        let keeps = known.get(*id as usize).copied().unwrap_or(false);
        if !keeps {
            twain_algebra::erase(values);
        }
        keeps
    });
    for level in 1..=evaluation.depth() {
        evaluation.interact(channel, source, level)?;
    }
    match operands.rehearsal {
        true => Ok((0..operands.pieces).map(|_| Shares::zero(evaluation.n)).collect()),
        false => evaluation.finish(),
    }
}

/// By node, whether it and all it depends on are the same in both lists.
fn same_nodes(one: &[Node], other: &[Node]) -> Vec<bool> {
    let mut same = Vec::with_capacity(one.len());
    for (one, other) in one.iter().zip(other) {
        same.push(one == other && children(one).iter().all(|child| same[*child as usize]));
    }
    same
}

/// Shares of nodes at some places.
type Made = HashMap<(NodeId, Place), Vec<Fr>>;

struct Evaluation<'a> {
    role: Role,
    numerator: &'a Numerator,
    operands: Operands<'a>,
    domain: Domain,
    n: usize,
    /// `shift` of each coset (place 1 is index 0).
    shifts: Vec<Fr>,
    /// `X^n` on each coset.
    constants: Vec<Fr>,
    nodes: Vec<NodeFacts>,
    /// Shares of the interactive nodes, and what else is kept for later.
    made: Made,
}

impl<'a> Evaluation<'a> {
    fn new(
        role: Role,
        numerator: &'a Numerator,
        operands: Operands<'a>,
    ) -> Result<Self, PartyError> {
        let pieces = operands.pieces;
        let domain = Domain::new(numerator.k).map_err(unsupported)?;
        let shifts = coset_shifts(numerator.k, pieces)?;
        let n = domain.n();
        let constants = shifts.iter().map(|s| s.pow_vartime([n as u64])).collect();
        let mut nodes: Vec<NodeFacts> = Vec::with_capacity(numerator.nodes.len());
        for node in &numerator.nodes {
            nodes.push(facts(node, &nodes));
        }
        mark_last_places(&mut nodes, numerator, pieces);
        let made = HashMap::new();
        Ok(Evaluation { role, numerator, operands, domain, n, shifts, constants, nodes, made })
    }

    fn depth(&self) -> u32 {
        self.nodes.last().map_or(0, |node| node.level)
    }

    /// Makes the products of one level and extends them to all places.
    fn interact(
        &mut self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        level: u32,
    ) -> Result<(), PartyError> {
        let ids: Vec<NodeId> = (0..self.nodes.len() as NodeId)
            .filter(|&id| {
                let facts = self.nodes[id as usize];
                let made = self.made.contains_key(&(id, ROWS));
                facts.interactive && facts.level == level && !made
            })
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut rows = self.row_products(&ids);
        let mut cosets = CosetProducts::default();
        let rest = if level == self.depth() { self.beside(level) } else { Vec::new() };
        for place in 1..=self.operands.pieces {
            self.coset_products(place, &ids, &rest, &mut cosets);
        }
        let (mut operands, mut groups) = (Vec::new(), Vec::new());
        operands.extend(cosets.operands.iter().map(Vec::as_slice));
        groups.append(&mut cosets.groups);
        rows.products.request(&mut operands, &mut groups);
        let made = source.inner_products(channel, "quotient", &operands, &groups)?;
        let mut made = made.into_iter();
        for ((id, place, mut local), share) in cosets.results.drain(..).zip(&mut made) {
            if !self.operands.rehearsal {
                vector::add_assign(&mut local, &share);
            }
            self.made.insert((id, place), local);
        }
        let mut values = rows.products.finish(&mut made).into_iter();
        for (id, first) in rows.results.drain(..) {
            let mut column = vec![Fr::ZERO; if self.operands.rehearsal { first } else { self.n }];
            column[first..].iter_mut().zip(&mut values).for_each(|(cell, value)| *cell = value);
            self.made.insert((id, ROWS), column);
        }
        for operand in &mut cosets.operands {
            twain_algebra::erase(operand);
        }
        ids.into_iter().try_for_each(|id| self.extend(id))
    }

    /// The products on the rows: by the kinds of the cells, and none where the sum is known to vanish.
    fn row_products(&self, ids: &[NodeId]) -> RowProducts {
        let first_row = |vanishes| if vanishes { self.numerator.usable_rows } else { 0 };
        let start = ids.iter().map(|&id| first_row(self.terms(id).1)).min().unwrap_or(self.n);
        let targets: Vec<NodeId> = ids.iter().flat_map(|&id| self.children(id)).collect();
        let values = self.evaluate(ROWS, start..self.n, &targets);
        let kinds = self.row_kinds(start..self.n, &targets);
        let column = |id: NodeId| (&values[&id][..], kinds[&id].as_deref());
        let mut outputs = Vec::new();
        let mut results = Vec::new();
        for &id in ids {
            let (terms, vanishes) = self.terms(id);
            let first = first_row(vanishes);
            let terms: Vec<_> = terms.iter().map(|&(f, l, r)| (f, column(l), column(r))).collect();
            outputs.push((terms, first - start..self.n - start));
            results.push((id, first));
        }
        let mut places =
            outputs.iter().flat_map(|(terms, rows)| rows.clone().map(move |row| (terms, row)));
        let count = outputs.iter().map(|(_, rows)| rows.len()).sum();
        let products = InnerProducts::new(self.role, count, |_, product| {
            let Some((terms, row)) = places.next() else { return };
            let operand = |(values, kinds): (&[Fr], Option<&[Kind]>)| {
                let kind = kinds.map_or(Kind::Public, |kinds| kinds[row]);
                Operand { share: values[row], kind, bits: 254 }
            };
            for &(factor, l, r) in terms {
                let l = operand(l);
                product(Operand { share: factor * l.share, ..l }, operand(r));
            }
        });
        RowProducts { products, results }
    }

    /// The products on a coset, where everything secret is shared.
    /// Of a place that is visited, the values of the nodes `rest` are kept.
    fn coset_products(
        &mut self,
        place: Place,
        ids: &[NodeId],
        rest: &[NodeId],
        batch: &mut CosetProducts,
    ) {
        let here: Vec<NodeId> =
            ids.iter().copied().filter(|&id| place < self.dense_places(id)).collect();
        if here.is_empty() {
            return;
        }
        let mut targets: Vec<NodeId> = here.iter().flat_map(|&id| self.children(id)).collect();
        targets.extend(rest);
        let mut values = self.evaluate(place, 0..self.n, &targets);
        // An operand of several products is one operand of the OLEs.
        let mut known: HashMap<NodeId, usize> = HashMap::new();
        let (operands, rehearsal) = (&mut batch.operands, self.operands.rehearsal);
        for id in here {
            let mut local = vec![Fr::ZERO; if rehearsal { 0 } else { self.n }];
            let mut pairs = Vec::new();
            for (factor, l, r) in self.terms(id).0 {
                let scaled = (factor != Fr::ONE && !rehearsal).then(|| {
                    let mut left = Shares::new(values[&l].clone());
                    vector::scale(&mut left, factor);
                    left
                });
                let either_secret = self.is_secret(l) || self.is_secret(r);
                if !rehearsal && (either_secret || self.role == Role::Model) {
                    let left = scaled.as_deref().unwrap_or(&values[&l]);
                    vector::mul_add(&mut local, left, &values[&r]);
                }
                if !(self.is_secret(l) && self.is_secret(r)) {
                    continue;
                }
                let mut operand = |values: Option<Shares>| -> usize {
                    operands.push(values.map(Shares::into_vec).unwrap_or_default());
                    operands.len() - 1
                };
                // Those that are not scaled are moved here once the products are done.
                let a = match factor == Fr::ONE {
                    true => *known.entry(l).or_insert_with(|| operand(None)),
                    false => operand(scaled),
                };
                let b = *known.entry(r).or_insert_with(|| operand(None));
                pairs.extend([(a as u32, b as u32), (b as u32, a as u32)]);
            }
            batch.groups.push(OleGroup { length: self.n, terms: pairs });
            batch.results.push((id, place, local));
        }
        for id in rest {
            let value =
                if known.contains_key(id) { values.get(id).cloned() } else { values.remove(id) };
            self.made.extend(value.map(|value| ((*id, place), value)));
        }
        if !rehearsal {
            for (id, operand) in known {
                operands[operand] = values.remove(&id).unwrap_or_default();
            }
        }
        values.values_mut().for_each(|values| twain_algebra::erase(values));
    }

    /// What the result is made of beside the nodes of `level`, as few nodes as possible: where the
    /// columns are at hand for that level's operands, they need not be transformed again for these.
    fn beside(&self, level: u32) -> Vec<NodeId> {
        let mut stack = vec![self.nodes.len().saturating_sub(1) as NodeId];
        let mut seen = vec![false; self.nodes.len()];
        let mut found = Vec::new();
        while let Some(id) = stack.pop() {
            let facts = self.nodes[id as usize];
            if std::mem::replace(&mut seen[id as usize], true)
                || facts.interactive && facts.level == level
            {
                continue;
            }
            match facts.level == level {
                true => stack.extend(self.children(id)),
                false => found.push(id),
            }
        }
        found
    }

    fn children(&self, id: NodeId) -> Vec<NodeId> {
        children(&self.numerator.nodes[id as usize])
    }

    /// An interactive node as a sum of products, and whether it vanishes on the usable rows.
    fn terms(&self, id: NodeId) -> (Vec<(Fr, NodeId, NodeId)>, bool) {
        match &self.numerator.nodes[id as usize] {
            Node::Product(l, r) => (vec![(Fr::ONE, *l, *r)], false),
            Node::InnerProduct { terms, vanishes_on_active_rows } => {
                (terms.clone(), *vanishes_on_active_rows)
            }
            _ => (Vec::new(), false),
        }
    }

    /// Who knows which of the rows of each target; `None` for public polynomials, whose values both hold. A
    /// public cell of a column of shares is held by the model's side only, unless no one assigned it:
    /// then it is 0, both shares are, and it stays public, so that products with it are free.
    fn row_kinds(
        &self,
        rows: Range<usize>,
        targets: &[NodeId],
    ) -> HashMap<NodeId, Option<Vec<Kind>>> {
        let held = |kind| if kind == Kind::Public { Kind::Owned(Role::Model) } else { kind };
        let mut all: HashMap<NodeId, Option<Vec<Kind>>> = HashMap::new();
        for id in self.recipe(ROWS, targets).nodes {
            let node = &self.numerator.nodes[id as usize];
            let kinds = match node {
                _ if !self.is_secret(id) => None,
                Node::Secret(index, rotation) => {
                    let cells = self.operands.secrets[*index as usize].kinds;
                    let row = |row: usize| {
                        (row as i64 + i64::from(*rotation)).rem_euclid(self.n as i64) as usize
                    };
                    let kind = |r| cells.assigned(row(r)).map_or(Kind::Public, held);
                    Some(rows.clone().map(kind).collect())
                }
                _ if self.nodes[id as usize].interactive => Some(vec![Kind::Shared; rows.len()]),
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

    fn is_secret(&self, id: NodeId) -> bool {
        self.nodes[id as usize].secret
    }

    fn dense_places(&self, id: NodeId) -> usize {
        self.nodes[id as usize].dense_places(self.operands.pieces)
    }

    /// From the rows and the dense cosets to the others that need it.
    fn extend(&mut self, id: NodeId) -> Result<(), PartyError> {
        let dense = self.dense_places(id) - 1;
        if dense >= self.nodes[id as usize].last_place || self.operands.rehearsal {
            return Ok(());
        }
        let mut rows = self.made[&(id, ROWS)].clone();
        self.domain.intt(&mut rows);
        let mut parts = Vec::with_capacity(dense);
        for coset in 0..dense {
            let mut values = self.made[&(id, coset + 1)].clone();
            self.domain.coset_intt(&mut values, self.shifts[coset]).map_err(unsupported)?;
            vector::sub_assign(&mut values, &rows);
            parts.push(values);
        }
        let parts = combine(&recombination(&self.constants[..dense])?, &parts, self.n);
        for coset in dense..self.nodes[id as usize].last_place {
            let constant = self.constants[coset];
            let mut coefficients = rows.clone();
            let mut factor = constant - Fr::ONE;
            for part in &parts {
                vector::add_scaled(&mut coefficients, part, factor);
                factor *= constant;
            }
            self.domain.coset_ntt_in_place(&mut coefficients, self.shifts[coset]);
            self.made.insert((id, coset + 1), coefficients);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Shares>, PartyError> {
        let Some(root) = self.numerator.nodes.len().checked_sub(1) else { return Ok(Vec::new()) };
        let root = root as NodeId;
        let mut residues = Vec::with_capacity(self.operands.pieces);
        for coset in 0..self.operands.pieces {
            let mut values =
                self.evaluate(coset + 1, 0..self.n, &[root]).remove(&root).unwrap_or_default();
            if !self.is_secret(root) && self.role == Role::Data {
                values.fill(Fr::ZERO);
            }
            self.domain.coset_intt(&mut values, self.shifts[coset]).map_err(unsupported)?;
            residues.push(values);
        }
        for values in self.made.values_mut() {
            twain_algebra::erase(values);
        }
        let pieces = combine(&recombination(&self.constants)?, &residues, self.n);
        Ok(pieces.into_iter().map(Shares::new).collect())
    }
}

/// Products on the rows, and the nodes they belong to with the first row that is not zero.
struct RowProducts {
    products: InnerProducts,
    results: Vec<(NodeId, usize)>,
}

/// Products on the cosets.
#[derive(Default)]
struct CosetProducts {
    operands: Vec<Vec<Fr>>,
    groups: Vec<OleGroup>,
    /// Node, place, and what is local of the product.
    results: Vec<(NodeId, Place, Vec<Fr>)>,
}

fn unsupported(error: impl std::fmt::Display) -> PartyError {
    PartyError::Unsupported(error.to_string())
}

/// The matrix times the vectors, each of length `n`.
fn combine(matrix: &[Vec<Fr>], vectors: &[Vec<Fr>], n: usize) -> Vec<Vec<Fr>> {
    let row = |row: &Vec<Fr>| {
        let terms: Vec<(&[Fr], Fr)> =
            vectors.iter().map(Vec::as_slice).zip(row.iter().copied()).collect();
        vector::linear_combination(&terms, n)
    };
    matrix.iter().map(row).collect()
}
