//! Takes each mask and check of the pair's protocol away in turn, in a copy of the repository, and
//! sees that the test which is about it fails. Input: the table below. Output: a line a mutant.
//!
//! A mutant is a change of the source text, so the product carries no switch that turns a defence
//! off. A change that no longer fits its file, or does not compile, is a failure as well.

use crate::error::Error;
use crate::process::cargo;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A change that a test must find.
struct Mutant {
    /// What is taken away.
    what: &'static str,
    file: &'static str,
    /// Text that stands exactly once in the file.
    from: &'static str,
    to: &'static str,
    /// Arguments of `cargo test`.
    test: &'static [&'static str],
}

const OPENINGS: &[&str] =
    &["-p", "twain-pair", "--lib", "what_is_opened_is_uniform_whatever_the_value"];

const MUTANTS: &[Mutant] = &[
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
        from: "rng.set_word_pos(16 * u128::from(wire));",
        to: "rng.set_word_pos(u128::from(wire / u32::MAX));",
        test: &["-p", "twain-pair", "--lib", "each_wire_has_a_mask_of_its_own"],
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
        what: "the level in the keys of a digit mask's tree",
        file: "crates/masks/src/dpf/tree.rs",
        from: "std::array::from_fn(|i| (i as u128) << 64 | i as u128);",
        to: "[0; LEVELS];",
        test: &["-p", "twain-masks", "--lib", "keys_of_levels_give_nothing_away"],
    },
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
        from: "if msm(&weights, lagrange) != all {",
        to: "if msm(&weights, lagrange) != all && g.is_empty() {",
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
        what: "the cover's upper 60 bits",
        file: "crates/pair/src/hints/cover.rs",
        from: "return Self(limbs(&value));",
        to: "let [a, b, c, _] = limbs(&value); return Self([a, b, c, 0]);",
        test: OPENINGS,
    },
    Mutant {
        what: "the check of transfers",
        file: "crates/masks/src/ot/consistency.rs",
        from: "difference == 0",
        to: "difference == 0 || delta != 0",
        test: &["-p", "twain-masks", "--lib", "ot::extension"],
    },
    Mutant {
        what: "the columns in the check of transfers",
        file: "crates/masks/src/ot/consistency.rs",
        from: ".chain_update(frame);",
        to: ".chain_update([frame.len() as u8]);",
        test: &["-p", "twain-masks", "--lib", "every_frame_has_its_own_hash"],
    },
    Mutant {
        what: "the receiver in the check of transfers",
        file: "crates/masks/src/ot/consistency.rs",
        from: ".chain_update([context.receiver as u8])",
        to: ".chain_update([0])",
        test: &["-p", "twain-masks", "--lib", "every_frame_has_its_own_hash"],
    },
    Mutant {
        what: "the session in the check of transfers",
        file: "crates/masks/src/ot/consistency.rs",
        from: ".chain_update(context.session)",
        to: ".chain_update([0; 32])",
        test: &["-p", "twain-masks", "--lib", "every_frame_has_its_own_hash"],
    },
    Mutant {
        what: "the counter in the check of transfers",
        file: "crates/masks/src/ot/consistency.rs",
        from: ".chain_update(context.counter.to_le_bytes())",
        to: ".chain_update([0; 8])",
        test: &["-p", "twain-masks", "--lib", "every_frame_has_its_own_hash"],
    },
    Mutant {
        what: "the random choices of the check of transfers",
        file: "crates/masks/src/ot/pair.rs",
        from: "rng.fill_bytes(&mut last);",
        to: "",
        test: &["-p", "twain-masks", "--lib", "frames_do_not_show_the_choices"],
    },
    Mutant {
        what: "the shift of a base transfer's points",
        file: "crates/masks/src/ot/base.rs",
        from: "Ok([zero + self.shift(0, &request[1]), one + self.shift(1, &request[0])])",
        to: "Ok([zero, one])",
        test: &["-p", "twain-masks", "--lib", "no_receiver_knows_both_keys"],
    },
    Mutant {
        what: "who sends in the hashes of base transfers",
        file: "crates/masks/src/ot/base.rs",
        from: ".chain_update([self.sender as u8])",
        to: ".chain_update([0])",
        test: &["-p", "twain-masks", "--lib", "messages_sent_back_agree_on_nothing"],
    },
    Mutant {
        what: "the session in the hashes of base transfers",
        file: "crates/masks/src/ot/base.rs",
        from: ".chain_update(self.session)",
        to: ".chain_update([0; 32])",
        test: &[
            "-p",
            "twain-masks",
            "--lib",
            "messages_of_another_session_or_transfer_agree_on_nothing",
        ],
    },
    Mutant {
        what: "the number in the hashes of base transfers",
        file: "crates/masks/src/ot/base.rs",
        from: ".chain_update(self.index.to_le_bytes())",
        to: ".chain_update([0; 8])",
        test: &[
            "-p",
            "twain-masks",
            "--lib",
            "messages_of_another_session_or_transfer_agree_on_nothing",
        ],
    },
    Mutant {
        what: "the choice in the hashes of base transfers",
        file: "crates/masks/src/ot/base.rs",
        from: ".chain_update([choice])",
        to: ".chain_update([0])",
        test: &[
            "-p",
            "twain-masks",
            "--lib",
            "messages_of_another_session_or_transfer_agree_on_nothing",
        ],
    },
    Mutant {
        what: "the tweak between a pad's ciphers",
        file: "crates/masks/src/ot/pads.rs",
        from: "Array((hidden ^ tweak(sender, index, pad_use, part as u8)).to_le_bytes())",
        to: "Array((hidden ^ (part as u128)).to_le_bytes())",
        test: &["-p", "twain-masks", "--lib", "ot::pads"],
    },
    Mutant {
        what: "the comparison of positions",
        file: "crates/masks/src/dpf/generate.rs",
        from: "if totals != [0, 0] {",
        to: "if totals != totals {",
        test: &["-p", "twain-masks", "--lib", "dpf::cheat"],
    },
    Mutant {
        what: "one direction of the comparison of positions",
        file: "crates/masks/src/dpf/generate.rs",
        from: "let shares = [&held[..], &by_model[..], &by_data[..]];",
        to: "let shares = [&held[..], &by_model[..], &by_model[..]];",
        test: &["-p", "twain-masks", "--lib", "one_direction_is_not_enough"],
    },
    Mutant {
        what: "the order of digit masks",
        file: "crates/masks/src/dpf/generate.rs",
        from: "masks.swap(drawn as usize, last);",
        to: "masks.swap(drawn.max(last as u128) as usize, last);",
        test: &["-p", "twain-masks", "--lib", "what_was_bet_on_is_used_at_random"],
    },
    Mutant {
        what: "the weights of the comparison of positions",
        file: "crates/masks/src/dpf/positions.rs",
        from: "*sum = sum.wrapping_add(weight.wrapping_mul(held.wrapping_sub(*other)));",
        to: "*sum = sum.wrapping_add((weight | !0).wrapping_mul(held.wrapping_sub(*other)));",
        test: &["-p", "twain-masks", "--lib", "errors_do_not_cancel"],
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
    Mutant {
        what: "the pads of the products for positions",
        file: "crates/masks/src/dpf/positions.rs",
        from: "zero.wrapping_sub(one).wrapping_add(product)",
        to: "product",
        test: &["-p", "twain-masks", "--lib", "products_do_not_show_the_bits"],
    },
    Mutant {
        what: "the verification of proofs about ciphertexts",
        file: "crates/rlwe/src/proof/verifier.rs",
        from: "Some(&sent)) != self.commitment {",
        to: "Some(&sent)).is_empty() {",
        test: &["-p", "twain-rlwe", "--lib", "what_is_not_short_is_refused"],
    },
    Mutant {
        what: "the proof about a key",
        file: "crates/rlwe/src/proof/statement.rs",
        from: "kernels::subtract_product(modulus, &public, &secret, &mut of_key);",
        to: "of_key.fill(0);",
        test: &["-p", "twain-rlwe", "--lib", "what_is_not_short_is_refused"],
    },
    Mutant {
        what: "the challenges of proofs about ciphertexts",
        file: "crates/rlwe/src/proof/statement.rs",
        from: "self.exponents(b\"challenges\", challenge, ROWS)",
        to: "self.exponents(b\"challenges\", &[0; 32], ROWS)",
        test: &["-p", "twain-rlwe", "--lib", "every_message_of_a_cheating_encryptor_is_found"],
    },
    Mutant {
        what: "the weights of proofs about ciphertexts",
        file: "crates/rlwe/src/proof/statement.rs",
        from: "self.exponents(b\"weights\", challenge, ROWS * encryptions)",
        to: "self.exponents(b\"weights\", &[0; 32], ROWS * encryptions)",
        test: &["-p", "twain-rlwe", "--lib", "every_message_of_a_cheating_encryptor_is_found"],
    },
    Mutant {
        what: "the masks of proofs for a secret key",
        file: "crates/rlwe/src/proof/prover.rs",
        from: "map(|bits| integers(stream, bits)));",
        to: "map(|bits| integers(stream, bits.min(1))));",
        test: &["-p", "twain-rlwe", "--lib", "responses_are_masked"],
    },
    Mutant {
        what: "the upper bits of the masks of phases",
        file: "crates/rlwe/src/proof/prover.rs",
        from: "phase: integers(stream, PHASE_BITS) }",
        to: "phase: integers(stream, PHASE_BITS - 1) }",
        test: &["-p", "twain-rlwe", "--lib", "responses_are_masked"],
    },
    Mutant {
        what: "the session in proofs about ciphertexts",
        file: "crates/rlwe/src/proof/statement.rs",
        from: ".chain_update(self.session)",
        to: ".chain_update([0; 32])",
        test: &["-p", "twain-rlwe", "--lib", "a_proof_is_for_one_batch"],
    },
    Mutant {
        what: "the number in proofs about ciphertexts",
        file: "crates/rlwe/src/proof/statement.rs",
        from: ".chain_update(self.number.to_le_bytes())",
        to: ".chain_update([0; 8])",
        test: &["-p", "twain-rlwe", "--lib", "a_proof_is_for_one_batch"],
    },
    Mutant {
        what: "the label in proofs about ciphertexts",
        file: "crates/rlwe/src/proof/statement.rs",
        from: ".chain_update(label)",
        to: ".chain_update([0; 3])",
        test: &["-p", "twain-rlwe", "--lib", "exponents_fill_their_range"],
    },
    Mutant {
        what: "who encrypts in sessions of keys and proofs",
        file: "crates/ole/src/keys.rs",
        from: "hash.update([encryptor as u8]);",
        to: "hash.update([encryptor as u8 & 0]);",
        test: &["-p", "twain-ole", "--lib", "messages_sent_back_prove_nothing"],
    },
    Mutant {
        what: "the doubled encryption of zero",
        file: "crates/rlwe/src/bounds.rs",
        from: "pub const ZERO_FACTOR: u64 = 2;",
        to: "pub const ZERO_FACTOR: u64 = 1;",
        test: &["-p", "twain-rlwe", "--lib", "a_key_of_halves_shows_a_parity"],
    },
    Mutant {
        what: "the key of an answer",
        file: "crates/rlwe/src/evaluator.rs",
        from: "return Err(Error::OtherKey);",
        to: "",
        test: &["-p", "twain-rlwe", "--lib", "honest_batches_pass"],
    },
    Mutant {
        what: "the key of a batch",
        file: "crates/rlwe/src/proof/verifier.rs",
        from: "return Err(Error::OtherKey);",
        to: "",
        test: &["-p", "twain-rlwe", "--lib", "batches_have_a_size_and_their_own_keys"],
    },
    Mutant {
        what: "the size of a batch",
        file: "crates/rlwe/src/proof/prover.rs",
        from: "if (1..=MAX_BATCH).contains(&got) {",
        to: "if got <= 1000 {",
        test: &["-p", "twain-rlwe", "--lib", "batches_have_a_size_and_their_own_keys"],
    },
    Mutant {
        what: "the budget of proofs",
        file: "crates/rlwe/src/proof/prover.rs",
        from: "budget.charge(parts.len())?;",
        to: "budget.charge(0)?;",
        test: &["-p", "twain-rlwe", "--lib", "proofs_are_counted"],
    },
    Mutant {
        what: "the budget of answers",
        file: "crates/rlwe/src/evaluator.rs",
        from: "self.budget = budget;",
        to: "",
        test: &["-p", "twain-rlwe", "--lib", "answers_are_counted"],
    },
    Mutant {
        what: "the noise of dishonest ciphertexts in the budget",
        file: "crates/rlwe/src/bounds.rs",
        from: "products as f64 * product + errors",
        to: "products as f64 + errors",
        test: &["-p", "twain-rlwe", "--lib", "budget_covers"],
    },
    Mutant {
        what: "the tags of openings",
        file: "crates/tags/src/side.rs",
        from: "match *tag + keys == due {",
        to: "match *tag + keys == due || *tag + keys != due {",
        test: &["-p", "twain-tags", "--test", "deviant"],
    },
    Mutant {
        what: "the phase in the hash of tagged openings",
        file: "crates/tags/src/side.rs",
        from: ".chain_update(self.phase)",
        to: ".chain_update([0; 2])",
        test: &["-p", "twain-tags", "--lib", "every_opening_has_its_own_weight"],
    },
    Mutant {
        what: "the session in the hash of tagged openings",
        file: "crates/tags/src/side.rs",
        from: ".chain_update(self.session)",
        to: ".chain_update([0; 32])",
        test: &["-p", "twain-tags", "--lib", "every_opening_has_its_own_weight"],
    },
    Mutant {
        what: "the sender in the hash of tagged openings",
        file: "crates/tags/src/side.rs",
        from: ".chain_update([self.sender as u8])",
        to: ".chain_update([0])",
        test: &["-p", "twain-tags", "--lib", "every_opening_has_its_own_weight"],
    },
    Mutant {
        what: "the counter in the hash of tagged openings",
        file: "crates/tags/src/side.rs",
        from: ".chain_update(self.counter.to_le_bytes());",
        to: ".chain_update([0; 8]);",
        test: &["-p", "twain-tags", "--lib", "every_opening_has_its_own_weight"],
    },
    Mutant {
        what: "the values in the hash of tagged openings",
        file: "crates/tags/src/side.rs",
        from: "shares.iter().for_each(|share| hash.update(share.to_repr()));",
        to: "hash.update([shares.len() as u8]);",
        test: &["-p", "twain-tags", "--lib", "every_opening_has_its_own_weight"],
    },
    Mutant {
        what: "the check of triples",
        file: "crates/tags/src/products.rs",
        from: "if opened.iter().any(|error| error.0 != Fr::ZERO) {",
        to: "if opened.iter().any(|error| error.0 != error.0) {",
        test: &["-p", "twain-tags", "--test", "lies", "a_wrong_triple_ends_it"],
    },
    Mutant {
        what: "the coin in the check of triples",
        file: "crates/tags/src/products.rs",
        from: "let rho = Public(coin.value());",
        to: "let rho = Public(coin.value() - coin.value() + Fr::ONE);",
        test: &["-p", "twain-tags", "--test", "lies", "a_wrong_triple_ends_it"],
    },
    Mutant {
        what: "the outcome of zero tests",
        file: "crates/tags/src/products.rs",
        from: "match opened.iter().all(|product| product.0 == Fr::ZERO) {",
        to: "match opened.iter().all(|product| product.0 == product.0) {",
        test: &["-p", "twain-tags", "--test", "views", "a_zero_test_shows_whether_it_is_zero"],
    },
    Mutant {
        what: "the comparison of equal keys",
        file: "crates/tags/src/equality.rs",
        from: "match answer.reveal(channel, PHASE, &commitment)? == own.tag.to_repr().as_ref() {",
        to: "match answer.reveal(channel, PHASE, &commitment)?.len() == own.tag.to_repr().as_ref().len() {",
        test: &["-p", "twain-tags", "--lib", "a_key_that_is_not_one_for_all_values_ends_it"],
    },
    Mutant {
        what: "that the peer names the number of equal keys before it is opened",
        file: "crates/tags/src/equality.rs",
        from: "&[own.tag], 1)?)? != number[0] {",
        to: "&[own.tag], 1)?)? != number[0] && number.is_empty() {",
        test: &["-p", "twain-tags", "--lib", "a_number_the_peer_cannot_name_is_not_opened"],
    },
    Mutant {
        what: "the weights in the test of equal keys",
        file: "crates/tags/src/equality.rs",
        from: "coins[owner as usize].value(), block.len()",
        to: "coins[owner as usize].value() - coins[owner as usize].value(), block.len()",
        test: &["-p", "twain-tags", "--lib", "a_key_that_is_not_one_for_all_values_ends_it"],
    },
    Mutant {
        what: "the audit of tags",
        file: "crates/tags/src/preprocessing.rs",
        from: "self.side.open(channel, \"audit of tags\", &[combination])?;",
        to: "drop(combination);",
        test: &["-p", "twain-tags", "--test", "lies", "a_polluted_key_ends_it"],
    },
    Mutant {
        what: "the randomness of spares",
        file: "crates/tags/src/preprocessing.rs",
        from: "let own = self.uniform(own);",
        to: "let own = Shares::zero(own);",
        test: &["-p", "twain-tags", "--test", "views", "inputs_and_products_show_nothing"],
    },
    Mutant {
        what: "that spares are used once",
        file: "crates/tags/src/spares.rs",
        from: "self.taken += now.len();",
        to: "self.taken += now.len() - now.len();",
        test: &["-p", "twain-tags", "--lib", "each_is_taken_once_and_in_order"],
    },
    Mutant {
        what: "the comparison of proofs about own values",
        file: "crates/tags/src/proof.rs",
        from: "|sum, c| sum * delta + c) == due {",
        to: "|sum, c| sum * delta + c) == due || degree > 0 {",
        test: &["-p", "twain-tags", "--test", "functionality", "proofs_hold_for_what_is_so"],
    },
    Mutant {
        what: "that challenges come after what they test",
        file: "crates/tags/src/side.rs",
        from: "if challenge.claims != side.claims() {",
        to: "if challenge.claims > side.claims() {",
        test: &[
            "-p",
            "twain-tags",
            "--test",
            "functionality",
            "a_challenge_comes_after_what_it_tests",
        ],
    },
    Mutant {
        what: "the owner's look at the keys of a proof",
        file: "crates/tags/src/proof.rs",
        from: "true => value.key == Fr::ZERO,",
        to: "true => value.key == value.key,",
        test: &[
            "-p",
            "twain-tags",
            "--test",
            "functionality",
            "a_proof_is_about_values_of_one_side",
        ],
    },
    Mutant {
        what: "the other side's look at the shares of a proof",
        file: "crates/tags/src/proof.rs",
        from: "false => value.share == Fr::ZERO && value.tag == Fr::ZERO,",
        to: "false => value.share == value.share,",
        test: &[
            "-p",
            "twain-tags",
            "--test",
            "functionality",
            "a_proof_is_about_values_of_one_side",
        ],
    },
    Mutant {
        what: "this side's look at its shares of masks",
        file: "crates/tags/src/columns/mask_column.rs",
        from: "(holds(kind, role) || none_here)",
        to: "(holds(kind, role) || none_here || !none_here)",
        test: &["-p", "twain-tags", "--test", "lies", "a_part_of_anothers_mask_is_refused"],
    },
    Mutant {
        what: "this side's look at its keys of masks",
        file: "crates/tags/src/columns/mask_column.rs",
        from: "(holds(kind, role.other()) || none_there)",
        to: "(holds(kind, role.other()) || none_there || !none_there)",
        test: &["-p", "twain-tags", "--test", "lies", "a_part_of_anothers_mask_is_refused"],
    },
    Mutant {
        what: "the factor of a looked-up wire's inverse",
        file: "crates/tags/src/columns/lookup_pair.rs",
        from: "&(&pair.factor * *c)",
        to: "&pair.factor",
        test: &["-p", "twain-tags", "--test", "functionality", "product_columns_are_products"],
    },
    Mutant {
        what: "that nothing comes after a failed check of tagged values",
        file: "crates/tags/src/side.rs",
        from: "self.arithmetic().is_over |= result.is_err();",
        to: "self.arithmetic().is_over |= false;",
        test: &[
            "-p",
            "twain-tags",
            "--test",
            "functionality",
            "after_a_failed_check_there_is_nothing",
        ],
    },
    Mutant {
        what: "the spares in proofs about own values",
        file: "crates/tags/src/proof.rs",
        from: "true => self.spares.take(count, 0)?.0,\n            false => self.spares.take(0, count)?.1,",
        to: "true => Owned::mine(Shares::zero(count), Shares::zero(count)),\n            false => Owned::theirs(Shares::zero(count)),",
        test: &["-p", "twain-tags", "--test", "views", "a_proof_is_under_spares"],
    },
    Mutant {
        what: "the instance in the hashes of tags",
        file: "crates/tags/src/preprocessing.rs",
        from: ".chain_update(self.instance.to_le_bytes())",
        to: "",
        test: &[
            "-p",
            "twain-tags",
            "--test",
            "functionality",
            "stages_of_one_session_are_told_apart",
        ],
    },
    Mutant {
        what: "the weights of proofs about own values",
        file: "crates/tags/src/proof.rs",
        from: "weight *= challenge;",
        to: "weight *= challenge * Fr::ZERO + Fr::ONE;",
        test: &["-p", "twain-tags", "--test", "functionality", "errors_in_a_proof_do_not_cancel"],
    },
    Mutant {
        what: "the weights of the audit from call to call",
        file: "crates/tags/src/preprocessing.rs",
        from: "weight *= challenge.pow_vartime([keys.len() as u64]);",
        to: "weight *= Fr::ONE;",
        test: &["-p", "twain-tags", "--test", "lies", "pollutions_of_two_answers_do_not_cancel"],
    },
    Mutant {
        what: "the zero test of product columns",
        file: "crates/tags/src/columns/mod.rs",
        from: "self.side.zero_test(channel, &difference, last)?;",
        to: "drop((difference, last));",
        test: &["-p", "twain-tags", "--test", "lies", "a_wrong_product_of_masks_ends_it"],
    },
    Mutant {
        what: "the weights of product columns",
        file: "crates/tags/src/columns/mod.rs",
        from: "let weights = vector::powers(lambda.value(), pairs.len());",
        to: "let weights = vector::powers(lambda.value() - lambda.value() + Fr::ONE, pairs.len());",
        test: &["-p", "twain-tags", "--test", "lies", "errors_of_pairs_do_not_cancel"],
    },
    Mutant {
        what: "that the check of triples comes after their tags",
        file: "crates/tags/src/preprocessing.rs",
        from: "let tagged = stage.tag_shares(channel, &all)?;\n            let [coin] = stage.coins.toss(channel, CoinUse::Sacrifice)?;",
        to: "let [coin] = stage.coins.toss(channel, CoinUse::Sacrifice)?;\n            let tagged = stage.tag_shares(channel, &all)?;",
        test: &["-p", "twain-tags", "--test", "functionality", "coins_in_their_places"],
    },
    Mutant {
        what: "that the point of product columns comes after their tags",
        file: "crates/tags/src/columns/mod.rs",
        from: "let high = self.tag_shares(channel, &high)?;\n        let [point] = self.coins.toss(channel, CoinUse::ColumnPoint)?;",
        to: "let [point] = self.coins.toss(channel, CoinUse::ColumnPoint)?;\n        let high = self.tag_shares(channel, &high)?;",
        test: &["-p", "twain-tags", "--test", "functionality", "coins_in_their_places"],
    },
    Mutant {
        what: "the masks of tags' answers",
        file: "crates/tags/src/ring.rs",
        from: "uniform_scalars(rng, &mut mask);",
        to: "mask.fill(Fr::from(0));",
        test: &["-p", "twain-tags", "--lib", "keys_do_not_show_the_values"],
    },
    Mutant {
        what: "the bound on what tagged checks are good for",
        file: "crates/tags/src/bounds.rs",
        from: "if charged.log2() > LOG2_LIMIT {",
        to: "if charged.log2() > 0.0 {",
        test: &["-p", "twain-tags", "--lib", "a_large_proof_fits_and_there_is_an_end"],
    },
];

