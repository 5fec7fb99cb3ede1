//! The constraint system as a circuit configures it (spec 01 §3): columns, queries, permutation,
//! gates and lookups, with virtual selectors. Everything the key's hash covers depends on the order
//! of the calls made here. Key generation replaces the selectors.

use crate::column::{Challenge, Column, ColumnKind, Selector};
use crate::expression::{Expression, Query};
use crate::lookup::{self, LookupArgument, LookupMap, LookupTable};
use std::collections::BTreeSet;

/// A named list of polynomials that vanish on every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// For messages only.
    pub name: String,
    /// The polynomials.
    pub polynomials: Vec<Expression>,
}

/// A constraint system under configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConstraintSystem {
    pub(crate) advice_phases: Vec<u8>,
    pub(crate) unblinded: BTreeSet<u32>,
    pub(crate) fixed_columns: u32,
    pub(crate) instance_columns: u32,
    pub(crate) selectors: Vec<Selector>,
    pub(crate) challenges: Vec<Challenge>,
    pub(crate) advice_queries: QueryList,
    pub(crate) fixed_queries: QueryList,
    pub(crate) instance_queries: QueryList,
    pub(crate) permutation: Vec<Column>,
    pub(crate) constants: Vec<Column>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) lookups: LookupMap,
}

/// Distinct (column, rotation) pairs in the order of registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueryList {
    pub(crate) list: Vec<(Column, i32)>,
    index: std::collections::HashMap<(Column, i32), u32>,
}

impl QueryList {
    fn register(&mut self, column: Column, rotation: i32) -> u32 {
        let next = self.list.len() as u32;
        let index = *self.index.entry((column, rotation)).or_insert(next);
        if index == next {
            self.list.push((column, rotation));
        }
        index
    }
}

impl ConstraintSystem {
    /// An empty system.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allocates an advice column; its rows from `usable_rows` on will hold random values.
    pub fn advice_column(&mut self, phase: u8) -> Column {
        self.advice_phases.push(phase);
        let index = (self.advice_phases.len() - 1) as u32;
        Column { kind: ColumnKind::Advice { phase }, index }
    }

    /// Allocates an advice column whose rows from `usable_rows` on hold 1: its commitment is a
    /// function of its values and does not hide them.
    pub fn unblinded_advice_column(&mut self, phase: u8) -> Column {
        let column = self.advice_column(phase);
        self.unblinded.insert(column.index);
        column
    }

    /// Allocates a fixed column (a lookup table's column is one).
    pub fn fixed_column(&mut self) -> Column {
        self.fixed_columns += 1;
        Column { kind: ColumnKind::Fixed, index: self.fixed_columns - 1 }
    }

    /// Allocates an instance column.
    pub fn instance_column(&mut self) -> Column {
        self.instance_columns += 1;
        Column { kind: ColumnKind::Instance, index: self.instance_columns - 1 }
    }

    /// Allocates a simple selector: to be used only as a factor of whole gates.
    pub fn selector(&mut self) -> Selector {
        self.new_selector(true)
    }

    /// Allocates a complex selector: may stand anywhere, and has a fixed column of its own.
    pub fn complex_selector(&mut self) -> Selector {
        self.new_selector(false)
    }

    fn new_selector(&mut self, simple: bool) -> Selector {
        let selector = Selector { index: self.selectors.len() as u32, simple };
        self.selectors.push(selector);
        selector
    }

    /// Allocates a challenge known after `phase`.
    pub fn challenge(&mut self, phase: u8) -> Challenge {
        let challenge = Challenge { index: self.challenges.len() as u32, phase };
        self.challenges.push(challenge);
        challenge
    }

    /// Lets cells of `column` take part in copy constraints; registers its query at rotation 0.
    pub fn enable_equality(&mut self, column: Column) {
        self.register(column, 0);
        if !self.permutation.contains(&column) {
            self.permutation.push(column);
        }
    }

    /// Makes a fixed column one that holds constants, which enables equality on it.
    pub fn enable_constant(&mut self, column: Column) {
        if !self.constants.contains(&column) {
            self.constants.push(column);
            self.enable_equality(column);
        }
    }

    /// The cell of `column` at `rotation` rows from the current one; registers the query.
    pub fn query(&mut self, column: Column, rotation: i32) -> Expression {
        let query_index = self.register(column, rotation);
        Expression::Query(Query { column, rotation, query_index })
    }

    fn register(&mut self, column: Column, rotation: i32) -> u32 {
        match column.kind {
            ColumnKind::Advice { .. } => &mut self.advice_queries,
            ColumnKind::Fixed => &mut self.fixed_queries,
            ColumnKind::Instance => &mut self.instance_queries,
        }
        .register(column, rotation)
    }

