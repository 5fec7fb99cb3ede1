//! From the sums of the buckets to the sum of a window: `Σ j · bucket[j]`, by running sums.
//!
//! The buckets are cut into stretches, one per lane. Additions use the complete formulas for
//! short Weierstraß curves with `a = 0` of Renes, Costello and Batina (Eurocrypt 2016, algorithm 7)
//! in homogeneous coordinates: no special cases, no branches.

use ff::Field;
use group::Group;
use halo2curves::bn256::Fq;

use super::point::{BaseLanes, Point};
use crate::G1;

/// Three times the constant of the curve `y² = x³ + 3`.
const TRIPLE_B: u64 = 9;

/// Points in homogeneous coordinates, each below twice the modulus.
#[derive(Clone, Copy)]
struct Homogeneous<B> {
    x: B,
    y: B,
    z: B,
}

/// `Σ j · buckets[j]`. There are `l · lanes + 1` buckets; bucket 0 does not count.
#[inline(always)]
pub(crate) fn reduce_buckets<B: BaseLanes>(buckets: &[Point]) -> G1 {
    let stretch = (buckets.len() - 1) / B::LANES;
    let (one, zero) = (B::splat(Fq::ONE), B::splat(Fq::ZERO));
    let identity = Homogeneous { x: zero, y: one, z: zero };
    let (mut running, mut total) = (identity, identity);
    for position in (1..=stretch).rev() {
        let mut indices = B::Indices::default();
        for (lane, index) in indices.as_mut().iter_mut().enumerate() {
            *index = (lane * stretch + position) as u32;
        }
        let (x, y) = B::load(buckets, &indices);
        let empty = x.equal(&zero);
        let bucket = Homogeneous { x, y: y.select(empty, &one), z: one.select(empty, &zero) };
        running = add(&running, &bucket);
        total = add(&total, &running);
    }

    // Lane l counted its buckets from 1; they are l·stretch further up.
    let (mut offset, mut above) = (G1::identity(), G1::identity());
    for stretch_sum in points(running).iter().skip(1).rev() {
        above += stretch_sum;
        offset += above;
    }
    let total: G1 = points(total).iter().sum();
    total + multiply(offset, stretch)
}

/// One point per lane; homogeneous are the coordinates of [`G1`], too.
fn points<B: BaseLanes>(points: Homogeneous<B>) -> Vec<G1> {
    let [x, y, z] = [points.x, points.y, points.z].map(|value| value.canonical().to_elements());
    let coordinates = x.as_ref().iter().zip(y.as_ref()).zip(z.as_ref());
    coordinates.map(|((x, y), z)| G1 { x: *x, y: *y, z: *z }).collect()
}

/// `times · point`; `times` is public.
fn multiply(point: G1, times: usize) -> G1 {
    let bits = usize::BITS - times.leading_zeros();
    (0..bits).rev().fold(G1::identity(), |sum, bit| {
        let double = sum.double();
        if times >> bit & 1 == 1 { double + point } else { double }
    })
}

/// The sum. The comments bound the values in multiples of the modulus.
#[inline(always)]
fn add<B: BaseLanes>(p: &Homogeneous<B>, q: &Homogeneous<B>) -> Homogeneous<B> {
    let xx = p.x.mul(&q.x); // 1.1
    let yy = p.y.mul(&q.y); // 1.1
    let zz = p.z.mul(&q.z); // 1.1
    let xy = p.x.add(&p.y).mul(&q.x.add(&q.y)).sub::<3>(&xx.add(&yy)); // 4.2
    let yz = p.y.add(&p.z).mul(&q.y.add(&q.z)).sub::<3>(&yy.add(&zz)); // 4.2
    let xz = p.x.add(&p.z).mul(&q.x.add(&q.z)).sub::<3>(&xx.add(&zz)); // 4.2
    let xx3 = xx.times::<3>(); // 3.3
    let zz9 = zz.times::<TRIPLE_B>(); // 9.9
    let xz9 = xz.times::<TRIPLE_B>(); // 37.8
    let plus = yy.add(&zz9); // 11
    let minus = yy.sub::<10>(&zz9); // 11.1
    Homogeneous {
        x: xy.mul(&minus).sub::<3>(&yz.mul(&xz9)).reduced(), // 1.6 + 3
        y: minus.mul(&plus).add(&xz9.mul(&xx3)).reduced(),   // 2.5 + 2.5
        z: plus.mul(&yz).add(&xx3.mul(&xy)).reduced(),       // 1.6 + 1.2
    }
}
