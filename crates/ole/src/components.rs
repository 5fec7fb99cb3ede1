//! Groups of inner products that share operands, and on how many stretches of slots each of them is
//! laid out ([`super::packing`]).

use super::{OleGroup, Products};
use std::collections::BTreeMap;
use twain_party::Role;
use twain_rlwe::{ANSWER_BYTES, FRESH_BYTES, SLOTS};

/// Most encryptions a block holds (4 MB each in memory): longer sums are folded.
pub const MAX_ENCRYPTIONS: usize = 16;

/// Groups tied together by the operands they share.
#[derive(Clone, Debug)]
pub struct Component {
    /// Whether its operands are values at points.
    pub at_points: bool,
    /// Length of its operands and outputs.
    pub length: usize,
    /// Its distinct terms: operands of the model and of the data, sorted.
    terms: Vec<(u32, u32)>,
    /// The distinct operands of the model, sorted.
    models: Vec<u32>,
    /// The operands of each side on each lane. A lane has the terms of some of the model's
    /// operands, whoever encrypts: lanes lie in several blocks, and those may differ in the
    /// encryptor.
    lanes: [Vec<Vec<u32>>; 2],
    /// Indices of the groups.
    pub groups: Vec<usize>,
}

impl Component {
    /// Encryptions a block needs for it if `encryptor` sends them.
    pub fn encryptions(&self, encryptor: Role) -> usize {
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
    pub fn folds(&self) -> usize {
        self.lanes[0].len()
    }

    /// Bytes per block if `encryptor` sends the encryptions.
    fn block_bytes(&self, encryptor: Role) -> usize {
        self.encryptions(encryptor) * FRESH_BYTES + self.groups.len() * ANSWER_BYTES
    }

    /// Sets the number of lanes, at most `most`, to what is cheapest for the component by itself.
    pub fn fold(&mut self, most: usize) {
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

/// Groups that share operands, directly or through others. Those of points, and those of anything
/// else, are never tied together. Those without elements are left out.
pub fn components(products: &Products) -> Vec<Component> {
    let mut all = tied(&products.points, true, 0);
    all.extend(tied(&products.others, false, products.points.len()));
    all
}

/// The components of these groups, of which the first has this index.
fn tied(groups: &[OleGroup], at_points: bool, first_index: usize) -> Vec<Component> {
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
            at_points,
            length: group.length,
            terms: vec![],
            models: vec![],
            lanes: Default::default(),
            groups: vec![],
        });
        component.groups.push(first_index + index);
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
