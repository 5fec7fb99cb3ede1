//! What the digit protocols consume, made before any value is known: digit masks and bits that the
//! parties share together with their products. [`DigitMaskSource`] is the one interface behind which it
//! is made; [`InlineMaterial`] makes it from oblivious transfers when it is asked for.

use crate::dpf::{self, DigitMask, MAX_DOMAIN_BITS};
use crate::ot::{OtPair, PadUse};
use ff::{Field, FromUniformBytes};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use rayon::prelude::*;
use std::ops::AddAssign;
use twain_algebra::Fr;
use twain_link::channel::{Channel, Scheduled, Way};
use twain_link::scalars::{SCALAR_BYTES, decode_scalars, encode_scalars};
use twain_party::{PartyError, Role, Shares};
use zeroize::Zeroizing;

const PHASE: &str = "shared bits";

/// How much of everything; follows from the circuit alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Digit masks, by the bits of their domain.
    pub masks: [usize; MAX_DOMAIN_BITS as usize + 1],
    /// Products of two random bits.
    pub bit_products: usize,
    /// Random bits that are shared in the field as well.
    pub conversions: usize,
    /// Random bits shared in the field, with a random field element and the product of the two.
    pub selections: usize,
}

impl Demand {
    /// Whether nothing is demanded.
    pub fn is_nothing(&self) -> bool {
        *self == Demand::default()
    }
}

impl AddAssign<&Demand> for Demand {
    fn add_assign(&mut self, other: &Demand) {
        self.masks.iter_mut().zip(other.masks).for_each(|(count, more)| *count += more);
        self.bit_products += other.bit_products;
        self.conversions += other.conversions;
        self.selections += other.selections;
    }
}

/// Random bits `a`, `b` and their product, each as an exclusive or of both parties' bits (0 or 1).
#[derive(Default)]
pub struct BitProducts {
    /// `a`.
    pub left: Zeroizing<Vec<u8>>,
    /// `b`.
    pub right: Zeroizing<Vec<u8>>,
    /// `a * b`.
    pub product: Zeroizing<Vec<u8>>,
}

/// Random bits, as an exclusive or and as a sum in the field.
#[derive(Default)]
pub struct BitConversions {
    /// This party's bit (0 or 1).
    pub bits: Zeroizing<Vec<u8>>,
    /// Its share in the field of the same bit.
    pub fields: Shares,
}

/// Random bits with random field elements.
#[derive(Default)]
pub struct Selections {
    /// The bits.
    pub bits: BitConversions,
    /// Shares of the field elements.
    pub factors: Shares,
    /// Shares of bit times field element.
    pub products: Shares,
}

/// One party's half of everything in a [`Demand`].
#[derive(Default)]
pub struct Material {
    /// Digit masks by the bits of their domain.
    pub masks: Vec<Vec<DigitMask>>,
    /// As many as demanded.
    pub bit_products: BitProducts,
    /// As many as demanded.
    pub conversions: BitConversions,
    /// As many as demanded.
    pub selections: Selections,
}

impl Material {
    /// As much as demanded, for planning: masks without values, bits and field elements that are 0.
    pub fn outline(demand: &Demand) -> Self {
        let masks = (0u8..).zip(demand.masks);
        let masks = masks.map(|(bits, n)| (0..n).map(|_| DigitMask::outline(bits)).collect());
        let bits = |count| Zeroizing::new(vec![0; count]);
        let conversions = |count| BitConversions { bits: bits(count), fields: Shares::zero(count) };
        let Demand { bit_products, conversions: converted, selections, .. } = *demand;
        let [left, right, product] = [(); 3].map(|()| bits(bit_products));
        Material {
            masks: masks.collect(),
            bit_products: BitProducts { left, right, product },
            conversions: conversions(converted),
            selections: Selections {
                bits: conversions(selections),
                factors: Shares::zero(selections),
                products: Shares::zero(selections),
            },
        }
    }

