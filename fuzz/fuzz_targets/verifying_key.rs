//! The reader of vk.key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twain_artifacts::key::{KeyFormat, KeyShape, VerifyingKeyFile};

fuzz_target!(|bytes: &[u8]| {
    let shape = KeyShape { permutation_columns: 8, selectors: 16 };
    for format in [KeyFormat::RawBytes, KeyFormat::Processed] {
        if let Ok(key) = VerifyingKeyFile::parse(bytes, format, shape) {
            let mut again = Vec::new();
            key.encode(format, &mut again).expect("memory takes it");
            assert!(again == bytes);
        }
    }
});
