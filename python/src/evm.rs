//! The way to a smart contract: EZKL's functions for the chain. `twain/_chain.py` makes coroutines
//! of those that are in EZKL, with its defaults.

use crate::error;
use crate::work::quietly;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use twain::Error;
use twain::evm::{self, Account, Key};
use zeroize::Zeroizing;

/// Who pays: a private key in memory, or as the command finds it (docs/evm.md).
fn account(private_key: Option<String>, keystore: Option<PathBuf>) -> PyResult<Account> {
    let Some(key) = private_key.map(Zeroizing::new) else {
        let account = Account::open(keystore.as_deref());
        return account.map_err(|error| error::raise(&Error::from(error)));
    };
    Account::of_key(&key).ok_or_else(|| PyValueError::new_err("private_key: 64 hexadecimal digits"))
}

/// create_evm_verifier(vk_path, settings_path, sol_code_path, abi_path, srs_path, reusable) -> None
#[pyfunction]
fn create_evm_verifier(
    py: Python<'_>,
    vk_path: PathBuf,
    settings_path: PathBuf,
    sol_code_path: PathBuf,
    abi_path: PathBuf,
    srs_path: Option<PathBuf>,
    reusable: bool,
) -> PyResult<()> {
    let key = Key { settings: settings_path, vk: vk_path, srs: srs_path };
    quietly(py, |_| evm::create_verifier(&key, reusable, &sol_code_path, &abi_path))
}

/// create_evm_vka(vk_path, settings_path, vka_path, srs_path, decimals) -> None
#[pyfunction]
fn create_evm_vka(
    py: Python<'_>,
    vk_path: PathBuf,
    settings_path: PathBuf,
    vka_path: PathBuf,
    srs_path: Option<PathBuf>,
    decimals: u8,
) -> PyResult<()> {
    let key = Key { settings: settings_path, vk: vk_path, srs: srs_path };
    quietly(py, |_| evm::create_vka(&key, decimals, &vka_path))
}

/// encode_evm_calldata(proof="proof.json", calldata="calldata.bytes", vka_path=None) -> bytes
///
/// Writes and returns the call that has a contract verify a proof; with `vka_path` that of the
/// contract for all circuits.
#[pyfunction]
#[pyo3(signature = (
    proof = "proof.json".into(), calldata = "calldata.bytes".into(), vka_path = None
))]
fn encode_evm_calldata(
    py: Python<'_>,
    proof: PathBuf,
    calldata: PathBuf,
    vka_path: Option<PathBuf>,
) -> PyResult<Bound<'_, PyBytes>> {
    let call = quietly(py, |_| evm::encode_calldata(&proof, vka_path.as_deref(), &calldata))?;
    Ok(PyBytes::new(py, &call))
}

/// deploy_evm(addr_path, rpc_url, sol_code_path, optimizer_runs, private_key, keystore, solc)
///     -> None
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called by `twain.deploy_evm` only, which has names for them
fn deploy_evm(
    py: Python<'_>,
    addr_path: PathBuf,
    rpc_url: String,
    sol_code_path: PathBuf,
    optimizer_runs: u32,
    private_key: Option<String>,
    keystore: Option<PathBuf>,
    solc: Option<PathBuf>,
) -> PyResult<()> {
    let account = account(private_key, keystore)?;
    let (solc, runs) = (solc.as_deref(), optimizer_runs);
    quietly(py, |_| {
        evm::deploy(&sol_code_path, solc, runs, &rpc_url, &account, &addr_path).map(drop)
    })
}

/// register_vka(addr_verifier, rpc_url, vka_path, vka_digest_path, private_key, keystore) -> None
#[pyfunction]
fn register_vka(
    py: Python<'_>,
    addr_verifier: String,
    rpc_url: String,
    vka_path: PathBuf,
    vka_digest_path: PathBuf,
    private_key: Option<String>,
    keystore: Option<PathBuf>,
) -> PyResult<()> {
    let account = account(private_key, keystore)?;
    quietly(py, |_| {
        evm::register_vka(&addr_verifier, &vka_path, &rpc_url, &account, &vka_digest_path).map(drop)
    })
}

/// verify_evm(addr_verifier, rpc_url, proof_path, vka_path, encoded_calldata) -> None
#[pyfunction]
fn verify_evm(
    py: Python<'_>,
    addr_verifier: String,
    rpc_url: String,
    proof_path: PathBuf,
    vka_path: Option<PathBuf>,
    encoded_calldata: Option<PathBuf>,
) -> PyResult<()> {
    let (vka, encoded) = (vka_path.as_deref(), encoded_calldata.as_deref());
    quietly(py, |_| evm::verify(&addr_verifier, &rpc_url, &proof_path, vka, encoded).map(drop))
}

/// Puts the functions into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(create_evm_verifier, module)?)?;
    module.add_function(wrap_pyfunction!(create_evm_vka, module)?)?;
    module.add_function(wrap_pyfunction!(encode_evm_calldata, module)?)?;
    module.add_function(wrap_pyfunction!(deploy_evm, module)?)?;
    module.add_function(wrap_pyfunction!(register_vka, module)?)?;
    module.add_function(wrap_pyfunction!(verify_evm, module)?)
}
