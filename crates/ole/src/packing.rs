//! Where the elements of inner products go in plaintexts of `N` slots: a layout both parties derive
//! from the groups alone.
//!
//! An encrypted operand is worth the same slots in all answers that use it, so groups that share an
//! operand form a *component* and stay side by side. A component with many terms may be *folded*: its
//! encrypted operands are dealt out over several stretches of slots ("lanes"), and an output is the
//! sum over the lanes. Folding saves encryptions that would be mostly empty, and costs answer slots.
//! The components lie end to end on a line, those of like shape next to each other, and the line is
//! cut every `N` slots into *blocks*: some encryptions, some answers, one encryptor. The encryptor of a
//! block is chosen so that both directions of the link fill evenly. Consecutive blocks of one encryptor are
//! a *batch*, about which it makes one proof; that is counted with its bytes.

use super::OleGroup;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use twain_party::Role;
use twain_rlwe::bounds::{MAX_BATCH, ROWS, response_bytes};
use twain_rlwe::{ANSWER_BYTES, FRESH_BYTES, SLOTS};

/// Most encryptions a block holds (4 MB each in memory): longer sums are folded.
const MAX_ENCRYPTIONS: usize = 16;

/// Encryptions of a batch: half of what a proof may be about, since the evaluator holds all of them, 4 MB
/// each, until they are proved.
pub const BATCH: usize = MAX_BATCH / 2;

/// Bytes of a batch's proof, but for its short messages.
pub const PROOF_BYTES: usize = ROWS * response_bytes(1);

/// Groups tied together by the operands they share.
#[derive(Debug)]
pub struct Component {
    /// Length of its operands and outputs.
    pub length: usize,
    /// Its distinct terms: operands of the model and of the data, sorted.
    terms: Vec<(u32, u32)>,
    /// The distinct operands of the model, sorted.
    models: Vec<u32>,
    /// The operands of each side on each lane. A lane has the terms of some of the model's operands,
    /// whoever encrypts: lanes lie in several blocks, and those may differ in the encryptor.
    lanes: [Vec<Vec<u32>>; 2],
    /// Indices of the groups.
    pub groups: Vec<usize>,
}

impl Component {
    /// Encryptions a block needs for it if `encryptor` sends them.
    fn encryptions(&self, encryptor: Role) -> usize {
        self.lanes[encryptor as usize].iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The encryptor's operand in encryption `encryption` on `lane`, if there is one.
    pub fn operand(&self, encryptor: Role, lane: usize, encryption: usize) -> Option<u32> {
        self.lanes[encryptor as usize].get(lane)?.get(encryption).copied()
    }

    /// Whether `lane` has the terms of this operand of the model's.
    pub fn has_on_lane(&self, lane: usize, model: u32) -> bool {
        let operands = self.lanes[Role::Model as usize].get(lane);
        operands.is_some_and(|operands| operands.binary_search(&model).is_ok())
    }

    /// Deals the terms out over at most `folds` lanes.
    fn deal(&mut self, folds: usize) {
        let per_lane = self.models.len().div_ceil(folds).max(1);
        let models: Vec<Vec<u32>> = self.models.chunks(per_lane).map(<[u32]>::to_vec).collect();
        let datas = models.iter().map(|models| {
            let (first, last) = (models.first().copied(), models.last().copied());
            let lane = self.terms.iter().filter(|(m, _)| Some(*m) >= first && Some(*m) <= last);
            let mut datas: Vec<u32> = lane.map(|(_, data)| *data).collect();
            datas.sort_unstable();
            datas.dedup();
            datas
        });
        let datas = datas.collect();
        self.lanes = [models, datas];
    }

    /// Lanes.
    fn folds(&self) -> usize {
        self.lanes[0].len()
    }

    /// Bytes per block if `encryptor` sends the encryptions.
    fn block_bytes(&self, encryptor: Role) -> usize {
        self.encryptions(encryptor) * FRESH_BYTES + self.groups.len() * ANSWER_BYTES
    }

    /// Sets the number of lanes, at most `most`, to what is cheapest for the component by itself.
    fn fold(&mut self, most: usize) {
        let mut datas: Vec<u32> = self.terms.iter().map(|(_, data)| *data).collect();
        datas.sort_unstable();
        datas.dedup();
        let terms = self.models.len().min(datas.len()).max(1);
        let least = terms.div_ceil(MAX_ENCRYPTIONS);
        let cost = |component: &Component| {
            let blocks = (component.folds() * component.length).div_ceil(SLOTS);
            let bytes = [Role::Model, Role::Data].map(|role| component.block_bytes(role));
            blocks * bytes[0].min(bytes[1])
        };
        let mut best = (usize::MAX, least);
        // Counts in between hardly differ: each costs a pass over the terms.
        let mut folds = least;
        while folds <= terms.min(most).max(least) {
            self.deal(folds);
            best = best.min((cost(self), folds));
            folds += folds.div_ceil(16);
        }
        self.deal(best.1);
    }
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
    /// Number of fresh encryptions.
    pub encryptions: usize,
    /// Number of answers.
    pub answers: usize,
    /// Disjoint stretches of slots.
    pub runs: Vec<Run>,
}

/// The layout of some groups.
#[derive(Debug)]
pub struct Layout {
    /// Components, those without elements left out.
    pub components: Vec<Component>,
    /// Blocks in the order they are sent.
    pub blocks: Vec<Block>,
    /// Bytes of ciphertexts and proofs from the model's side to the data's, and back.
    pub bytes: [usize; 2],
    /// Encryptions of each side's last batch.
    last_batch: [usize; 2],
}

impl Layout {
    /// The blocks that `encryptor` encrypts, in order, batch by batch.
    pub fn batches_of(&self, encryptor: Role) -> Vec<Vec<&Block>> {
        let mut batches: Vec<Vec<&Block>> = Vec::new();
        let mut last = 0;
        for block in self.blocks.iter().filter(|block| block.encryptor == encryptor) {
            let (begins, encryptions) = joined(last, block.encryptions);
            last = encryptions;
            match batches.last_mut() {
                Some(batch) if !begins => batch.push(block),
                _ => batches.push(vec![block]),
            }
        }
        batches
    }

