//! Mutants of the test of the argument.

use super::mutant::Mutant;

const TEST: &[&str] = &["-p", "twain", "--test", "argument"];

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        what: "the zero test of the argument",
        file: "crates/pair/src/acceptance/mod.rs",
        from: "side.zero_test(channel, &difference, zero_test)?;",
        to: "side.zero_test(channel, &(&difference - &difference), zero_test)?;",
        test: TEST,
    },
    Mutant {
        what: "the openings of commitments at the point",
        file: "crates/pair/src/acceptance/openings.rs",
        from: "openings.iter().all(|opening| argument.opens(opening))",
        to: "openings.iter().all(|opening| argument.opens(opening) || true)",
        test: TEST,
    },
    Mutant {
        what: "pieces of the quotient in the openings",
        file: "crates/pair/src/acceptance/mod.rs",
        from: "if rotation == 0 {",
        to: "if rotation == i32::MAX {",
        test: TEST,
    },
    Mutant {
        what: "the random polynomial in values at the point",
        file: "crates/pair/src/acceptance/openings.rs",
        from: "let hidden = cover.tagged[owner as usize].iter().rev();",
        to: "let hidden = cover.tagged[owner as usize][..0].iter().rev();",
        test: TEST,
    },
];
