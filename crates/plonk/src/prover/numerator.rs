//! The numerator of the quotient (spec 01 §5.7) from the constraint list, in the form of
//! counts §4: what two parties must multiply is made explicit and shared.
//!
//! - A [`Form`] is a polynomial in the secret columns with public coefficients. The gates add up to
//!   one, so each monomial has *one* public coefficient, and is left out if that is zero.
//! - All constraints that hold on active rows only add up to one inner product, multiplied by
//!   `l_active` at the end.
//! - What is too large to expand (powers, long products) stays a product of nodes.

use super::graph::Graph;
use crate::constraints::constraints;
use crate::{Challenges, CompiledSystem, Constraint, Evaluator, Polynomial, compress};
use ff::{Field, PrimeField};
use std::collections::BTreeMap;
use twain_algebra::Fr;
use twain_party::{Node, NodeId, Numerator, PublicPolynomial};

/// Forms with more monomials than this become nodes.
const MONOMIALS: usize = 16;
/// Monomials of a higher degree become products of nodes.
const DEGREE: usize = 3;

/// How the quotient's operands name a polynomial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    /// It vanishes.
    Zero,
    /// Position among the public polynomials.
    Public(u32),
    /// Position among the secret polynomials.
    Secret(u32),
}

/// Builds the numerator; `leaf` tells where the polynomials are.
pub(super) fn numerator(
    system: &CompiledSystem,
    challenges: &Challenges,
    leaf: impl Fn(Polynomial) -> Leaf,
) -> Numerator {
    let mut builder = Builder {
        graph: Graph::default(),
        leaf,
        system,
        challenges,
        sum: Sum::default(),
        active: Sum::default(),
        products: Vec::new(),
        cofactors: BTreeMap::new(),
    };
    let list = constraints(system);
    let mut weight = Fr::ONE;
    let mut weights = Vec::with_capacity(list.len());
    for _ in &list {
        weights.push(weight);
        weight *= challenges.y;
    }
    for (constraint, weight) in list.into_iter().zip(weights.into_iter().rev()) {
        builder.add(constraint, weight);
    }
    let nodes = builder.finish();
    Numerator { nodes, k: system.k(), usable_rows: system.usable_rows() }
}

/// A product of secret polynomials, each at a rotation; sorted.
type Monomial = Vec<(i32, u32)>;

/// A sum of monomials with public coefficients, none of which is zero.
type Form = BTreeMap<Monomial, NodeId>;

#[derive(Clone)]
enum Value {
    Form(Form),
    Node(NodeId),
}

impl Value {
    fn degree(&self) -> Option<usize> {
        match self {
            Value::Form(form) => Some(form.keys().map(Vec::len).max().unwrap_or(0)),
            Value::Node(_) => None,
        }
    }
}

/// A sum under construction.
#[derive(Default)]
struct Sum {
    form: Form,
    nodes: Vec<NodeId>,
}

struct Builder<'a, L> {
    graph: Graph,
    leaf: L,
    system: &'a CompiledSystem,
    challenges: &'a Challenges,
    /// What holds on all rows, by a selector or a row polynomial of its own.
    sum: Sum,
    /// What holds on active rows.
    active: Sum,
    /// Products that hold on active rows.
    products: Vec<(Fr, NodeId, NodeId)>,
    /// What the looked-up secret columns are multiplied by on active rows.
    cofactors: BTreeMap<(i32, u32), Value>,
}

impl<L: Fn(Polynomial) -> Leaf> Evaluator for Builder<'_, L> {
    type Value = Value;

    fn constant(&mut self, value: Fr) -> Value {
        let node = self.graph.constant(value);
        self.public(node)
    }

    fn polynomial(&mut self, polynomial: Polynomial, rotation: i32) -> Value {
        if polynomial == Polynomial::Identity {
            let node = self.graph.leaf(Node::Public(PublicPolynomial::Identity, rotation));
            return self.public(node);
        }
        match (self.leaf)(polynomial) {
            Leaf::Zero => Value::Form(Form::new()),
            Leaf::Public(index) => {
                let name = PublicPolynomial::Given(index);
                let node = self.graph.leaf(Node::Public(name, rotation));
                self.public(node)
            }
            Leaf::Secret(index) => {
                let one = self.graph.constant(Fr::ONE);
                Value::Form(Form::from([(vec![(rotation, index)], one)]))
            }
        }
    }

    fn sum(&mut self, a: Value, b: Value) -> Value {
        match (a, b) {
            (Value::Form(mut a), Value::Form(b)) => {
                self.add_form(&mut a, b);
                Value::Form(a)
            }
            (a, b) => {
                let (a, b) = (self.node(a), self.node(b));
                Value::Node(self.graph.sum(a, b))
            }
        }
    }

    fn difference(&mut self, a: Value, b: Value) -> Value {
        let b = self.scaled(b, -Fr::ONE);
        self.sum(a, b)
    }

    fn product(&mut self, a: Value, b: Value) -> Value {
        if let (Value::Form(a), Value::Form(b)) = (&a, &b)
            && let Some(product) = self.expanded(a, b)
        {
            return Value::Form(product);
        }
        let (a, b) = (self.node(a), self.node(b));
        Value::Node(self.graph.product(a, b))
    }

    fn scaled(&mut self, a: Value, factor: Fr) -> Value {
        match a {
            Value::Form(form) => {
                let scale = |(monomial, node)| (monomial, self.graph.scaled(node, factor));
                let form = if factor == Fr::ZERO { Form::new() } else { form };
                Value::Form(form.into_iter().map(scale).collect())
            }
            Value::Node(node) => Value::Node(self.graph.scaled(node, factor)),
        }
    }
}

