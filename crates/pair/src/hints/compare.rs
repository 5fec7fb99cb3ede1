//! Comparison with zero of shared values (protocol §7): one masked opening, then a tree of products
//! of shared bits. In: a share of `x`, `|x| < 2^width`. Out: `[x >= 0]` and `[x = 0]`, each as an
//! exclusive or of both parties' bits. Whatever `x` was, the bits are bits, and at most the first
//! is 0 or the second is 0: the sign they make is -1, 0 or 1.
//!
//! The mask of `width + 1` bits is made of small digit masks ("chunks"), so that with
//! `c = x + 2^width + r` every chunk's `[c_i < r_i]` and `[c_i = r_i]` are local. The top bit of
//! `c - r` needs no product of its own: it is part of the top chunk's one-hot vector.

use super::cover::Cover;
use super::opening::{Budget, Openings, power_of_two};
use rand_chacha::ChaCha20Rng;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_masks::dpf::{DigitMask, Scratch, lift};
use twain_masks::{BitProducts, Demand, Material};
use twain_party::{PartyError, Role};
use zeroize::Zeroize;

/// Bits of a chunk (the top one has one more).
const CHUNK_BITS: u32 = 7;
/// The widest comparison.
pub(super) const MAX_WIDTH: u32 = 120;

/// Bits of the chunks, lowest first; the top bit belongs to the last.
fn chunks(width: u32) -> Vec<u8> {
    let count = width.div_ceil(CHUNK_BITS);
    let mut chunks: Vec<u8> =
        (0..count).map(|i| (width / count + u32::from(i < width % count)) as u8).collect();
    if let Some(top) = chunks.last_mut() {
        *top += 1;
    }
    chunks
}

/// A run of chunks: is `c` below `r` there, are they equal.
#[derive(Clone, Copy, Default)]
struct Node {
    less: u8,
    equal: u8,
}

/// A comparison under way.
pub(super) struct Comparison {
    /// This party's share of the value.
    pub value: Fr,
    width: u32,
    masks: Vec<DigitMask>,
    cover: Option<Cover>,
    /// Runs of chunks, highest first. The first one's `less` is the top bit of `c - r`.
    nodes: Vec<Node>,
    /// The first run is equal and the top bit of `c - r` is 1.
    zero: u8,
}

impl Drop for Comparison {
    fn drop(&mut self) {
        twain_algebra::erase(std::slice::from_mut(&mut self.value));
        self.zero.zeroize();
    }
}

impl Comparison {
    /// A comparison of a value with static bound `2^bits`, whose valid values are below `2^width`.
    /// Adds what it consumes to `demand`.
    pub fn new(
        value: Fr,
        width: u32,
        bits: u32,
        demand: &mut Demand,
        budget: &mut Budget,
        what: &str,
    ) -> Result<Self, PartyError> {
        let width = width.max(1);
        if width > MAX_WIDTH {
            return Err(PartyError::Unsupported(format!(
                "{what}: comparing a value neither side knows of {width} bits (at most {MAX_WIDTH})"
            )));
        }
        budget.opening(bits.max(width) + 1, what)?;
        let chunks = chunks(width);
        for &bits in &chunks {
            demand.masks[usize::from(bits)] += 1;
            budget.lift(1, 2f64.powi(i32::from(bits)))?;
        }
        let mut runs = chunks.len();
        while runs > 1 {
            demand.bit_products += 2 * (runs / 2) + usize::from(runs > 2);
            runs = runs.div_ceil(2);
        }
        Ok(Self { value, width, masks: Vec::new(), cover: None, nodes: Vec::new(), zero: 0 })
    }

    /// This party's part of the masked value.
    pub fn mask(
        &mut self,
        material: &mut Material,
        role: Role,
        rng: &mut ChaCha20Rng,
    ) -> Result<Fr, PartyError> {
        let cover = Cover::above(self.width + 1, rng);
        let mut part = self.value + cover.in_field();
        self.cover = Some(cover);
        if role == Role::Model {
            part += power_of_two(self.width);
        }
        let mut from = 0;
        for bits in chunks(self.width) {
            let mask = material.take_mask(bits)?;
            part += lift(role, mask.position()) * power_of_two(from);
            self.masks.push(mask);
            from += u32::from(bits);
        }
        Ok(part)
    }

    /// Compares the chunks of the opened value.
    pub fn opened(&mut self, sum: &Fr, role: Role, scratch: &mut Scratch) {
        let Some(sum) = self.cover.take().map(|cover| cover.unwrap(sum)) else { return };
        let mut from = 0;
        let count = self.masks.len();
        for (i, mask) in std::mem::take(&mut self.masks).into_iter().enumerate() {
            let bits = u32::from(mask.domain_bits());
            let limit = sum.bits(from, bits);
            from += bits;
            if i + 1 < count {
                // Shares modulo 2^128 of a bit are, by their lowest bits, an exclusive or of it.
                let (above, equal) = mask.compare(limit, scratch);
                self.nodes.push(Node { less: above as u8 & 1, equal: equal as u8 & 1 });
            } else {
                let top = self.compare_top(&mask, limit, role, scratch);
                self.nodes.push(top);
            }
        }
        self.nodes.reverse();
    }