/// Tries the mutants whose description contains `only`, or a part of it between `|`; false if a test
/// did not find one.
pub fn run(repository: &Path, only: &str) -> Result<bool, Error> {
    let copy = repository.join("target/mutants");
    let is_chosen = |mutant: &&Mutant| only.split('|').any(|part| mutant.what.contains(part));
    let chosen = || MUTANTS.iter().filter(is_chosen);
    copy_tracked(repository, &copy)?;
    let tests: BTreeSet<_> = chosen().map(|mutant| mutant.test).collect();
    for arguments in tests {
        if test(repository, &copy, arguments)? != (true, true) {
            let what = format!("cargo test {}", arguments.join(" "));
            return Err(Error::content(what, "fails with nothing taken away"));
        }
    }
    let mut all_found = true;
    for mutant in chosen() {
        let start = Instant::now();
        copy_tracked(repository, &copy)?;
        let file = copy.join(mutant.file);
        let text = std::fs::read_to_string(&file).map_err(Error::file(&file))?;
        if text.matches(mutant.from).count() != 1 {
            let reason = format!("does not hold exactly once: {}", mutant.from);
            return Err(Error::content(mutant.file, reason));
        }
        std::fs::write(&file, text.replace(mutant.from, mutant.to)).map_err(Error::file(&file))?;
        let (built, passed) = test(repository, &copy, mutant.test)?;
        let outcome = match (built, passed) {
            (true, false) => "found",
            (true, true) => "NOT FOUND",
            (false, _) => "DOES NOT COMPILE",
        };
        all_found &= outcome == "found";
        println!("{outcome:<18}{:>5.0} s  without {}", start.elapsed().as_secs_f64(), mutant.what);
    }
    Ok(all_found)
}

