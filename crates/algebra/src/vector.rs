//! Operations on long vectors of field elements, parallel where the length pays for it.
//!
//! Every result is exact, so it does not depend on the number of threads. Slices of one call have
//! the same length unless said otherwise; a call with different ones panics.

use ff::Field;
use rayon::prelude::*;

use crate::{Fr, kernels};

/// Elements per task: 128 KiB, a fraction of the second-level cache.
const CHUNK: usize = 4096;

/// `target[i] = target[i] + a[i]`.
pub fn add_assign(target: &mut [Fr], a: &[Fr]) {
    with_chunks(target, a, kernels::add_assign);
}

/// `target[i] = target[i] − a[i]`.
pub fn sub_assign(target: &mut [Fr], a: &[Fr]) {
    with_chunks(target, a, kernels::sub_assign);
}

/// `target[i] = target[i] · a[i]`.
pub fn mul_assign(target: &mut [Fr], a: &[Fr]) {
    with_chunks(target, a, kernels::mul_assign);
}

/// `target[i] = target[i] + a[i] · b[i]`.
pub fn mul_add(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    assert!([a, b].iter().all(|factor| factor.len() == target.len()), "vectors differ in length");
    let factors = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
    let chunks = target.par_chunks_mut(CHUNK).zip(factors);
    chunks.for_each(|(target, (a, b))| kernels::mul_add(target, a, b));
}

/// `target[i] = target[i] + factor · a[i]`.
pub fn add_scaled(target: &mut [Fr], a: &[Fr], factor: Fr) {
    with_chunks(target, a, |target, a| kernels::add_scaled(target, a, factor));
}

/// `target[i] = factor · target[i]`.
pub fn scale(target: &mut [Fr], factor: Fr) {
    target.par_chunks_mut(CHUNK).for_each(|target| kernels::scale(target, factor));
}

/// `target[i] = base^i · target[i]`.
pub fn scale_by_powers(target: &mut [Fr], base: Fr) {
    target.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, target)| {
        kernels::scale_by_powers(target, base.pow_vartime([(chunk * CHUNK) as u64]), base);
    });
}

/// `Σ factor · vector`: all vectors have `length` elements or fewer; missing ones are zero.
pub fn linear_combination(terms: &[(&[Fr], Fr)], length: usize) -> Vec<Fr> {
    let mut sum = vec![Fr::ZERO; length];
    add_linear_combination(&mut sum, terms);
    sum
}

/// `sum[i] = sum[i] + Σ factor · vector[i]`: all vectors have the sum's length or less; missing elements
/// are zero.
pub fn add_linear_combination(sum: &mut [Fr], terms: &[(&[Fr], Fr)]) {
    assert!(terms.iter().all(|(vector, _)| vector.len() <= sum.len()), "a vector is too long");
    sum.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, sum)| {
        for (vector, factor) in terms {
            let Some(rest) = vector.get(chunk * CHUNK..) else { continue };
            let common = rest.len().min(sum.len());
            kernels::add_scaled(&mut sum[..common], &rest[..common], *factor);
        }
    });
}

/// Replaces every element but zero by its inverse.
pub fn batch_invert(values: &mut [Fr]) {
    values.par_chunks_mut(CHUNK).for_each(|values| {
        let zeros: Vec<bool> = values.iter().map(|value| value.is_zero().into()).collect();
        for (value, zero) in values.iter_mut().zip(&zeros) {
            *value = select(*zero, Fr::ONE, *value);
        }
        // Halves are rounded up, at most once per bit of the length.
        let mut scratch = vec![Fr::ZERO; values.len() + usize::BITS as usize];
        invert_by_halves(values, &mut scratch);
        for (value, zero) in values.iter_mut().zip(&zeros) {
            *value = select(*zero, Fr::ZERO, *value);
        }
    });
}

