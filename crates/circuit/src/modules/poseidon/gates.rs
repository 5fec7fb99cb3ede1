//! The columns and gates of the Poseidon module (spec 04 §7.1, §7.4).

use super::parameters::Parameters;
use crate::columns::PoseidonColumns;
use twain_algebra::Fr;
use twain_plonk::{Column, ConstraintSystem, Expression};

/// Allocates the module's columns, the instance column in its place among them, and creates its
/// gates.
pub(crate) fn configure(
    cs: &mut ConstraintSystem,
    constants: &mut Vec<Column>,
) -> (PoseidonColumns, Column) {
    let state = [(); 2].map(|()| {
        let column = cs.advice_column(0);
        cs.enable_equality(column);
        column
    });
    let partial_sbox = cs.advice_column(0);
    let first = [(); 2].map(|()| cs.fixed_column());
    let second = [(); 2].map(|()| cs.fixed_column());
    cs.enable_constant(second[0]);
    constants.push(second[0]);
    let instance = cs.instance_column();
    cs.enable_equality(instance);
    cs.enable_equality(second[1]);
    let columns = PoseidonColumns {
        state,
        partial_sbox,
        round_constants: [first, second],
        full: cs.selector(),
        partial: cs.selector(),
        pad_and_add: cs.selector(),
    };

    let parameters = Parameters::generate();
    full_round(cs, &columns, &parameters);
    partial_rounds(cs, &columns, &parameters);
    pad_and_add(cs, &columns);
    (columns, instance)
}

fn fifth_power(value: Expression) -> Expression {
    let square = value.clone() * value.clone();
    square.clone() * square * value
}

fn scaled(value: Expression, factor: Fr) -> Expression {
    value * factor
}

fn full_round(cs: &mut ConstraintSystem, columns: &PoseidonColumns, parameters: &Parameters) {
    let [rc0, rc1] = columns.round_constants[0];
    let mut polynomials = Vec::new();
    for (lane, row) in parameters.matrix.into_iter().enumerate() {
        let next = cs.query(columns.state[lane], 1);
        let mut terms = [(0, rc0), (1, rc1)]
            .map(|(j, rc)| {
                let word = cs.query(columns.state[j], 0);
                let rc = cs.query(rc, 0);
                scaled(fifth_power(word + rc), row[j])
            })
            .into_iter();
        let sum = terms.next().into_iter().chain(terms).reduce(|sum, term| sum + term);
        let selector = Expression::from(columns.full);
        polynomials.extend(sum.map(|sum| selector * (sum - next)));
    }
    cs.gate("Poseidon full round", polynomials);
}

fn partial_rounds(cs: &mut ConstraintSystem, columns: &PoseidonColumns, parameters: &Parameters) {
    let [[a0, a1], [b0, b1]] = columns.round_constants;
    let (matrix, inverse) = (parameters.matrix, parameters.inverse_matrix());
    let word = [cs.query(columns.state[0], 0), cs.query(columns.state[1], 0)];
    let next = [cs.query(columns.state[0], 1), cs.query(columns.state[1], 1)];
    let sbox = cs.query(columns.partial_sbox, 0);
    let a = [cs.query(a0, 0), cs.query(a1, 0)];
    let b = [cs.query(b0, 0), cs.query(b1, 0)];
    let middle = |i: usize| {
        scaled(sbox.clone(), matrix[i][0]) + scaled(word[1].clone() + a[1].clone(), matrix[i][1])
    };
    let unmixed =
        |i: usize| scaled(next[0].clone(), inverse[i][0]) + scaled(next[1].clone(), inverse[i][1]);
    let selector = || Expression::from(columns.partial);
    let polynomials = vec![
        selector() * (fifth_power(word[0].clone() + a[0].clone()) - sbox.clone()),
        selector() * (fifth_power(middle(0) + b[0].clone()) - unmixed(0)),
        selector() * (middle(1) + b[1].clone() - unmixed(1)),
    ];
    cs.gate("Poseidon partial rounds", polynomials);
}

fn pad_and_add(cs: &mut ConstraintSystem, columns: &PoseidonColumns) {
    let [h0, h1] = columns.state;
    let (previous1, next1) = (cs.query(h1, -1), cs.query(h1, 1));
    let previous0 = cs.query(h0, -1);
    let (current0, next0) = (cs.query(h0, 0), cs.query(h0, 1));
    let selector = || Expression::from(columns.pad_and_add);
    let polynomials =
        vec![selector() * (previous0 + current0 - next0), selector() * (previous1 - next1)];
    cs.gate("Poseidon absorption", polynomials);
}