/// The repository's files as they are now, without what git ignores.
fn copy_tracked(repository: &Path, copy: &Path) -> Result<(), Error> {
    let mut listing = Command::new("git");
    listing.current_dir(repository).args(["ls-files", "-z", "--cached", "--others"]);
    listing.arg("--exclude-standard");
    let listing =
        listing.output().map_err(|source| Error::Start { program: "git".into(), source })?;
    for name in String::from_utf8_lossy(&listing.stdout).split('\0').filter(|n| !n.is_empty()) {
        let (from, to) = (repository.join(name), copy.join(name));
        let Ok(new) = std::fs::read(&from) else { continue }; // deleted, not yet committed
        // What is the same keeps its time, so that cargo builds what the mutant changed.
        if std::fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        let folder = to.parent().unwrap_or(copy);
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        std::fs::write(&to, new).map_err(Error::file(&to))?;
    }
    Ok(())
}

/// Whether the test's program was built, and whether it passed.
fn test(repository: &Path, copy: &Path, arguments: &[&str]) -> Result<(bool, bool), Error> {
    let run = |more: &[&str]| {
        let mut command = cargo();
        command.current_dir(copy).arg("test").args(arguments).args(more);
        command.env("CARGO_TARGET_DIR", repository.join("target/mutants/target"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status();
        status.map_err(|source| Error::Start { program: "cargo".into(), source })
    };
    let built = run(&["--no-run"])?.success();
    Ok((built, built && run(&[])?.success()))
}
