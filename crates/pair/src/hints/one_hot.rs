//! Shared digits as the protocols leave them: the one-hot vector of a mask, turned by what was
//! opened.

use std::sync::Arc;
use twain_algebra::Fr;
use twain_masks::dpf::{DigitMask, Scratch, lift, share_of};
use twain_party::Role;

/// A shared digit as its mask and the masked value: `digit = opened - r` modulo `2^d`.
pub(super) struct OneHot {
    pub mask: DigitMask,
    pub opened: usize,
}

impl OneHot {
    /// This party's share of the digit modulo `2^128`.
    fn digit(&self, role: Role, scratch: &mut Scratch) -> u128 {
        let (above, _) = self.mask.compare(self.opened, scratch);
        let wrapped = share_of(role, above) << self.mask.domain_bits();
        let public = if role == Role::Model { self.opened as u128 } else { 0 };
        public.wrapping_sub(self.mask.position()).wrapping_add(wrapped)
    }

    /// Visits the one-hot vector: `visit(digit, raw share of [it is this digit])`.
    pub fn visit(&self, scratch: &mut Scratch, mut visit: impl FnMut(usize, u128)) {
        let last = (1 << self.mask.domain_bits()) - 1;
        self.mask.expand(scratch, |first, run| {
            for (t, entry) in (first..).zip(run) {
                visit(self.opened.wrapping_sub(t) & last, *entry);
            }
        });
    }

    /// The digit as a share in the field.
    pub fn digit_in_field(&self, role: Role, scratch: &mut Scratch) -> Fr {
        lift(role, self.digit(role, scratch))
    }
}

/// How the value of a wire came about.
#[derive(Clone)]
pub(super) enum Held {
    /// It is `low` plus a digit.
    Digit { low: i128, one_hot: Arc<OneHot> },
    /// It is a sign: shares of `[not negative]` and of `[zero]`.
    Sign { not_negative: Fr, zero: Fr },
    /// It says in which column of a table there is `low` plus a digit (and the table ends at
    /// `high`).
    Column { low: i128, high: i128, one_hot: Arc<OneHot> },
}
