//! Columns, challenges and gates of Freivalds einsums (spec 04 §6.2, §6.3).

use super::advice::{advice, variable};
use crate::LayoutError;
use crate::checks::constraint_system_size::{MOST_COLUMNS, MOST_SELECTORS, product_within};
use crate::columns::{Combination, EinsumColumns, PairSelectors, SingleSelectors};
use crate::einsum::{Equation, Plan};
use crate::geometry::{Geometry, Variable, block_count};
use ff::Field;
use twain_algebra::Fr;
use twain_graph::Settings;
use twain_plonk::{ConstraintSystem, Expression, Selector};

/// The operands and the result of a kind of gate: one operand, or two.
struct Operands {
    columns: Vec<Variable>,
    output: Variable,
}

/// Allocates everything, if the circuit has Freivalds einsums.
pub(super) fn configure(
    cs: &mut ConstraintSystem,
    settings: &Settings,
    geometry: &Geometry,
) -> Result<Option<EinsumColumns>, LayoutError> {
    let params = &settings.einsum_params;
    if params.total_einsum_col_size == 0 {
        return Ok(None);
    }
    let mut capacity = 0usize;
    let mut output_axes = 0;
    for (text, lengths) in &params.equations {
        let sizes = lengths.iter().map(|(letter, length)| (*letter, *length)).collect();
        let (equation, sizes) = Equation::parse(text)?.sanitised(sizes);
        let length = Plan::new(&equation).length(&equation, &sizes);
        let sum = length.and_then(|length| capacity.checked_add(length));
        capacity = sum.ok_or(LayoutError::TooLarge)?;
        output_axes = output_axes.max(equation.output.len());
    }
    let blocks = block_count(capacity, geometry.block_cells())?;
    product_within(MOST_COLUMNS, &[6, blocks, geometry.inner])?;
    // Of each pair of variables, two selectors for each pair of blocks.
    product_within(MOST_SELECTORS, &[3, 2, blocks, blocks])?;
    product_within(MOST_SELECTORS, &[4, output_axes, blocks])?;
    let family = |cs: &mut ConstraintSystem, phase| {
        variable(cs, blocks, geometry.inner, geometry.usable_rows, false, phase)
    };
    let inputs = [0, 0, 1, 1].map(|phase| family(cs, phase));
    let outputs = [0, 1].map(|phase| family(cs, phase));

    let mut pairs: [PairSelectors; 3] = Default::default();
    for pair in &mut pairs {
        for _ in 0..blocks {
            pair.mult.extend((0..geometry.inner).map(|_| cs.selector()));
            // Allocated anew for each block; only the last ones are used.
            pair.dot_init.clear();
            pair.dot.clear();
            for _ in 0..blocks {
                pair.dot_init.push(cs.selector());
                pair.dot.push(cs.selector());
            }
        }
    }
    let mut singles: [SingleSelectors; 2] = Default::default();
    for single in &mut singles {
        for _ in 0..blocks {
            single.sum_init.push(cs.selector());
            single.sum.push(cs.selector());
            single.cum_prod_init.push(cs.selector());
            single.cum_prod.push(cs.selector());
        }
    }
    gates(cs, &inputs, &outputs, &pairs, &singles);
    let mut combinations = Vec::new();
    for _ in 0..output_axes {
        combinations.push(combination(cs, [inputs[0], inputs[2]], outputs[1]));
    }
    Ok(Some(EinsumColumns { inputs, outputs, pairs, singles, combinations }))
}

#[derive(Clone, Copy)]
enum Step {
    Dot,
    Product,
    Sum,
}

