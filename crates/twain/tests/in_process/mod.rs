//! Pairs within one process, for tests: a circuit with its keys, and one side of a proof over any
//! channel.
#![allow(dead_code)] // Each test binary uses a part.

use rand_core::OsRng;
use std::error::Error;
use std::path::{Path, PathBuf};
use twain::key_files::read_srs;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, GraphWitness, redact};
use twain_circuit::{
    Circuit, ProductTree, Source, Sources, Witness, WitnessError, WitnessValues, lay_out,
    lay_out_owned, parameters,
};
use twain_link::channel::Channel;
use twain_pair::preprocessing::Plan;
use twain_pair::{ArgumentShape, TwoParty, rehearse};
use twain_party::{Alone, PartySeeds, Role, Seed, Watched};
use twain_plonk::{ProvingKey, Srs, argument_numerator, generate_keys, prove};

/// A circuit, its keys, and values for it.
pub struct Case {
    /// With the parameters.
    pub compiled: CompiledModel,
    /// Laid out from the redacted circuit.
    pub circuit: Circuit,
    /// Made from the redacted circuit: all the data's side has.
    pub key: ProvingKey,
    /// As large as the circuit.
    pub srs: Srs,
    /// EZKL's.
    pub witness: GraphWitness,
    /// Of the inputs.
    pub owners: Vec<Role>,
}

/// What the two sides put in.
#[derive(Clone)]
pub struct Secrets {
    /// The data's, or whoever owns them.
    pub inputs: Vec<Vec<Fr>>,
    /// The model's.
    pub parameters: Vec<Vec<Fr>>,
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors")
}

/// One of `tests/vectors`.
pub fn case(name: &str) -> Case {
    let folder = vectors().join(name);
    let compiled = CompiledModel::read(&folder.join("model.compiled")).unwrap();
    let k = compiled.settings.run_args.logrows;
    case_in(&folder, &vectors().join(format!("srs/kzg{k}.srs")))
}

/// A folder with `model.compiled` and `witness.json`.
pub fn case_in(folder: &Path, srs: &Path) -> Case {
    let compiled = CompiledModel::read(&folder.join("model.compiled")).unwrap();
    let srs =
        read_srs(srs, compiled.settings.run_args.logrows, &mut OsRng, &Watched::default()).unwrap();
    let redacted = redact(&compiled).unwrap();
    let circuit = lay_out(&redacted.model, &redacted.settings, ProductTree::FullySplit).unwrap();
    let key = generate_keys(circuit.cs.clone(), circuit.assembly.clone(), &srs, true).unwrap();
    let witness = GraphWitness::read(&folder.join("witness.json")).unwrap();
    let owners = vec![Role::Data; witness.inputs.len()];
    Case { compiled, circuit, key, srs, witness, owners }
}

/// The instances and the proof.
pub type Made = (Vec<Fr>, Vec<u8>);

const MODEL_BLINDING: [u8; 32] = [1; 32];
const DATA_BLINDING: [u8; 32] = [2; 32];

/// The same in every run, so that a failure can be repeated.
pub fn seeds(role: Role) -> PartySeeds {
    let (blinding, protocol) = match role {
        Role::Model => (MODEL_BLINDING, [3; 32]),
        Role::Data => (DATA_BLINDING, [4; 32]),
    };
    PartySeeds { blinding: Seed(blinding), protocol: Seed(protocol) }
}

impl Case {
    /// The same with other owners of the inputs: the keys stay what they are.
    pub fn owned_by(mut self, owners: &[Role]) -> Self {
        let redacted = redact(&self.compiled).unwrap();
        let CompiledModel { model, settings, .. } = &redacted;
        let tree = ProductTree::FullySplit;
        self.circuit = lay_out_owned(model, settings, tree, owners).unwrap();
        self.owners = owners.to_vec();
        self
    }

