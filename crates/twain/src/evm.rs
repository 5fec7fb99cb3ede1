//! The way to a smart contract: EZKL's commands for the chain as functions, over its file names.
//! Nothing here needs more than the verifying key, and a proof with its public values.

use crate::alone::load_settings;
use crate::error::Error;
use crate::files;
use crate::key_files::{check_selectors, read_verifier_srs, read_verifying_keys};
use std::io::Write;
use std::path::{Path, PathBuf};
use twain_algebra::{Fr, G1Affine, G2Affine};
use twain_artifacts::Proof;
use twain_artifacts::srs::{PointCheck, SrsFile};
pub use twain_evm::account::Account;
use twain_evm::calldata::{self, Answer};
use twain_evm::chain::{Address, B256, Node};
use twain_evm::{EvmError, KeyArtifact, Verifier, compiler};
use twain_graph::Settings;
use twain_party::Watched;

/// A circuit's verifying key, and what belongs to it.
#[derive(Clone, Debug)]
pub struct Key {
    /// The settings the keys were made with.
    pub settings: PathBuf,
    /// The verifying key.
    pub vk: PathBuf,
    /// The SRS, of any size.
    pub srs: Option<PathBuf>,
}

impl Key {
    fn read(&self) -> Result<(Settings, Verifier), Error> {
        let settings = load_settings(&self.settings)?;
        let srs_path = files::srs_path(&self.srs, settings.run_args.logrows)?;
        read_verifier_srs(&srs_path)?; // checks the points
        let srs = SrsFile::open(&srs_path)?;
        let first = srs.g(0, PointCheck::Coordinates)?;
        if first != [G1Affine::generator()] || srs.g2() != G2Affine::generator() {
            let reason = "contracts need an SRS that starts from the standard generators";
            return Err(Error::file(srs_path, reason));
        }
        let keys = read_verifying_keys(&self.vk, files::key_format()?, &settings)?;
        // The likeliest: EZKL's for as many threads as its tables have columns.
        let key = keys.first().ok_or_else(|| Error::bug("a key file stands for no key"))?;
        check_selectors(&self.vk, key, &srs_path, &Watched::default())?;
        let digests: usize = settings.module_sizes.poseidon.1.iter().sum();
        let values =
            settings.model_instance_shapes.iter().map(|shape| shape.iter().product::<usize>());
        let instances = digests + values.sum::<usize>();
        let verifier = Verifier::new(key, srs.s_g2(), instances)
            .map_err(|error| Error::file(&self.vk, error))?;
        Ok((settings, verifier))
    }
}

/// The scale of each public value but for digests, in the order of the proof.
fn scales(settings: &Settings) -> Result<Vec<u8>, Error> {
    let public_inputs = settings.run_args.input_visibility.is_public();
    let inputs = if public_inputs { &settings.model_input_scales[..] } else { &[] };
    let scales = inputs.iter().chain(&settings.model_output_scales);
    let mut of_values = Vec::new();
    for (shape, scale) in settings.model_instance_shapes.iter().zip(scales) {
        let scale = u8::try_from(*scale)
            .map_err(|_| EvmError::Unsupported(format!("a public value has the scale {scale}")))?;
        of_values.extend(std::iter::repeat_n(scale, shape.iter().product()));
    }
    Ok(of_values)
}

/// Writes a contract's source and its ABI: for one circuit, or for all.
///
/// # Errors
/// Files that are not there or do not belong together; a circuit that has no contract.
pub fn create_verifier(key: &Key, reusable: bool, source: &Path, abi: &Path) -> Result<(), Error> {
    let (_, verifier) = key.read()?;
    let (text, interface) = match reusable {
        true => (twain_evm::reusable(), calldata::REUSABLE_ABI),
        false => (twain_evm::single(&verifier), calldata::SINGLE_ABI),
    };
    write(source, text.as_bytes())?;
    write(abi, interface.as_bytes())
}

/// Writes a circuit's key for the contract for all circuits, which returns public values with so many
/// decimals.
///
/// # Errors
/// As [`create_verifier`].
pub fn create_vka(key: &Key, decimals: u8, vka: &Path) -> Result<(), Error> {
    let (settings, verifier) = key.read()?;
    let artifact = KeyArtifact::new(&verifier, &scales(&settings)?, decimals)
        .map_err(|error| Error::file(&key.vk, error))?;
    write(vka, &calldata::key_file(artifact.words()))
}

