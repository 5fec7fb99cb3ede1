//! The reader of input.json.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = twain_artifacts::InputFile::parse(bytes);
});
