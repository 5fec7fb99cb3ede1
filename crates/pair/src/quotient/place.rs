//! Values of a numerator's nodes at one place, the rows or a coset: the columns are transformed as
//! a whole, each once, and the nodes evaluated block by block, so that what is between stays in the
//! cache.

use super::graph::{NodeFacts, children, facts};
use ff::Field;
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::{Deref, Range};
use twain_algebra::{Domain, Fr, vector};
use twain_party::{
    Node, NodeId, Numerator, PartyError, PublicPolynomial, QuotientOperands, Role, Shares,
    coset_shifts,
};

/// Where polynomials are evaluated: the rows, or a coset.
pub(super) type Place = usize;
pub(super) const ROWS: Place = 0;

/// Shares of nodes at some places.
pub(super) type Made = HashMap<(NodeId, Place), Vec<Fr>>;

/// A numerator under evaluation.
pub(super) struct Evaluation<'a> {
    pub role: Role,
    pub numerator: Numerator,
    pub operands: QuotientOperands<'a>,
    pub domain: Domain,
    pub n: usize,
    /// `shift` of each coset (place 1 is index 0).
    pub shifts: Vec<Fr>,
    /// `X^n` on each coset.
    pub constants: Vec<Fr>,
    pub nodes: Vec<NodeFacts>,
    /// Shares of the interactive nodes, and what else is kept for later.
    pub made: Made,
}

impl Drop for Evaluation<'_> {
    fn drop(&mut self) {
        self.made.values_mut().for_each(|values| twain_algebra::erase(values));
    }
}

pub(super) fn unsupported(error: impl std::fmt::Display) -> PartyError {
    PartyError::Unsupported(error.to_string())
}

/// Points evaluated together: a value of a node takes 64 KiB.
const BLOCK: usize = 1 << 11;

impl<'a> Evaluation<'a> {
    pub fn new(
        role: Role,
        numerator: &Numerator,
        operands: QuotientOperands<'a>,
    ) -> Result<Self, PartyError> {
        let domain = Domain::new(numerator.k).map_err(unsupported)?;
        let shifts = coset_shifts(numerator.k, operands.pieces)?;
        let n = domain.n();
        let constants = shifts.iter().map(|s| s.pow_vartime([n as u64])).collect();
        let nodes = facts(numerator, operands.pieces);
        let (numerator, made) = (numerator.clone(), HashMap::new());
        Ok(Self { role, numerator, operands, domain, n, shifts, constants, nodes, made })
    }

    /// Goes on with another numerator, of the same polynomials; keeps of what is made the nodes
    /// that are the same in both, with all they depend on.
    pub fn replace(&mut self, numerator: &Numerator) {
        let mut same: Vec<bool> = Vec::with_capacity(numerator.nodes.len());
        for (one, other) in self.numerator.nodes.iter().zip(&numerator.nodes) {
            same.push(one == other && children(one).iter().all(|child| same[*child as usize]));
        }
        self.made.retain(|(id, _), values| {
            let keeps = same.get(*id as usize).copied().unwrap_or(false);
            if !keeps {
                twain_algebra::erase(values);
            }
            keeps
        });
        self.nodes = facts(numerator, self.operands.pieces);
        self.numerator = numerator.clone();
    }

    pub fn children(&self, id: NodeId) -> Vec<NodeId> {
        children(&self.numerator.nodes[id as usize])
    }

    pub fn is_secret(&self, id: NodeId) -> bool {
        self.nodes[id as usize].secret
    }