    /// Takes out what is demanded.
    pub fn take(&mut self, demand: &Demand) -> Result<Self, PartyError> {
        let short = || PartyError::Unsupported("less material was made than is asked for".into());
        let mut masks = Vec::with_capacity(demand.masks.len());
        for (bits, count) in demand.masks.into_iter().enumerate() {
            masks.push(match self.masks.get_mut(bits) {
                Some(held) => held.split_off(held.len().checked_sub(count).ok_or_else(short)?),
                None if count == 0 => Vec::new(),
                None => return Err(short()),
            });
        }
        let bits = |held: &mut Zeroizing<Vec<u8>>, count| -> Result<_, PartyError> {
            let rest = held.len().checked_sub(count).ok_or_else(short)?;
            Ok(Zeroizing::new(held.split_off(rest)))
        };
        let fields = |held: &mut Shares, count| -> Result<_, PartyError> {
            let rest = held.len().checked_sub(count).ok_or_else(short)?;
            let (rest, taken) = held.split_at(rest);
            let (rest, taken) = (Shares::new(rest.to_vec()), Shares::new(taken.to_vec()));
            *held = rest;
            Ok(taken)
        };
        let convert = |held: &mut BitConversions, count| -> Result<_, PartyError> {
            let bits = bits(&mut held.bits, count)?;
            Ok(BitConversions { bits, fields: fields(&mut held.fields, count)? })
        };
        let Demand { bit_products, conversions, selections, .. } = *demand;
        Ok(Material {
            masks,
            bit_products: BitProducts {
                left: bits(&mut self.bit_products.left, bit_products)?,
                right: bits(&mut self.bit_products.right, bit_products)?,
                product: bits(&mut self.bit_products.product, bit_products)?,
            },
            conversions: convert(&mut self.conversions, conversions)?,
            selections: Selections {
                bits: convert(&mut self.selections.bits, selections)?,
                factors: fields(&mut self.selections.factors, selections)?,
                products: fields(&mut self.selections.products, selections)?,
            },
        })
    }

    /// Takes a mask below `2^bits`.
    pub fn take_mask(&mut self, bits: u8) -> Result<DigitMask, PartyError> {
        let mask = self.masks.get_mut(usize::from(bits)).and_then(Vec::pop);
        mask.ok_or_else(|| PartyError::Unsupported(format!("no digit mask of {bits} bits is left")))
    }
}

/// Makes material. Both parties call it with the same demand; what it returns is consumed once.
pub trait DigitMaskSource: Send {
    /// Exactly what is demanded.
    fn supply(
        &mut self,
        channel: &mut dyn Channel,
        demand: &Demand,
    ) -> Result<Material, PartyError>;
}

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
        let ot = match &mut self.ot {
            Some(ot) => ot,
            empty => empty.insert(OtPair::setup(channel, &mut self.rng)?),
        };
        let domains: Vec<u8> = (0u8..)
            .zip(demand.masks)
            .flat_map(|(bits, count)| std::iter::repeat_n(bits, count))
            .collect();
        let first = self.next_mask;
        self.next_mask += domains.len() as u64;
        let made = dpf::generate(channel, ot, &mut self.rng, first, &domains)?;
        let mut masks: Vec<Vec<DigitMask>> = demand.masks.map(Vec::with_capacity).into();
        for mask in made {
            masks[usize::from(mask.domain_bits())].push(mask);
        }
        let mut material = shared_bits(channel, ot, &mut self.rng, demand)?;
        material.masks = masks;
        Ok(material)
    }
}

impl InlineMaterial {
    /// The frames of [`DigitMaskSource::supply`] on `role`'s side, with those of the base transfers if
    /// it is the `first` call that demands anything.
    pub(crate) fn schedule(
        demand: &Demand,
        role: Role,
        first: bool,
    ) -> impl Iterator<Item = Scheduled> {
        let setup = (first && !demand.is_nothing()).then(OtPair::setup_schedule);
        let total = demand.bit_products + demand.conversions + demand.selections;
        let shared = demand.bit_products..total;
        let turns = [(Way::Sent, role), (Way::Received, role.other())].map(|(way, role)| {
            (way, SCALAR_BYTES * shared.clone().filter(|at| sends(role, *at)).count())
        });
        let masks = dpf::schedule(&demand.masks).chain(OtPair::extension_schedule(total));
        let turns = turns.into_iter().filter(move |_| !shared.is_empty());
        setup.into_iter().flatten().chain(masks.collect::<Vec<_>>()).chain(turns)
    }
}

/// Whether `role` sends the field element of a shared bit; the parties take turns.
fn sends(role: Role, at: usize) -> bool {
    at.is_multiple_of(2) == (role == Role::Model)
}

