//! Material for a whole plan in few batches. Making a batch takes as many messages as its widest
//! mask has bits, however many masks it has; call by call, that would be most of a proof's rounds.

use crate::inline::InlineMaterial;
use crate::material::{Demand, DigitMaskSource, Material};
use rand_chacha::ChaCha20Rng;
use std::collections::VecDeque;
use twain_link::channel::{Channel, Scheduled};
use twain_party::{PartyError, Role};

/// Masks of a batch, unless one call demands more: bounds the memory that making them takes.
const MASKS_AT_ONCE: usize = 1 << 15;

/// Makes what a plan demands, some calls ahead.
pub struct PlannedMaterial {
    maker: InlineMaterial,
    upcoming: VecDeque<Demand>,
    /// Made for the next calls.
    held: Material,
    /// How many of the upcoming calls it is made for.
    calls_held: usize,
}

impl PlannedMaterial {
    /// A maker for these calls, one after the other; the same on both sides. See
    /// [`InlineMaterial::new`].
    pub fn new(rng: ChaCha20Rng, demands: impl IntoIterator<Item = Demand>) -> Self {
        let (maker, held) = (InlineMaterial::new(rng), Material::default());
        let upcoming = demands.into_iter().filter(|demand| !demand.is_nothing()).collect();
        Self { maker, upcoming, held, calls_held: 0 }
    }

    /// The frames of the first `asked` of these calls that demand anything, on `role`'s side.
    pub fn schedule<'d>(
        demands: impl Iterator<Item = &'d Demand>,
        asked: usize,
        role: Role,
    ) -> Vec<Scheduled> {
        let demands: Vec<&Demand> = demands.filter(|demand| !demand.is_nothing()).collect();
        let (mut frames, mut made) = (Vec::new(), 0);
        while made < asked.min(demands.len()) {
            let (calls, total) = batch(demands[made..].iter().copied());
            frames.extend(InlineMaterial::schedule(&total, role, made == 0));
            made += calls;
        }
        frames
    }
}

/// How many of the next calls go together, and what they demand.
fn batch<'a>(upcoming: impl Iterator<Item = &'a Demand>) -> (usize, Demand) {
    let mut total = Demand::default();
    let mut calls = 0;
    for demand in upcoming {
        let mut with = total.clone();
        with += demand;
        if calls > 0 && with.masks.iter().sum::<usize>() > MASKS_AT_ONCE {
            break;
        }
        (calls, total) = (calls + 1, with);
    }
    (calls, total)
}

impl DigitMaskSource for PlannedMaterial {
    fn supply(
        &mut self,
        channel: &mut dyn Channel,
        demand: &Demand,
    ) -> Result<Material, PartyError> {
        if !demand.is_nothing() {
            if self.upcoming.front() != Some(demand) {
                let text = "the proof asks for other digit masks than its plan says";
                return Err(PartyError::Unsupported(text.into()));
            }
            if self.calls_held == 0 {
                let (calls, total) = batch(self.upcoming.iter());
                self.held = self.maker.supply(channel, &total)?;
                self.calls_held = calls;
            }
            self.upcoming.pop_front();
            self.calls_held -= 1;
        }
        self.held.take(demand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twain_link::channel::Traffic;
    use twain_link::channel::run_pair;

    fn demand(masks: usize, bits: usize) -> Demand {
        let mut demand = Demand { bit_products: 2 * masks, ..Demand::default() };
        (demand.conversions, demand.selections) = (masks, masks / 2);
        demand.masks[bits] = masks;
        demand
    }

    #[test]
    fn calls_share_the_rounds_of_one_batch() {
        let calls = [demand(3, 2), Demand::default(), demand(5, 4), demand(1, 2)];
        let (model, data) = run_pair(|channel, rng| {
            let mut source = PlannedMaterial::new(rng.clone(), calls.clone());
            let made = calls
                .iter()
                .map(|call| source.supply(channel, call))
                .collect::<Result<Vec<_>, _>>();
            let other = source.supply(channel, &demand(1, 1)).is_err();
            Ok((made?, channel.traffic(), other))
        });
        for (i, call) in calls.iter().enumerate() {
            let [m, d] = [&model.0[i], &data.0[i]];
            for (bits, count) in call.masks.iter().enumerate() {
                assert_eq!([m, d].map(|half| half.masks[bits].len()), [*count; 2]);
                for (m, d) in m.masks[bits].iter().zip(&d.masks[bits]) {
                    assert!(m.position().wrapping_add(d.position()) < 1 << bits, "halves match");
                }
            }
            let xor =
                |m: &[u8], d: &[u8]| -> Vec<u8> { m.iter().zip(d).map(|(a, b)| a ^ b).collect() };
            let (m, d) = (&m.bit_products, &d.bit_products);
            let factors = xor(&m.left, &d.left).into_iter().zip(xor(&m.right, &d.right));
            let product: Vec<u8> = factors.map(|(a, b)| a & b).collect();
            assert_eq!(xor(&m.product, &d.product), product);
            assert_eq!(product.len(), call.bit_products);
        }
        assert!(model.2 && data.2, "what is not in the plan is refused");
        let planned = |asked| -> Traffic {
            PlannedMaterial::schedule(calls.iter(), asked, Role::Model).into_iter().collect()
        };
        assert_eq!(planned(0), Traffic::default());
        assert_eq!(planned(1), model.1);
        let one: Traffic = InlineMaterial::schedule(&demand(5, 4), Role::Model, true).collect();
        assert_eq!(planned(1).rounds, one.rounds, "as many as of the widest alone");
    }

    #[test]
    fn batches_are_bounded() {
        let calls = [demand(MASKS_AT_ONCE, 2), demand(9, 3), demand(MASKS_AT_ONCE - 9, 1)];
        assert_eq!(batch(calls.iter()).0, 1);
        assert_eq!(batch(calls[1..].iter()).0, 2);
        assert_eq!(batch([demand(2 * MASKS_AT_ONCE, 1)].iter()).0, 1);
    }
}
