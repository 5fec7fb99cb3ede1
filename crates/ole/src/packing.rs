//! Where the elements of inner products go in plaintexts of `N` slots, and under which keys: a
//! layout both parties derive from what is multiplied alone.
//!
//! An encrypted operand is worth the same slots in all answers that use it, so groups that share an
//! operand form a *component* and stay side by side. A component with many terms may be *folded*:
//! its encrypted operands are dealt out over several stretches of slots ("lanes"), and an output is
//! the sum over the lanes. Folding saves encryptions that would be mostly empty, and costs answer
//! slots. The components lie end to end on a line, those of like shape next to each other, and the
//! line is cut every `N` slots into *blocks*: some encryptions, some answers, one encryptor, one
//! key. Values at points have blocks of their own, and each `N` points a key of their own
//! ([`Use`]).
//!
//! The encryptor of a block is chosen so that both directions of the link fill evenly, unless it is
//! cheaper that one side encrypts all; that of `N` points for all of their blocks, if there are
//! more points than that. Consecutive blocks of one encryptor are a *batch*, about which it makes
//! one proof; keys and proofs are counted with its bytes.

use super::Products;
use super::components::{Component, MAX_ENCRYPTIONS, components};
use std::cmp::Reverse;
use twain_party::Role;
use twain_rlwe::bounds::{MAX_BATCH, ROWS, response_bytes};
use twain_rlwe::{ANSWER_BYTES, FRESH_BYTES, SLOTS};

/// Most encryptions of a block's slots under one key of points: more of them might be combined to
/// something that random rows do not hide (protocol §2.3). Those of three cosets of the base
/// circuit (counts §4).
const MAX_TOGETHER: usize = 36;

/// Bytes of a batch's proof under so many keys, but for its short messages.
pub const fn proof_bytes(keys: usize) -> usize {
    ROWS * response_bytes(keys)
}

/// What a key is for. It is drawn for one call and forgotten after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// The points from `N` times this on of columns, on some cosets.
    Points(usize),
    /// Whatever else the call multiplies: masks, or values on rows.
    Others,
}

/// A stretch of slots that holds elements of one lane.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Index of the component.
    pub component: usize,
    /// Its lane.
    pub lane: usize,
    /// First element.
    pub element: usize,
    /// First slot.
    pub slot: usize,
    /// Number of both.
    pub length: usize,
}

/// What one plaintext's worth of slots holds.
#[derive(Debug)]
pub struct Block {
    /// Who encrypts; the other answers.
    pub encryptor: Role,
    /// Number of the key among those of the encryptor and the call.
    pub key: usize,
    /// What the key is for.
    pub of: Use,
    /// Number of fresh encryptions.
    pub encryptions: usize,
    /// Number of answers.
    pub answers: usize,
    /// Disjoint stretches of slots.
    pub runs: Vec<Run>,
}

/// Consecutive blocks under one key, in a batch.
pub struct Part<'l> {
    /// Number of the key.
    pub key: usize,
    /// Whether nothing was under it before.
    pub is_new: bool,
    pub blocks: Vec<&'l Block>,
}

/// Blocks about which one proof is made.
pub struct Batch<'l> {
    pub parts: Vec<Part<'l>>,
}

impl<'l> Batch<'l> {
    pub fn blocks(&self) -> impl Iterator<Item = &'l Block> {
        self.parts.iter().flat_map(|part| &part.blocks).copied()
    }

    /// Keys that nothing was under before.
    pub fn new_keys(&self) -> usize {
        self.parts.iter().filter(|part| part.is_new).count()
    }

    /// Its encryptions.
    pub fn encryptions(&self) -> usize {
        self.blocks().map(|block| block.encryptions).sum()
    }
}

/// The layout of what is multiplied.
#[derive(Debug)]
pub struct Layout {
    /// Components, those without elements left out.
    pub components: Vec<Component>,
    /// Blocks in the order they are sent.
    pub blocks: Vec<Block>,
    /// Bytes of keys, ciphertexts and proofs from the model's side to the data's, and back.
    pub bytes: [usize; 2],
    /// How far each side's keys and batches are filled.
    filled: [Filled; 2],
}

/// What an encryptor has done so far.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    /// Keys.
    keys: usize,
    /// What the last one is for, and encryptions under it.
    last: Option<(Use, usize)>,
    /// Encryptions of the last batch.
    batch: usize,
}

