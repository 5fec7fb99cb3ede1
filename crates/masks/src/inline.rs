//! Makes material from oblivious transfers when it is asked for.

use crate::dpf::{self, Checked, DigitMask};
use crate::material::{Demand, DigitMaskSource, Material};
use crate::ot::OtPair;
use crate::shared_bits::{self, shared_bits};
use rand_chacha::ChaCha20Rng;
use twain_link::channel::{Channel, OnSchedule, Scheduled};
use twain_party::{PartyError, Role};

/// Makes material while the proof runs.
pub struct InlineMaterial {
    ot: Option<OtPair>,
    rng: ChaCha20Rng,
    next_mask: u64,
}

impl InlineMaterial {
    /// A maker whose choices come from `rng`: seeded from the operating system's randomness, the
    /// session id and the role, and used for nothing else. The base transfers are made when first
    /// needed.
    pub fn new(rng: ChaCha20Rng) -> Self {
        Self { ot: None, rng, next_mask: 0 }
    }
}

impl DigitMaskSource for InlineMaterial {
    fn supply(
        &mut self,
        channel: &mut dyn Channel,
        demand: &Demand,
    ) -> Result<Material, PartyError> {
        if demand.is_nothing() {
            return Ok(Material {
                masks: demand.masks.map(|_| Vec::new()).into(),
                ..Default::default()
            });
        }
        let frames = Self::schedule(demand, channel.role(), self.ot.is_none());
        let mut channel = OnSchedule::new(channel, frames);
        let ot = match &mut self.ot {
            Some(ot) => ot,
            empty => empty.insert(OtPair::setup(&mut channel, &mut self.rng)?),
        };
        let domains: Vec<u8> = (0u8..)
            .zip(demand.masks)
            .flat_map(|(bits, count)| std::iter::repeat_n(bits, count))
            .collect();
        let first = self.next_mask;
        self.next_mask += domains.len() as u64;
        let made = dpf::generate(&mut channel, ot, &mut self.rng, first, &domains)?;
        let mut masks: Vec<Vec<Checked<DigitMask>>> = demand.masks.map(Vec::with_capacity).into();
        for mask in made {
            masks[usize::from(mask.domain_bits())].push(mask);
        }
        let mut material = shared_bits(&mut channel, ot, &mut self.rng, demand)?;
        channel.finish()?;
        material.masks = masks;
        Ok(material)
    }
}

impl InlineMaterial {
    /// The frames of [`DigitMaskSource::supply`] on `role`'s side, which goes by them, with those of the
    /// base transfers if it is the `first` call that demands anything.
    pub(crate) fn schedule(
        demand: &Demand,
        role: Role,
        first: bool,
    ) -> impl Iterator<Item = Scheduled> {
        let setup = (first && !demand.is_nothing()).then(OtPair::setup_schedule);
        let masks = dpf::schedule(&demand.masks).collect::<Vec<_>>();
        setup.into_iter().flatten().chain(masks).chain(shared_bits::schedule(demand, role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use twain_algebra::Fr;
    use twain_link::channel::run_pair;
    use twain_link::channel::{Recorder, memory_pair};

    #[test]
    fn material_is_correlated_as_promised() {
        for count in [0, 1, 130] {
            let mut demand = Demand { conversions: count, selections: count, ..Demand::default() };
            demand.bit_products = count;
            demand.masks[3] = count;
            demand.masks[5] = 2;
            let (m, d) =
                run_pair(|channel, rng| InlineMaterial::new(rng.clone()).supply(channel, &demand));
            let xor = |m: &[u8], d: &[u8]| -> Vec<u8> {
                assert_eq!((m.len(), d.len()), (count, count));
                m.iter().zip(d).map(|(m, d)| m ^ d).collect()
            };
            let add = |m: &[Fr], d: &[Fr]| -> Vec<Fr> {
                assert_eq!((m.len(), d.len()), (count, count));
                m.iter().zip(d).map(|(m, d)| m + d).collect()
            };
            let (m3, d3) = (&m.bit_products, &d.bit_products);
            let left = xor(&m3.left, &d3.left);
            let right = xor(&m3.right, &d3.right);
            let product = xor(&m3.product, &d3.product);
            assert!((0..count).all(|i| left[i] & right[i] == product[i]));
            for bits in [&left, &right, &xor(&m.conversions.bits, &d.conversions.bits)] {
                let ones = bits.iter().filter(|&&bit| bit == 1).count();
                assert!(count < 2 || (30..100).contains(&ones), "{ones} of {count}");
            }
            let field = |bits: &[u8]| -> Vec<Fr> {
                bits.iter().map(|&bit| Fr::from(u64::from(bit))).collect()
            };
            let converted = xor(&m.conversions.bits, &d.conversions.bits);
            assert_eq!(field(&converted), add(&m.conversions.fields, &d.conversions.fields));
            let (ms, ds) = (&m.selections, &d.selections);
            let bits = field(&xor(&ms.bits.bits, &ds.bits.bits));
            assert_eq!(bits, add(&ms.bits.fields, &ds.bits.fields));
            let factors = add(&ms.factors, &ds.factors);
            let products = add(&ms.products, &ds.products);
            assert!((0..count).all(|i| bits[i] * factors[i] == products[i]));
            assert!(count < 2 || factors[0] != factors[1]);
            assert_eq!((m.masks[3].len(), m.masks[5].len(), d.masks[4].len()), (count, 2, 0));
        }
    }

    /// The messages of the conversion to the field are as uniform for a bit that is 0 as for one that
    /// is 1; without pads they are the bit.
    #[test]
    fn messages_do_not_show_the_bits() {
        let demand = Demand { conversions: 3000, ..Demand::default() };
        let statistic = |blank: bool| {
            let (model, data) = memory_pair([3; 32]);
            let side = |end| {
                let mut link = Recorder::new(end);
                let mut rng = ChaCha20Rng::seed_from_u64(10 + link.role() as u64);
                let mut ot = OtPair::setup(&mut link, &mut rng).unwrap();
                ot.blank_pads = blank;
                let mut maker = InlineMaterial { ot: Some(ot), rng, next_mask: 0 };
                (maker.supply(&mut link, &demand).unwrap(), link)
            };
            let (model, data) = std::thread::scope(|scope| {
                let model = scope.spawn(|| side(model));
                let data = side(data);
                (model.join().unwrap(), data)
            });
            // Item by item the two take turns in sending, the model first.
            [(&model.0, &data.1, 0), (&data.0, &model.1, 1)].map(|(sender, viewer, first)| {
                let messages = viewer.received("shared bits");
                let bits = sender.conversions.bits.iter().skip(first).step_by(2);
                let mut counts = [[0f64; 16]; 2];
                for (bit, message) in bits.zip(messages.chunks(32)) {
                    counts[usize::from(*bit)][usize::from(message[0] & 15)] += 1.0;
                }
                let sizes = counts.map(|counts| counts.iter().sum::<f64>());
                assert!(sizes.iter().all(|size| *size > 600.0));
                let scale = (sizes[1] / sizes[0]).sqrt();
                let pairs = counts[0].iter().zip(counts[1]).filter(|(a, b)| **a + b > 0.0);
                pairs.map(|(a, b)| (a * scale - b / scale).powi(2) / (a + b)).sum::<f64>()
            })
        };
        // 15 degrees of freedom: exceeded with probability 1e-7.
        assert!(statistic(false).iter().all(|statistic| *statistic < 63.0));
        assert!(statistic(true).iter().all(|statistic| *statistic > 630.0));
    }
}
