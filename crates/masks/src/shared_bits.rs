//! Random bits that the parties share, in the field too, and their products.

use crate::material::{BitConversions, BitProducts, Demand, Material, Selections};
use crate::ot::{OtPair, PadUse};
use ff::{Field, FromUniformBytes};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use rayon::prelude::*;
use twain_algebra::Fr;
use twain_link::channel::{Channel, Scheduled, Way};
use twain_link::scalars::{SCALAR_BYTES, decode_scalars, encode_scalars};
use twain_party::{PartyError, Role};
use zeroize::Zeroizing;

const PHASE: &str = "shared bits";

/// The frames of [`shared_bits`] on `role`'s side.
pub(crate) fn schedule(demand: &Demand, role: Role) -> impl Iterator<Item = Scheduled> + use<> {
    let total = demand.bit_products + demand.conversions + demand.selections;
    let shared = demand.bit_products..total;
    let turns = [(Way::Sent, role), (Way::Received, role.other())].map(|(way, role)| {
        (way, SCALAR_BYTES * shared.clone().filter(|at| sends(role, *at)).count())
    });
    let turns = turns.into_iter().filter(move |_| !shared.is_empty());
    OtPair::extension_schedule(total).chain(turns)
}

/// Whether `role` sends the field element of a shared bit; the parties take turns.
fn sends(role: Role, at: usize) -> bool {
    at.is_multiple_of(2) == (role == Role::Model)
}

/// A pad in the field: of 384 bits, so that it is uniform but for 2^-130.
fn field_pad(blocks: [u128; 3]) -> Fr {
    let mut bytes = Zeroizing::new([0; 64]);
    for (bytes, block) in bytes.as_chunks_mut().0.iter_mut().zip(blocks) {
        *bytes = block.to_le_bytes();
    }
    Fr::from_uniform_bytes(&bytes)
}

/// Everything but masks: one transfer in each direction for each item, its choice being the bit.
/// Random operands are *read off* the pads, so that only the conversion to the field needs a
/// message (one field element; the parties take turns in sending it).
pub(crate) fn shared_bits(
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
    let transfers = ot.extend(channel, rng, &bits)?;
    let ot: &OtPair = ot;
    let sent_bits = |at: usize| {
        let index = transfers.first + at as u64;
        ot.sender_pads(index, transfers.sent[at], PadUse::BitProduct).map(|[pad]| pad as u8 & 1)
    };
    let received_bit = |at: usize| {
        let index = transfers.first + at as u64;
        let [pad] = ot.receiver_pad(index, transfers.received[at], PadUse::BitProduct);
        pad as u8 & 1
    };
    let sent = |at: usize, pad_use| {
        ot.sender_pads(transfers.first + at as u64, transfers.sent[at], pad_use).map(field_pad)
    };
    let received = |at: usize, pad_use| {
        field_pad(ot.receiver_pad(transfers.first + at as u64, transfers.received[at], pad_use))
    };

    let triple = |at: usize| {
        let [zero, one] = sent_bits(at);
        let (left, right) = (zero ^ one, bits[at]);
        (left, left & right ^ zero ^ received_bit(at))
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
                return (received(at, PadUse::BitToField), Fr::ZERO);
            }
            let [zero, one] = sent(at, PadUse::BitToField);
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
                let [zero, one] = sent(at, PadUse::BitTimesField);
                // bit * factor = b_own * factor + b_peer * (1 - 2 b_own) * factor; the last
                // product is one of the pads' difference, so that it needs no message.
                let bit = Fr::from(u64::from(bits[at]));
                let factor = (one - zero) * (Fr::ONE - bit.double());
                let cross = received(at, PadUse::BitTimesField) - zero;
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
