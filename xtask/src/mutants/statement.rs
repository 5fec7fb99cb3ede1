//! Mutants of the witness test.

use super::mutant::Mutant;

const TEST: &[&str] = &["-p", "twain", "--test", "statement"];

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        what: "the zero test of the witness test",
        file: "crates/pair/src/statement/test.rs",
        from: "side.zero_test(channel, &sum, self.triple)",
        to: "side.zero_test(channel, &(&sum - &sum), self.triple)",
        test: TEST,
    },
    Mutant {
        what: "gates in the witness test",
        file: "crates/pair/src/statement/test.rs",
        from: "let mut sum = claimed.combined(side, &self.pairs, columns, &combination)?;",
        to: "let mut sum = &claimed.combined(side, &self.pairs, columns, &combination)? * Public(Fr::ZERO);",
        test: TEST,
    },
    Mutant {
        what: "multiplicities in the witness test",
        file: "crates/pair/src/statement/test.rs",
        from: "let others = without_tuples(side, lookup, &challenges, &counts)?;",
        to: "let others = &Tagged::zero() - of_tuples; without_tuples(side, lookup, &challenges, &counts)?;",
        test: TEST,
    },
    Mutant {
        what: "proofs about own values in the witness test",
        file: "crates/pair/src/statement/test.rs",
        from: "if degree == 0 {",
        to: "if degree < 100 {",
        test: TEST,
    },
];
