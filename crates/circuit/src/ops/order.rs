//! Orders rows of secret values by a network of comparisons (Batcher's odd-even merge: Knuth, The
//! Art of Computer Programming 3, 5.2.2 M). Which pairs are compared depends on the number of rows
//! only, and a comparison gives a bit, so the result is a permutation of the rows whatever the
//! values are. No cells are written here.

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, Wire};
use twain_graph::numbers::integer_to_field;
use twain_party::Hint;

/// Rows of equally many wires. Their keys must be distinct.
pub(super) type Rows = Vec<Vec<Wire>>;

/// Pairs of places to be put in order, one round after the other; the pairs of a round are
/// disjoint.
fn rounds(length: usize) -> Vec<Vec<(usize, usize)>> {
    let mut rounds = Vec::new();
    let top = length.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut distance) = (top, 0, p);
        loop {
            let pairs = (0..length.saturating_sub(distance)).filter(|i| i & p == r);
            rounds.push(pairs.map(|i| (i, i + distance)).collect());
            if q == p {
                break;
            }
            (distance, q, r) = (q - p, q / 2, p);
        }
        p /= 2;
    }
    rounds
}

impl Layouter {
    /// Puts each list's rows in the order of their keys, smallest first; `weights[j]` is what
    /// column `j` contributes to a row's key. The lists are of equal length.
    pub(super) fn order(
        &mut self,
        lists: &mut [Rows],
        weights: &[i128],
    ) -> Result<(), LayoutError> {
        let mut constants = |sign: i128| -> Vec<Wire> {
            let field = |weight: &i128| integer_to_field(sign * weight);
            weights.iter().map(|weight| self.recorder.constant(field(weight))).collect()
        };
        let (plus, minus) = (constants(1), constants(-1));
        let hint = self.recorder.hint_id(Hint::NotNegative);
        for round in rounds(lists.first().map_or(0, Vec::len)) {
            let mut differences = Vec::with_capacity(lists.len() * round.len());
            for list in lists.iter() {
                for (low, high) in &round {
                    let first = plus.iter().copied().zip(list[*low].iter().copied());
                    let second = minus.iter().copied().zip(list[*high].iter().copied());
                    let terms: Vec<_> = first.chain(second).collect();
                    differences.push(self.recorder.linear(&terms));
                }
            }
            let swaps = self.recorder.hint(hint, &differences, &[Bound::BIT])?;
            let mut swaps = swaps.into_iter();
            for list in lists.iter_mut() {
                for ((low, high), swap) in round.iter().zip(&mut swaps) {
                    let (first, second) = (list[*low].clone(), list[*high].clone());
                    let pairs = first.into_iter().zip(second);
                    (list[*low], list[*high]) =
                        pairs.map(|(a, b)| self.swapped(swap, a, b)).unzip();
                }
            }
        }
        Ok(())
    }

    /// `(b, a)` if `swap` is 1, `(a, b)` if it is 0.
    fn swapped(&mut self, swap: Wire, a: Wire, b: Wire) -> (Wire, Wire) {
        let recorder = &mut self.recorder;
        let bound = recorder.bound(recorder.now(a)).union(recorder.bound(recorder.now(b)));
        let difference = recorder.sub(a, b);
        let change = recorder.mul(swap, difference);
        let (low, high) = (recorder.sub(a, change), recorder.add(b, change));
        for wire in [low, high] {
            recorder.refine(wire, bound);
        }
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_zeros_and_ones_is_ordered() {
        // Which suffices for all lists (Knuth, 5.3.4, theorem Z).
        for length in 0..=9usize {
            for bits in 0..1u32 << length {
                let mut list: Vec<u32> = (0..length).map(|i| bits >> i & 1).collect();
                for (low, high) in rounds(length).concat() {
                    if list[low] > list[high] {
                        list.swap(low, high);
                    }
                }
                assert!(list.is_sorted(), "{length} {bits:b}");
            }
        }
    }

    #[test]
    fn pairs_of_a_round_are_disjoint() {
        for round in rounds(11) {
            let mut places: Vec<usize> = round.iter().flat_map(|(a, b)| [*a, *b]).collect();
            places.sort_unstable();
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
