//! What can be wrong with sizes and scalars that come from outside.

/// Errors of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlgebraError {
    /// The scalar field has roots of unity of order `2^28` at most.
    #[error("no domain of 2^{k} rows: BN254 has domains of at most 2^28 rows")]
    DomainTooLarge {
        /// Base-two logarithm of the requested number of rows.
        k: u32,
    },
    /// A coset needs a shift other than zero.
    #[error("the shift of a coset must not be zero")]
    ZeroShift,
    /// A scalar that was said to be short is not. Which one stays unsaid: it may be a secret.
    #[error("a scalar is not an integer of {bits} bits or the negative of one")]
    ScalarTooLong {
        /// The bound that the caller gave, in bits.
        bits: u32,
    },
    /// A vector of points has no transform because its length is not a power of two.
    #[error("{length} points: the length must be a power of two, at most 2^28")]
    LengthNotPowerOfTwo {
        /// Number of points given.
        length: usize,
    },
    /// Whoever waits for the work wants it to end.
    #[error("cancelled")]
    Interrupted,
}
