//! What every proof of a circuit is made from beside its secrets, kept in memory: a program that proves
//! often reads none of it twice. Input: the compiled circuit, the proving key and the SRS, from files
//! or as values. Output: proofs, alone; a pair's side is built on it ([`crate::pair::Common`]).

use crate::alone::{check_einsums, load_compiled};
use crate::error::{AtFile, Error};
use crate::files;
use crate::key_files::{ExtendedForm, read_proving_key, read_srs};
use crate::observe::Run;
use crate::owners::{OwnInputs, data_owns_all};
use rand_core::OsRng;
use std::path::PathBuf;
use twain_artifacts::CompiledModel;
use twain_circuit::{Circuit, LayoutError, ProductTree, lay_out_owned};
use twain_party::{Phase, Role, Watched};
use twain_plonk::{ProvingKey, Srs};

/// The files of a [`Prover`].
#[derive(Clone, Debug)]
pub struct ProverFiles {
    /// The compiled circuit; at a pair's data's side the redacted one.
    pub compiled_circuit: PathBuf,
    /// The proving key.
    pub pk_path: PathBuf,
    /// The SRS, if not EZKL's default for the number of rows.
    pub srs_path: Option<PathBuf>,
    /// Accept einsums that a proof says next to nothing of: EZKL's circuits do not tie Freivalds' check
    /// to the values used.
    pub allow_unbound_einsums: bool,
}

/// A circuit with its keys and SRS.
pub struct Prover {
    pub(crate) compiled: CompiledModel,
    pub(crate) circuit: Circuit,
    pub(crate) key: ProvingKey,
    pub(crate) srs: Srs,
    /// Of the inputs, in a pair.
    pub(crate) owners: Vec<Role>,
    /// Where the circuit and the key are from, for messages.
    pub(crate) circuit_path: PathBuf,
    pub(crate) pk_path: PathBuf,
}

/// What of a prover cannot be used, and why.
pub(crate) enum Unusable {
    Circuit(Error),
    /// Its einsums are not tied, and this side does not accept that.
    Einsums(Error),
    /// What is said of its inputs.
    Owners(Error),
    /// Somebody else can tell by the circuit alone, too.
    Refused(Error),
    Key(Error),
    Srs(Error),
}

impl From<Unusable> for Error {
    fn from(unusable: Unusable) -> Self {
        let (Unusable::Circuit(error)
        | Unusable::Einsums(error)
        | Unusable::Owners(error)
        | Unusable::Refused(error)
        | Unusable::Key(error)
        | Unusable::Srs(error)) = unusable;
        error
    }
}

fn circuit_of(compiled: &CompiledModel, owners: &[Role]) -> Result<Circuit, LayoutError> {
    lay_out_owned(&compiled.model, &compiled.settings, ProductTree::FullySplit, owners)
}

impl Prover {
    /// Reads the files.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit together.
    pub fn read(files: &ProverFiles, run: &Run) -> Result<Self, Error> {
        run.enter(Phase::Load)?;
        Ok(Self::load(files, None, &run.watched(), |_, _| Ok(()))?)
    }

    /// The same, from values; `allow_unbound_einsums` as in [`ProverFiles`].
    ///
    /// # Errors
    /// A circuit that cannot be laid out, or says next to nothing. Whether the key and the SRS are the circuit's shows when the
    /// proof is checked, and in pairs before.
    pub fn new(
        compiled: CompiledModel,
        key: ProvingKey,
        srs: Srs,
        allow_unbound_einsums: bool,
    ) -> Result<Self, Error> {
        let [circuit_path, pk_path] = ["the circuit", "the proving key"].map(PathBuf::from);
        check_einsums(&circuit_path, &compiled, allow_unbound_einsums)?;
        let owners = data_owns_all(&compiled);
        let circuit = circuit_of(&compiled, &owners)?;
        Ok(Self { compiled, circuit, key, srs, owners, circuit_path, pk_path })
    }

    /// The same for a pair in which each side has inputs, not the data's side all.
    ///
    /// # Errors
    /// Inputs that the circuit does not have or that nobody owns.
    pub fn with_own_inputs(mut self, own: &OwnInputs) -> Result<Self, Error> {
        self.owners = own.owners(&self.compiled)?;
        self.circuit = circuit_of(&self.compiled, &self.owners)?;
        Ok(self)
    }

    /// Reads the files; `refuse` looks at the circuit before the key is read, which may take long.
    pub(crate) fn load(
        files: &ProverFiles,
        own_inputs: Option<&OwnInputs>,
        watched: &Watched,
        refuse: impl FnOnce(&CompiledModel, &Circuit) -> Result<(), Error>,
    ) -> Result<Self, Unusable> {
        let ProverFiles { compiled_circuit, pk_path, srs_path, allow_unbound_einsums } =
            files.clone();
        let compiled = load_compiled(&compiled_circuit).map_err(Unusable::Circuit)?;
        check_einsums(&compiled_circuit, &compiled, allow_unbound_einsums)
            .map_err(Unusable::Einsums)?;
        let owners = match own_inputs {
            Some(own) => own.owners(&compiled).map_err(Unusable::Owners)?,
            None => data_owns_all(&compiled),
        };
        let circuit = circuit_of(&compiled, &owners).at(&compiled_circuit);
        let circuit = circuit.map_err(Unusable::Circuit)?;
        refuse(&compiled, &circuit).map_err(Unusable::Refused)?;
        let logrows = compiled.settings.run_args.logrows;
        let format = files::key_format().map_err(Unusable::Key)?;
        let srs_path = files::srs_path(&srs_path, logrows).map_err(Unusable::Srs)?;
        let system = circuit.cs.clone();
        let (key, srs) = rayon::join(
            || read_proving_key(&pk_path, format, system, logrows, ExtendedForm::faster(), watched),
            || read_srs(&srs_path, logrows, &mut OsRng, watched),
        );
        let key = key.map_err(|error| Unusable::Key(error.into()))?;
        let srs = srs.map_err(|error| Unusable::Srs(error.into()))?;
        Ok(Self { compiled, circuit, key, srs, owners, circuit_path: compiled_circuit, pk_path })
    }

    /// The compiled circuit.
    pub fn compiled(&self) -> &CompiledModel {
        &self.compiled
    }

    /// Fails unless the key's columns are the circuit's: somebody else may have handed it over.
    pub(crate) fn check_key(&self, watched: &Watched) -> Result<(), Error> {
        let Circuit { cs, assembly, .. } = &self.circuit;
        twain_plonk::check_key(&self.key, cs, assembly, watched).at(&self.pk_path)
    }
}