impl<L: Fn(Polynomial) -> Leaf> Builder<'_, L> {
    fn public(&mut self, node: NodeId) -> Value {
        let zero = self.graph.as_constant(node) == Some(Fr::ZERO);
        let form = if zero { Form::new() } else { Form::from([(Vec::new(), node)]) };
        Value::Form(form)
    }

    fn add_form(&mut self, to: &mut Form, from: Form) {
        for (monomial, node) in from {
            let node = match to.remove(&monomial) {
                Some(old) => self.graph.sum(old, node),
                None => node,
            };
            if self.graph.as_constant(node) != Some(Fr::ZERO) {
                to.insert(monomial, node);
            }
        }
    }

    /// The product as a form, if that is small.
    fn expanded(&mut self, a: &Form, b: &Form) -> Option<Form> {
        let degree = |form: &Form| form.keys().map(Vec::len).max().unwrap_or(0);
        if degree(a) + degree(b) > DEGREE || a.len() * b.len() > MONOMIALS {
            return None;
        }
        let mut product = Form::new();
        for (of_a, left) in a {
            for (of_b, right) in b {
                let mut monomial = [&of_a[..], of_b].concat();
                monomial.sort_unstable();
                let node = self.graph.product(*left, *right);
                self.add_form(&mut product, Form::from([(monomial, node)]));
            }
        }
        Some(product)
    }

    fn node(&mut self, value: Value) -> NodeId {
        let form = match value {
            Value::Node(node) => return node,
            Value::Form(form) => form,
        };
        let mut sum = self.graph.constant(Fr::ZERO);
        for (monomial, coefficient) in form {
            let mut product = self.graph.constant(Fr::ONE);
            for (rotation, index) in monomial {
                let leaf = self.graph.leaf(Node::Secret(index, rotation));
                product = self.graph.product(product, leaf);
            }
            let term = self.graph.product(coefficient, product);
            sum = self.graph.sum(sum, term);
        }
        sum
    }

    fn add_to(&mut self, value: Value, weight: Fr, active: bool) {
        let value = self.scaled(value, weight);
        let mut sum = std::mem::take(if active { &mut self.active } else { &mut self.sum });
        match value {
            Value::Form(form) => self.add_form(&mut sum.form, form),
            Value::Node(node) => sum.nodes.push(node),
        }
        *(if active { &mut self.active } else { &mut self.sum }) = sum;
    }

    fn add(&mut self, constraint: Constraint, weight: Fr) {
        match constraint {
            Constraint::PermutationStep(chunk) => self.permutation_step(chunk, weight),
            Constraint::LookupStep(argument) => self.lookup_step(argument, weight),
            other => {
                let value = other.evaluate(self.system, self.challenges, self);
                self.add_to(value, weight, false);
            }
        }
    }

    /// `z(ωX)·Π(v + β·s + γ) - z(X)·Π(v + β·δ^j·X + γ)` over the columns of a chunk: the products
    /// `A·B` of counts §4.3, with `B` the product of `z` and one secret column.
    fn permutation_step(&mut self, chunk: u32, weight: Fr) {
        let columns = self.system.permutation_chunks().nth(chunk as usize).unwrap_or(&[]);
        let first = u64::from(chunk) * (self.system.degree() as u64 - 2);
        let mut values = Vec::new();
        for (position, column) in (first..).zip(columns) {
            let value = self.polynomial((*column).into(), 0);
            let gamma = self.constant(self.challenges.gamma);
            let shifted = self.sum(value.clone(), gamma);
            let sigma = self.polynomial(Polynomial::Sigma(position as u32), 0);
            let sigma = self.scaled(sigma, self.challenges.beta);
            let identity = self.polynomial(Polynomial::Identity, 0);
            let delta = Fr::DELTA.pow_vartime([position]);
            let identity = self.scaled(identity, self.challenges.beta * delta);
            let left = self.sum(shifted.clone(), sigma);
            let right = self.sum(shifted, identity);
            values.push((value, left, right));
        }
        let (mut secret, public): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|(value, ..)| value.degree() != Some(0));
        self.pair_with_gates(&mut secret);
        for (side, rotation, sign) in [(0, 1, weight), (1, 0, -weight)] {
            let factor = |(_, left, right): &(Value, Value, Value)| {
                if side == 0 { left.clone() } else { right.clone() }
            };
            let mut b = self.polynomial(Polynomial::PermutationProduct(chunk), rotation);
            for value in &public {
                b = self.product(factor(value), b);
            }
            let Some((last, rest)) = secret.split_last() else {
                self.add_to(b, sign, true);
                continue;
            };
            b = self.product(factor(last), b);
            if rest.is_empty() {
                self.add_to(b, sign, true);
                continue;
            }
            let factors = rest.iter().map(factor).collect();
            let a = self.product_tree(factors);
            let (a, b) = (self.node(a), self.node(b));
            self.products.push((sign, a, b));
        }
    }

    /// Puts first two columns whose product the gates need anyway, if there are any.
    fn pair_with_gates(&self, columns: &mut [(Value, Value, Value)]) {
        let name = |value: &Value| match value {
            Value::Form(form) => form.keys().next().cloned().unwrap_or_default(),
            Value::Node(_) => Vec::new(),
        };
        for i in 0..columns.len() {
            for j in i + 1..columns.len() {
                let mut pair = [name(&columns[i].0), name(&columns[j].0)].concat();
                pair.sort_unstable();
                if self.sum.form.contains_key(&pair) {
                    columns.swap(0, i);
                    columns.swap(1, j);
                    return;
                }
            }
        }
    }

    fn product_tree(&mut self, mut factors: Vec<Value>) -> Value {
        while factors.len() > 1 {
            let mut next = Vec::with_capacity(factors.len().div_ceil(2));
            let mut pairs = factors.into_iter();
            while let Some(a) = pairs.next() {
                next.push(match pairs.next() {
                    Some(b) => self.product(a, b),
                    None => a,
                });
            }
            factors = next;
        }
        factors.pop().unwrap_or_else(|| self.constant(Fr::ONE))
    }

    /// `ΠF·(τ·(φ(ωX) - φ) + m) - τ·Σ_i Π_(j≠i) F_j`. One input that is linear in the secret columns
    /// joins the products of each of these columns (counts §4.4).
    fn lookup_step(&mut self, argument: u32, weight: Fr) {
        let Some(lookup) = self.system.lookups().get(argument as usize) else { return };
        let table = self.compressed(&lookup.table);
        let inputs: Vec<Value> = lookup.inputs.iter().map(|i| self.compressed(i)).collect();
        let next = self.polynomial(Polynomial::LookupSum(argument), 1);
        let here = self.polynomial(Polynomial::LookupSum(argument), 0);
        let step = self.difference(next, here);
        let step = self.product(table.clone(), step);
        let multiplicity = self.polynomial(Polynomial::Multiplicity(argument), 0);
        let b = self.sum(step, multiplicity);

        let mut without_one = self.constant(Fr::ZERO);
        for i in 0..inputs.len() {
            let others = inputs.iter().enumerate().filter(|(j, _)| *j != i);
            let others = others.map(|(_, value)| value.clone()).collect();
            let others = self.product_tree(others);
            without_one = self.sum(without_one, others);
        }
        let right = self.product(table, without_one);
        self.add_to(right, -weight, true);

        match &inputs[..] {
            [Value::Form(input)] if input.keys().all(|monomial| monomial.len() <= 1) => {
                for (monomial, coefficient) in input.clone() {
                    let coefficient = Value::Form(Form::from([(Vec::new(), coefficient)]));
                    let cofactor = self.product(coefficient, b.clone());
                    let Some(column) = monomial.first() else {
                        self.add_to(cofactor, weight, true);
                        continue;
                    };
                    let cofactor = self.scaled(cofactor, weight);
                    let cofactor = match self.cofactors.remove(column) {
                        Some(others) => self.sum(others, cofactor),
                        None => cofactor,
                    };
                    self.cofactors.insert(*column, cofactor);
                }
            }
            _ => {
                let a = self.product_tree(inputs);
                let (a, b) = (self.node(a), self.node(b));
                self.products.push((weight, a, b));
            }
        }
    }

    /// A tuple compressed and shifted by `beta`.
    fn compressed(&mut self, tuple: &[crate::Expression]) -> Value {
        let value = compress(tuple, self.challenges, self);
        let beta = self.constant(self.challenges.beta);
        self.sum(value, beta)
    }

    fn finish(mut self) -> Vec<Node> {
        let mut terms = std::mem::take(&mut self.products);
        for ((rotation, index), cofactor) in std::mem::take(&mut self.cofactors) {
            let column = self.graph.leaf(Node::Secret(index, rotation));
            terms.push((Fr::ONE, column, self.node(cofactor)));
        }
        let Sum { form, nodes } = std::mem::take(&mut self.active);
        let rest = self.total(form, nodes);
        terms.push((Fr::ONE, self.graph.constant(Fr::ONE), rest));
        let active = self.graph.leaf(Node::InnerProduct { terms, vanishes_on_active_rows: true });
        let rows = self.polynomial(Polynomial::ActiveRows, 0);
        let rows = self.node(rows);
        let active = self.graph.product(rows, active);
        let Sum { form, nodes } = std::mem::take(&mut self.sum);
        let sum = self.total(form, nodes);
        let result = self.graph.sum(sum, active);
        self.graph.finish(result)
    }

    fn total(&mut self, form: Form, nodes: Vec<NodeId>) -> NodeId {
        let sum = self.node(Value::Form(form));
        nodes.into_iter().fold(sum, |sum, node| self.graph.sum(sum, node))
    }
}
