//! The quotient over shares (counts §4).
//!
//! A product `T` of two shared polynomials, of degree below `(m + 1) * n`, is `T = t * V + U` with
//! `t = X^n - 1`: `U` is fixed by the `n` rows and `V` by `m` cosets. So one OLE per row and per
//! point of `m` cosets suffices (on the rows none where both factors are wires of the witness,
//! whose products follow from those of their masks); on every other coset the share of `T` follows
//! locally. Where the circuit's satisfaction makes a sum of products vanish on the usable rows, the
//! rows cost nothing either. All products of a level (nodes whose operands need the same number of
//! interactive steps) go in one batch, so the number of messages is the depth of the numerator. But
//! for the last one they do not depend on the challenge that weighs the constraints, and are made
//! before it is known.

mod graph;
mod place;
mod products;
mod rank;

use crate::wires::Wires;
use ff::Field;
use place::{Evaluation, ROWS, unsupported};
use products::{CosetValues, Level, dense_places};
use std::collections::HashMap;
use twain_algebra::{Fr, vector};
use twain_link::channel::Channel;
use twain_ole::{OleSource, PooledOle, Products};
use twain_party::{NodeId, Numerator, PartyError, QuotientOperands, Role, Shares, recombination};

/// A quotient of which the products below the last level are made.
pub struct Begun<'a> {
    evaluation: Evaluation<'a>,
    /// Only what the source is asked for counts: there are no values.
    rehearses: bool,
}

impl<'a> Begun<'a> {
    /// Makes the products on which others depend, see [`twain_party::ProverParty::begin_quotient`].
    pub fn begin(
        channel: &mut dyn Channel,
        (source, wires): (&mut dyn OleSource, &mut Wires),
        numerator: &Numerator,
        operands: QuotientOperands<'a>,
        rehearses: bool,
    ) -> Result<Self, PartyError> {
        let evaluation = Evaluation::new(channel.role(), numerator, operands)?;
        let mut begun = Self { evaluation, rehearses };
        for level in 1..begun.depth() {
            begun.interact(channel, (source, wires), level)?;
        }
        Ok(begun)
    }

    /// `numerator / (X^n - 1)`, see [`twain_party::ProverParty::finish_quotient`].
    pub fn finish(
        mut self,
        channel: &mut dyn Channel,
        (source, wires): (&mut dyn OleSource, &mut Wires),
        numerator: &Numerator,
    ) -> Result<Vec<Shares>, PartyError> {
        self.evaluation.replace(numerator);
        for level in 1..=self.depth() {
            self.interact(channel, (source, wires), level)?;
        }
        let Evaluation { n, operands, .. } = &self.evaluation;
        match self.rehearses {
            true => Ok((0..operands.pieces).map(|_| Shares::zero(*n)).collect()),
            false => self.pieces(),
        }
    }

    fn depth(&self) -> u32 {
        self.evaluation.nodes.last().map_or(0, |node| node.level)
    }

    /// Makes the products of one level and extends them to all places.
    fn interact(
        &mut self,
        channel: &mut dyn Channel,
        (source, wires): (&mut dyn OleSource, &mut Wires),
        number: u32,
    ) -> Result<(), PartyError> {
        let evaluation = &self.evaluation;
        let level = Level::new(evaluation, number);
        if level.ids.is_empty() {
            return Ok(());
        }
        let (rows, cosets) = if self.rehearses {
            let operands = vec![Vec::new(); level.operands.len()];
            let cosets = CosetValues { operands, ..CosetValues::default() };
            (level.row_products(evaluation, &HashMap::new()), cosets)
        } else {
            let rows = level.row_products(evaluation, &level.row_values(evaluation));
            let rest = if number == self.depth() { self.beside(number) } else { Vec::new() };
            (rows, level.coset_values(&mut self.evaluation, &rest))
        };
        let of_wires = wires.products(channel, source, &rows.factors)?;
        let mut operands: Vec<&[Fr]> = cosets.operands.iter().map(Vec::as_slice).collect();
        let mut wanted = Products { points: level.groups.clone(), others: Vec::new() };
        rows.products.request(&mut operands, &mut wanted.others);
        if self.rehearses {
            // Of what operands stand for, not of values: before anything is sent.
            rank::check(&self.evaluation, &level, &PooledOle::together(&wanted))?;
        }
        let made = source.inner_products_of(channel, "quotient", &operands, &wanted)?;
        let Evaluation { made: all, n, .. } = &mut self.evaluation;
        if self.rehearses {
            all.extend(level.ids.iter().map(|id| ((*id, ROWS), Vec::new())));
            return Ok(());
        }
        let CosetValues { mut operands, locals } = cosets;
        operands.iter_mut().for_each(|operand| twain_algebra::erase(operand));
        let mut made = made.into_iter();
        for ((place, mut local), share) in level.results.into_iter().zip(locals).zip(&mut made) {
            vector::add_assign(&mut local, &share);
            all.insert(place, local);
        }
        let mut values = rows.products.finish(&mut made);
        for ((output, factor), product) in rows.outputs.into_iter().zip(of_wires.iter()) {
            values[output] += factor * product;
        }
        let mut values = values.into_iter();
        for (id, first) in rows.results {
            let mut column = vec![Fr::ZERO; *n];
            column[first..].iter_mut().zip(&mut values).for_each(|(cell, value)| *cell = value);
            all.insert((id, ROWS), column);
        }
        level.ids.into_iter().try_for_each(|id| self.extend(id))
    }

