//! Random satisfied circuits: rows of the base circuit's gates with cells that are fresh, copies of
//! older ones, constants or instances, of random kinds; range lookups; and, in the wide variant, a
//! range of three table columns, several inputs an argument, a later phase and a dynamic lookup.

#![allow(dead_code)] // each test uses a part

use super::base_circuit::{configure, signed};
use ff::Field;
use group::{Curve, prime::PrimeCurveAffine};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use twain_algebra::{Fr, G1, G1Affine, G2Affine, g_lagrange_from_g};
use twain_party::{CellKinds, Kind, Multiplicities, Role, Shares};
use twain_plonk::{
    AdviceColumn, Assembly, BitRows, Cell, Challenge, Column, ColumnKind, ConstraintSystem,
    Expression, LookupView, ProveError, ProvingKey, Selector, Srs, WitnessSource, generate_keys,
};

/// What the circuit has beyond the base gates and two ranges.
#[derive(Clone, Copy, Default)]
pub struct Shape {
    pub k: u32,
    /// Advice columns whose last rows hold 1.
    pub committed_columns: usize,
    /// The three-column table and arguments of two inputs.
    pub wide: bool,
    /// A column of the second phase.
    pub later: bool,
    /// A lookup of pairs in advice columns.
    pub dynamic: bool,
    /// Everything secret is shared, instead of random kinds.
    pub all_shared: bool,
}

/// A circuit with a witness.
pub struct Toy {
    pub key: ProvingKey,
    pub srs: Srs,
    pub instances: Vec<Vec<Fr>>,
    pub columns: Vec<Vec<Fr>>,
    pub kinds: Vec<Vec<Kind>>,
    later: Option<Later>,
    /// Rows of the three-column table's lookups; the column after the first says which.
    choices: Vec<usize>,
}

/// A column of the second phase: the challenge times another column, in some rows.
#[derive(Clone)]
struct Later {
    column: usize,
    source: usize,
    challenge: Challenge,
    rows: Vec<usize>,
}

/// The SRS of a fixed secret.
pub fn srs(k: u32) -> Srs {
    let secret = Fr::from(0x5eed_5eed);
    let powers = std::iter::successors(Some(G1::generator()), |p| Some(p * secret));
    let g: Vec<G1Affine> = powers.take(1 << k).map(|p| p.to_affine()).collect();
    let g_lagrange = g_lagrange_from_g(&g).unwrap();
    let g2 = G2Affine::generator();
    Srs::new(k, g, g_lagrange, g2, (g2.to_curve() * secret).to_affine()).unwrap()
}

struct Filler {
    rng: ChaCha20Rng,
    all_shared: bool,
    /// Index of the first of the six columns.
    base: usize,
    columns: Vec<Vec<Fr>>,
    kinds: Vec<Vec<Kind>>,
    assembly: Assembly,
    /// Cells to copy from.
    pool: Vec<(Cell, Fr, Kind)>,
    instances: Vec<Fr>,
    instance: Column,
    constants: Column,
}

fn advice(index: usize) -> Column {
    Column { kind: ColumnKind::Advice { phase: 0 }, index: index as u32 }
}

impl Filler {
    fn below(&mut self, bound: usize) -> usize {
        (self.rng.next_u64() % bound as u64) as usize
    }

    fn kind(&mut self) -> Kind {
        if self.all_shared {
            return Kind::Shared;
        }
        let owned = [Role::Model, Role::Data].map(Kind::Owned);
        [owned[0], owned[1], Kind::Shared, Kind::Public][self.below(4)]
    }

    fn set(&mut self, column: usize, row: usize, value: Fr, kind: Kind) {
        self.columns[column][row] = value;
        self.kinds[column][row] = kind;
        let cell = Cell { column: advice(column), row: row as u32 };
        self.pool.push((cell, value, kind));
    }

    /// A fresh small value.
    fn fresh(&mut self, column: usize, row: usize, low: i64, count: usize) {
        let (value, kind) = (signed(low + self.below(count) as i64), self.kind());
        self.set(column, row, value, kind);
    }

    /// A fresh value, or a copy.
    fn operand(&mut self, column: usize, row: usize) {
        if self.below(2) == 0 {
            return self.fresh(column, row, -20, 40);
        }
        let choice = self.below(self.pool.len());
        let (cell, value, kind) = self.pool[choice];
        self.set(column, row, value, kind);
        let new = Cell { column: advice(column), row: row as u32 };
        let pair = if self.below(2) == 0 { (cell, new) } else { (new, cell) };
        self.assembly.copies.push(pair);
    }

