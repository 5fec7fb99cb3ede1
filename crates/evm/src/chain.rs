//! A node of a chain, over JSON-RPC: calls that change nothing, and transactions.

use crate::account::Account;
use crate::error::EvmError;
use alloy::consensus::{SignableTransaction, TxLegacy};
use alloy::eips::Encodable2718;
pub use alloy::primitives::{Address, B256};
use alloy::primitives::{Bytes, TxKind, U256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::decode_revert_reason;
use serde_json::{Value, json};
use std::str::FromStr;
use std::time::{Duration, Instant};
use twain_http::{Agent, Patience};

/// How long a transaction may wait for its block.
const MINING: Duration = Duration::from_secs(600);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// A node.
pub struct Node {
    agent: Agent,
    url: String,
}

/// What has become of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The contract it made, if it did.
    pub contract: Option<Address>,
    /// What it used.
    pub gas: u64,
}

/// A node's refusal of a call.
struct Refusal {
    message: String,
    /// What the contract gave as its reason.
    data: Option<Bytes>,
}

impl Node {
    /// The node at an address such as `http://127.0.0.1:8545`.
    pub fn new(url: &str) -> Self {
        Self { agent: Agent::new(Patience::default()), url: url.to_owned() }
    }

    /// Calls a contract without a transaction: what it returns.
    ///
    /// # Errors
    /// [`EvmError::Rejected`] if the contract reverts or is not there; the node's.
    pub fn call(&self, to: Address, data: &[u8]) -> Result<Bytes, EvmError> {
        let call = json!({ "to": to, "data": hex_text(data) });
        let answer = self.request("eth_call", &json!([call, "latest"]))?;
        let answer = answer.map_err(|refusal| EvmError::Rejected(refusal.text()))?;
        match self.parsed::<Bytes>(&answer)? {
            empty if empty.is_empty() => {
                Err(EvmError::Rejected(format!("there is no contract at {to}")))
            }
            answer => Ok(answer),
        }
    }

    /// Sends a transaction to a contract, or one that makes a contract, and waits for it.
    ///
    /// # Errors
    /// The node's, no account, or a transaction that failed or did not come into a block.
    pub fn send(
        &self,
        account: &Account,
        to: Option<Address>,
        data: &[u8],
    ) -> Result<Receipt, EvmError> {
        let hash = match account {
            Account::Key(signer) => self.send_signed(signer, to, data)?,
            Account::Node => self.send_from_node(to, data)?,
        };
        let started = Instant::now();
        loop {
            let receipt = self.value("eth_getTransactionReceipt", &json!([hash]))?;
            if !receipt.is_null() {
                return self.receipt(hash, &receipt);
            }
            if started.elapsed() > MINING {
                return Err(self.error(format!("transaction {hash} is in no block yet")));
            }
            std::thread::sleep(LOOK);
        }
    }

    fn receipt(&self, hash: B256, receipt: &Value) -> Result<Receipt, EvmError> {
        if self.parsed::<U256>(&receipt["status"])?.is_zero() {
            return Err(self.error(format!("transaction {hash} failed")));
        }
        let contract = &receipt["contractAddress"];
        let contract = (!contract.is_null()).then(|| self.parsed(contract)).transpose()?;
        let gas = self.parsed::<U256>(&receipt["gasUsed"])?.saturating_to();
        Ok(Receipt { contract, gas })
    }

    /// A transaction of the oldest form, which every chain takes; bound to this one by its number.
    fn send_signed(
        &self,
        signer: &PrivateKeySigner,
        to: Option<Address>,
        data: &[u8],
    ) -> Result<B256, EvmError> {
        let from = signer.address();
        let mut call = json!({ "from": from, "data": hex_text(data) });
        if let Some(to) = to {
            call["to"] = json!(to);
        }
        let transaction = TxLegacy {
            chain_id: Some(self.quantity("eth_chainId", &json!([]))?),
            nonce: self.quantity("eth_getTransactionCount", &json!([from, "pending"]))?,
            gas_price: self.quantity("eth_gasPrice", &json!([]))?.into(),
            gas_limit: self.quantity("eth_estimateGas", &json!([call]))?,
            to: to.map_or(TxKind::Create, TxKind::Call),
            value: U256::ZERO,
            input: data.to_vec().into(),
        };
        let signature = signer.sign_hash_sync(&transaction.signature_hash());
        let signature = signature.map_err(|error| EvmError::Account(error.to_string()))?;
        let signed = transaction.into_signed(signature).encoded_2718();
        let hash = self.value("eth_sendRawTransaction", &json!([hex_text(&signed)]))?;
        self.parsed(&hash)
    }

    fn send_from_node(&self, to: Option<Address>, data: &[u8]) -> Result<B256, EvmError> {
        let accounts = self.value("eth_accounts", &json!([]))?;
        let from = accounts.get(0).ok_or_else(|| {
            let reason = format!(
                "there is no account to pay from: name a keystore file with --keystore, or put a \
                 private key into {}",
                crate::account::KEY_VARIABLE
            );
            EvmError::Account(reason)
        })?;
        let mut transaction = json!({ "from": from, "data": hex_text(data) });
        if let Some(to) = to {
            transaction["to"] = json!(to);
        }
        let hash = self.value("eth_sendTransaction", &json!([transaction]))?;
        self.parsed(&hash)
    }

    fn quantity(&self, method: &str, parameters: &Value) -> Result<u64, EvmError> {
        let value = self.value(method, parameters)?;
        let value: U256 = self.parsed(&value)?;
        value.try_into().map_err(|_| self.error(format!("{method}: the number is too large")))
    }

    /// An answer that is no refusal.
    fn value(&self, method: &str, parameters: &Value) -> Result<Value, EvmError> {
        let answer = self.request(method, parameters)?;
        answer.map_err(|refusal| self.error(format!("{method}: {}", refusal.text())))
    }

    fn request(
        &self,
        method: &str,
        parameters: &Value,
    ) -> Result<Result<Value, Refusal>, EvmError> {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let answer = self.agent.post_json(&self.url, &question.to_string());
        let answer = answer.map_err(|error| self.error(error.to_string()))?;
        let mut answer: Value = serde_json::from_str(&answer).map_err(|_| {
            self.error("this is no node of a chain (it does not answer in JSON)".into())
        })?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let message = error["message"].as_str().unwrap_or("an error").to_owned();
            let data = error["data"].as_str().and_then(|data| data.parse().ok());
            return Ok(Err(Refusal { message, data }));
        }
        match answer.get_mut("result") {
            Some(result) => Ok(Ok(result.take())),
            None => Err(self.error(format!("it has no answer to {method}"))),
        }
    }

    fn parsed<T: FromStr>(&self, value: &Value) -> Result<T, EvmError> {
        let parsed = value.as_str().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| self.error(format!("an answer of another form: {value}")))
    }

    fn error(&self, reason: String) -> EvmError {
        EvmError::Node { url: self.url.clone(), reason }
    }
}

impl Refusal {
    fn text(&self) -> String {
        let reason = self.data.as_ref().and_then(|data| decode_revert_reason(data));
        match reason {
            Some(reason) if !self.message.contains(&reason) => {
                format!("{}: {reason}", self.message)
            }
            _ => self.message.clone(),
        }
    }
}

fn hex_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