    /// What the result is made of beside the nodes of `level`, as few nodes as possible: where the
    /// columns are at hand for that level's operands, they need not be transformed again for these.
    fn beside(&self, level: u32) -> Vec<NodeId> {
        let mut stack = vec![self.evaluation.nodes.len().saturating_sub(1) as NodeId];
        let mut seen = vec![false; self.evaluation.nodes.len()];
        let mut found = Vec::new();
        while let Some(id) = stack.pop() {
            let facts = self.evaluation.nodes[id as usize];
            if std::mem::replace(&mut seen[id as usize], true)
                || facts.interactive && facts.level == level
            {
                continue;
            }
            match facts.level == level {
                true => stack.extend(self.evaluation.children(id)),
                false => found.push(id),
            }
        }
        found
    }

    /// From the rows and the dense cosets to the others that need it.
    fn extend(&mut self, id: NodeId) -> Result<(), PartyError> {
        let evaluation = &mut self.evaluation;
        let dense = dense_places(evaluation, id) - 1;
        let last = evaluation.nodes[id as usize].last_place;
        if dense >= last {
            return Ok(());
        }
        let Evaluation { made, domain, shifts, constants, n, .. } = evaluation;
        let mut rows = made[&(id, ROWS)].clone();
        domain.intt(&mut rows);
        let mut parts = Vec::with_capacity(dense);
        for coset in 0..dense {
            let mut values = made[&(id, coset + 1)].clone();
            domain.coset_intt(&mut values, shifts[coset]).map_err(unsupported)?;
            vector::sub_assign(&mut values, &rows);
            parts.push(values);
        }
        let parts = combine(&recombination(&constants[..dense])?, &parts, *n);
        for coset in dense..last {
            let constant = constants[coset];
            let mut coefficients = rows.clone();
            let mut factor = constant - Fr::ONE;
            for part in &parts {
                vector::add_scaled(&mut coefficients, part, factor);
                factor *= constant;
            }
            domain.coset_ntt_in_place(&mut coefficients, shifts[coset]);
            made.insert((id, coset + 1), coefficients);
        }
        Ok(())
    }

    /// The parts of the quotient from its values on the cosets.
    fn pieces(&self) -> Result<Vec<Shares>, PartyError> {
        let evaluation = &self.evaluation;
        let Some(root) = evaluation.numerator.nodes.len().checked_sub(1) else {
            return Ok(Vec::new());
        };
        let root = root as NodeId;
        let mut residues = Vec::with_capacity(evaluation.operands.pieces);
        for coset in 0..evaluation.operands.pieces {
            let mut values = evaluation
                .evaluate(coset + 1, 0..evaluation.n, &[root])
                .remove(&root)
                .unwrap_or_default();
            if !evaluation.is_secret(root) && evaluation.role == Role::Data {
                values.fill(Fr::ZERO);
            }
            evaluation
                .domain
                .coset_intt(&mut values, evaluation.shifts[coset])
                .map_err(unsupported)?;
            residues.push(values);
        }
        let pieces = combine(&recombination(&evaluation.constants)?, &residues, evaluation.n);
        Ok(pieces.into_iter().map(Shares::new).collect())
    }
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
