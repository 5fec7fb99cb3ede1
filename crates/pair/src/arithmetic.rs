//! Products and openings over additive shares, from [`OleSource`] (protocol §2).
//!
//! Inputs and outputs are this party's shares; both parties call every function with the same
//! lengths and kinds. What crosses the link is masked by something uniform the receiver does not
//! know, or is a part of a sum whose total the receiver may know.

use ff::Field;
use std::collections::BTreeMap;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_link::scalars::exchange_scalars;
use twain_ole::{OleGroup, OleSource};
use twain_party::{Kind, Operand, PartyError, Role};

/// Opens sums of shares: each side sends its part. The caller answers for the parts being masked or
/// the sum being an output.
pub fn open_scalars(
    channel: &mut dyn Channel,
    phase: &'static str,
    shares: &[Fr],
) -> Result<Vec<Fr>, PartyError> {
    let theirs = exchange_scalars(channel, phase, shares, shares.len())?;
    Ok(shares.iter().zip(theirs).map(|(a, b)| a + b).collect())
}

/// How many products of a value that only the model's side knows by one that only the data's does
/// are in the product of two values.
pub fn cross_terms(left: Kind, right: Kind) -> usize {
    let both = [(left, right), (right, left)];
    let crosses =
        |(models, datas): &(Kind, Kind)| holds(Role::Model, *models) && holds(Role::Data, *datas);
    both.iter().filter(|pair| crosses(pair)).count()
}

/// Whether `role` may hold a non-zero share of a value of this kind that the other does not know.
pub fn holds(role: Role, kind: Kind) -> bool {
    kind == Kind::Shared || kind == Kind::Owned(role)
}

/// Which of these are shared.
pub fn shared_indices(kinds: &[Kind]) -> Vec<usize> {
    (0..kinds.len()).filter(|&i| kinds[i] == Kind::Shared).collect()
}

/// A batch of inner products: its local part, and the OLEs that make the rest. In two steps so that
/// several batches can share one message.
pub struct InnerProducts {
    local: Vec<Fr>,
    /// Outputs with the same number of cross terms form one group.
    groups: Vec<CrossTerms>,
}

struct CrossTerms {
    outputs: Vec<usize>,
    /// This party's operand of each term, one element for each output.
    operands: Vec<Vec<Fr>>,
}

impl InnerProducts {
    /// Sorts the products of each of `outputs` outputs, which `products` lists, into local ones and
    /// cross terms.
    pub fn new(
        role: Role,
        outputs: usize,
        mut products: impl FnMut(usize, &mut dyn FnMut(Operand, Operand)),
    ) -> Self {
        let mut local = vec![Fr::ZERO; outputs];
        let mut buckets: BTreeMap<usize, CrossTerms> = BTreeMap::new();
        let mut cross = Vec::new();
        for (j, local) in local.iter_mut().enumerate() {
            cross.clear();
            products(j, &mut |l, r| {
                let public = [l.kind, r.kind].map(|kind| kind == Kind::Public);
                if public != [true; 2] || role == Role::Model {
                    *local += l.share * r.share;
                }
                for (models, datas) in [(l, r), (r, l)] {
                    if holds(Role::Model, models.kind) && holds(Role::Data, datas.kind) {
                        cross.push(if role == Role::Model { models.share } else { datas.share });
                    }
                }
            });
            if !cross.is_empty() {
                let group = buckets.entry(cross.len()).or_insert_with(|| CrossTerms {
                    outputs: Vec::new(),
                    operands: vec![Vec::new(); cross.len()],
                });
                group.outputs.push(j);
                for (operand, share) in group.operands.iter_mut().zip(&cross) {
                    operand.push(*share);
                }
            }
        }
        InnerProducts { local, groups: buckets.into_values().collect() }
    }

    /// Adds this batch to a call of [`OleSource::inner_products`].
    pub fn request<'a>(&'a self, operands: &mut Vec<&'a [Fr]>, groups: &mut Vec<OleGroup>) {
        for group in &self.groups {
            let first = operands.len() as u32;
            operands.extend(group.operands.iter().map(Vec::as_slice));
            let terms = (first..operands.len() as u32).map(|t| (t, t)).collect();
            groups.push(OleGroup { length: group.outputs.len(), terms });
        }
    }

    /// This party's shares of the outputs, in a call of their own.
    pub fn make(
        self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        phase: &'static str,
    ) -> Result<Vec<Fr>, PartyError> {
        let (mut operands, mut groups) = (Vec::new(), Vec::new());
        self.request(&mut operands, &mut groups);
        if groups.is_empty() {
            return Ok(self.local);
        }
        let made = source.inner_products(channel, phase, &operands, &groups)?;
        Ok(self.finish(&mut made.into_iter()))
    }

    /// This party's shares of the outputs, from the call's results for this batch's groups.
    pub fn finish(mut self, made: &mut impl Iterator<Item = Vec<Fr>>) -> Vec<Fr> {
        for (group, shares) in self.groups.iter().zip(made) {
            for (&j, share) in group.outputs.iter().zip(shares) {
                self.local[j] += share;
            }
        }
        self.local
    }
}

/// Inner products of values that are masked for this purpose alone: output `j` is the sum of
/// `left[i] * right[i]` over `i` in `ends[j-1]..ends[j]`.
pub fn inner_products(
    channel: &mut dyn Channel,
    source: &mut dyn OleSource,
    left: &[Operand],
    right: &[Operand],
    ends: &[u32],
) -> Result<Vec<Fr>, PartyError> {
    let mut start = 0;
    let batch = InnerProducts::new(channel.role(), ends.len(), |j, product| {
        let terms = start..ends[j] as usize;
        start = terms.end;
        left[terms.clone()].iter().zip(&right[terms]).for_each(|(l, r)| product(*l, *r));
    });
    batch.make(channel, source, "products")
}

/// What so many products of shared values take: `left_M * right_D + right_M * left_D`; the other
/// two are local.
pub fn products_of_shared(length: usize) -> OleGroup {
    OleGroup { length, terms: vec![(0, 0), (1, 1)] }
}

/// Products of shares, all of them shared by both: `left[i] * right[i]`.
pub fn products(
    channel: &mut dyn Channel,
    source: &mut dyn OleSource,
    left: &[Fr],
    right: &[Fr],
) -> Result<Vec<Fr>, PartyError> {
    let operand = |share: &Fr| Operand { share: *share, kind: Kind::Shared, bits: 254 };
    let left: Vec<Operand> = left.iter().map(operand).collect();
    let right: Vec<Operand> = right.iter().map(operand).collect();
    let ends: Vec<u32> = (1..=left.len() as u32).collect();
    inner_products(channel, source, &left, &right, &ends)
}
