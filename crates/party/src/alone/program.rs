//! The quotient's numerator compiled for evaluation at many points: a list of additions,
//! subtractions and products on registers that each hold a block of values. Constants are folded,
//! polynomials known to be zero drop out, and registers are reused as soon as their value is dead,
//! so that a block's registers stay in the processor's cache.

use crate::{Node, Numerator, PartyError, PublicPolynomial};
use ff::Field;
use std::collections::HashMap;
use twain_algebra::Fr;

/// A polynomial that the program reads, at its values on the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Column {
    /// By index into the public polynomials.
    Public(u32),
    /// By index into the secret polynomials.
    Secret(u32),
    /// `X`.
    Identity,
}

/// Where an instruction reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    Constant(Fr),
    /// Position in [`Program::columns`], and rotation in rows.
    Column(u32, i32),
    Register(u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
}

/// `registers[destination] = left operation right`; the destination is never one of the operands.
#[derive(Clone, Debug)]
pub(super) struct Instruction {
    pub(super) operation: Operation,
    pub(super) left: Source,
    pub(super) right: Source,
    pub(super) destination: u32,
}

/// A compiled numerator.
#[derive(Debug)]
pub(super) struct Program {
    /// The polynomials it reads, each once.
    pub(super) columns: Vec<Column>,
    pub(super) instructions: Vec<Instruction>,
    pub(super) registers: usize,
    pub(super) result: Source,
}

/// A value of the program before registers are assigned; operations refer to earlier values.
#[derive(Clone, Copy, PartialEq)]
enum Value {
    Constant(Fr),
    Column(u32, i32),
    Operation(Operation, usize, usize),
}

impl Program {
    /// Compiles `numerator`; `is_zero` tells the polynomials that vanish identically.
    pub(super) fn compile(
        numerator: &Numerator,
        is_zero: impl Fn(Column) -> bool,
    ) -> Result<Self, PartyError> {
        let needed = needed_nodes(numerator)?;
        let mut lowering = Lowering::default();
        let mut values = Vec::with_capacity(needed.len());
        for (node, needed) in numerator.nodes.iter().zip(needed) {
            let value = if needed { lowering.node(node, &values, &is_zero) } else { 0 };
            values.push(value);
        }
        let result = match values.last() {
            Some(result) => *result,
            None => lowering.constant(Fr::ZERO),
        };
        Ok(lowering.assign_registers(result))
    }
}

/// Which nodes the last one depends on. Fails if a node refers to itself or a later one.
fn needed_nodes(numerator: &Numerator) -> Result<Vec<bool>, PartyError> {
    let mut needed = vec![false; numerator.nodes.len()];
    if let Some(last) = needed.last_mut() {
        *last = true;
    }
    for (index, node) in numerator.nodes.iter().enumerate().rev() {
        let mut need = |child: u32| {
            let child = child as usize;
            if child >= index {
                let text = "a node of the numerator refers to a later one".to_owned();
                return Err(PartyError::Unsupported(text));
            }
            needed[child] |= needed[index];
            Ok(())
        };
        match node {
            Node::Constant(_) | Node::Public(..) | Node::Secret(..) => {}
            Node::Scaled(a, _) => need(*a)?,
            Node::Sum(a, b) | Node::Difference(a, b) | Node::Product(a, b) => {
                need(*a)?;
                need(*b)?;
            }
            Node::InnerProduct { terms, .. } => {
                for (_, left, right) in terms {
                    need(*left)?;
                    need(*right)?;
                }
            }
        }
    }
    Ok(needed)
}

#[derive(Default)]
struct Lowering {
    values: Vec<Value>,
    columns: Vec<Column>,
    column_index: HashMap<Column, u32>,
    leaf_index: HashMap<(u32, i32), usize>,
}

impl Lowering {
    fn push(&mut self, value: Value) -> usize {
        self.values.push(value);
        self.values.len() - 1
    }

    fn constant(&mut self, value: Fr) -> usize {
        self.push(Value::Constant(value))
    }

    fn node(&mut self, node: &Node, values: &[usize], is_zero: &impl Fn(Column) -> bool) -> usize {
        let value = |id: &u32| values[*id as usize];
        match node {
            Node::Constant(constant) => self.constant(*constant),
            Node::Public(PublicPolynomial::Given(index), rotation) => {
                self.leaf(Column::Public(*index), *rotation, is_zero)
            }
            Node::Public(PublicPolynomial::Identity, rotation) => {
                self.leaf(Column::Identity, *rotation, is_zero)
            }
            Node::Secret(index, rotation) => self.leaf(Column::Secret(*index), *rotation, is_zero),
            Node::Sum(a, b) => self.add(value(a), value(b)),
            Node::Difference(a, b) => self.subtract(value(a), value(b)),
            Node::Scaled(a, factor) => self.scale(value(a), *factor),
            Node::Product(a, b) => self.multiply(value(a), value(b)),
            Node::InnerProduct { terms, .. } => {
                let mut sum = self.constant(Fr::ZERO);
                for (factor, left, right) in terms {
                    let product = self.multiply(value(left), value(right));
                    let term = self.scale(product, *factor);
                    sum = self.add(sum, term);
                }
                sum
            }
        }
    }