    /// Values of `targets` at some points of a place: this party's shares, or the values of public
    /// nodes.
    pub fn evaluate(
        &self,
        place: Place,
        rows: Range<usize>,
        targets: &[NodeId],
    ) -> HashMap<NodeId, Vec<Fr>> {
        let mut targets = targets.to_vec();
        targets.sort_unstable();
        targets.dedup();
        let zeros = targets.iter().map(|target| (*target, vec![Fr::ZERO; rows.len()]));
        let mut results: Vec<(NodeId, Vec<Fr>)> = zeros.collect();
        let recipe = self.recipe(place, &targets);
        let columns = self.columns(place, &recipe.nodes);
        let mut blocks: Vec<Vec<&mut [Fr]>> = vec![];
        blocks.resize_with(rows.len().div_ceil(BLOCK), Vec::new);
        for (_, values) in &mut results {
            blocks.iter_mut().zip(values.chunks_mut(BLOCK)).for_each(|(block, v)| block.push(v));
        }
        blocks.into_par_iter().enumerate().for_each(|(number, results)| {
            let first = rows.start + number * BLOCK;
            let rows = first..(first + BLOCK).min(rows.end);
            let (waiting, values) = (recipe.waiting.clone(), HashMap::new());
            let mut block =
                Block { evaluation: self, place, rows, columns: &columns, waiting, values };
            for id in &recipe.nodes {
                let value = block.node(*id);
                block.values.insert(*id, value);
            }
            for (target, result) in targets.iter().zip(results) {
                result.copy_from_slice(block.get(*target));
            }
        });
        results.into_iter().collect()
    }

    /// The nodes that targets are made of, in order, down to what is at hand.
    pub fn recipe(&self, place: Place, targets: &[NodeId]) -> Recipe {
        let nodes = &self.numerator.nodes;
        let mut waiting = vec![0u32; nodes.len()];
        for &target in targets {
            waiting[target as usize] = 1;
        }
        let mut needed = vec![false; nodes.len()];
        let mut stack: Vec<NodeId> = targets.to_vec();
        while let Some(id) = stack.pop() {
            let known = std::mem::replace(&mut needed[id as usize], true);
            if known || self.made.contains_key(&(id, place)) {
                continue;
            }
            for child in self.children(id) {
                waiting[child as usize] += 1;
                stack.push(child);
            }
        }
        let nodes = (0..nodes.len() as NodeId).filter(|id| needed[*id as usize]).collect();
        Recipe { nodes, waiting }
    }

    /// The columns that some nodes name, at all points of a place.
    fn columns(&self, place: Place, nodes: &[NodeId]) -> HashMap<Name, Values<'_>> {
        let named = nodes.iter().filter(|id| !self.made.contains_key(&(**id, place)));
        let mut names: Vec<Name> =
            named.filter_map(|id| Name::of(&self.numerator.nodes[*id as usize])).collect();
        names.sort_unstable();
        names.dedup();
        names.into_par_iter().map(|name| (name, self.column(place, name))).collect()
    }

    fn column(&self, place: Place, name: Name) -> Values<'_> {
        let coset = place.checked_sub(1);
        let coefficients = match name {
            Name::Identity => {
                let mut values = vector::powers(self.domain.omega(), self.n);
                vector::scale(&mut values, coset.map_or(Fr::ONE, |coset| self.shifts[coset]));
                return Values::Made(values.into());
            }
            Name::Public(index) => {
                let public = self.operands.publics[index as usize];
                if let Some(values) = coset.and_then(|coset| public.cosets.get(coset)) {
                    return Values::Kept(values);
                }
                public.coefficients
            }
            Name::Secret(index) => self.operands.secrets[index as usize].coefficients,
        };
        Values::Made(Shares::new(match coset {
            Some(coset) => self.domain.coset_ntt(coefficients, self.shifts[coset]),
            None => {
                let mut values = coefficients.to_vec();
                self.domain.ntt(&mut values);
                values
            }
        }))
    }
}

/// What has to be evaluated.
pub(super) struct Recipe {
    pub nodes: Vec<NodeId>,
    /// How many nodes, or targets, each is an operand of.
    waiting: Vec<u32>,
}

/// A column of a numerator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    Identity,
    Public(u32),
    Secret(u32),
}

impl Name {
    fn of(node: &Node) -> Option<Self> {
        match node {
            Node::Public(PublicPolynomial::Identity, _) => Some(Name::Identity),
            Node::Public(PublicPolynomial::Given(index), _) => Some(Name::Public(*index)),
            Node::Secret(index, _) => Some(Name::Secret(*index)),
            _ => None,
        }
    }
}

/// Values of a node or a column.
enum Values<'a> {
    /// Kept elsewhere.
    Kept(&'a [Fr]),
    /// Made for the purpose.
    Made(Shares),
}

impl Deref for Values<'_> {
    type Target = [Fr];

    fn deref(&self) -> &[Fr] {
        match self {
            Values::Kept(values) => values,
            Values::Made(values) => values,
        }
    }
}