    fn at(&self, column: usize, row: usize) -> (Fr, Kind) {
        (self.columns[self.base + column][row], self.kinds[self.base + column][row])
    }

    fn on(&mut self, selector: usize, row: usize) {
        self.assembly.selectors[selector].set(row);
    }

    fn row(&mut self, row: usize) {
        let base = self.base;
        let operation = self.below(8);
        if operation == 7 {
            return;
        }
        if operation >= 5 {
            // A row of range checks.
            let range = operation - 5;
            for y in 0..2 {
                self.fresh(base + y, row, [-8, 0][range], [16, 12][range]);
                self.on(12 + 2 * range + y, row);
            }
            return;
        }
        (0..4).for_each(|column| self.operand(base + column, row));
        let [a0, a1, b0, b1] = [0, 1, 2, 3].map(|column| self.at(column, row));
        let kind = |cells: &[(Fr, Kind)]| {
            cells.iter().fold(Kind::Public, |kind, (_, other)| kind.join(*other))
        };
        let all = kind(&[a0, a1, b0, b1]);
        let dot = a0.0 * b0.0 + a1.0 * b1.0;
        match operation {
            0 | 1 => {
                for (y, (a, b)) in [(a0, b0), (a1, b1)].into_iter().enumerate() {
                    let out = if operation == 0 { a.0 + b.0 } else { a.0 * b.0 };
                    self.set(base + 4 + y, row, out, kind(&[a, b]));
                    self.on(3 * y + 2 * operation, row);
                }
            }
            2 if row > 0 => {
                let before = self.at(4, row - 1);
                self.set(base + 4, row, before.0 + dot, all.join(before.1));
                self.on(7, row);
            }
            2 | 3 => {
                self.set(base + 4, row, dot, all);
                self.on(6, row);
            }
            _ => {
                self.set(base + 4, row, b0.0 * b1.0, kind(&[b0, b1]));
                self.on(9, row);
            }
        }
    }

    /// Makes a cell an instance; what is public is public in its whole cycle, so only public cells.
    fn expose(&mut self) {
        let public = |(_, _, kind): &&(Cell, Fr, Kind)| *kind == Kind::Public;
        let cells: Vec<_> = self.pool.iter().filter(public).copied().collect();
        for (cell, value, _) in cells.into_iter().rev().take(3) {
            let row = self.instances.len() as u32;
            self.instances.push(value);
            self.assembly.copies.push((cell, Cell { column: self.instance, row }));
        }
    }
}

/// Range of three columns over `0..12`, looked up by value `a0` and column number `a1`.
fn add_wide_lookups(system: &mut ConstraintSystem, base: usize) -> [Selector; 3] {
    let one = || Expression::from(Fr::ONE);
    let tables = [system.fixed_column(), system.fixed_column(), system.fixed_column()];
    let selectors = [(); 3].map(|()| system.complex_selector());
    for (c, table) in tables.iter().enumerate() {
        let index = system.query(advice(base + 1), 0);
        let mut on = Expression::from(selectors[0]);
        for j in (0..3u64).filter(|j| *j != c as u64) {
            let scale = (signed(j as i64) - Fr::from(c as u64)).invert().unwrap();
            on = on * (Expression::from(Fr::from(j)) - index.clone()) * scale;
        }
        let value = system.query(advice(base), 0);
        let input = on.clone() * value + (one() - on) * Expression::from(Fr::from(4 * c as u64));
        system.lookup("wide range", vec![(input, *table)]);
    }
    for y in 0..2 {
        let on = Expression::from(selectors[1 + y]);
        let input = on * system.query(advice(base + 2 + y), 0);
        system.lookup("two inputs", vec![(input, tables[0])]);
    }
    selectors
}

/// A lookup of `(b0, b1)` where one selector is on in `(o0, o1)` where the other is.
fn add_dynamic_lookup(system: &mut ConstraintSystem, base: usize) -> [Selector; 2] {
    let selectors = [(); 2].map(|()| system.complex_selector());
    let pairs = (0..2).map(|y| {
        let input = Expression::from(selectors[0]) * system.query(advice(base + 2 + y), 0);
        let table = Expression::from(selectors[1]) * system.query(advice(base + 4 + y), 0);
        (input, table)
    });
    let pairs = pairs.collect();
    system.lookup_any("dynamic", pairs);
    selectors
}

