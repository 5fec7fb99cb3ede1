//! The reader of a .ptau file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twain_artifacts::srs::PointCheck;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(powers) = twain_artifacts::srs::PowersOfTau::parse(bytes) {
        let _ = powers.g(powers.power(), PointCheck::OnCurve);
    }
});
