//! Circuits made by EZKL, to compare with.

use std::path::{Path, PathBuf};
use twain_artifacts::key::{KeyFormat, KeyShape, VerifyingKeyFile};
use twain_artifacts::srs::{PointCheck, SrsFile};
use twain_artifacts::{CompiledModel, GraphWitness, Proof};
use twain_circuit::{
    Circuit, ProductTree, Sources, WitnessError, WitnessValues, configure, lay_out, parameters,
};
use twain_party::{Alone, Seed};
use twain_plonk::{BitRows, Srs, VerifyingKey, VerifyingKeyParts};

pub fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name)
}

/// A circuit EZKL made, laid out anew.
pub struct Case {
    pub directory: PathBuf,
    pub compiled: CompiledModel,
    pub circuit: Circuit,
}

impl Case {
    pub fn new(directory: PathBuf) -> Self {
        let path = directory.join("model.compiled");
        let compiled = CompiledModel::read(&path).expect("a compiled model");
        let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit);
        let circuit = circuit.expect("a circuit");
        Self { directory, compiled, circuit }
    }

    pub fn witness(&self) -> GraphWitness {
        GraphWitness::read(&self.directory.join("witness.json")).expect("a witness")
    }

    pub fn verifying_key(&self) -> VerifyingKeyFile {
        let cs = &self.circuit.cs;
        let shape = KeyShape {
            permutation_columns: cs.permutation().len(),
            selectors: cs.selectors().len(),
        };
        let path = self.directory.join("vk.key");
        VerifyingKeyFile::read(&path, KeyFormat::RawBytes, shape).expect("a verifying key")
    }

    pub fn srs(&self) -> Srs {
        let k = self.circuit.assembly.k;
        let path = vector("srs").join(format!("kzg{k}.srs"));
        let file = SrsFile::open(&path).expect("an SRS");
        let g = file.g(k, PointCheck::OnCurve).expect("powers");
        let lagrange = file.g_lagrange(PointCheck::OnCurve).expect("powers");
        Srs::new(k, g, lagrange, file.g2(), file.s_g2()).expect("an SRS")
    }

    /// Runs the witness program alone on the inputs of `witness.json`.
    pub fn run(&self) -> Result<WitnessValues, WitnessError> {
        let inputs = self.witness().inputs.clone();
        let parameters = parameters(&self.compiled.model);
        let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
        self.circuit.program.run_alone(&mut Alone::new(Seed([7; 32])), &sources)
    }

    /// Compares selectors, then commitments to fixed columns and permutation, with EZKL's key.
    pub fn compare_keys(&self) {
        let key = self.verifying_key();
        let assembly = &self.circuit.assembly;
        assert_eq!(key.selectors.len(), assembly.selectors.len(), "number of selectors");
        for (i, (theirs, ours)) in key.selectors.iter().zip(&assembly.selectors).enumerate() {
            let theirs: Vec<usize> =
                theirs.rows().enumerate().filter(|(_, on)| *on).map(|(row, _)| row).collect();
            assert_eq!(ours.iter().collect::<Vec<_>>(), theirs, "rows of selector {i}");
        }
        let keys = twain_plonk::generate_keys(
            self.circuit.cs.clone(),
            assembly.clone(),
            &self.srs(),
            true,
        )
        .expect("keys");
        assert_eq!(keys.vk().fixed_commitments(), key.fixed_commitments, "fixed columns");
        let permutation = keys.vk().permutation_commitments();
        assert_eq!(permutation, key.permutation_commitments, "permutation");
    }

    /// Verifies EZKL's proof against our constraint system: the digest of the system is part of what
    /// is proved, so every gate, lookup and list of columns must be EZKL's.
    pub fn verify_proof(&self) {
        let key = self.verifying_key();
        let bits = |rows: &twain_artifacts::key::SelectorRows| {
            let mut bits = BitRows::new(rows.len());
            rows.rows().enumerate().filter(|(_, on)| *on).for_each(|(row, _)| bits.set(row));
            bits
        };
        let parts = VerifyingKeyParts {
            k: key.k,
            compress_selectors: key.compress_selectors,
            fixed_commitments: key.fixed_commitments.clone(),
            permutation_commitments: key.permutation_commitments.clone(),
            selectors: key.selectors.iter().map(bits).collect(),
        };
        let (cs, _) =
            configure(&self.compiled.settings, ProductTree::FullySplit).expect("a system");
        let key = VerifyingKey::new(cs, parts).expect("a verifying key");
        let proof = Proof::read(&self.directory.join("proof.json")).expect("a proof");
        let srs = self.srs();
        let verified = twain_plonk::verify(&key, srs.verifier(), &proof.instances, &proof.proof);
        verified.expect("a valid proof");
    }
}