/// How a block goes on from what its encryptor has done.
#[derive(Clone, Copy)]
struct Next {
    filled: Filled,
    begins_key: bool,
    begins_batch: bool,
}

impl Filled {
    fn next(self, of: Use, encryptions: usize) -> Next {
        let under = match self.last {
            Some((last, under)) if last == of => Some(under + encryptions),
            _ => None,
        };
        let fits = |&under: &usize| of == Use::Others || under <= MAX_TOGETHER;
        let under = under.filter(fits);
        let begins_batch = self.batch == 0 || self.batch + encryptions > MAX_BATCH;
        let filled = Filled {
            keys: self.keys + usize::from(under.is_none()),
            last: Some((of, under.unwrap_or(encryptions))),
            batch: encryptions + if begins_batch { 0 } else { self.batch },
        };
        Next { filled, begins_key: under.is_none(), begins_batch }
    }
}

impl Next {
    /// Bytes of a block of so many encryptions, from its encryptor.
    fn bytes(&self, encryptions: usize) -> usize {
        let of_key = if self.begins_key { FRESH_BYTES } else { 0 };
        // A key is in every batch that has an encryption under it.
        let in_proof = if self.begins_key || self.begins_batch { 1 } else { 0 };
        let proof = proof_bytes(in_proof) - if self.begins_batch { 0 } else { proof_bytes(0) };
        encryptions * FRESH_BYTES + of_key + proof
    }
}

