//! The reader of settings.json.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(settings) = twain_artifacts::parse_settings(bytes) {
        let text = serde_json::to_vec(&settings).expect("settings are JSON");
        let again = twain_artifacts::parse_settings(&text).expect("what was written is read");
        assert_eq!(serde_json::to_vec(&again).expect("settings are JSON"), text);
        let _ = settings.run_args.validate();
    }
});
