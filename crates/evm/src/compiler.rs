//! The user's Solidity compiler, asked through its standard JSON form.

use crate::error::EvmError;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest compiler that has what the contracts use.
const OLDEST: [u32; 3] = [0, 8, 20];
/// Longest code of a contract (EIP-170).
const MOST_CODE: usize = 24_576;

/// A contract as chains take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Code that deploys it.
    pub creation: Vec<u8>,
    /// Bytes of its code on the chain.
    pub length: usize,
    /// Its ABI.
    pub abi: Value,
}

/// The compiler: the one named, else `solc` or `solcjs` on the `PATH`, else the newest of svm's.
///
/// # Errors
/// There is none.
pub fn find(named: Option<&Path>) -> Result<PathBuf, EvmError> {
    if let Some(path) = named {
        return Ok(path.to_path_buf());
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&paths).collect();
    let on_path = ["solc", "solcjs"].iter().find_map(|name| {
        folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
    });
    on_path.or_else(|| newest_of_svm(std::env::home_dir()?)).ok_or(EvmError::NoCompiler)
}

/// `VERSION/solc-VERSION` in either of the folders that versions of svm use.
fn newest_of_svm(home: PathBuf) -> Option<PathBuf> {
    let folders = [home.join(".svm"), home.join(".local/share/svm")];
    let versions = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let compilers = versions.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let parts: Vec<u32> = name.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        let path = entry.path().join(format!("solc-{name}"));
        (parts[..] >= OLDEST[..] && path.is_file()).then_some((parts, path))
    });
    compilers.max().map(|(_, path)| path)
}

/// Compiles the contract of a Solidity file, for chains that have had the Shanghai upgrade.
///
/// # Errors
/// The compiler's, or a contract that is too long for a chain.
pub fn compile(compiler: &Path, source: &Path, runs: u32) -> Result<Compiled, EvmError> {
    let error = |reason: String| EvmError::Compiler { path: compiler.to_path_buf(), reason };
    let of_file = |reason: String| EvmError::File { path: source.to_path_buf(), reason };
    let text = std::fs::read_to_string(source).map_err(|e| of_file(e.to_string()))?;
    let request = json!({
        "language": "Solidity",
        "sources": { "contract.sol": { "content": text } },
        "settings": {
            "evmVersion": "shanghai",
            // The arithmetic is written out as it should be; rearranged it may need more stack than
            // there is.
            "optimizer": { "enabled": true, "runs": runs, "details": { "yul": false } },
            "outputSelection": { "*": { "*": [
                "abi", "evm.bytecode.object", "evm.deployedBytecode.object",
            ] } },
        },
    });
    let answer = ask(compiler, &request.to_string()).map_err(error)?;
    let errors = answer["errors"].as_array().into_iter().flatten();
    if let Some(message) = errors.clone().find(|message| message["severity"] == "error") {
        let message = message["formattedMessage"].as_str().unwrap_or("an error without a message");
        return Err(of_file(message.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    let contracts = answer["contracts"]["contract.sol"].as_object().into_iter().flatten();
    let verifies = |contract: &&Value| {
        let functions = contract["abi"].as_array().into_iter().flatten();
        functions.into_iter().any(|function| function["name"] == "verifyProof")
    };
    let contract = contracts.map(|(_, contract)| contract).find(verifies);
    let contract = contract.ok_or_else(|| of_file("it has no contract with verifyProof".into()))?;
    let code = |which: &str| {
        let text = contract["evm"][which]["object"].as_str().unwrap_or_default();
        hex::decode(text).map_err(|_| error("its answer has no code".into()))
    };
    let (creation, length) = (code("bytecode")?, code("deployedBytecode")?.len());
    if length > MOST_CODE {
        let reason = format!(
            "the contract has {length} bytes, chains take {MOST_CODE}: use the reusable contract \
             (create-evm-verifier --reusable, create-evm-vka)"
        );
        return Err(of_file(reason));
    }
    Ok(Compiled { creation, length, abi: contract["abi"].clone() })
}

/// The compiler's answer to a question in standard JSON.
fn ask(compiler: &Path, request: &str) -> Result<Value, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut child = Command::new(compiler)
        .arg("--standard-json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(text)?;
    // It reads all before it answers; one that does not is found out by its answer.
    let sent = child.stdin.take().map(|mut input| input.write_all(request.as_bytes()));
    let output = child.wait_with_output().map_err(text)?;
    let answer = String::from_utf8_lossy(&output.stdout);
    // The JavaScript compiler says a word about solvers first.
    let start = answer.find('{').filter(|_| matches!(sent, Some(Ok(()))));
    let start = start.ok_or("it is no Solidity compiler (it has no answer in JSON)")?;
    serde_json::from_str(&answer[start..]).map_err(|error| format!("its answer: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_newest_compiler_of_svm() {
        let home = tempfile::tempdir().unwrap();
        let put = |folder: &str, version: &str| {
            let folder = home.path().join(folder).join(version);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("solc-{version}")), "").unwrap();
        };
        assert_eq!(newest_of_svm(home.path().into()), None);
        put(".svm", "0.8.19");
        put(".svm", "nightly");
        assert_eq!(newest_of_svm(home.path().into()), None);
        put(".svm", "0.8.9");
        put(".svm", "0.8.20");
        put(".local/share/svm", "0.8.30");
        let newest = newest_of_svm(home.path().into()).unwrap();
        assert!(newest.ends_with("0.8.30/solc-0.8.30"));
    }

    #[test]
    fn what_is_no_compiler() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("a.sol");
        fs::write(&source, "contract A {}").unwrap();
        for program in ["/bin/cat", "/bin/true", "/no/such/program"] {
            let error = compile(Path::new(program), &source, 1).unwrap_err().to_string();
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
