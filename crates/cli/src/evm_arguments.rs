//! The commands for smart contracts, with EZKL's names, flags and defaults (spec 02 §5), except that
//! no private key is a flag.

use crate::files::{Files, SrsPath};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use twain::evm::Key;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum EvmCommand {
    /// Writes a smart contract that verifies proofs (Solidity), and its ABI.
    #[command(after_help = "Example:\n  twain create-evm-verifier")]
    CreateEvmVerifier {
        /// The keys' files.
        #[command(flatten)]
        key: KeyFiles,
        /// Where the contract goes.
        #[arg(long, default_value = "evm_deploy.sol")]
        sol_code_path: PathBuf,
        /// Where its ABI goes.
        #[arg(long, default_value = "verifier_abi.json")]
        abi_path: PathBuf,
        /// One contract for all circuits: the circuit's key (create-evm-vka) comes with every call.
        #[arg(short = 'R', long)]
        reusable: bool,
    },
    /// Writes a circuit's key for the reusable contract.
    #[command(after_help = "Example:\n  twain create-evm-vka")]
    CreateEvmVka {
        /// The keys' files.
        #[command(flatten)]
        key: KeyFiles,
        /// Where the key goes.
        #[arg(long, default_value = "vka.bytes")]
        vka_path: PathBuf,
        /// Decimals of the public values that the contract returns.
        #[arg(long, default_value_t = 18)]
        decimals: u8,
    },
    /// Writes the call that has a contract verify a proof.
    #[command(after_help = "Example:\n  twain encode-evm-calldata")]
    EncodeEvmCalldata {
        /// The proof.
        #[arg(long, default_value = "proof.json")]
        proof_path: PathBuf,
        /// Where the call goes.
        #[arg(long, default_value = "calldata.bytes")]
        calldata_path: PathBuf,
        /// The circuit's key, for the reusable contract.
        #[arg(long)]
        vka_path: Option<PathBuf>,
    },
    /// Compiles a contract and brings it onto a chain.
    #[command(after_help = "Example:\n  twain deploy-evm --rpc-url http://127.0.0.1:8545")]
    DeployEvm {
        /// The contract.
        #[arg(long, default_value = "evm_deploy.sol")]
        sol_code_path: PathBuf,
        /// The node of the chain.
        #[command(flatten)]
        node: NodeUrl,
        /// Where the contract's address goes.
        #[arg(long, default_value = "contract.address")]
        addr_path: PathBuf,
        /// How often the contract will be called, for the compiler's optimizer.
        #[arg(long, default_value_t = 1)]
        optimizer_runs: u32,
        /// As EZKL has it; the contract itself says which it is.
        #[arg(short = 'C', long, value_enum, default_value_t = ContractType::Verifier)]
        contract_type: ContractType,
        /// The Solidity compiler [default: solc or solcjs on the PATH, else the newest in svm's folder].
        #[arg(long)]
        solc: Option<PathBuf>,
        /// Who pays.
        #[command(flatten)]
        account: KeystorePath,
    },
    /// Lets the reusable contract use a circuit's key.
    #[command(after_help = "Example:\n  twain register-vka --rpc-url http://127.0.0.1:8545")]
    RegisterVka {
        /// The node of the chain.
        #[command(flatten)]
        node: NodeUrl,
        /// The contract: its address, or the file with it.
        #[arg(long, default_value = "contract.address")]
        addr_verifier: String,
        /// The circuit's key.
        #[arg(long, default_value = "vka.bytes")]
        vka_path: PathBuf,
        /// Where the key's digest goes.
        #[arg(long, default_value = "vka.digest")]
        vka_digest_path: PathBuf,
        /// Who pays.
        #[command(flatten)]
        account: KeystorePath,
    },
    /// Has a contract verify a proof, without a transaction.
    #[command(after_help = "Example:\n  twain verify-evm --rpc-url http://127.0.0.1:8545")]
    VerifyEvm {
        /// The proof.
        #[arg(long, default_value = "proof.json")]
        proof_path: PathBuf,
        /// The contract: its address, or the file with it.
        #[arg(long, default_value = "contract.address")]
        addr_verifier: String,
        /// The node of the chain.
        #[command(flatten)]
        node: NodeUrl,
        /// The circuit's key, for the reusable contract.
        #[arg(long)]
        vka_path: Option<PathBuf>,
        /// A call to make instead of one from the proof (encode-evm-calldata).
        #[arg(long)]
        encoded_calldata: Option<PathBuf>,
    },
}

/// The files of a verifying key.
#[derive(Debug, Args)]
pub struct KeyFiles {
    /// SRS.
    #[command(flatten)]
    pub srs: SrsPath,
    /// The settings the keys were made with.
    #[arg(short = 'S', long, default_value = "settings.json")]
    pub settings_path: PathBuf,
    /// The verifying key.
    #[arg(long, default_value = "vk.key")]
    pub vk_path: PathBuf,
}

/// `--rpc-url`.
#[derive(Debug, Args)]
pub struct NodeUrl {
    /// A node of the chain, over JSON-RPC: for example http://127.0.0.1:8545.
    #[arg(short = 'U', long)]
    pub rpc_url: String,
}

/// `--keystore`.
#[derive(Debug, Args)]
pub struct KeystorePath {
    /// A keystore file with the account that pays, its password in TWAIN_KEYSTORE_PASSWORD [default:
    /// the private key in TWAIN_PRIVATE_KEY, else the node's own account].
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// EZKL's names of the contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ContractType {
    /// For one circuit.
    Verifier,
    /// For all.
    #[value(name = "verifier/reusable")]
    Reusable,
}

impl From<KeyFiles> for Key {
    fn from(files: KeyFiles) -> Self {
        Self { settings: files.settings_path, vk: files.vk_path, srs: files.srs.srs_path }
    }
}

impl EvmCommand {
    /// The files it reads and writes.
    pub fn files(&self) -> Files {
        let of_key = |key: &KeyFiles| {
            Files::default().reads(&[&key.settings_path, &key.vk_path]).may_read(&key.srs.srs_path)
        };
        match self {
            EvmCommand::CreateEvmVerifier { key, sol_code_path, abi_path, .. } => {
                of_key(key).writes(&[sol_code_path, abi_path])
            }
            EvmCommand::CreateEvmVka { key, vka_path, .. } => of_key(key).writes(&[vka_path]),
            EvmCommand::EncodeEvmCalldata { proof_path, calldata_path, vka_path } => {
                let files = Files::default().reads(&[proof_path]).may_read(vka_path);
                files.writes(&[calldata_path])
            }
            EvmCommand::DeployEvm { sol_code_path, addr_path, account, .. } => {
                let files = Files::default().reads(&[sol_code_path]).may_read(&account.keystore);
                files.writes(&[addr_path])
            }
            EvmCommand::RegisterVka { vka_path, vka_digest_path, account, .. } => {
                let files = Files::default().reads(&[vka_path]).may_read(&account.keystore);
                files.writes(&[vka_digest_path])
            }
            EvmCommand::VerifyEvm { proof_path, vka_path, encoded_calldata, .. } => {
                let files = match encoded_calldata {
                    Some(path) => Files::default().reads(&[path]),
                    None => Files::default().reads(&[proof_path]),
                };
                files.may_read(vka_path)
            }
        }
    }
}
