//! Many additions of affine points at once, sharing one inversion (Montgomery's trick): three
//! products for the inverse and three for the sum, a few additions side by side.
//!
//! Equal points, opposite points and the identity are told apart by their `x` and treated in a
//! branch of their own. That branch is taken for secrets with negligible probability only: bases
//! and partial sums of random digits do not meet.

use ff::Field;
use halo2curves::bn256::Fq;

use super::point::{BaseLanes, Point};

/// Marks an index whose point is to be negated.
pub(crate) const NEGATIVE: u32 = 1 << 31;

/// Independent chains of products, to hide the latency of one product behind others.
const CHAINS: usize = 4;

/// How many groups ahead points are asked for.
const PREFETCH_DISTANCE: usize = 6;

/// A list of additions, by index: `out[target] = points[first] + points[second]`.
#[derive(Default)]
pub(crate) struct Additions {
    first: Vec<u32>,
    second: Vec<u32>,
    target: Vec<u32>,
}

impl Additions {
    pub(crate) fn clear(&mut self) {
        self.first.clear();
        self.second.clear();
        self.target.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    pub(crate) fn push(&mut self, first: u32, second: u32, target: u32) {
        self.first.push(first);
        self.second.push(second);
        self.target.push(target);
    }

    /// Repeats the last addition until all of so many lanes are filled.
    pub(crate) fn fill_lanes(&mut self, lanes: usize) {
        for list in [&mut self.first, &mut self.second, &mut self.target] {
            if let Some(last) = list.last().copied() {
                list.resize(list.len().next_multiple_of(lanes), last);
            }
        }
    }
}

/// Performs the additions, whose number must fill the lanes. `prefix` is working memory.
#[inline(always)]
pub(crate) fn add_pairs<B: BaseLanes>(
    points: &[Point],
    additions: &Additions,
    out: &mut [Point],
    prefix: &mut Vec<B>,
) {
    let first = B::indices(&additions.first);
    let second = B::indices(&additions.second);
    let target = B::indices(&additions.target);
    let (one, zero) = (B::splat(Fq::ONE), B::splat(Fq::ZERO));

    prefix.resize(first.len(), one);
    let mut products = [one; CHAINS];
    for (group, before) in prefix.iter_mut().enumerate() {
        if let (Some(first), Some(second)) =
            (first.get(group + PREFETCH_DISTANCE), second.get(group + PREFETCH_DISTANCE))
        {
            B::prefetch(points, first);
            B::prefetch(points, second);
        }
        let (x1, _) = B::load(points, &first[group]);
        let (x2, _) = B::load(points, &second[group]);
        let mut denominator = x2.sub::<1>(&x1);
        let exceptions = exceptions(&x1, &x2, &zero);
        if exceptions != 0 {
            let (_, y1) = B::load(points, &first[group]);
            let (_, y2) = B::load(points, &second[group]);
            let doublings = doublings(&x1, &y1, &x2, &y2, &zero);
            denominator = denominator.select(exceptions, &one).select(doublings, &y1.add(&y1));
        }
        let product = &mut products[group % CHAINS];
        *before = *product;
        *product = product.mul(&denominator);
    }

    let mut inverses = invert_chains(&products);
    for group in (0..first.len()).rev() {
        let (x1, y1) = B::load(points, &first[group]);
        let (x2, y2) = B::load(points, &second[group]);
        let mut denominator = x2.sub::<1>(&x1);
        let mut numerator = y2.sub::<1>(&y1);
        let exceptions = exceptions(&x1, &x2, &zero);
        if exceptions != 0 {
            let doublings = doublings(&x1, &y1, &x2, &y2, &zero);
            denominator = denominator.select(exceptions, &one).select(doublings, &y1.add(&y1));
            numerator = numerator.select(doublings, &x1.mul(&x1).times::<3>());
        }
        let chain = &mut inverses[group % CHAINS];
        let slope = numerator.mul(&chain.mul(&prefix[group]));
        *chain = chain.mul(&denominator);
        let mut x = slope.mul(&slope).sub::<1>(&x1).sub::<1>(&x2).canonical();
        let mut y = slope.mul(&x1.sub::<1>(&x)).sub::<1>(&y1).canonical();
        if exceptions != 0 {
            let opposite = exceptions & !doublings(&x1, &y1, &x2, &y2, &zero);
            x = x.select(opposite, &zero);
            y = y.select(opposite, &zero);
            let (absent1, absent2) = (x1.equal(&zero), x2.equal(&zero));
            x = x.select(absent1, &x2).select(absent2, &x1);
            y = y.select(absent1, &y2).select(absent2, &y1);
        }
        B::store(x, y, out, &target[group]);
    }
}

/// Lanes in which the chord has no slope: equal `x`, or the identity on a side.
#[inline(always)]
fn exceptions<B: BaseLanes>(x1: &B, x2: &B, zero: &B) -> u8 {
    x1.equal(x2) | x1.equal(zero) | x2.equal(zero)
}

/// Lanes in which a point meets itself.
#[inline(always)]
fn doublings<B: BaseLanes>(x1: &B, y1: &B, x2: &B, y2: &B, zero: &B) -> u8 {
    x1.equal(x2) & y1.equal(y2) & !x1.equal(zero)
}

/// The inverses of all lanes of all chains, with one inversion per lane.
#[inline(always)]
fn invert_chains<B: BaseLanes>(chains: &[B; CHAINS]) -> [B; CHAINS] {
    let [a, b, c, d] = chains;
    let (ab, cd) = (a.mul(b), c.mul(d));
    let mut elements = ab.mul(&cd).canonical().to_elements();
    invert_elements(elements.as_mut());
    let inverse = B::from_elements(&elements);
    let (inverse_ab, inverse_cd) = (inverse.mul(&cd), inverse.mul(&ab));
    [inverse_ab.mul(b), inverse_ab.mul(a), inverse_cd.mul(d), inverse_cd.mul(c)]
}

/// Inverts elements, none zero, with one inversion.
fn invert_elements(elements: &mut [Fq]) {
    let product: Fq = elements.iter().product();
    let mut inverse = product.invert().unwrap_or(Fq::ZERO);
    for lane in (1..elements.len()).rev() {
        let before: Fq = elements[..lane].iter().product();
        (elements[lane], inverse) = (inverse * before, inverse * elements[lane]);
    }
    elements[0] = inverse;
}
