//! Reading a bundle: the seed, then call by call what was made for it, in order and once.

use super::call::Call;
use ff::PrimeField;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard};
use twain_algebra::Fr;
use twain_link::scalars::{SCALAR_BYTES, encode_scalars};
use twain_party::{PartyError, Shares};
use zeroize::Zeroizing;

/// Bytes of the seed of a bundle's random operands.
pub(super) const SEED_BYTES: usize = 32;

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
enum BundleError {
    #[error("the bundle cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("the bundle holds a number that is not below the field's order")]
    Scalar,
    #[error(
        "step {0} of the proof is another than the one the bundle was made for (by another version \
         of twain?): the bundle is spent; delete the store of bundles on both sides"
    )]
    OtherCall(u64),
    #[error("the bundle is spent")]
    Spent,
}

/// An error of a bundle, as the party's.
pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> PartyError {
    PartyError::Store(Box::new(error))
}

/// A bundle between two calls.
pub(super) struct Records {
    /// None after an error: nothing that follows would be in its place.
    bundle: Option<Box<dyn Read + Send>>,
    seed: Zeroizing<[u8; SEED_BYTES]>,
    next: u64,
}

/// The bundle, as both sources hold it.
pub(super) type SharedRecords = Arc<Mutex<Records>>;

/// The bundle, for the time of one call.
pub(super) fn lock(records: &SharedRecords) -> Result<MutexGuard<'_, Records>, PartyError> {
    // Poisoned: a thread ended in the middle of a call.
    records.lock().map_err(|_| failed(BundleError::Spent))
}

impl Records {
    pub(super) fn open(mut bundle: Box<dyn Read + Send>) -> Result<Self, PartyError> {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        bundle.read_exact(&mut *seed).map_err(|error| failed(BundleError::Read(error)))?;
        Ok(Self { bundle: Some(bundle), seed, next: 0 })
    }

    /// The seed.
    pub(super) fn seed(&self) -> &[u8; SEED_BYTES] {
        &self.seed
    }

    /// The seed and the number of the next call, which must be `call`; its records follow.
    pub(super) fn begin(
        &mut self,
        call: &Call,
    ) -> Result<(Zeroizing<[u8; SEED_BYTES]>, u64), PartyError> {
        let mut digest = [0; 32];
        self.read(&mut digest)?;
        let number = self.next;
        if digest != call.digest() {
            self.bundle = None;
            return Err(failed(BundleError::OtherCall(number)));
        }
        self.next += 1;
        Ok((self.seed.clone(), number))
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), PartyError> {
        let bundle = self.bundle.as_mut().ok_or_else(|| failed(BundleError::Spent))?;
        bundle.read_exact(bytes).map_err(|error| {
            self.bundle = None;
            failed(BundleError::Read(error))
        })
    }

    /// `count` bytes; `count` follows from the call.
    pub(super) fn bytes(&mut self, count: usize) -> Result<Zeroizing<Vec<u8>>, PartyError> {
        let mut bytes = Zeroizing::new(vec![0; count]);
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    /// A number of 16 bytes.
    pub(super) fn word(&mut self) -> Result<u128, PartyError> {
        let mut bytes = Zeroizing::new([0; 16]);
        self.read(&mut *bytes)?;
        Ok(u128::from_le_bytes(*bytes))
    }

    /// `count` scalars; `count` follows from the call.
    pub(super) fn scalars(&mut self, count: usize) -> Result<Shares, PartyError> {
        let bytes = self.bytes(count * SCALAR_BYTES)?;
        let mut scalars = Shares::zero(count);
        for (scalar, bytes) in scalars.iter_mut().zip(bytes.as_chunks::<SCALAR_BYTES>().0) {
            let read: Option<Fr> = Fr::from_repr((*bytes).into()).into();
            *scalar = read.ok_or_else(|| failed(BundleError::Scalar))?;
        }
        Ok(scalars)
    }
}

/// What [`Records::scalars`] reads.
pub(super) fn scalars_to_bytes(scalars: &[Fr]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(encode_scalars(scalars))
}