/// Inverts elements other than zero: the products of the first half with the second are inverted
/// by the same rule, and times one half give the inverses of the other. `scratch` is somewhat longer
/// than `values` and is left without secrets.
fn invert_by_halves(values: &mut [Fr], scratch: &mut [Fr]) {
    let half = values.len() / 2;
    if half == 0 {
        values.iter_mut().for_each(|value| *value = value.invert().unwrap_or(Fr::ZERO));
        return;
    }
    let (products, rest) = scratch.split_at_mut(half + values.len() % 2);
    let (low, high) = values.split_at_mut(half);
    let (high, odd) = high.split_at_mut(half);
    kernels::mul(&mut products[..half], low, high);
    products[half..].copy_from_slice(odd);
    invert_by_halves(products, rest);
    odd.copy_from_slice(&products[half..]);
    let inverses = &mut products[..half];
    // The inverse of one half is the inverse of the product times the other half.
    kernels::mul_assign(high, inverses);
    kernels::mul_assign(inverses, low);
    low.copy_from_slice(high);
    high.copy_from_slice(inverses);
    crate::erase(products);
}

/// `a` if the choice is true and `b` if not, without a branch: values are secret.
fn select(choice: bool, a: Fr, b: Fr) -> Fr {
    let mask = u64::from(choice).wrapping_neg();
    Fr(std::array::from_fn(|limb| (a.0[limb] & mask) | (b.0[limb] & !mask)))
}

/// `Σ a[i] · b[i]`.
pub fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
    assert_eq!(a.len(), b.len(), "vectors differ in length");
    a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).map(|(a, b)| kernels::inner_product(a, b)).sum()
}

/// `1, base, base², …`, `length` elements.
pub fn powers(base: Fr, length: usize) -> Vec<Fr> {
    let mut powers = vec![Fr::ONE; length];
    scale_by_powers(&mut powers, base);
    powers
}

/// The value at `point` of the polynomial with the given coefficients, lowest first.
pub fn eval_polynomial(coefficients: &[Fr], point: Fr) -> Fr {
    if coefficients.len() <= CHUNK {
        return kernels::eval_polynomial(coefficients, point);
    }
    let step = point.pow_vartime([CHUNK as u64]);
    let values: Vec<Fr> = coefficients
        .par_chunks(CHUNK)
        .map(|coefficients| kernels::eval_polynomial(coefficients, point))
        .collect();
    eval_polynomial(&values, step)
}

/// The quotient of the polynomial with the given coefficients by `X − root`, without the remainder:
/// one coefficient fewer.
pub fn divide_by_linear(coefficients: &[Fr], root: Fr) -> Vec<Fr> {
    // Quotient coefficient i is Σ_{j>i} a_j root^(j−i−1): a suffix sum, done per chunk on its own
    // and then corrected by what the chunks above contribute.
    let Some((_, upper)) = coefficients.split_first() else { return Vec::new() };
    let mut quotient = upper.to_vec();
    quotient.par_chunks_mut(CHUNK).for_each(|chunk| {
        let mut value = Fr::ZERO;
        for coefficient in chunk.iter_mut().rev() {
            value = value * root + *coefficient;
            *coefficient = value;
        }
    });
    if quotient.len() <= CHUNK {
        return quotient;
    }
    let step = root.pow_vartime([CHUNK as u64]);
    let firsts: Vec<Fr> = quotient.chunks(CHUNK).map(|chunk| chunk[0]).collect();
    let mut from_above = vec![Fr::ZERO; firsts.len()];
    for chunk in (1..firsts.len()).rev() {
        from_above[chunk - 1] = from_above[chunk] * step + firsts[chunk];
    }
    quotient.par_chunks_mut(CHUNK).zip(&from_above).for_each(|(chunk, above)| {
        let mut term = *above;
        for coefficient in chunk.iter_mut().rev() {
            term *= root;
            *coefficient += term;
        }
    });
    quotient
}

/// Replaces element `i` by the product of the elements `0, …, i`.
pub fn prefix_product(values: &mut [Fr]) {
    let products: Vec<Fr> = values
        .par_chunks_mut(CHUNK)
        .map(|chunk| {
            let mut product = Fr::ONE;
            for value in chunk {
                product *= *value;
                *value = product;
            }
            product
        })
        .collect();
    let before: Vec<Fr> = products
        .iter()
        .scan(Fr::ONE, |product, chunk| Some(std::mem::replace(product, *product * chunk)))
        .collect();
    values
        .par_chunks_mut(CHUNK)
        .zip(&before)
        .skip(1)
        .for_each(|(chunk, before)| kernels::scale(chunk, *before));
}