    /// The top chunk, whose highest bit is bit `width` of `c` and of `r`.
    fn compare_top(
        &mut self,
        mask: &DigitMask,
        limit: usize,
        role: Role,
        scratch: &mut Scratch,
    ) -> Node {
        let top = 1 << (mask.domain_bits() - 1);
        let low = top - 1;
        let (mut less, mut equal, mut zero) = (0, 0, 0);
        mask.expand(scratch, |first, run| {
            for (t, entry) in (first..).zip(run) {
                let bit = *entry as u8 & 1;
                if (t & low > limit & low) != (t & top != 0) {
                    less ^= bit;
                }
                if t & low == limit & low {
                    equal ^= bit;
                    if (t ^ limit) & top != 0 {
                        zero ^= bit;
                    }
                }
            }
        });
        if limit & top != 0 && role == Role::Model {
            less ^= 1;
        }
        self.zero = zero;
        Node { less, equal }
    }

    /// This party's bits of `[x >= 0]` and `[x = 0]`, once the runs are folded to one.
    pub fn result(&self) -> (u8, u8) {
        (self.nodes.first().map_or(0, |node| node.less), self.zero)
    }

    /// The factors of the products that fold neighbouring runs, high before low.
    fn factors(&self, left: &mut Vec<u8>, right: &mut Vec<u8>) {
        for (i, pair) in self.nodes.chunks_exact(2).enumerate() {
            let [high, low] = [pair[0], pair[1]];
            left.push(high.equal);
            right.push(low.less);
            if self.nodes.len() > 2 {
                left.push(high.equal);
                right.push(low.equal);
            }
            if i == 0 {
                left.push(self.zero);
                right.push(low.equal);
            }
        }
    }

    fn fold(&mut self, products: &mut impl Iterator<Item = u8>) {
        let last = self.nodes.len() == 2;
        let mut next = || products.next().unwrap_or(0);
        let mut folded = Vec::with_capacity(self.nodes.len().div_ceil(2));
        let (pairs, odd) = self.nodes.as_chunks::<2>();
        for (i, [high, _]) in pairs.iter().enumerate() {
            let less = high.less ^ next();
            let equal = if last { 0 } else { next() };
            if i == 0 {
                self.zero = next();
            }
            folded.push(Node { less, equal });
        }
        folded.extend_from_slice(odd);
        self.nodes = folded;
    }
}

/// Folds all comparisons to their results: a message each way for each halving of the longest.
pub(super) fn fold_all(
    comparisons: &mut [Comparison],
    material: &BitProducts,
    channel: &mut dyn Channel,
) -> Result<(), PartyError> {
    let mut used = 0;
    loop {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let unfinished = |c: &&mut Comparison| c.nodes.len() > 1;
        comparisons
            .iter()
            .filter(|c| c.nodes.len() > 1)
            .for_each(|c| c.factors(&mut left, &mut right));
        if left.is_empty() {
            return Ok(());
        }
        let products = multiply(&left, &right, material, used, channel)?;
        left.zeroize();
        right.zeroize();
        used += products.len();
        let mut products = products.into_iter();
        comparisons.iter_mut().filter(unfinished).for_each(|c| c.fold(&mut products));
    }
}

/// Products of shared bits, by the products of random bits from number `first` on.
fn multiply(
    left: &[u8],
    right: &[u8],
    material: &BitProducts,
    first: usize,
    channel: &mut dyn Channel,
) -> Result<Vec<u8>, PartyError> {
    let range = first..first + left.len();
    let short = || PartyError::Unsupported("no products of bits are left".into());
    let a = material.left.get(range.clone()).ok_or_else(short)?;
    let b = material.right.get(range.clone()).ok_or_else(short)?;
    let ab = material.product.get(range).ok_or_else(short)?;
    let masked = left.iter().zip(a).chain(right.iter().zip(b)).map(|(x, mask)| x ^ mask);
    let bits = Openings { bits: masked.collect(), ..Openings::default() };
    let opened = bits.open(channel, "products of bits")?.bits;
    let (d, e) = opened.split_at(left.len().min(opened.len()));
    let model = u8::from(channel.role() == Role::Model);
    let product = |i: usize| ab[i] ^ d[i] & b[i] ^ e[i] & a[i] ^ d[i] & e[i] & model;
    Ok((0..left.len()).map(product).collect())
}
