//! Mutants of what a side does by itself, and commitments.

use super::mutant::Mutant;

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        what: "the bound of inputs and parameters",
        file: "crates/circuit/src/program/sources.rs",
        from: "is_none_or(|integer| (integer < *low) | (integer > *high))",
        to: "is_some_and(|integer| (integer < *low) | (integer > *high))",
        test: &["-p", "twain-circuit", "--test", "bounds"],
    },
    Mutant {
        what: "the check of Lagrange points",
        file: "crates/artifacts/src/srs/check.rs",
        from: "if msm(&weights, lagrange)? != all {",
        to: "if msm(&weights, lagrange)? != all && g.is_empty() {",
        test: &["-p", "twain-cli", "--test", "srs_of_a_peer"],
    },
    Mutant {
        what: "the comparison of a published commitment with the proof",
        file: "crates/twain/src/pair/published.rs",
        from: "if proven.starts_with(&writer.finish()) {",
        to: "if proven.len() + writer.finish().len() > 0 {",
        test: &["-p", "twain-cli", "--test", "published_commitment"],
    },
    Mutant {
        what: "the opening of commitments",
        file: "crates/link/src/commitment.rs",
        from: "if self.purpose.commitment(self.owner.other(), &opening) != *theirs {",
        to: "if opening.is_empty() && theirs.is_empty() {",
        test: &["-p", "twain-link", "--lib", "commitment::tests"],
    },
    Mutant {
        what: "the owner in commitments",
        file: "crates/link/src/commitment.rs",
        from: ".chain_update([owner as u8])",
        to: ".chain_update([owner as u8 & 0])",
        test: &["-p", "twain-link", "--lib", "a_copied_commitment_does_not_open"],
    },
    Mutant {
        what: "the session in commitments",
        file: "crates/link/src/commitment.rs",
        from: ".chain_update(self.session)",
        to: ".chain_update([0; 32])",
        test: &["-p", "twain-link", "--lib", "a_commitment_opens_to_its_value_for_its_purpose"],
    },
    Mutant {
        what: "the counter in commitments",
        file: "crates/link/src/commitment.rs",
        from: ".chain_update(self.counter.to_le_bytes())",
        to: ".chain_update([0; 8])",
        test: &["-p", "twain-link", "--lib", "a_commitment_opens_to_its_value_for_its_purpose"],
    },
    Mutant {
        what: "the label in commitments",
        file: "crates/link/src/commitment.rs",
        from: ".chain_update(self.label)",
        to: ".chain_update([0; 3])",
        test: &["-p", "twain-link", "--lib", "a_commitment_opens_to_its_value_for_its_purpose"],
    },
    Mutant {
        what: "the blind in commitments",
        file: "crates/link/src/commitment.rs",
        from: "rng.fill_bytes(blind);",
        to: "blind.fill(0);",
        test: &["-p", "twain-link", "--lib", "a_commitment_opens_to_its_value_for_its_purpose"],
    },
];
