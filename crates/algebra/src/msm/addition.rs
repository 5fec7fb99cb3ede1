//! Many additions of affine points at once, sharing one inversion (Montgomery's trick): three
//! products for the inverse and three for the sum, a few additions side by side.
//!
//! Equal points, opposite points and the identity are told apart by their `x` and treated in a
//! branch of their own. That branch is taken for secrets with negligible probability only: bases
//! and partial sums of random digits do not meet.

use ff::Field;
use halo2curves::bn256::Fq;

use super::point::{BaseLanes, Point};

/// Independent chains of products, to hide the latency of one product behind others.
const CHAINS: usize = 4;

/// Groups whose sums are worked out step by step together, for the same reason.
const TOGETHER: usize = 2;

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
    let mut pass =
        Sums { points, first, second, target, prefix, inverses: &mut inverses, one, zero };
    let mut left = first.len();
    while left >= TOGETHER {
        left -= TOGETHER;
        pass.add::<TOGETHER>(left, out);
    }
    while left > 0 {
        left -= 1;
        pass.add::<1>(left, out);
    }
}

/// The second pass, from the last addition to the first.
struct Sums<'a, B: BaseLanes> {
    points: &'a [Point],
    first: &'a [B::Indices],
    second: &'a [B::Indices],
    target: &'a [B::Indices],
    /// Product of the chain's denominators before each group.
    prefix: &'a [B],
    /// Inverse of the product of each chain's denominators that are left.
    inverses: &'a mut [B; CHAINS],
    one: B,
    zero: B,
}

impl<B: BaseLanes> Sums<'_, B> {
    /// Adds `N` groups, each of another chain, step by step together: the products of one group
    /// wait for each other.
    #[inline(always)]
    fn add<const N: usize>(&mut self, start: usize, out: &mut [Point]) {
        const { assert!(N <= CHAINS) }
        let (one, zero) = (self.one, self.zero);
        let (mut x1, mut y1, mut x2, mut y2) = ([zero; N], [zero; N], [zero; N], [zero; N]);
        let (mut slope, mut denominator) = ([zero; N], [zero; N]);
        let mut exceptional = [0; N];
        for i in 0..N {
            if let Some(later) = (start + i).checked_sub(PREFETCH_DISTANCE) {
                B::prefetch(self.points, &self.first[later]);
                B::prefetch(self.points, &self.second[later]);
            }
            (x1[i], y1[i]) = B::load(self.points, &self.first[start + i]);
            (x2[i], y2[i]) = B::load(self.points, &self.second[start + i]);
            denominator[i] = x2[i].sub::<1>(&x1[i]);
            slope[i] = y2[i].sub::<1>(&y1[i]);
            exceptional[i] = exceptions(&x1[i], &x2[i], &zero);
            if exceptional[i] != 0 {
                let doublings = doublings(&x1[i], &y1[i], &x2[i], &y2[i], &zero);
                denominator[i] = denominator[i]
                    .select(exceptional[i], &one)
                    .select(doublings, &y1[i].add(&y1[i]));
                slope[i] = slope[i].select(doublings, &x1[i].mul(&x1[i]).times::<3>());
            }
        }
        let mut inverse = [zero; N];
        for i in 0..N {
            let chain = &mut self.inverses[(start + i) % CHAINS];
            inverse[i] = chain.mul(&self.prefix[start + i]);
            *chain = chain.mul(&denominator[i]);
        }
        for i in 0..N {
            slope[i] = slope[i].mul(&inverse[i]);
        }
        let (mut x, mut y) = ([zero; N], [zero; N]);
        for i in 0..N {
            x[i] = slope[i].mul(&slope[i]).sub::<1>(&x1[i]).sub::<1>(&x2[i]).canonical();
        }
        for i in 0..N {
            y[i] = slope[i].mul(&x1[i].sub::<1>(&x[i])).sub::<1>(&y1[i]).canonical();
        }
        for i in 0..N {
            if exceptional[i] != 0 {
                let doublings = doublings(&x1[i], &y1[i], &x2[i], &y2[i], &zero);
                let opposite = exceptional[i] & !doublings;
                let (absent1, absent2) = (x1[i].equal(&zero), x2[i].equal(&zero));
                x[i] = x[i].select(opposite, &zero).select(absent1, &x2[i]).select(absent2, &x1[i]);
                y[i] = y[i].select(opposite, &zero).select(absent1, &y2[i]).select(absent2, &y1[i]);
            }
            B::store(x[i], y[i], out, &self.target[start + i]);
        }
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
