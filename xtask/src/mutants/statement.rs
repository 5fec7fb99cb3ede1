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
        from: "let others = without_tuples(side, (shape, lookup), &challenges, &counts)?;",
        to: "let others = &Tagged::zero() - of_tuples; without_tuples(side, (shape, lookup), &challenges, &counts)?;",
        test: TEST,
    },
    Mutant {
        what: "proofs about own values in the witness test",
        file: "crates/pair/src/statement/test.rs",
        from: "if degree == 0 {",
        to: "if degree < 100 {",
        test: TEST,
    },
    Mutant {
        what: "that what is not zero is a bit",
        file: "crates/pair/src/statement/test.rs",
        from: "sum = &sum + &(square * Public(factor));",
        to: "sum = &sum + &(square * Public(factor - factor));",
        test: &["-p", "twain-pair", "--test", "late_inverses"],
    },
    Mutant {
        what: "the test of the product of late inverses",
        file: "crates/pair/src/statement/late_inverses.rs",
        from: "if product.iter().any(|product| product.0 == Fr::ZERO) {",
        to: "if product.is_empty() {",
        test: &["-p", "twain-pair", "--test", "late_inverses"],
    },
    Mutant {
        what: "the mask of a late inverse",
        file: "crates/pair/src/statement/late_inverses.rs",
        from: "let mask = masks.masks.get(masks.place(late.inverse)?);",
        to: "let mask = Tagged::zero();",
        test: &["-p", "twain-pair", "--test", "late_inverses"],
    },
];
