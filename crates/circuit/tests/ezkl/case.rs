//! Circuits made by EZKL, to compare with.

use std::path::{Path, PathBuf};
use twain_artifacts::key::{KeyFormat, KeyShape, VerifyingKeyFile};
use twain_artifacts::srs::{PointCheck, SrsFile};
use twain_artifacts::{CompiledModel, GraphWitness, Proof};
use twain_circuit::{
    Circuit, LayoutError, ProductTree, Sources, WitnessError, WitnessValues, configure, lay_out,
    parameters,
};
use twain_party::{Alone, Seed};
use twain_plonk::{BitRows, Srs, VerifyingKey, VerifyingKeyParts};

pub fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name)
}

/// A circuit of `tests/circuits`.
pub fn circuit(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/circuits").join(name)
}

/// A circuit of `tests/onnx/small`.
pub fn small(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/onnx/small").join(name)
}

/// A circuit EZKL made, laid out anew.
pub struct Case {
    pub directory: PathBuf,
    pub compiled: CompiledModel,
    pub circuit: Circuit,
}

impl Case {
    pub fn new(directory: PathBuf) -> Self {
        Self::try_new(directory).expect("a circuit")
    }

    pub fn try_new(directory: PathBuf) -> Result<Self, LayoutError> {
        let path = directory.join("model.compiled");
        let compiled = CompiledModel::read(&path).expect("a compiled model");
        let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit)?;
        Ok(Self { directory, compiled, circuit })
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
        let name = format!("kzg{k}.srs");
        let beside = self.directory.with_file_name(&name);
        let path = if beside.exists() { beside } else { vector("srs").join(name) };
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

    /// The first difference to EZKL's key: of selectors, of fixed columns, of the permutation
    /// and, where it is known, of the digest of the whole system.
    pub fn key_difference(&self) -> Option<String> {
        let key = self.verifying_key();
        let assembly = &self.circuit.assembly;
        let (theirs, ours) = (key.selectors.len(), assembly.selectors.len());
        if theirs != ours {
            return Some(format!("{ours} selectors, EZKL has {theirs}"));
        }
        for (i, (theirs, ours)) in key.selectors.iter().zip(&assembly.selectors).enumerate() {
            let theirs = theirs.rows().enumerate().filter(|(_, on)| *on).map(|(row, _)| row);
            let (theirs, ours) = (theirs.collect::<Vec<_>>(), ours.iter().collect::<Vec<_>>());
            if theirs != ours {
                return Some(format!("selector {i} is on in rows {ours:?}, EZKL's in {theirs:?}"));
            }
        }
        let keys = twain_plonk::generate_keys(
            self.circuit.cs.clone(),
            assembly.clone(),
            &self.srs(),
            key.compress_selectors,
        )
        .expect("keys");
        let differ = |ours: &[_], theirs: &[_], what: &str| {
            let differs =
                (0..ours.len().max(theirs.len())).find(|i| ours.get(*i) != theirs.get(*i));
            differs.map(|i| format!("{what} {i} differs"))
        };
        differ(keys.vk().fixed_commitments(), &key.fixed_commitments, "fixed column").or_else(
            || {
                let ours = keys.vk().permutation_commitments();
                differ(ours, &key.permutation_commitments, "permutation column")
            },
        )
    }

    /// Verifies EZKL's proof against our constraint system: the digest of the system is part of
    /// what is proved, so every gate, lookup and list of columns must be EZKL's.
    pub fn verify_proof(&self) {
        let key = self.ezkl_key();
        let proof = Proof::read(&self.directory.join("proof.json")).expect("a proof");
        let srs = self.srs();
        let verified = twain_plonk::verify(&key, srs.verifier(), &proof.instances, &proof.proof);
        verified.expect("a valid proof");
    }

    /// EZKL's verifying key with our constraint system.
    pub fn ezkl_key(&self) -> VerifyingKey {
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
        VerifyingKey::new(cs, parts).expect("a verifying key")
    }
}
