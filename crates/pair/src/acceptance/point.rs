//! A numerator at one point, over tagged values (protocol §26). Input: the numerator's nodes, the
//! values of its polynomials; output: its value, tagged. Products of two secret values take a triple
//! each, and one message for all of a level.

use std::collections::{BTreeSet, HashMap};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{Kind, Node, NodeId, Numerator, PartyError, PublicPolynomial};
use twain_tags::{Public, Side, Tagged, Triple};

/// An operation on values; operands by their positions.
#[derive(Clone, Copy)]
enum Step {
    Constant(Fr),
    Public(PublicPolynomial, i32),
    Secret(u32, i32),
    Sum(usize, usize),
    Difference(usize, usize),
    Scaled(usize, Fr),
    Product(usize, usize),
}

/// A value at the point.
#[derive(Clone)]
enum Value {
    /// Both sides know it.
    Known(Fr),
    Tagged(Tagged),
}

impl Value {
    fn tagged(&self, side: &Side) -> Tagged {
        match self {
            Value::Known(value) => side.public(Public(*value), Kind::Shared),
            Value::Tagged(value) => value.clone(),
        }
    }
}

/// What is known at the points of an argument.
#[derive(Default)]
pub(super) struct Values {
    /// Of polynomials that both sides know, by rotation.
    pub known: HashMap<(PublicPolynomial, i32), Fr>,
    /// Of secret polynomials, by rotation.
    pub secret: HashMap<(u32, i32), Tagged>,
}

/// A numerator as a circuit of sums and products of two values.
pub(super) struct PointCircuit {
    steps: Vec<Step>,
    /// How many products of secret values each step's value takes one after the other; none of a
    /// value that both sides know.
    levels: Vec<Option<usize>>,
}

const NO_VALUE: PartyError = PartyError::Bug("a numerator names what has no value");

impl PointCircuit {
    pub fn new(numerator: &Numerator) -> Self {
        let mut circuit = Self { steps: Vec::new(), levels: Vec::new() };
        let mut places = Vec::with_capacity(numerator.nodes.len());
        for node in &numerator.nodes {
            let of = |node: &NodeId| places[*node as usize];
            let place = match node {
                Node::Constant(value) => circuit.add(Step::Constant(*value)),
                Node::Public(name, rotation) => circuit.add(Step::Public(*name, *rotation)),
                Node::Secret(index, rotation) => circuit.add(Step::Secret(*index, *rotation)),
                Node::Sum(a, b) => circuit.add(Step::Sum(of(a), of(b))),
                Node::Difference(a, b) => circuit.add(Step::Difference(of(a), of(b))),
                Node::Scaled(a, factor) => circuit.add(Step::Scaled(of(a), *factor)),
                Node::Product(a, b) => circuit.add(Step::Product(of(a), of(b))),
                Node::InnerProduct { terms, .. } => {
                    let mut sum = circuit.add(Step::Constant(Fr::from(0)));
                    for (factor, a, b) in terms {
                        let product = circuit.add(Step::Product(of(a), of(b)));
                        let term = circuit.add(Step::Scaled(product, *factor));
                        sum = circuit.add(Step::Sum(sum, term));
                    }
                    sum
                }
            };
            places.push(place);
        }
        if let Some(last) = places.last() {
            circuit.add(Step::Scaled(*last, Fr::from(1)));
        }
        circuit
    }

    fn add(&mut self, step: Step) -> usize {
        let level = match step {
            Step::Constant(_) | Step::Public(..) => None,
            Step::Secret(..) => Some(0),
            Step::Sum(a, b) | Step::Difference(a, b) => self.levels[a].max(self.levels[b]),
            Step::Scaled(a, _) => self.levels[a],
            Step::Product(a, b) => match (self.levels[a], self.levels[b]) {
                (Some(a), Some(b)) => Some(a.max(b) + 1),
                (a, b) => a.max(b),
            },
        };
        self.steps.push(step);
        self.levels.push(level);
        self.steps.len() - 1
    }

    /// Whether a step multiplies two secret values.
    fn multiplies(&self, step: &Step) -> bool {
        matches!(step, Step::Product(a, b) if self.levels[*a].and(self.levels[*b]).is_some())
    }

    /// The secret polynomials, each at a rotation, in a fixed order.
    pub fn secrets(&self) -> BTreeSet<(u32, i32)> {
        let secret = |step: &Step| match step {
            Step::Secret(index, rotation) => Some((*index, *rotation)),
            _ => None,
        };
        self.steps.iter().filter_map(secret).collect()
    }