fn field_pad(bytes: [u8; 64]) -> Fr {
    Fr::from_uniform_bytes(&bytes)
}

/// Everything but masks: one transfer in each direction for each item, its choice being the bit.
/// Random operands are *read off* the pads, so that only the conversion to the field needs a message
/// (one field element; the parties take turns in sending it).
fn shared_bits(
    channel: &mut dyn Channel,
    ot: &mut OtPair,
    rng: &mut ChaCha20Rng,
    demand: &Demand,
) -> Result<Material, PartyError> {
    let Demand { bit_products, conversions, selections, .. } = *demand;
    let role = channel.role();
    let total = bit_products + conversions + selections;
    let mut bits = Zeroizing::new(vec![0u8; total]);
    rng.fill_bytes(&mut bits);
    bits.iter_mut().for_each(|bit| *bit &= 1);
    let transfers = ot.extend(channel, &bits)?;
    let ot: &OtPair = ot;
    let sent = |at: usize, pad_use| {
        ot.sender_pads(transfers.first + at as u64, transfers.sent[at], pad_use)
    };
    let received = |at: usize, pad_use| {
        ot.receiver_pad(transfers.first + at as u64, transfers.received[at], pad_use)
    };

    let triple = |at: usize| {
        let [zero, one] = sent(at, PadUse::BitProduct).map(|pad| pad[0] & 1);
        let (left, right) = (zero ^ one, bits[at]);
        (left, left & right ^ zero ^ received(at, PadUse::BitProduct)[0] & 1)
    };
    let (left, product) = (0..bit_products).into_par_iter().map(triple).unzip();
    let bit_products = BitProducts {
        left: Zeroizing::new(left),
        right: Zeroizing::new(bits[..bit_products].to_vec()),
        product: Zeroizing::new(product),
    };

    // Bit b = b_M + b_D - 2 b_M b_D: shares of the product, from one of the two directions.
    let first = bit_products.right.len();
    let sends = |at: usize| sends(role, at);
    let halves: Vec<(Fr, Fr)> = (first..total)
        .into_par_iter()
        .map(|at| {
            if !sends(at) {
                return (field_pad(received(at, PadUse::BitToField)), Fr::ZERO);
            }
            let [zero, one] = sent(at, PadUse::BitToField).map(field_pad);
            (-zero, zero + Fr::from(u64::from(bits[at])) - one)
        })
        .collect();
    let own: Vec<Fr> =
        (first..total).filter(|&at| sends(at)).map(|at| halves[at - first].1).collect();
    let due = (first..total).filter(|&at| !sends(at)).count();
    if first < total {
        channel.send(PHASE, encode_scalars(&own))?;
        let frame = channel.receive(PHASE, SCALAR_BYTES * due)?;
        let mut messages = decode_scalars(&frame, PHASE)?.into_iter();
        let mut fields: Vec<Fr> = Vec::with_capacity(total - first);
        for at in first..total {
            let bit = Fr::from(u64::from(bits[at]));
            let mut product = halves[at - first].0;
            if !sends(at) {
                product += bit * messages.next().unwrap_or_default();
            }
            fields.push(bit - product.double());
        }
        let selected = fields.split_off(conversions);
        let (factors, products): (Vec<Fr>, Vec<Fr>) = (first + conversions..total)
            .into_par_iter()
            .map(|at| {
                let [zero, one] = sent(at, PadUse::BitTimesField).map(field_pad);
                // bit * factor = b_own * factor + b_peer * (1 - 2 b_own) * factor; the last
                // product is one of the pads' difference, so that it needs no message.
                let bit = Fr::from(u64::from(bits[at]));
                let factor = (one - zero) * (Fr::ONE - bit.double());
                let cross = field_pad(received(at, PadUse::BitTimesField)) - zero;
                (factor, bit * factor + cross)
            })
            .unzip();
        let bits_of = |from: usize, to: usize| Zeroizing::new(bits[from..to].to_vec());
        return Ok(Material {
            masks: Vec::new(),
            bit_products,
            conversions: BitConversions {
                bits: bits_of(first, first + conversions),
                fields: fields.into(),
            },
            selections: Selections {
                bits: BitConversions {
                    bits: bits_of(first + conversions, total),
                    fields: selected.into(),
                },
                factors: factors.into(),
                products: products.into(),
            },
        });
    }
    Ok(Material { bit_products, ..Default::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
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