    /// The cheapest layout found.
    pub fn new(groups: &[OleGroup]) -> Self {
        Self::cheapest(groups, &[Role::Model, Role::Data])
    }

    /// The cheapest of those in which this side encrypts all.
    pub fn encrypted_by(groups: &[OleGroup], encryptor: Role) -> Self {
        Self::cheapest(groups, &[encryptor])
    }

    fn cheapest(groups: &[OleGroup], encryptors: &[Role]) -> Self {
        let mut best: Option<Layout> = None;
        let widest = groups.iter().map(|g| g.terms.len()).max().unwrap_or(0);
        let mut most = 1;
        loop {
            let layout = Self::with_folds(groups, most, encryptors);
            let total = |layout: &Layout| layout.bytes[0] + layout.bytes[1];
            if best.as_ref().is_none_or(|best| total(&layout) < total(best)) {
                best = Some(layout);
            }
            if most >= widest {
                break;
            }
            most *= 2;
        }
        best.unwrap_or_else(|| Self::empty(vec![]))
    }

    fn empty(components: Vec<Component>) -> Self {
        Layout { components, blocks: vec![], bytes: [0; 2], last_batch: [0; 2] }
    }

    fn with_folds(groups: &[OleGroup], most: usize, encryptors: &[Role]) -> Self {
        let mut components = components(groups);
        for component in &mut components {
            component.fold(most);
        }
        components.sort_by_key(|c| {
            let [model, data] = [Role::Model, Role::Data].map(|role| c.encryptions(role));
            Reverse((model + data, c.groups.len(), c.length))
        });
        let mut layout = Self::empty(components);
        let mut runs = Vec::new();
        let mut slot = 0;
        for (index, component) in layout.components.iter().enumerate() {
            for lane in 0..component.folds() {
                let mut element = 0;
                while element < component.length {
                    let length = (component.length - element).min(SLOTS - slot % SLOTS);
                    if slot % SLOTS == 0 {
                        runs.push(Vec::new());
                    }
                    if let Some(block) = runs.last_mut() {
                        let slot = slot % SLOTS;
                        block.push(Run { component: index, lane, element, slot, length });
                    }
                    element += length;
                    slot += length;
                }
            }
        }
        for runs in runs {
            layout.push(runs, encryptors);
        }
        layout
    }

