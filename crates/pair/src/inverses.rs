//! Inverses of shared values (protocol §4, counts §5.2).
//!
//! With each party's own random `r_P`, `w = value * (r_M + r_D)` is opened, and `r_P / w` is the
//! share. `w` is uniform to both, since neither knows the other's `r_P`. A multiple of the inverse
//! is the product with `r_M + r_D`, made in the batch of the other products, over `w`.
//!
//! If the value is `c * wire + d`, with numbers `c` and `d` that both know, `w` takes the product
//! of the wire's mask and `r = r_M + r_D`, which no input has to do with (of two wires, as in a
//! looked-up pair of input and output, those of both masks and the same `r`):
//!
//! `w = (c * delta + d) * r + c * (a_M + a_D) * r`
//!
//! Others take products of this purpose alone. Inputs and outputs are this party's shares; both
//! parties take the same steps with the same kinds.

use crate::arithmetic::{InnerProducts, shared_indices};
use crate::wires::{TimesFactors, Wires, WiresOfValue};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use twain_algebra::Fr;
use twain_algebra::vector::batch_invert;
use twain_link::channel::{Channel, Overlap};
use twain_link::scalars::{expect_scalars, send_scalars, take_scalars};
use twain_ole::OleSource;
use twain_party::{Inverted, Kind, Operand, PartyError, Shares, WireForm};

const INVERSES: &str = "inverses";

/// Values that are being inverted.
pub struct Inversion {
    /// Which values are shared.
    shared: Vec<usize>,
    /// This party's shares: of inverses of values that one side holds, and of the multiples of
    /// these. Of the others' multiples, `w` is missing.
    result: Shares,
    /// For each multiple, which of the shared values' `w` is missing.
    missing: Vec<Option<usize>>,
    random: Shares,
    /// This party's parts of the shared values' `w`.
    parts: Shares,
}

impl Inversion {
    /// Makes the products, and sends this party's parts of `w`. Multiples are of the inverse of the
    /// value with this index, by a factor.
    pub fn begin<C: Channel>(
        channel: &mut Overlap<C>,
        (source, wires): (&mut dyn OleSource, &mut Wires),
        rng: &mut ChaCha20Rng,
        values: &[Inverted],
        (multiples, by): (&[u32], &[Operand]),
    ) -> Result<Self, PartyError> {
        let role = channel.role();
        let kinds: Vec<Kind> = values.iter().map(|value| value.operand.kind).collect();
        let shared = shared_indices(&kinds);
        let own = |Inverted { operand, .. }: &Inverted| match operand.kind {
            kind if kind != Kind::Shared && kind.public_side() == role => operand.share,
            _ => Fr::ZERO,
        };
        let mut result = Shares::new(values.iter().map(own).collect());
        batch_invert(&mut result);

        let mut masked = Masked::of_wires(channel, source, wires, values, &shared)?;
        let others = masked.draw_others(rng);
        let Masked { random, .. } = &masked;
        let of_both = |share: Fr| Operand { share, kind: Kind::Shared, bits: 254 };
        let mut left: Vec<Operand> =
            others.iter().map(|&place| values[shared[place]].operand).collect();
        let mut right: Vec<Operand> = others.iter().map(|&place| of_both(random[place])).collect();
        let mut missing = Vec::with_capacity(multiples.len());
        for (index, factor) in multiples.iter().zip(by) {
            let index = *index as usize;
            let place = shared.binary_search(&index).ok();
            left.push(held(factor.share, factor.kind));
            right.push(match place {
                Some(place) => of_both(random[place]),
                None => held(result[index], kinds[index]),
            });
            missing.push(place);
        }
        let batch = InnerProducts::new(role, left.len(), |j, product| product(left[j], right[j]));
        let products = batch.make(channel, source, INVERSES);
        for operand in left.iter_mut().chain(&mut right) {
            twain_algebra::erase(std::slice::from_mut(&mut operand.share));
        }
        let products = Shares::new(products?);
        let (of_others, of_multiples) = products.split_at(others.len());
        let Masked { random, mut parts, .. } = masked;
        others.iter().zip(of_others).for_each(|(&place, part)| parts[place] = *part);
        let result = Shares::new([&result[..], of_multiples].concat());
        send_scalars(channel, INVERSES, &parts)?;
        expect_scalars(channel, INVERSES, parts.len());
        Ok(Self { shared, result, missing, random, parts })
    }

    /// This party's shares of the inverses, and then of the multiples.
    pub fn finish<C: Channel>(mut self, channel: &mut Overlap<C>) -> Result<Shares, PartyError> {
        let mut opened = take_scalars(channel, INVERSES, self.parts.len())?;
        twain_algebra::vector::add_assign(&mut opened, &self.parts);
        if opened.contains(&Fr::ZERO) {
            return Err(PartyError::Ended);
        }
        batch_invert(&mut opened);
        for ((&i, random), w) in self.shared.iter().zip(self.random.iter()).zip(&opened) {
            self.result[i] = *random * w;
        }
        let inverses = self.result.len() - self.missing.len();
        for (multiple, missing) in self.result[inverses..].iter_mut().zip(&self.missing) {
            if let Some(place) = missing {
                *multiple *= opened[*place];
            }
        }
        Ok(self.result)
    }
}

/// A share of what one side holds; public values are with one side, too.
fn held(share: Fr, kind: Kind) -> Operand {
    match kind {
        Kind::Public => Operand { share, kind: Kind::Owned(kind.public_side()), bits: 254 },
        kind => Operand { share, kind, bits: 254 },
    }
}

/// The shared values, each with a random number of its own.
struct Masked {
    random: Shares,
    /// This party's parts of `w`.
    parts: Shares,
    /// Whether the part is there.
    made: Vec<bool>,
}

impl Masked {
    /// With those that follow from wires made.
    fn of_wires(
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        wires: &mut Wires,
        values: &[Inverted],
        shared: &[usize],
    ) -> Result<Self, PartyError> {
        let mut masked = Self {
            random: Shares::zero(shared.len()),
            parts: Shares::zero(shared.len()),
            made: vec![false; shared.len()],
        };
        let forms = shared.iter().map(|&i| values[i].form).enumerate();
        let forms: Vec<(usize, WireForm)> =
            forms.filter_map(|(place, form)| Some((place, form?))).collect();
        let of_form = |(_, form): &(usize, WireForm)| {
            [Some(form.first), form.second].map(|term| term.map(|term| (term.wire, term.kind)))
        };
        let of_values: Vec<WiresOfValue> = forms.iter().map(of_form).collect();
        let TimesFactors { opened, factors, products } =
            wires.times_factors(channel, source, &of_values, Kind::Shared)?;
        let made = opened.iter().zip(factors.iter().zip(products.as_chunks().0));
        for ((place, form), (opened, (r, &[first, second]))) in forms.into_iter().zip(made) {
            let factor = form.first.factor;
            let of_other = form.second.map_or(Fr::ZERO, |term| term.factor);
            let known = factor * opened[0] + of_other * opened[1] + form.offset;
            masked.random[place] = *r;
            masked.parts[place] = known * r + factor * first + of_other * second;
            masked.made[place] = true;
        }
        Ok(masked)
    }

    /// Draws the random numbers of all others; returns which these are.
    fn draw_others(&mut self, rng: &mut ChaCha20Rng) -> Vec<usize> {
        let others: Vec<usize> = (0..self.made.len()).filter(|&place| !self.made[place]).collect();
        for &place in &others {
            // Zero is drawn again: its probability is 2^-254.
            while self.random[place] == Fr::ZERO {
                self.random[place] = Fr::random(&mut *rng);
            }
        }
        others
    }
}
