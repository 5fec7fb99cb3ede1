//! The proof system: constraint system, keys, transcript, prover over a Party, verifier.
