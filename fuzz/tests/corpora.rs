//! Every input that fuzzing found worth keeping, and every one that was a fault, passes.

use std::path::Path;
use twain_fuzz::TARGETS;

#[test]
fn every_input_passes() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in TARGETS {
        let files = std::fs::read_dir(corpora.join(target.name)).expect("a corpus");
        let mut count = 0;
        for file in files {
            let path = file.expect("listed").path();
            println!("{}", path.display()); // shown if it fails
            (target.run)(&std::fs::read(&path).expect("read"));
            count += 1;
        }
        assert!(count > 0, "{}: no input", target.name);
    }
    let folders = std::fs::read_dir(corpora).expect("corpora").count();
    assert_eq!(folders, TARGETS.len(), "a corpus without a target");
}
