//! Element-wise operations on short blocks, on the calling thread: for evaluators that walk an
//! expression over blocks that stay in the first-level cache (512 elements are 16 KiB).
//!
//! All slices of a call have the same length; a call with different ones panics.

use crate::Fr;

/// `target[i] = a[i] · b[i]`.
pub fn mul(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    check(target, &[a, b]);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
        *target = a * b;
    }
}

/// `target[i] = target[i] · a[i]`.
pub fn mul_assign(target: &mut [Fr], a: &[Fr]) {
    check(target, &[a]);
    target.iter_mut().zip(a).for_each(|(target, a)| *target *= a);
}

/// `target[i] = target[i] + a[i] · b[i]`.
pub fn mul_add(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    check(target, &[a, b]);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
        *target += a * b;
    }
}

/// `target[i] = a[i] + b[i]`.
pub fn add(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    check(target, &[a, b]);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
        *target = a + b;
    }
}

/// `target[i] = target[i] + a[i]`.
pub fn add_assign(target: &mut [Fr], a: &[Fr]) {
    check(target, &[a]);
    target.iter_mut().zip(a).for_each(|(target, a)| *target += a);
}

/// `target[i] = a[i] − b[i]`.
pub fn sub(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    check(target, &[a, b]);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
        *target = a - b;
    }
}

/// `target[i] = target[i] − a[i]`.
pub fn sub_assign(target: &mut [Fr], a: &[Fr]) {
    check(target, &[a]);
    target.iter_mut().zip(a).for_each(|(target, a)| *target -= a);
}

/// `target[i] = factor · target[i]`.
pub fn scale(target: &mut [Fr], factor: Fr) {
    target.iter_mut().for_each(|target| *target *= factor);
}

/// `target[i] = target[i] + factor · a[i]`.
pub fn add_scaled(target: &mut [Fr], a: &[Fr], factor: Fr) {
    check(target, &[a]);
    target.iter_mut().zip(a).for_each(|(target, a)| *target += a * factor);
}

/// `Σ a[i] · b[i]`.
pub fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
    check(a, &[b]);
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn check(target: &[Fr], others: &[&[Fr]]) {
    assert!(others.iter().all(|other| other.len() == target.len()), "blocks differ in length");
}