/// A random circuit and witness.
pub fn toy(shape: Shape, seed: u64) -> Toy {
    let base = shape.committed_columns;
    let mut system = configure(base, &[-8, 0]);
    let wide = shape.wide.then(|| add_wide_lookups(&mut system, base));
    let dynamic = shape.dynamic.then(|| add_dynamic_lookup(&mut system, base));
    let later = shape.later.then(|| {
        let column = system.advice_column(1);
        let challenge = system.challenge(0);
        let selector = system.selector();
        let out = system.query(column, 0);
        let right = Expression::from(challenge) * system.query(advice(base), 0);
        system.gate("later", vec![Expression::from(selector) * (out - right)]);
        (column.index as usize, challenge, selector)
    });
    let (n, usable) = (1usize << shape.k, system.usable_rows(shape.k));
    let count = system.advice_phases().len();
    let fixed = system.fixed_columns();
    let mut filler = Filler {
        rng: ChaCha20Rng::seed_from_u64(seed),
        all_shared: shape.all_shared,
        base,
        columns: vec![vec![Fr::ZERO; n]; count],
        kinds: vec![vec![Kind::Public; n]; count],
        assembly: Assembly {
            k: shape.k,
            fixed: vec![vec![Fr::ZERO; n]; fixed],
            selectors: vec![BitRows::new(n); system.selectors().len()],
            copies: Vec::new(),
        },
        pool: Vec::new(),
        instances: Vec::new(),
        instance: Column { kind: ColumnKind::Instance, index: 0 },
        constants: Column { kind: ColumnKind::Fixed, index: 0 },
    };
    let mut tables = vec![(-8i64, 16usize), (0, 12)];
    if wide.is_some() {
        tables.extend([(0, 4), (4, 4), (8, 4)]);
    }
    for (table, (low, length)) in tables.into_iter().enumerate() {
        for row in 0..usable {
            let entry = if row < length { low + row as i64 } else { low };
            filler.assembly.fixed[1 + table][row] = signed(entry);
        }
    }
    for row in 0..8 {
        let value = signed(row as i64 - 3);
        filler.assembly.fixed[0][row] = value;
        let cell = Cell { column: filler.constants, row: row as u32 };
        filler.pool.push((cell, value, Kind::Public));
    }
    for column in 0..base {
        (0..10).for_each(|row| filler.fresh(column, row, -50, 100));
    }
    let mut rows = 0..usable - 24;
    rows.by_ref().for_each(|row| filler.row(row));
    let mut row = usable - 24;
    let mut choices = Vec::new();
    if let Some([range, two, inputs]) = wide {
        for _ in 0..4 {
            let value = filler.below(12);
            let kind = filler.kind();
            filler.set(base, row, Fr::from(value as u64), kind);
            filler.set(base + 1, row, Fr::from(value as u64 / 4), kind);
            filler.on(range.index as usize, row);
            choices.push(row);
            filler.fresh(base + 2, row, 0, 4);
            filler.on(two.index as usize, row);
            filler.fresh(base + 3, row, 0, 4);
            filler.on(inputs.index as usize, row);
            row += 1;
        }
    }
    if let Some([input, table]) = dynamic {
        for _ in 0..4 {
            for y in 0..2 {
                filler.fresh(base + 4 + y, row, 0, 100);
                let value = filler.columns[base + 4 + y][row];
                filler.set(base + 2 + y, row + 4, value, Kind::Shared);
            }
            filler.on(table.index as usize, row);
            filler.on(input.index as usize, row + 4);
            row += 1;
        }
    }
    filler.expose();
    let later = later.map(|(column, challenge, selector)| {
        let rows: Vec<usize> = (0..10).collect();
        rows.iter().for_each(|row| filler.on(selector.index as usize, *row));
        (0..10).for_each(|row| filler.kinds[column][row] = filler.kinds[base][row]);
        Later { column, source: base, challenge, rows }
    });
    let Filler { columns, kinds, assembly, instances, .. } = filler;
    let srs = srs(shape.k);
    let key = generate_keys(system, assembly, &srs, true).unwrap();
    Toy { key, srs, instances: vec![instances], columns, kinds, later, choices }
}

/// The witness as its source: whole, or this side's shares of it.
pub struct Source {
    columns: Vec<Vec<Fr>>,
    kinds: Vec<Vec<Kind>>,
    phases: Vec<u8>,
    later: Option<Later>,
    /// The column that chooses among the three of a table, and shares of the bits that say which.
    pub choice: Option<(u32, Vec<AdviceColumn>)>,
    /// Shares of the multiplicities; counted if there are none.
    pub multiplicities: Option<Vec<Vec<Fr>>>,
    /// The multiplicities that were counted.
    pub counted: Vec<Vec<Fr>>,
}

