//! Mutants of the pair's own protocols: openings, wires, what is made ahead.

use super::mutant::Mutant;

const OPENINGS: &[&str] =
    &["-p", "twain-pair", "--lib", "what_is_opened_is_uniform_whatever_the_value"];

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        what: "the cover of a comparison",
        file: "crates/pair/src/hints/compare.rs",
        from: "let mut part = self.value + cover.in_field();",
        to: "let mut part = self.value;",
        test: OPENINGS,
    },
    Mutant {
        what: "the cover of a lookup",
        file: "crates/pair/src/hints/lookup.rs",
        from: "let part = self.value + lift(role, mask.position()) + cover.in_field();",
        to: "let part = self.value + lift(role, mask.position());",
        test: OPENINGS,
    },
    Mutant {
        what: "the cover of a digit",
        file: "crates/pair/src/hints/jobs.rs",
        from: "fields.push(rest + lift(role, mask.position()) + cover.in_field());",
        to: "fields.push(rest + lift(role, mask.position()));",
        test: OPENINGS,
    },
    Mutant {
        what: "the cover of a dividend",
        file: "crates/pair/src/hints/division.rs",
        from: "self.value + cover + mask",
        to: "self.value + mask",
        test: OPENINGS,
    },
    Mutant {
        what: "the mask of a wire",
        file: "crates/pair/src/wires/mask.rs",
        from: "share - std::mem::replace(&mut self.0, Fr::ZERO)",
        to: "share - std::mem::replace(&mut self.0, Fr::ZERO) * Fr::ZERO",
        test: &["-p", "twain-pair", "--test", "views", "claims"],
    },
    Mutant {
        what: "a wire's own mask",
        file: "crates/pair/src/wires/seed.rs",
        from: "rng.set_word_pos(16 * u128::from(number));",
        to: "rng.set_word_pos(u128::from(number / u32::MAX));",
        test: &["-p", "twain-pair", "--lib", "each_wire_and_each_factor"],
    },
    Mutant {
        what: "that factors are apart from masks of wires",
        file: "crates/pair/src/wires/seed.rs",
        from: "rng.set_stream(stream);",
        to: "rng.set_stream(stream * 0);",
        test: &["-p", "twain-pair", "--lib", "each_wire_and_each_factor"],
    },
    Mutant {
        what: "a factor of its own for each conversion",
        file: "crates/pair/src/wires/seed.rs",
        from: "Masking::Factor(factor) => (1, factor),",
        to: "Masking::Factor(factor) => (1, factor % 16),",
        test: &["-p", "twain-pair", "--test", "views", "factors"],
    },
    Mutant {
        what: "the random factors of inverses",
        file: "crates/pair/src/wires/seed.rs",
        from: "Masking::Factor(factor) => (1, factor),",
        to: "Masking::Factor(_) => return Fr::one(),",
        test: &["-p", "twain-pair", "--test", "views", "inverses_of_wires"],
    },
    Mutant {
        what: "that a factor is had once",
        file: "crates/pair/src/wires/mask.rs",
        from: "Ok(first..self.factors)",
        to: "Ok(0..self.factors - first)",
        test: &["-p", "twain-pair", "--lib", "a_factor_is_had_once"],
    },
    Mutant {
        what: "that only claimed wires are converted and inverted",
        file: "crates/pair/src/wires/mod.rs",
        from: "wire.map_or(Some(Fr::ZERO), |(wire, _)| self.opened(wire));",
        to: "wire.map_or(Some(Fr::ZERO), |(wire, _)| self.opened(wire).or(Some(Fr::ZERO)));",
        test: &["-p", "twain-pair", "--test", "wires", "neither_conversion_nor_inverse"],
    },
    Mutant {
        what: "that a mask of a wire is had once",
        file: "crates/pair/src/wires/mask.rs",
        from: "self.taken[word] |= bit;",
        to: "",
        test: &["-p", "twain-pair", "--lib", "a_mask_is_had_once"],
    },
    Mutant {
        what: "that a wire is claimed once",
        file: "crates/pair/src/wires/mod.rs",
        from: "if self.opened(*wire).is_some() {",
        to: "if self.opened(*wire).is_some() && wires.is_empty() {",
        test: &["-p", "twain-pair", "--test", "wires", "a_second_claim"],
    },
    Mutant {
        what: "the opened value in products of a wire",
        file: "crates/pair/src/wires/mod.rs",
        from: "true if kind.public_side() == role => share - opened,",
        to: "true if kind.public_side() == role && opened == Fr::ZERO => share,",
        test: &["-p", "twain-pair", "--test", "arithmetic", "inner_products"],
    },
    Mutant {
        what: "the cover's upper 60 bits",
        file: "crates/pair/src/hints/cover.rs",
        from: "return Self(limbs(&value));",
        to: "let [a, b, c, _] = limbs(&value); return Self([a, b, c, 0]);",
        test: OPENINGS,
    },
];
