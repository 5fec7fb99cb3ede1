//! The reader of pk.key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twain_artifacts::key::{KeyFormat, KeyPolynomial, KeyShape, ProvingKeyFile};

fuzz_target!(|bytes: &[u8]| {
    let shape = KeyShape { permutation_columns: 3, selectors: 1 };
    for format in [KeyFormat::RawBytes, KeyFormat::Processed] {
        if let Ok(key) = ProvingKeyFile::parse(bytes, format, shape, 4) {
            for index in 0..4 {
                let _ = key.polynomial(KeyPolynomial::FixedValues(index));
                let _ = key.polynomial(KeyPolynomial::PermutationCoset(index));
            }
        }
    }
});