fn gates(
    cs: &mut ConstraintSystem,
    inputs: &[Variable; 4],
    outputs: &[Variable; 2],
    pairs: &[PairSelectors; 3],
    singles: &[SingleSelectors; 2],
) {
    let [i0, i1, i2, i3] = *inputs;
    let of_one = [(i0, 0), (i2, 1)].map(|(input, phase): (Variable, usize)| Operands {
        columns: vec![input],
        output: outputs[phase],
    });
    let of_two = [(i0, i1, 0), (i0, i2, 1), (i2, i3, 1)].map(
        |(first, second, phase): (Variable, Variable, usize)| Operands {
            columns: vec![first, second],
            output: outputs[phase],
        },
    );
    let mut dots = |continues: bool| {
        for (operands, pair) in of_two.iter().zip(pairs) {
            let selectors = if continues { &pair.dot } else { &pair.dot_init };
            accumulation(cs, operands, selectors, Step::Dot, continues);
        }
    };
    dots(true);
    dots(false);
    for continues in [false, true] {
        for (operands, single) in of_one.iter().zip(singles) {
            let selectors = if continues { &single.cum_prod } else { &single.cum_prod_init };
            accumulation(cs, operands, selectors, Step::Product, continues);
        }
    }
    for (operands, pair) in of_two.iter().zip(pairs) {
        let Operands { columns, output } = operands;
        for (position, selector) in pair.mult.iter().enumerate() {
            let (block, y) = (position / output.inner, position % output.inner);
            let first = cs.query(advice(&columns[0], block, y), 0);
            let second = cs.query(advice(&columns[1], block, y), 0);
            let result = cs.query(advice(output, block, y), 0);
            let polynomial = Expression::from(*selector) * (result - first * second);
            cs.gate(format!("einsum multiplication, block {block}.{y}"), vec![polynomial]);
        }
    }
    for continues in [false, true] {
        for (operands, single) in of_one.iter().zip(singles) {
            let selectors = if continues { &single.sum } else { &single.sum_init };
            accumulation(cs, operands, selectors, Step::Sum, continues);
        }
    }
}

fn accumulation(
    cs: &mut ConstraintSystem,
    operands: &Operands,
    selectors: &[Selector],
    step: Step,
    continues: bool,
) {
    let Operands { columns, output } = operands;
    for (block, selector) in selectors.iter().enumerate() {
        let mut row = |variable: &Variable| -> Vec<Expression> {
            (0..variable.inner).map(|y| cs.query(advice(variable, block, y), 0)).collect()
        };
        let first = row(&columns[0]);
        let second = columns.get(1).map(&mut row).unwrap_or_default();
        let start = if matches!(step, Step::Product) { Fr::ONE } else { Fr::ZERO };
        let mut sum = Expression::Constant(start);
        for (y, cell) in first.into_iter().enumerate() {
            sum = match step {
                Step::Dot => sum + second[y].clone() * cell,
                Step::Product => sum * cell,
                Step::Sum => sum + cell,
            };
        }
        if continues {
            let previous = cs.query(advice(output, block, 0), -1);
            sum = match step {
                Step::Product => previous * sum,
                _ => previous + sum,
            };
        }
        let result = cs.query(advice(output, block, 0), 0);
        let polynomial = Expression::from(*selector) * (result - sum);
        cs.gate(format!("einsum accumulation, block {block}"), vec![polynomial]);
    }
}

fn combination(cs: &mut ConstraintSystem, inputs: [Variable; 2], output: Variable) -> Combination {
    let challenge = cs.challenge(0);
    let mut init: [Vec<Selector>; 2] = Default::default();
    let mut accumulate: [Vec<Selector>; 2] = Default::default();
    for phase in 0..2 {
        for _ in 0..output.blocks {
            init[phase].push(cs.selector());
            accumulate[phase].push(cs.selector());
        }
    }
    let mut powers = Vec::with_capacity(output.inner);
    let mut power = Expression::Constant(Fr::ONE);
    for _ in 0..output.inner {
        power = power * Expression::from(challenge);
        powers.push(power.clone());
    }
    for phase in 0..2 {
        for block in 0..output.blocks {
            for continues in [false, true] {
                let mut sum = Expression::Constant(Fr::ZERO);
                for (y, power) in powers.iter().rev().enumerate() {
                    sum = sum + power.clone() * cs.query(advice(&inputs[phase], block, y), 0);
                }
                let start = if continues {
                    let previous = cs.query(advice(&output, block, 0), -1);
                    previous * power.clone()
                } else {
                    Expression::Constant(Fr::ZERO)
                };
                let result = cs.query(advice(&output, block, 0), 0);
                let selectors = if continues { &accumulate } else { &init };
                let selector = Expression::from(selectors[phase][block]);
                let polynomial = selector * (result - (start + sum));
                cs.gate(format!("random combination, block {block}"), vec![polynomial]);
            }
        }
    }
    Combination { challenge, init, accumulate }
}
