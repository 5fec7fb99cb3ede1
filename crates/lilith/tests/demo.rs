//! `lilith demo`: all of it in one command.

mod site;

use site::{LILITH, quiet, twain};

#[test]
fn the_demo_ends_with_a_verified_proof() {
    let output = quiet(LILITH).args(["demo", "--twain"]).arg(twain()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said} {complaint}");
    for text in ["company$ lilith serve", "--invite twain-peer:1:", "verified: true", "The pages: "]
    {
        assert!(said.contains(text), "{text}: {said}");
    }
}
