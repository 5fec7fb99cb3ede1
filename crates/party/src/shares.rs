//! Vectors of shares.

use ff::Field;
use std::ops::{Deref, DerefMut};
use twain_algebra::Fr;

macro_rules! secret_vector {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub struct $name(Vec<Fr>);

        impl $name {
            /// Wraps shares.
            pub fn new(values: Vec<Fr>) -> Self {
                Self(values)
            }
            /// The vector, which no longer erases itself.
            pub fn into_vec(mut self) -> Vec<Fr> {
                std::mem::take(&mut self.0)
            }
            /// `length` zeros.
            pub fn zero(length: usize) -> Self {
                Self(vec![Fr::ZERO; length])
            }
        }
        impl Deref for $name {
            type Target = [Fr];
            fn deref(&self) -> &[Fr] {
                &self.0
            }
        }
        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut [Fr] {
                &mut self.0
            }
        }
        impl From<Vec<Fr>> for $name {
            fn from(values: Vec<Fr>) -> Self {
                Self(values)
            }
        }
        /// Shows the length only: the content is secret.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.len())
            }
        }
        impl Drop for $name {
            fn drop(&mut self) {
                twain_algebra::erase(&mut self.0);
            }
        }
    };
}

secret_vector! {
    /// Additive shares: over all parties they add up to the values.
    Shares
}
secret_vector! {
    /// Multiplicative shares: over all parties their product is the value.
    Factors
}