/// Runs a kernel on matching chunks of two vectors.
fn with_chunks(target: &mut [Fr], a: &[Fr], kernel: impl Fn(&mut [Fr], &[Fr]) + Sync + Send) {
    assert_eq!(target.len(), a.len(), "vectors differ in length");
    target.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK)).for_each(|(target, a)| kernel(target, a));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    const LENGTHS: [usize; 7] = [0, 1, 7, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5];

    fn random(length: usize, seed: u64) -> Vec<Fr> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        (0..length).map(|_| Fr::random(&mut rng)).collect()
    }

    fn horner(coefficients: &[Fr], point: Fr) -> Fr {
        coefficients.iter().rev().fold(Fr::ZERO, |value, a| value * point + a)
    }

    #[test]
    fn element_wise_operations_agree_with_their_definition() {
        for length in LENGTHS {
            let (a, b, factor) = (random(length, 1), random(length, 2), Fr::from(77));
            let check = |got: Vec<Fr>, expected: &dyn Fn(usize) -> Fr| {
                assert_eq!(got, (0..length).map(expected).collect::<Vec<_>>(), "{length}");
            };
            let apply = |operation: &dyn Fn(&mut [Fr], &[Fr])| {
                let mut target = a.clone();
                operation(&mut target, &b);
                target
            };
            check(apply(&add_assign), &|i| a[i] + b[i]);
            check(apply(&sub_assign), &|i| a[i] - b[i]);
            check(apply(&mul_assign), &|i| a[i] * b[i]);
            check(apply(&|t, b| mul_add(t, &a, b)), &|i| a[i] + a[i] * b[i]);
            check(apply(&|t, b| add_scaled(t, b, factor)), &|i| a[i] + factor * b[i]);
            check(apply(&|t, _| scale(t, factor)), &|i| factor * a[i]);
            check(apply(&|t, _| scale_by_powers(t, factor)), &|i| {
                a[i] * factor.pow_vartime([i as u64])
            });
            check(powers(factor, length), &|i| factor.pow_vartime([i as u64]));
            let short = &b[..length / 2];
            check(linear_combination(&[(&a, factor), (short, -factor)], length), &|i| {
                factor * a[i] - if i < length / 2 { factor * b[i] } else { Fr::ZERO }
            });
            assert_eq!(inner_product(&a, &b), a.iter().zip(&b).map(|(a, b)| a * b).sum::<Fr>());
        }
    }

    #[test]
    fn inverses_leave_zeros() {
        for length in LENGTHS {
            let mut values = random(length, 3);
            values.iter_mut().step_by(3).for_each(|value| *value = Fr::ZERO);
            let originals = values.clone();
            batch_invert(&mut values);
            for (value, original) in values.iter().zip(&originals) {
                assert_eq!(*value, original.invert().unwrap_or(Fr::ZERO));
            }
        }
    }

    #[test]
    fn polynomials_evaluate_and_divide() {
        for length in LENGTHS {
            let coefficients = random(length, 4);
            for root in [Fr::ZERO, Fr::ONE, Fr::from(12345)] {
                let value = horner(&coefficients, root);
                assert_eq!(eval_polynomial(&coefficients, root), value);
                let quotient = divide_by_linear(&coefficients, root);
                assert_eq!(quotient.len(), length.saturating_sub(1));
                let point = Fr::from(99);
                assert_eq!(
                    horner(&quotient, point) * (point - root) + value,
                    horner(&coefficients, point)
                );
            }
        }
    }

    #[test]
    fn prefix_products_run_across_chunks() {
        for length in LENGTHS {
            let values = random(length, 5);
            let mut products = values.clone();
            prefix_product(&mut products);
            let mut product = Fr::ONE;
            for (value, got) in values.iter().zip(&products) {
                product *= value;
                assert_eq!(*got, product);
            }
        }
    }
}
