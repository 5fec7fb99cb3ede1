//! The reader of kzgK.srs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twain_artifacts::srs::PointCheck;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(srs) = twain_artifacts::srs::SrsFile::parse(bytes) {
        let _ = srs.g(srs.k(), PointCheck::OnCurve);
        let _ = srs.g_lagrange(PointCheck::Coordinates);
    }
});
