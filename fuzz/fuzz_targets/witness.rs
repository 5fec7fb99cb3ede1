//! The reader of witness.json.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(witness) = twain_artifacts::GraphWitness::parse(bytes) {
        let text = serde_json::to_vec(&witness).expect("a witness is JSON");
        assert!(twain_artifacts::GraphWitness::parse(&text).expect("it is read again") == witness);
    }
});