impl Toy {
    pub fn source(&self) -> Source {
        Source {
            columns: self.columns.clone(),
            kinds: self.kinds.clone(),
            phases: self.key.system().advice_phases().to_vec(),
            later: self.later.clone(),
            choice: None,
            multiplicities: None,
            counted: Vec::new(),
        }
    }

    /// Both sides' sources; `multiplicities` are the whole ones.
    pub fn shares(&self, multiplicities: &[Vec<Fr>]) -> [Source; 2] {
        let mut rng = ChaCha20Rng::seed_from_u64(77);
        let (mut model, mut data) = (self.source(), self.source());
        let mut split = |value: Fr, kind: Kind| {
            let of_data = match kind {
                Kind::Public | Kind::Owned(Role::Model) => Fr::ZERO,
                Kind::Owned(Role::Data) => value,
                Kind::Shared => Fr::random(&mut rng),
            };
            [value - of_data, of_data]
        };
        for (column, kinds) in self.kinds.iter().enumerate() {
            for (row, kind) in kinds.iter().enumerate() {
                let shares = split(self.columns[column][row], *kind);
                [model.columns[column][row], data.columns[column][row]] = shares;
            }
        }
        if !self.choices.is_empty() {
            let chooser = self.columns.len() - 5 - usize::from(self.later.is_some());
            let rows = self.columns[0].len();
            let mut bits = [(); 3].map(|()| [(); 2].map(|()| vec![Fr::ZERO; rows]));
            let mut kinds = vec![None; rows];
            for row in &self.choices {
                let kind = self.kinds[chooser][*row];
                kinds[*row] = Some(kind);
                for (bit, sides) in (0u64..).zip(&mut bits) {
                    let is_it = self.columns[chooser][*row] == Fr::from(bit);
                    let shares = split(Fr::from(u64::from(is_it)), kind);
                    sides.iter_mut().zip(shares).for_each(|(side, share)| side[*row] = share);
                }
            }
            let column = |values| AdviceColumn {
                values: Shares::new(values),
                kinds: CellKinds::Rows(kinds.clone()),
                wires: Vec::new(),
                publics: Vec::new(),
            };
            let (of_model, of_data) =
                bits.map(|[model, data]| (column(model), column(data))).into_iter().unzip();
            model.choice = Some((chooser as u32, of_model));
            data.choice = Some((chooser as u32, of_data));
        }
        let (mut of_model, mut of_data) = (multiplicities.to_vec(), multiplicities.to_vec());
        for (model, data) in of_model.iter_mut().flatten().zip(of_data.iter_mut().flatten()) {
            *data = Fr::from(rng.next_u64());
            *model -= *data;
        }
        // The prover fills the last rows.
        model.multiplicities = Some(of_model);
        data.multiplicities = Some(of_data);
        [model, data]
    }
}

impl Source {
    /// Changes a cell.
    pub fn change(&mut self, column: usize, row: usize) {
        self.columns[column][row] += Fr::ONE;
    }
}

impl<P> WitnessSource<P> for Source {
    fn advice(
        &mut self,
        _: &mut P,
        phase: u8,
        challenges: &[Fr],
    ) -> Result<Vec<AdviceColumn>, ProveError> {
        if let Some(later) = self.later.as_ref().filter(|_| phase == 1) {
            for row in &later.rows {
                let value = self.columns[later.source][*row];
                let challenge = challenges[later.challenge.index as usize];
                self.columns[later.column][*row] = value * challenge;
            }
        }
        let of_phase = (0..self.phases.len()).filter(|i| self.phases[*i] == phase);
        let column = |i: usize| AdviceColumn {
            values: Shares::new(self.columns[i].clone()),
            kinds: CellKinds::Rows(self.kinds[i].iter().copied().map(Some).collect()),
            wires: Vec::new(),
            publics: Vec::new(),
        };
        Ok(of_phase.map(column).collect())
    }

    fn choice_bits(&self, _: &P, column: u32) -> Option<Vec<AdviceColumn>> {
        let (chooser, bits) = self.choice.as_ref()?;
        (*chooser == column).then(|| bits.clone())
    }

    fn multiplicities(
        &mut self,
        _: &mut P,
        lookups: &LookupView<'_>,
    ) -> Result<Vec<Multiplicities>, ProveError> {
        if let Some(given) = &self.multiplicities {
            return Ok(given.iter().map(|shares| Shares::new(shares.clone()).into()).collect());
        }
        let counted = lookups.count()?;
        self.counted = counted.iter().map(|column| column.shares.to_vec()).collect();
        Ok(counted)
    }
}