    /// What a side holds of the inputs.
    fn inputs_of(&self, role: Role, inputs: &[Vec<Fr>]) -> Vec<Vec<Fr>> {
        // Public inputs are known to both.
        let public = self.compiled.model.visibility.input.is_public();
        let held = |(input, owner): (&Vec<Fr>, &Role)| match public || *owner == role {
            true => input.clone(),
            false => Vec::new(),
        };
        inputs.iter().zip(&self.owners).map(held).collect()
    }

    /// The parameters of the circuit and EZKL's inputs.
    pub fn secrets(&self) -> Secrets {
        let parameters = parameters(&self.compiled.model);
        Secrets { inputs: self.witness.inputs.clone(), parameters }
    }

    /// One side's witness, from its own secret only.
    pub fn side_values(
        &self,
        party: &mut TwoParty,
        secrets: &Secrets,
        role: Role,
    ) -> Result<WitnessValues, WitnessError> {
        let inputs = self.inputs_of(role, &secrets.inputs);
        let parameters = (role == Role::Model).then_some(&secrets.parameters[..]);
        let sources = Sources { inputs: Some(&inputs), parameters };
        self.circuit.run(party, &sources)
    }

    /// One side's proof, from its own secret only.
    pub fn side(&self, party: &mut TwoParty, secrets: &Secrets, role: Role) -> Ended {
        let values = self.side_values(party, secrets, role)?;
        let mut source = Witness::new(&self.circuit, &values);
        let instances = values.instances.clone();
        let columns = std::slice::from_ref(&instances);
        let proof = prove(party, &self.key, &self.srs, columns, &mut source)?;
        Ok((instances, proof))
    }

    /// As [`Self::side`], with everything made inline over `channel`.
    pub fn side_over(&self, channel: &mut dyn Channel, secrets: &Secrets) -> Ended {
        let role = channel.role();
        self.side(&mut TwoParty::inline(channel, &seeds(role))?, secrets, role)
    }

    /// What a test of its arguments takes.
    pub fn argument_shape(&self) -> ArgumentShape {
        let system = self.key.system();
        ArgumentShape::new(&argument_numerator(system), system.quotient_pieces())
    }

    /// What a proof asks of its sources of correlations, from the circuit and the keys alone.
    pub fn plan(&self) -> Plan {
        let zeros = |sources: &[Source]| -> Vec<Vec<Fr>> {
            sources.iter().map(|source| vec![Fr::zero(); source.length]).collect()
        };
        let program = &self.circuit.program;
        let (inputs, parameters) = (zeros(program.inputs()), zeros(program.parameters()));
        let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
        let plan = rehearse(&Watched::default(), |party| -> Result<(), Box<dyn Error>> {
            let values = self.circuit.run(party, &sources)?;
            let mut source = Witness::new(&self.circuit, &values);
            let instances = [values.instances.clone()];
            prove(party, &self.key, &self.srs, &instances, &mut source)?;
            Ok(())
        });
        plan.unwrap()
    }

    /// The values of one who knows both secrets and both seeds.
    pub fn values(&self, secrets: &Secrets) -> (Alone, WitnessValues) {
        let sources =
            Sources { inputs: Some(&secrets.inputs), parameters: Some(&secrets.parameters) };
        let mut alone = Alone::as_pair(Seed(MODEL_BLINDING), Seed(DATA_BLINDING));
        let values = self.circuit.program.run_alone(&mut alone, &sources).unwrap();
        (alone, values)
    }

    /// The proof made by one who knows both secrets and both seeds.
    pub fn alone(&self, secrets: &Secrets) -> Made {
        let (mut alone, values) = self.values(secrets);
        let mut source = Witness::new(&self.circuit, &values);
        let instances = values.instances.clone();
        let columns = std::slice::from_ref(&instances);
        let proof = prove(&mut alone, &self.key, &self.srs, columns, &mut source).unwrap();
        (instances, proof)
    }
}

/// How a side ended.
pub type Ended = Result<Made, Box<dyn Error + Send + Sync>>;