impl Layout {
    /// The blocks that `encryptor` encrypts, in order, batch by batch.
    pub fn batches_of(&self, encryptor: Role) -> Vec<Batch<'_>> {
        let mut batches: Vec<Batch<'_>> = Vec::new();
        let mut filled = Filled::default();
        for block in self.blocks.iter().filter(|block| block.encryptor == encryptor) {
            let next = filled.next(block.of, block.encryptions);
            filled = next.filled;
            if next.begins_batch {
                batches.push(Batch { parts: Vec::new() });
            }
            let Some(batch) = batches.last_mut() else { continue };
            match batch.parts.last_mut() {
                Some(part) if part.key == block.key => part.blocks.push(block),
                _ => {
                    let (key, is_new) = (block.key, next.begins_key);
                    batch.parts.push(Part { key, is_new, blocks: vec![block] });
                }
            }
        }
        batches
    }

    /// The cheapest layout found.
    pub fn new(products: &Products) -> Self {
        let both = [Role::Model, Role::Data];
        Self::cheapest(products, &[&both, &[Role::Data], &[Role::Model]])
    }

    /// The cheapest of those in which this side encrypts all.
    pub fn encrypted_by(products: &Products, encryptor: Role) -> Self {
        Self::cheapest(products, &[&[encryptor]])
    }

    /// Bytes both ways.
    pub fn total_bytes(&self) -> usize {
        self.bytes[0] + self.bytes[1]
    }

    /// What is to be small: all bytes, which are work, and those of the fuller direction, which are
    /// time.
    fn cost(&self) -> usize {
        self.total_bytes() + self.bytes[0].max(self.bytes[1])
    }

    /// The cheapest layout in which one of these sets of sides encrypts.
    fn cheapest(products: &Products, encryptors: &[&[Role]]) -> Self {
        let mut best: Option<Layout> = None;
        let widest = products.groups().map(|g| g.terms.len()).max().unwrap_or(0);
        let mut most = 1;
        loop {
            let empty = Self::with_folds(products, most);
            for &encryptors in encryptors {
                let layout = empty.filled_by(encryptors);
                if best.as_ref().is_none_or(|best| layout.cost() < best.cost()) {
                    best = Some(layout);
                }
            }
            if most >= widest {
                break;
            }
            most *= 2;
        }
        best.unwrap_or_else(|| Self::empty(vec![]))
    }

    fn empty(components: Vec<Component>) -> Self {
        Layout { components, blocks: vec![], bytes: [0; 2], filled: Default::default() }
    }

    /// The components, each on at most so many lanes, without blocks.
    fn with_folds(products: &Products, most: usize) -> Self {
        let mut components = components(products);
        for component in &mut components {
            component.fold(most);
        }
        components.sort_by_key(|c| {
            let [model, data] = [Role::Model, Role::Data].map(|role| c.encryptions(role));
            Reverse((c.at_points, model + data, c.groups.len(), c.length))
        });
        Self::empty(components)
    }

    /// The same with the blocks, which these sides encrypt.
    fn filled_by(&self, encryptors: &[Role]) -> Self {
        let mut layout = Self::empty(self.components.clone());
        let mut blocks = layout.line();
        // The points of one key next to each other.
        blocks.sort_by_key(|(of, _)| *of);
        let several = blocks.iter().any(|(of, _)| matches!(of, Use::Points(1..)));
        let mut chosen: Option<(Use, Role)> = None;
        for (of, runs) in blocks {
            let role = chosen.filter(|(same, _)| *same == of).map(|(_, role)| role);
            let encryptor = match role {
                Some(role) if several && of != Use::Others => layout.push(of, runs, &[role]),
                _ => layout.push(of, runs, encryptors),
            };
            chosen = encryptor.map(|role| (of, role));
        }
        layout
    }

    /// The components end to end, cut into what blocks hold.
    fn line(&self) -> Vec<(Use, Vec<Run>)> {
        let mut blocks: Vec<(Use, Vec<Run>)> = Vec::new();
        let mut slot = 0;
        let mut at_points = true;
        for (index, component) in self.components.iter().enumerate() {
            if at_points && !component.at_points {
                slot = 0;
            }
            at_points = component.at_points;
            for lane in 0..component.folds() {
                let mut element = 0;
                while element < component.length {
                    let length = (component.length - element).min(SLOTS - slot % SLOTS);
                    if slot % SLOTS == 0 {
                        let of = if at_points { Use::Points(element / SLOTS) } else { Use::Others };
                        blocks.push((of, Vec::new()));
                    }
                    if let Some((_, runs)) = blocks.last_mut() {
                        let slot = slot % SLOTS;
                        runs.push(Run { component: index, lane, element, slot, length });
                    }
                    element += length;
                    slot += length;
                }
            }
        }
        blocks
    }

    /// Adds a block, with the encryptor that leaves the fuller direction of the link least full,
    /// and says who that is.
    fn push(&mut self, of: Use, runs: Vec<Run>, encryptors: &[Role]) -> Option<Role> {
        let most = |count: &dyn Fn(&Component) -> usize| {
            runs.iter().map(|run| count(&self.components[run.component])).max().unwrap_or(0)
        };
        let answers = most(&|component| component.groups.len());
        let choices = encryptors.iter().map(|&encryptor| {
            let encryptions = most(&|component| component.encryptions(encryptor));
            let next = self.filled[encryptor as usize].next(of, encryptions);
            let mut bytes = self.bytes;
            bytes[encryptor as usize] += next.bytes(encryptions);
            bytes[encryptor.other() as usize] += answers * ANSWER_BYTES;
            // Many encryptions at a time are what folding avoids: not for the sake of balance.
            let too_many = encryptions > MAX_ENCRYPTIONS;
            let order = (too_many, bytes[0].max(bytes[1]), bytes[0] + bytes[1]);
            (order, encryptor, encryptions, bytes, next.filled)
        });
        let best = choices.min_by_key(|choice| choice.0)?;
        let (_, encryptor, encryptions, bytes, filled) = best;
        self.bytes = bytes;
        self.filled[encryptor as usize] = filled;
        let key = filled.keys - 1;
        self.blocks.push(Block { encryptor, key, of, encryptions, answers, runs });
        Some(encryptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OleGroup;

    fn group(length: usize, terms: &[(u32, u32)]) -> OleGroup {
        OleGroup { length, terms: terms.to_vec() }
    }

    /// Every term of every element of every group meets in exactly one slot of one answer.
    fn check(groups: &[OleGroup]) -> Layout {
        checked(&groups.to_vec().into())
    }

    fn checked(products: &Products) -> Layout {
        let layout = Layout::new(products);
        let groups: Vec<&OleGroup> = products.groups().collect();
        for (index, group) in groups.iter().enumerate() {
            for &(model, data) in &group.terms {
                let mut seen = vec![0; group.length];
                for block in &layout.blocks {
                    let own = [model, data][block.encryptor as usize];
                    for run in &block.runs {
                        let component = &layout.components[run.component];
                        let answer = component.groups.iter().position(|&g| g == index);
                        let Some(answer) = answer else { continue };
                        assert!(answer < block.answers && run.slot + run.length <= SLOTS);
                        for encryption in 0..block.encryptions {
                            let there = component.operand(block.encryptor, run.lane, encryption);
                            if there == Some(own) && component.has_on_lane(run.lane, model) {
                                seen[run.element..][..run.length].iter_mut().for_each(|n| *n += 1);
                            }
                        }
                    }
                }
                assert!(seen.iter().all(|&n| n == 1), "term {model},{data} of group {index}");
            }
        }
        for block in &layout.blocks {
            let mut next = 0;
            for run in &block.runs {
                assert_eq!(run.slot, next, "no gap, no overlap");
                next += run.length;
            }
            assert!(block.encryptions <= MAX_ENCRYPTIONS);
        }
        layout
    }

    #[test]
    fn every_term_has_its_slot() {
        check(&[group(1, &[(0, 0)])]);
        check(&[group(SLOTS + 1, &[(0, 0), (1, 1)]), group(7, &[(2, 2)]), group(0, &[(3, 3)])]);
        let dot: Vec<_> = (0..100).map(|i| (i, i)).collect();
        check(&[group(12, &dot), group(3000, &[(200, 100)])]);
        check(&[group(SLOTS, &dot)]);
        // Both cross terms of many shared products, on lanes that lie in several blocks.
        let cross: Vec<_> = (0..300).map(|i| (i, (i + 150) % 300)).collect();
        check(&[group(4000, &[(900, 900)]), group(1111, &cross), group(3000, &[(901, 901)])]);
        // One against many, both ways round, and a chain of shared operands.
        let many: Vec<_> = (0..5).map(|i| group(900, &[(7, i)])).collect();
        check(&many);
        check(&[group(10, &[(0, 0), (0, 1)]), group(10, &[(1, 1), (0, 0)]), group(10, &[(2, 2)])]);
        assert!(check(&[]).blocks.is_empty());
        // Cross products, folded, over several blocks: what the quotient of a Poseidon circuit
        // asks.
        let crosses = |first: u32, pairs: u32| {
            let pairs = (0..pairs).map(|i| first + 2 * i);
            group(2048, &pairs.flat_map(|a| [(a, a + 1), (a + 1, a)]).collect::<Vec<_>>())
        };
        let of_place = |place: u32| {
            [(0, 1), (2, 1), (4, 1), (6, 6)].map(|(a, pairs)| crosses(18 * place + a, pairs))
        };
        let mut places: Vec<_> = (0..4).flat_map(of_place).collect();
        places.extend([group(5775, &[(72, 72)]), group(369, &[(73, 73), (74, 74)])]);
        places.push(group(6, &(75..87).map(|i| (i, i)).collect::<Vec<_>>()));
        check(&places);
    }

    #[test]
    fn bytes_are_close_to_what_the_products_need() {
        let total = Layout::total_bytes;
        let of_batch = FRESH_BYTES + proof_bytes(1);
        // Full blocks of two terms: two encryptions and an answer each, both directions even.
        let long = check(&[group(16 * SLOTS, &[(0, 0), (1, 1)])]);
        assert_eq!(total(&long), 16 * (2 * FRESH_BYTES + ANSWER_BYTES) + 2 * of_batch);
        let [up, down] = long.bytes.map(|b| b as f64);
        assert!((up / down - 1.0).abs() < 0.15, "{up} {down}");
        // One operand against four: encrypted once.
        let shared: Vec<_> = (0..4).map(|i| group(SLOTS, &[(0, i)])).collect();
        assert_eq!(total(&check(&shared)), FRESH_BYTES + 4 * ANSWER_BYTES + of_batch);
        // A short, wide sum is folded into one encryption instead of many nearly empty ones.
        let dot: Vec<_> = (0..100).map(|i| (i, i)).collect();
        let folded = check(&[group(300, &dot)]);
        assert_eq!(total(&folded), FRESH_BYTES + ANSWER_BYTES + of_batch);
        // Groups of other shapes fill what is left of a block.
        let mixed: Vec<_> = (0..64).map(|i| group(512, &[(i, i)])).collect();
        assert_eq!(check(&mixed).blocks.len(), 1);
    }

    #[test]
    fn batches_are_as_full_as_they_may_be() {
        let terms: Vec<_> = (0..10).map(|i| (i, i)).collect();
        let long: Products = vec![group(20 * SLOTS, &terms)].into();
        for encryptor in [Role::Model, Role::Data] {
            let layout = Layout::encrypted_by(&long, encryptor);
            assert!(layout.batches_of(encryptor.other()).is_empty());
            let batches = layout.batches_of(encryptor);
            let sizes: Vec<usize> = batches.iter().map(Batch::encryptions).collect();
            assert_eq!(sizes, [120, 80]);
            // One key for all, in both.
            assert!(batches.iter().all(|batch| batch.parts.len() == 1));
            assert_eq!(batches.iter().map(Batch::new_keys).collect::<Vec<_>>(), [1, 0]);
            let bytes = 201 * FRESH_BYTES + 2 * proof_bytes(1);
            assert_eq!(layout.bytes[encryptor as usize], bytes);
            assert_eq!(layout.bytes[encryptor.other() as usize], 20 * ANSWER_BYTES);
        }
        let both = Layout::new(&long);
        let count = |role| both.batches_of(role).iter().map(|b| b.blocks().count()).sum::<usize>();
        let blocks = [Role::Model, Role::Data].map(count);
        assert_eq!(blocks[0] + blocks[1], 20);
        assert!(blocks[0].abs_diff(blocks[1]) <= 1);
    }

    /// The last products of the base circuit's quotient, of so many rows, on so many cosets.
    fn cosets(rows: usize, count: u32) -> Vec<OleGroup> {
        let coset = |place: u32| {
            let pairs = (0..6).map(|pair| 12 * place + 2 * pair);
            group(rows, &pairs.flat_map(|a| [(a, a + 1), (a + 1, a)]).collect::<Vec<_>>())
        };
        (0..count).map(coset).collect()
    }

    #[test]
    fn points_have_keys_of_their_own() {
        // All cosets of so many points under one key, of sides in turn.
        let others = vec![group(100, &[(400, 400)])];
        let products = Products { points: cosets(4 * SLOTS, 3), others: others.clone() };
        let layout = checked(&products);
        for role in [Role::Model, Role::Data] {
            let batches = layout.batches_of(role);
            let points: Vec<&Block> = batches.iter().flat_map(Batch::blocks).collect();
            for block in points.iter().filter(|block| block.of != Use::Others) {
                let Use::Points(number) = block.of else { panic!("points") };
                assert!(block.runs.iter().all(|run| run.element / SLOTS == number));
                let same = |other: &&&Block| other.of == block.of;
                assert_eq!(points.iter().filter(same).count(), 3);
                assert!(
                    points.iter().all(|other| (other.of == block.of) == (other.key == block.key))
                );
            }
            assert_eq!(points.iter().filter(|block| block.of != Use::Others).count(), 6);
            let keys: usize = batches.iter().map(Batch::new_keys).sum();
            let has_others = points.iter().any(|block| block.of == Use::Others);
            assert_eq!(keys, 2 + usize::from(has_others));
        }
        // Of a block of points or less, sides take cosets in turn, one key each.
        for rows in [SLOTS, SLOTS / 4] {
            let layout = checked(&Products { points: cosets(rows, 3), others: others.clone() });
            let at_points = |run: &Run| layout.components[run.component].at_points;
            for block in &layout.blocks {
                assert!(block.runs.iter().all(|run| at_points(run) == (block.of != Use::Others)));
            }
            for role in [Role::Model, Role::Data] {
                let own = layout.blocks.iter().filter(|block| block.encryptor == role);
                let keys = own.filter(|block| block.of != Use::Others).map(|block| block.key);
                assert!(keys.collect::<std::collections::BTreeSet<_>>().len() <= 1);
            }
        }
        // Never more of a slot's values under one key than three cosets'.
        let products = Products { points: cosets(2 * SLOTS, 10), ..products };
        let layout = Layout::new(&products);
        for role in [Role::Model, Role::Data] {
            for batch in layout.batches_of(role) {
                for part in batch.parts.iter().filter(|part| part.blocks[0].of != Use::Others) {
                    let under: usize = part.blocks.iter().map(|block| block.encryptions).sum();
                    assert!(under <= MAX_TOGETHER);
                }
            }
        }
    }
}
