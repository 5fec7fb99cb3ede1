//! The commands for smart contracts.

use crate::print;
use twain::{Error, evm};
use twain_cli::evm_arguments::EvmCommand;

/// Runs a command.
pub fn run(command: EvmCommand) -> Result<(), Error> {
    match command {
        EvmCommand::CreateEvmVerifier { key, sol_code_path, abi_path, reusable } => {
            evm::create_verifier(&key.into(), reusable, &sol_code_path, &abi_path)
        }
        EvmCommand::CreateEvmVka { key, vka_path, decimals } => {
            evm::create_vka(&key.into(), decimals, &vka_path)
        }
        EvmCommand::EncodeEvmCalldata { proof_path, calldata_path, vka_path } => {
            evm::encode_calldata(&proof_path, vka_path.as_deref(), &calldata_path).map(drop)
        }
        EvmCommand::DeployEvm {
            sol_code_path,
            node,
            addr_path,
            optimizer_runs,
            contract_type: _,
            solc,
            account,
        } => {
            let deployed = evm::deploy(
                &sol_code_path,
                solc.as_deref(),
                optimizer_runs,
                &node.rpc_url,
                &evm::Account::open(account.keystore.as_deref())?,
                &addr_path,
            )?;
            let evm::Deployed { address, length, gas } = deployed;
            print::line(format!("{address}: {length} bytes, for {gas} gas"))?;
            Ok(())
        }
        EvmCommand::RegisterVka { node, addr_verifier, vka_path, vka_digest_path, account } => {
            let account = evm::Account::open(account.keystore.as_deref())?;
            let gas = evm::register_vka(
                &addr_verifier,
                &vka_path,
                &node.rpc_url,
                &account,
                &vka_digest_path,
            )?;
            print::line(format!("registered, for {gas} gas"))?;
            Ok(())
        }
        EvmCommand::VerifyEvm { proof_path, addr_verifier, node, vka_path, encoded_calldata } => {
            let (vka, encoded) = (vka_path.as_deref(), encoded_calldata.as_deref());
            let answer = evm::verify(&addr_verifier, &node.rpc_url, &proof_path, vka, encoded)?;
            if let Some(answer) = answer {
                print::line(format!("key: {}", answer.digest))?;
                let values: Vec<_> = answer.rescaled.iter().map(ToString::to_string).collect();
                print::line(format!("public values: [{}]", values.join(", ")))?;
            }
            print::line("verified: true")?;
            Ok(())
        }
    }
}