    /// Adds a gate. Its polynomials must vanish on all rows, so each carries a selector.
    pub fn gate(&mut self, name: impl Into<String>, polynomials: Vec<Expression>) {
        self.gates.push(Gate { name: name.into(), polynomials });
    }

    /// Adds a lookup into fixed columns; registers the columns' queries (after those of the inputs,
    /// which were made when the inputs were built).
    pub fn lookup(&mut self, name: impl Into<String>, pairs: Vec<(Expression, Column)>) {
        let pairs = pairs.into_iter().map(|(input, column)| (input, self.query(column, 0)));
        let pairs = pairs.collect();
        self.lookup_any(name, pairs);
    }

    /// Adds a lookup of the tuple of inputs in the tuple of table expressions.
    pub fn lookup_any(&mut self, name: impl Into<String>, pairs: Vec<(Expression, Expression)>) {
        let (input, table): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let mut key = String::new();
        table.iter().for_each(|e| e.write_identifier(&mut key));
        let empty = || LookupTable { table, inputs: Vec::new(), names: Vec::new() };
        let entry = self.lookups.entry(key).or_insert_with(empty);
        entry.inputs.push(input);
        entry.names.push(name.into());
    }

    /// Phase of each advice column.
    pub fn advice_phases(&self) -> &[u8] {
        &self.advice_phases
    }

    /// Whether the advice column holds 1 instead of random values in its last rows.
    pub fn is_unblinded(&self, advice_column: u32) -> bool {
        self.unblinded.contains(&advice_column)
    }

    /// Number of fixed columns configured (without those that key generation adds for selectors).
    pub fn fixed_columns(&self) -> usize {
        self.fixed_columns as usize
    }

    /// Number of instance columns.
    pub fn instance_columns(&self) -> usize {
        self.instance_columns as usize
    }

    /// Selectors in the order of allocation.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// Challenges in the order of allocation.
    pub fn challenges(&self) -> &[Challenge] {
        &self.challenges
    }

    /// Advice queries in the order of registration.
    pub fn advice_queries(&self) -> &[(Column, i32)] {
        &self.advice_queries.list
    }

    /// Fixed queries in the order of registration.
    pub fn fixed_queries(&self) -> &[(Column, i32)] {
        &self.fixed_queries.list
    }

    /// Instance queries in the order of registration.
    pub fn instance_queries(&self) -> &[(Column, i32)] {
        &self.instance_queries.list
    }

    /// Columns of the permutation argument, in order.
    pub fn permutation(&self) -> &[Column] {
        &self.permutation
    }

    /// Fixed columns that hold constants, in order.
    pub fn constants(&self) -> &[Column] {
        &self.constants
    }

    /// Gates in the order of creation.
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// Lookups by table.
    pub fn lookups(&self) -> &LookupMap {
        &self.lookups
    }

    /// The lookup arguments: the lookups of each table packed by degree (spec 01 §3.7).
    pub fn lookup_arguments(&self) -> Vec<LookupArgument> {
        lookup::pack(&self.lookups, self.gate_degree())
    }

    /// Degree of the system (spec 01 §3.8); the same before and after selectors are compressed.
    pub fn degree(&self) -> usize {
        let lookups = self.lookup_arguments();
        let lookup_degree = lookups.iter().map(LookupArgument::required_degree).max();
        self.gate_degree().max(lookup_degree.unwrap_or(0)).max(3)
    }

    fn gate_degree(&self) -> usize {
        let polynomials = self.gates.iter().flat_map(|gate| &gate.polynomials);
        polynomials.map(Expression::degree).max().unwrap_or(0)
    }

    /// log2 of the size of the extended domain of a circuit with `2^k` rows.
    pub fn extended_k(&self, k: u32) -> u32 {
        k.saturating_add((self.degree() - 1).next_power_of_two().trailing_zeros())
    }

    /// Number `b` of blinding rows (spec 01 §3.9).
    pub fn blinding_factors(&self) -> usize {
        let mut queries = vec![0usize; self.advice_phases.len()];
        for (column, _) in &self.advice_queries.list {
            queries[column.index as usize] += 1;
        }
        queries.into_iter().max().unwrap_or(0).max(3) + 2
    }

    /// Rows a circuit of `2^k` rows may use; 0 if `2^k` is too few.
    pub fn usable_rows(&self, k: u32) -> usize {
        let rows = 1usize.checked_shl(k).unwrap_or(0);
        rows.saturating_sub(self.blinding_factors() + 1)
    }
}
