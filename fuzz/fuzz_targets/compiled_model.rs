//! The reader of model.compiled.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(compiled) = twain_artifacts::CompiledModel::parse(bytes) {
        let mut once = Vec::new();
        compiled.encode(&mut once).expect("memory takes it");
        let again = twain_artifacts::CompiledModel::parse(&once).expect("what was written is read");
        let mut twice = Vec::new();
        again.encode(&mut twice).expect("memory takes it");
        assert!(once == twice);
        let _ = twain_artifacts::clear_values(&compiled);
        let _ = twain_artifacts::redact(&compiled);
    }
});