/// Some consecutive points of a place.
struct Block<'b> {
    evaluation: &'b Evaluation<'b>,
    place: Place,
    rows: Range<usize>,
    columns: &'b HashMap<Name, Values<'b>>,
    /// How many nodes each node is still an operand of.
    waiting: Vec<u32>,
    values: HashMap<NodeId, Values<'b>>,
}

impl<'b> Block<'b> {
    fn get(&self, id: NodeId) -> &[Fr] {
        self.values.get(&id).map_or(&[], |values| values)
    }

    /// An operand to work on: the value itself if nothing else waits for it, otherwise a copy.
    fn take(&mut self, id: NodeId) -> Shares {
        self.waiting[id as usize] -= 1;
        if self.waiting[id as usize] > 0 {
            return self.get(id).to_vec().into();
        }
        match self.values.remove(&id) {
            Some(Values::Made(values)) => values,
            Some(Values::Kept(values)) => values.to_vec().into(),
            None => Shares::default(),
        }
    }

    /// An operand is done with.
    fn release(&mut self, id: NodeId) {
        self.waiting[id as usize] -= 1;
        if self.waiting[id as usize] == 0 {
            self.values.remove(&id);
        }
    }

    /// The value of a node from those of its children, which are given up if nothing else needs
    /// them.
    fn node(&mut self, id: NodeId) -> Values<'b> {
        let evaluation = self.evaluation;
        if let Some(made) = evaluation.made.get(&(id, self.place)) {
            return Values::Kept(&made[self.rows.clone()]);
        }
        let secret = |id: NodeId| evaluation.is_secret(id);
        // A public summand of a shared sum counts on one side only.
        let counts = |child: NodeId| secret(child) || !secret(id) || evaluation.role == Role::Model;
        let node = &evaluation.numerator.nodes[id as usize];
        Values::Made(match node {
            Node::Constant(value) => vec![*value; self.rows.len()].into(),
            Node::Public(_, rotation) | Node::Secret(_, rotation) => {
                return self.column(Name::of(node), *rotation);
            }
            Node::Sum(a, b) | Node::Difference(a, b) => {
                let mut sum = self.take(*a);
                if !counts(*a) {
                    sum.fill(Fr::ZERO);
                }
                match node {
                    _ if !counts(*b) => {}
                    Node::Sum(..) => vector::add_assign(&mut sum, self.get(*b)),
                    _ => vector::sub_assign(&mut sum, self.get(*b)),
                }
                self.release(*b);
                sum
            }
            Node::Scaled(a, factor) => {
                let mut value = self.take(*a);
                vector::scale(&mut value, *factor);
                value
            }
            Node::Product(a, b) => {
                let mut product = self.take(*a);
                vector::mul_assign(&mut product, self.get(*b));
                self.release(*b);
                product
            }
            Node::InnerProduct { terms, .. } => {
                let mut sum = Shares::zero(self.rows.len());
                for (factor, a, b) in terms {
                    if !(secret(*a) || secret(*b) || counts(*a)) {
                        self.release(*a);
                    } else if *factor == Fr::ONE {
                        vector::mul_add(&mut sum, self.get(*a), self.get(*b));
                        self.release(*a);
                    } else {
                        let mut product = self.take(*a);
                        vector::mul_assign(&mut product, self.get(*b));
                        vector::add_scaled(&mut sum, &product, *factor);
                    }
                    self.release(*b);
                }
                sum
            }
        })
    }

    /// The column's values at the block's points, read `rotation` rows further on.
    fn column(&self, name: Option<Name>, rotation: i32) -> Values<'b> {
        let columns = self.columns;
        let column: &'b [Fr] = name.and_then(|name| columns.get(&name)).map_or(&[], |c| c);
        let n = self.evaluation.n;
        let start = (self.rows.start as i64 + i64::from(rotation)).rem_euclid(n as i64) as usize;
        let before_end = self.rows.len().min(n - start);
        if before_end == self.rows.len() {
            return Values::Kept(&column[start..start + before_end]);
        }
        let after = &column[..self.rows.len() - before_end];
        Values::Made([&column[start..], after].concat().into())
    }
}