/// The call that has a contract verify a proof; with `vka` that of the contract for all circuits.
///
/// # Errors
/// Files that hold something else.
pub fn calldata(proof: &Path, vka: Option<&Path>) -> Result<Vec<u8>, Error> {
    let file = Proof::read(proof)?;
    let instances: Vec<Fr> = file.instances.concat();
    Ok(match vka {
        None => calldata::verify(&file.proof, &instances),
        Some(vka) => calldata::verify_with_key(&file.proof, &instances, &read_vka(vka)?),
    })
}

/// Writes [`calldata()`] to a file, and returns it.
///
/// # Errors
/// As [`calldata()`].
pub fn encode_calldata(proof: &Path, vka: Option<&Path>, to: &Path) -> Result<Vec<u8>, Error> {
    let call = calldata(proof, vka)?;
    write(to, &call)?;
    Ok(call)
}

/// What came onto the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Where.
    pub address: Address,
    /// The contract's bytes there.
    pub length: usize,
    /// What it cost.
    pub gas: u64,
}

/// Compiles a contract, brings it onto the chain of the node at `rpc_url`, and writes its address.
///
/// # Errors
/// No compiler, a node that refuses.
pub fn deploy(
    source: &Path,
    solc: Option<&Path>,
    runs: u32,
    rpc_url: &str,
    account: &Account,
    address: &Path,
) -> Result<Deployed, Error> {
    let compiled = compiler::compile(&compiler::find(solc)?, source, runs)?;
    let receipt = Node::new(rpc_url).send(account, None, &compiled.creation)?;
    let at = receipt.contract.ok_or_else(|| Error::bug("a deployment without a contract"))?;
    write(address, format!("{at:#x}").as_bytes())?;
    Ok(Deployed { address: at, length: compiled.length, gas: receipt.gas })
}

/// Lets a contract for all circuits use a circuit's key, and writes the key's digest.
///
/// # Errors
/// No contract, a node that refuses.
pub fn register_vka(
    contract: &str,
    vka: &Path,
    rpc_url: &str,
    account: &Account,
    digest: &Path,
) -> Result<u64, Error> {
    let key = read_vka(vka)?;
    let call = calldata::register(&key);
    let to = parse_address(contract)?;
    let receipt = Node::new(rpc_url).send(account, Some(to), &call)?;
    let numbers = serde_json::to_vec(calldata::key_digest(&key).as_slice()).map_err(Error::bug)?;
    write(digest, &numbers)?;
    Ok(receipt.gas)
}

/// Has a contract verify a proof, without a transaction. With `vka` the contract is that for all
/// circuits: its answer. With `encoded` that call is made instead of one from the proof.
///
/// # Errors
/// The contract does not accept the proof; it is not there.
pub fn verify(
    contract: &str,
    rpc_url: &str,
    proof: &Path,
    vka: Option<&Path>,
    encoded: Option<&Path>,
) -> Result<Option<Answer>, Error> {
    let call = match encoded {
        Some(path) => std::fs::read(path).map_err(|error| Error::file(path, error))?,
        None => calldata(proof, vka)?,
    };
    let answer = Node::new(rpc_url).call(parse_address(contract)?, &call)?;
    let Some(vka) = vka else {
        return match calldata::is_accepted(&answer) {
            true => Ok(None),
            false => Err(EvmError::Rejected("it answers something else".into()).into()),
        };
    };
    let answer = calldata::accepted_with_key(&answer)?;
    if answer.digest != calldata::key_digest(&read_vka(vka)?) {
        return Err(Error::file(vka, "the contract answers for another key"));
    }
    Ok(Some(answer))
}

fn read_vka(path: &Path) -> Result<Vec<B256>, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    calldata::key_words(&bytes).map_err(|reason| Error::file(path, reason))
}

/// An address, or the file that `deploy` wrote it to.
fn parse_address(text: &str) -> Result<Address, Error> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let content = std::fs::read_to_string(text).map_err(|error| Error::file(text, error))?;
    content.trim().parse().map_err(|_| Error::file(text, "it holds no address of a contract"))
}

/// Writes a file that appears whole or not at all, and is for everyone to read.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let written = builder.tempfile_in(folder.unwrap_or(Path::new("."))).and_then(|mut file| {
        file.write_all(bytes)?;
        Ok(file.persist(path)?)
    });
    written.map(drop).map_err(|error| Error::file(path, error))
}
