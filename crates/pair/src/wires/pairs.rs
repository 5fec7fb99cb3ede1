//! Products of masks and random factors, which no input has to do with (protocol §2.2). Input:
//! which are multiplied, and this side's seed; output: this side's shares of the products, made by
//! OLE.

use super::seed::{MaskSeed, Masking};
use crate::arithmetic::{InnerProducts, cross_terms, holds};
use rayon::prelude::*;
use std::collections::VecDeque;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_ole::{OleGroup, OleSource};
use twain_party::{Kind, Operand, PartyError, Shares};

/// Two sums that are multiplied, each of what the sides have drawn under one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskPair {
    /// What was drawn.
    pub maskings: [Masking; 2],
    /// Whose is in the sum: both sides' if it is shared, otherwise the owner's alone.
    pub kinds: [Kind; 2],
}

impl MaskPair {
    /// The inner products that these pairs take: of one or of two cross terms each.
    pub fn groups<'p>(pairs: impl Iterator<Item = &'p MaskPair>) -> Vec<OleGroup> {
        let mut lengths = [0; 2];
        for MaskPair { kinds: [left, right], .. } in pairs {
            match cross_terms(*left, *right) {
                0 => {}
                terms => lengths[terms - 1] += 1,
            }
        }
        let mut groups = Vec::new();
        let mut first = 0;
        for (terms, length) in (1..).zip(lengths).filter(|(_, length)| *length > 0) {
            groups
                .push(OleGroup { length, terms: (first..first + terms).map(|t| (t, t)).collect() });
            first += terms;
        }
        groups
    }
}

/// Has masks and random factors, and makes products of them.
pub trait MaskProducts: Send + Sync {
    /// What this side has drawn under this number: uniform, and the same at each call.
    fn mask(&self, masking: Masking) -> Fr;

    /// This side's shares of the products. Both sides ask for the same pairs.
    fn products(
        &mut self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        pairs: &[MaskPair],
    ) -> Result<Shares, PartyError>;
}

/// Makes them while the proof runs: all that are planned at the first call, others when they are
/// asked for.
pub struct InlineMaskProducts {
    seed: MaskSeed,
    /// What each of the next calls asks for, if that is known.
    planned: Option<VecDeque<Vec<MaskPair>>>,
    /// What they will be given.
    made: VecDeque<Shares>,
}

impl InlineMaskProducts {
    /// With no call known beforehand.
    pub fn new(seed: MaskSeed) -> Self {
        Self { seed, planned: None, made: VecDeque::new() }
    }

    /// With the calls there will be.
    pub fn planned(seed: MaskSeed, calls: impl Iterator<Item = Vec<MaskPair>>) -> Self {
        Self { planned: Some(calls.collect()), ..Self::new(seed) }
    }

    fn make(
        &self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        pairs: &[MaskPair],
    ) -> Result<Shares, PartyError> {
        if pairs.is_empty() {
            return Ok(Shares::zero(0));
        }
        let role = channel.role();
        let operand = |pair: &MaskPair, side: usize| -> Operand {
            let kind = pair.kinds[side];
            let share = match holds(role, kind) {
                true => self.seed.mask(pair.maskings[side]),
                false => Fr::default(),
            };
            Operand { share, kind, bits: 254 }
        };
        let mut operands: Vec<[Operand; 2]> =
            pairs.par_iter().map(|pair| [operand(pair, 0), operand(pair, 1)]).collect();
        let batch = InnerProducts::new(role, pairs.len(), |j, product| {
            product(operands[j][0], operands[j][1]);
        });
        for operand in operands.iter_mut().flatten() {
            twain_algebra::erase(std::slice::from_mut(&mut operand.share));
        }
        Ok(Shares::new(batch.make(channel, source, "products of masks")?))
    }
}

impl MaskProducts for InlineMaskProducts {
    fn mask(&self, masking: Masking) -> Fr {
        self.seed.mask(masking)
    }

    fn products(
        &mut self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        pairs: &[MaskPair],
    ) -> Result<Shares, PartyError> {
        let Some(calls) = &self.planned else {
            return self.make(channel, source, pairs);
        };
        if self.made.is_empty() {
            let all: Vec<MaskPair> = calls.iter().flatten().copied().collect();
            let all = self.make(channel, source, &all)?;
            let mut rest = &all[..];
            for call in calls {
                let (of_call, after) = rest.split_at(call.len());
                self.made.push_back(of_call.to_vec().into());
                rest = after;
            }
        }
        match (self.planned.as_mut().and_then(VecDeque::pop_front), self.made.pop_front()) {
            (Some(planned), Some(made)) if planned == pairs => Ok(made),
            _ => Err(PartyError::Bug("products of masks are not those of the plan")),
        }
    }
}
