//! The base gates: sums, differences, products and running accumulations (spec 03 §1.3).

use super::advice::advice;
use crate::columns::BaseSelectors;
use crate::geometry::{Geometry, Variable};
use ff::Field;
use twain_algebra::Fr;
use twain_plonk::{ConstraintSystem, Expression, Selector};

/// What a row of an accumulation adds to the value before it.
#[derive(Clone, Copy)]
enum Step {
    Dot,
    Product,
    Sum,
}

/// Allocates the selectors, then creates the gates, each in its own order.
pub(super) fn configure(
    cs: &mut ConstraintSystem,
    geometry: &Geometry,
    [a, b, o]: [Variable; 3],
) -> BaseSelectors {
    let Geometry { blocks, inner, .. } = *geometry;
    let mut base = BaseSelectors::default();
    for _ in 0..blocks * inner {
        base.add.push(cs.selector());
        base.sub.push(cs.selector());
        base.mult.push(cs.selector());
    }
    for _ in 0..blocks {
        base.dot_init.push(cs.selector());
        base.dot.push(cs.selector());
        base.cum_prod.push(cs.selector());
        base.cum_prod_init.push(cs.selector());
        base.sum.push(cs.selector());
        base.sum_init.push(cs.selector());
    }

    type Operation = fn(Expression, Expression) -> Expression;
    let cellwise: [(&str, &[Selector], Operation); 3] = [
        ("addition", &base.add, |l, r| l + r),
        ("multiplication", &base.mult, |l, r| l * r),
        ("subtraction", &base.sub, |l, r| l - r),
    ];
    for (name, selectors, operation) in cellwise {
        for block in 0..blocks {
            for y in 0..inner {
                let left = cs.query(advice(&a, block, y), 0);
                let right = cs.query(advice(&b, block, y), 0);
                let result = cs.query(advice(&o, block, y), 0);
                let difference = result - operation(left, right);
                let selector = Expression::from(selectors[block * inner + y]);
                cs.gate(format!("{name}, block {block}.{y}"), vec![selector * difference]);
            }
        }
    }
    let accumulations: [(&str, &[Selector], Step, bool); 6] = [
        ("dot product", &base.dot, Step::Dot, true),
        ("start of a dot product", &base.dot_init, Step::Dot, false),
        ("start of a product", &base.cum_prod_init, Step::Product, false),
        ("product", &base.cum_prod, Step::Product, true),
        ("start of a sum", &base.sum_init, Step::Sum, false),
        ("sum", &base.sum, Step::Sum, true),
    ];
    for (name, selectors, step, continues) in accumulations {
        for (block, selector) in selectors.iter().enumerate() {
            let start = match step {
                Step::Product => Fr::ONE,
                _ => Fr::ZERO,
            };
            let mut row = Expression::Constant(start);
            for y in 0..inner {
                let right = cs.query(advice(&b, block, y), 0);
                row = match step {
                    Step::Dot => row + cs.query(advice(&a, block, y), 0) * right,
                    Step::Product => row * right,
                    Step::Sum => row + right,
                };
            }
            if continues {
                let previous = cs.query(advice(&o, block, 0), -1);
                row = match step {
                    Step::Product => previous * row,
                    _ => previous + row,
                };
            }
            let result = cs.query(advice(&o, block, 0), 0);
            let polynomial = Expression::from(*selector) * (result - row);
            cs.gate(format!("{name}, block {block}"), vec![polynomial]);
        }
    }
    base
}