    /// The polynomials that both sides know, each at a rotation. One may come more than once.
    pub fn known(&self) -> impl Iterator<Item = (PublicPolynomial, i32)> {
        self.steps.iter().filter_map(|step| match step {
            Step::Public(name, rotation) => Some((*name, *rotation)),
            _ => None,
        })
    }

    /// How many products of two secret values there are.
    pub fn products(&self) -> usize {
        self.steps.iter().filter(|step| self.multiplies(step)).count()
    }

    /// The numerator's value; takes as many triples as there are products.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn evaluate(
        &self,
        side: &mut Side,
        channel: &mut dyn Channel,
        values: &Values,
        triples: &mut Vec<Triple>,
    ) -> Result<Tagged, PartyError> {
        let mut done: Vec<Option<Value>> = vec![None; self.steps.len()];
        let deepest = self.levels.iter().flatten().max().copied().unwrap_or(0);
        for level in 0..=deepest {
            self.multiply(level, &mut done, side, channel, triples)?;
            for (place, step) in self.steps.iter().enumerate() {
                if self.levels[place].unwrap_or(0) == level && done[place].is_none() {
                    done[place] = Some(linear(step, &done, side, values)?);
                }
            }
        }
        let last = done.pop().flatten().ok_or(NO_VALUE)?;
        Ok(last.tagged(side))
    }

    /// Makes the products of a level.
    fn multiply(
        &self,
        level: usize,
        done: &mut [Option<Value>],
        side: &mut Side,
        channel: &mut dyn Channel,
        triples: &mut Vec<Triple>,
    ) -> Result<(), PartyError> {
        let of_level = (0..self.steps.len())
            .filter(|place| self.levels[*place] == Some(level))
            .filter(|place| self.multiplies(&self.steps[*place]));
        let (mut places, mut pairs) = (Vec::new(), Vec::new());
        for place in of_level {
            let Step::Product(a, b) = self.steps[place] else { continue };
            let factor = |of: usize| done[of].as_ref().map(|value| value.tagged(side));
            pairs.push((factor(a).ok_or(NO_VALUE)?, factor(b).ok_or(NO_VALUE)?));
            places.push(place);
        }
        let left = triples.len().checked_sub(pairs.len());
        let left = left.ok_or(PartyError::Bug("more products than there are triples"))?;
        if pairs.is_empty() {
            return Ok(());
        }
        let products = side.multiply(channel, &pairs, triples.split_off(left))?;
        for (place, product) in places.into_iter().zip(products) {
            done[place] = Some(Value::Tagged(product));
        }
        Ok(())
    }
}

/// A step that needs no message.
fn linear(
    step: &Step,
    done: &[Option<Value>],
    side: &Side,
    values: &Values,
) -> Result<Value, PartyError> {
    let of = |place: &usize| done[*place].as_ref().ok_or(NO_VALUE);
    Ok(match step {
        Step::Constant(value) => Value::Known(*value),
        Step::Public(name, rotation) => {
            Value::Known(*values.known.get(&(*name, *rotation)).ok_or(NO_VALUE)?)
        }
        Step::Secret(index, rotation) => {
            Value::Tagged(values.secret.get(&(*index, *rotation)).ok_or(NO_VALUE)?.clone())
        }
        Step::Sum(a, b) => match (of(a)?, of(b)?) {
            (Value::Known(a), Value::Known(b)) => Value::Known(a + b),
            (a, b) => Value::Tagged(&a.tagged(side) + &b.tagged(side)),
        },
        Step::Difference(a, b) => match (of(a)?, of(b)?) {
            (Value::Known(a), Value::Known(b)) => Value::Known(a - b),
            (a, b) => Value::Tagged(&a.tagged(side) - &b.tagged(side)),
        },
        Step::Scaled(a, factor) => match of(a)? {
            Value::Known(a) => Value::Known(*a * factor),
            Value::Tagged(a) => Value::Tagged(a * Public(*factor)),
        },
        Step::Product(a, b) => match (of(a)?, of(b)?) {
            (Value::Known(a), Value::Known(b)) => Value::Known(*a * *b),
            (Value::Known(known), Value::Tagged(secret))
            | (Value::Tagged(secret), Value::Known(known)) => {
                Value::Tagged(secret * Public(*known))
            }
            _ => return Err(PartyError::Bug("a product of secret values out of its turn")),
        },
    })
}