    fn leaf(&mut self, column: Column, rotation: i32, is_zero: &impl Fn(Column) -> bool) -> usize {
        if is_zero(column) {
            return self.constant(Fr::ZERO);
        }
        let next = self.columns.len() as u32;
        let index = *self.column_index.entry(column).or_insert(next);
        if index == next {
            self.columns.push(column);
        }
        if let Some(value) = self.leaf_index.get(&(index, rotation)) {
            return *value;
        }
        let value = self.push(Value::Column(index, rotation));
        self.leaf_index.insert((index, rotation), value);
        value
    }

    fn as_constant(&self, value: usize) -> Option<Fr> {
        match self.values[value] {
            Value::Constant(constant) => Some(constant),
            _ => None,
        }
    }

    /// The operand, if the value is a negation (`0 - operand`).
    fn as_negation(&self, value: usize) -> Option<usize> {
        match self.values[value] {
            Value::Operation(Operation::Subtract, zero, operand)
                if self.as_constant(zero) == Some(Fr::ZERO) =>
            {
                Some(operand)
            }
            _ => None,
        }
    }

    fn add(&mut self, a: usize, b: usize) -> usize {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => self.constant(x + y),
            (Some(x), None) if x == Fr::ZERO => b,
            (None, Some(y)) if y == Fr::ZERO => a,
            _ => match (self.as_negation(a), self.as_negation(b)) {
                (_, Some(b)) => self.subtract(a, b),
                (Some(a), None) => self.subtract(b, a),
                _ => self.push(Value::Operation(Operation::Add, a, b)),
            },
        }
    }

    fn subtract(&mut self, a: usize, b: usize) -> usize {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => self.constant(x - y),
            (None, Some(y)) if y == Fr::ZERO => a,
            _ => match self.as_negation(b) {
                Some(b) => self.add(a, b),
                None => self.push(Value::Operation(Operation::Subtract, a, b)),
            },
        }
    }

    fn scale(&mut self, a: usize, factor: Fr) -> usize {
        let factor = self.constant(factor);
        self.multiply(a, factor)
    }

    fn multiply(&mut self, a: usize, b: usize) -> usize {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => self.constant(x * y),
            (Some(_), None) => self.multiply(b, a),
            (None, Some(y)) if y == Fr::ZERO => self.constant(Fr::ZERO),
            (None, Some(y)) if y == Fr::ONE => a,
            (None, Some(y)) if y == -Fr::ONE => {
                let zero = self.constant(Fr::ZERO);
                self.subtract(zero, a)
            }
            _ => self.push(Value::Operation(Operation::Multiply, a, b)),
        }
    }

    /// Orders the operations that `result` needs so that each comes right before its first use, and
    /// gives registers to them.
    fn assign_registers(self, result: usize) -> Program {
        let order = self.schedule(result);
        let mut last_use = vec![usize::MAX; self.values.len()];
        for (time, value) in order.iter().enumerate() {
            if let Value::Operation(_, a, b) = self.values[*value] {
                last_use[a] = time;
                last_use[b] = time;
            }
        }
        let mut register_of = vec![0u32; self.values.len()];
        let (mut free, mut registers) = (Vec::new(), 0u32);
        let source = |value: usize, register_of: &[u32]| match self.values[value] {
            Value::Constant(constant) => Source::Constant(constant),
            Value::Column(column, rotation) => Source::Column(column, rotation),
            Value::Operation(..) => Source::Register(register_of[value]),
        };
        let mut instructions = Vec::with_capacity(order.len());
        for (time, value) in order.iter().enumerate() {
            let Value::Operation(operation, a, b) = self.values[*value] else { continue };
            let destination = free.pop().unwrap_or_else(|| {
                registers += 1;
                registers - 1
            });
            register_of[*value] = destination;
            let (left, right) = (source(a, &register_of), source(b, &register_of));
            instructions.push(Instruction { operation, left, right, destination });
            let mut operands = vec![a, b];
            operands.dedup();
            for operand in operands.into_iter().filter(|operand| last_use[*operand] == time) {
                if let Source::Register(register) = source(operand, &register_of) {
                    free.push(register);
                }
            }
        }
        let result = source(result, &register_of);
        Program { columns: self.columns, instructions, registers: registers as usize, result }
    }

    /// The operations below `result`, operands first.
    fn schedule(&self, result: usize) -> Vec<usize> {
        let mut order = Vec::new();
        let mut done = vec![false; self.values.len()];
        let mut stack = vec![(result, false)];
        while let Some((value, operands_done)) = stack.pop() {
            let Value::Operation(_, a, b) = self.values[value] else { continue };
            if operands_done {
                if !std::mem::replace(&mut done[value], true) {
                    order.push(value);
                }
            } else if !done[value] {
                stack.push((value, true));
                stack.push((b, false));
                stack.push((a, false));
            }
        }
        order
    }
}