    /// Adds a block, with the encryptor that leaves the fuller direction of the link least full.
    fn push(&mut self, runs: Vec<Run>, encryptors: &[Role]) {
        let most = |count: &dyn Fn(&Component) -> usize| {
            runs.iter().map(|run| count(&self.components[run.component])).max().unwrap_or(0)
        };
        let answers = most(&|component| component.groups.len());
        let choices = encryptors.iter().map(|&encryptor| {
            let encryptions = most(&|component| component.encryptions(encryptor));
            let mut bytes = self.bytes;
            let (begins, batch) = joined(self.last_batch[encryptor as usize], encryptions);
            let proof = if begins { PROOF_BYTES } else { 0 };
            bytes[encryptor as usize] += encryptions * FRESH_BYTES + proof;
            bytes[encryptor.other() as usize] += answers * ANSWER_BYTES;
            // Many encryptions at a time are what folding avoids: not for the sake of balance.
            let too_many = encryptions > MAX_ENCRYPTIONS;
            let order = (too_many, bytes[0].max(bytes[1]), bytes[0] + bytes[1]);
            (order, encryptor, encryptions, bytes, batch)
        });
        let Some((_, encryptor, encryptions, bytes, batch)) = choices.min_by_key(|choice| choice.0)
        else {
            return;
        };
        self.bytes = bytes;
        self.last_batch[encryptor as usize] = batch;
        self.blocks.push(Block { encryptor, encryptions, answers, runs });
    }
}

/// Whether a block of so many encryptions begins a batch, and how many the batch has with it.
fn joined(batch: usize, block: usize) -> (bool, usize) {
    match batch + block {
        sum if batch > 0 && sum <= BATCH => (false, sum),
        _ => (true, block),
    }
}

/// Groups that share operands, directly or through others.
fn components(groups: &[OleGroup]) -> Vec<Component> {
    // Union-find over groups; the first group of each operand ties in the later ones.
    let mut parent: Vec<usize> = (0..groups.len()).collect();
    fn root(parent: &mut [usize], mut group: usize) -> usize {
        while parent[group] != group {
            parent[group] = parent[parent[group]];
            group = parent[group];
        }
        group
    }
    let mut first: [BTreeMap<u32, usize>; 2] = Default::default();
    for (index, group) in groups.iter().enumerate() {
        for &(model, data) in &group.terms {
            for (map, operand) in first.iter_mut().zip([model, data]) {
                let other = *map.entry(operand).or_insert(index);
                let (a, b) = (root(&mut parent, index), root(&mut parent, other));
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    let mut found: BTreeMap<usize, Component> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        if group.length == 0 || group.terms.is_empty() {
            continue;
        }
        let component = found.entry(root(&mut parent, index)).or_insert_with(|| Component {
            length: group.length,
            terms: vec![],
            models: vec![],
            lanes: Default::default(),
            groups: vec![],
        });
        component.groups.push(index);
        component.terms.extend(&group.terms);
    }
    for component in found.values_mut() {
        component.terms.sort_unstable();
        component.terms.dedup();
        component.models = component.terms.iter().map(|(model, _)| *model).collect();
        component.models.dedup();
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(length: usize, terms: &[(u32, u32)]) -> OleGroup {
        OleGroup { length, terms: terms.to_vec() }
    }

    /// Every term of every element of every group meets in exactly one slot of one answer.
    fn check(groups: &[OleGroup]) -> Layout {
        let layout = Layout::new(groups);
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
        // Cross products, folded, over several blocks: what the quotient of a Poseidon circuit asks.
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
        let total = |layout: &Layout| layout.bytes[0] + layout.bytes[1];
        // Full blocks of two terms: two encryptions and an answer each, both directions even.
        let long = check(&[group(16 * SLOTS, &[(0, 0), (1, 1)])]);
        assert_eq!(total(&long), 16 * (2 * FRESH_BYTES + ANSWER_BYTES) + 2 * PROOF_BYTES);
        let [up, down] = long.bytes.map(|b| b as f64);
        assert!((up / down - 1.0).abs() < 0.15, "{up} {down}");
        // One operand against four: encrypted once.
        let shared: Vec<_> = (0..4).map(|i| group(SLOTS, &[(0, i)])).collect();
        assert_eq!(total(&check(&shared)), FRESH_BYTES + 4 * ANSWER_BYTES + PROOF_BYTES);
        // A short, wide sum is folded into one encryption instead of many nearly empty ones.
        let dot: Vec<_> = (0..100).map(|i| (i, i)).collect();
        let folded = check(&[group(300, &dot)]);
        assert_eq!(total(&folded), FRESH_BYTES + ANSWER_BYTES + PROOF_BYTES);
        // Groups of other shapes fill what is left of a block.
        let mixed: Vec<_> = (0..64).map(|i| group(512, &[(i, i)])).collect();
        assert_eq!(check(&mixed).blocks.len(), 1);
    }

    #[test]
    fn batches_are_as_full_as_they_may_be() {
        let terms: Vec<_> = (0..10).map(|i| (i, i)).collect();
        let long = [group(20 * SLOTS, &terms)];
        for encryptor in [Role::Model, Role::Data] {
            let layout = Layout::encrypted_by(&long, encryptor);
            assert!(layout.batches_of(encryptor.other()).is_empty());
            let sizes: Vec<usize> = layout
                .batches_of(encryptor)
                .iter()
                .map(|batch| batch.iter().map(|block| block.encryptions).sum())
                .collect();
            assert_eq!(sizes, [60, 60, 60, 20]);
            let bytes = 200 * FRESH_BYTES + 4 * PROOF_BYTES;
            assert_eq!(layout.bytes[encryptor as usize], bytes);
            assert_eq!(layout.bytes[encryptor.other() as usize], 20 * ANSWER_BYTES);
        }
        let both = Layout::new(&long);
        let batches = [Role::Model, Role::Data].map(|role| both.batches_of(role).concat().len());
        assert_eq!(batches[0] + batches[1], 20);
        assert!(batches[0].abs_diff(batches[1]) <= 1);
    }
}
