//! Calls of the contracts, with the functions' names and types of EZKL's.

use crate::error::EvmError;
use crate::memory::WORD;
use alloy::primitives::{B256, U256};
use alloy::sol_types::{SolCall, SolValue};
use twain_algebra::Fr;

mod abi {
    alloy::sol! {
        interface Single {
            function verifyProof(bytes proof, uint256[] instances) returns (bool);
        }
        interface Reusable {
            function verifyProof(bytes proof, uint256[] instances, bytes32[] vka)
                returns (bool success, bytes32 vka_digest, int256[] rescaled_instances);
            function registerVka(bytes32[] vka) returns (bytes32 digest);
        }
    }
}

/// The JSON ABI of the contract for one circuit.
pub const SINGLE_ABI: &str = include_str!("../contracts/single.abi.json");
/// The JSON ABI of the contract for all circuits.
pub const REUSABLE_ABI: &str = include_str!("../contracts/reusable.abi.json");

fn numbers(instances: &[Fr]) -> Vec<U256> {
    instances.iter().map(|value| U256::from_be_bytes(crate::single::word(value))).collect()
}

/// A call of the contract for one circuit: selector, two offsets, the proof and the instances; then
/// a word of zeros, which EZKL writes too and the contract does not read.
pub fn verify(proof: &[u8], instances: &[Fr]) -> Vec<u8> {
    let call = abi::Single::verifyProofCall {
        proof: proof.to_vec().into(),
        instances: numbers(instances),
    };
    let mut bytes = call.abi_encode();
    bytes.extend([0; WORD]);
    bytes
}

/// A call of the contract for all circuits, with the circuit's key.
pub fn verify_with_key(proof: &[u8], instances: &[Fr], key: &[B256]) -> Vec<u8> {
    abi::Reusable::verifyProofCall {
        proof: proof.to_vec().into(),
        instances: numbers(instances),
        vka: key.to_vec(),
    }
    .abi_encode()
}

/// A call that registers a circuit's key.
pub fn register(key: &[B256]) -> Vec<u8> {
    abi::Reusable::registerVkaCall { vka: key.to_vec() }.abi_encode()
}

/// The words of a key's file: their number (eight bytes, little-endian), then the words.
///
/// # Errors
/// What is wrong with the bytes.
pub fn key_words(bytes: &[u8]) -> Result<Vec<B256>, &'static str> {
    let reason = "it is no key for the reusable contract: make it with create-evm-vka";
    let (count, words) = bytes.split_first_chunk::<8>().ok_or(reason)?;
    let fits = words.len().is_multiple_of(WORD)
        && u64::from_le_bytes(*count) == (words.len() / WORD) as u64;
    fits.then(|| words.chunks(WORD).map(B256::from_slice).collect()).ok_or(reason)
}

/// The bytes of a key's file.
pub fn key_file(words: &[[u8; WORD]]) -> Vec<u8> {
    let mut bytes = (words.len() as u64).to_le_bytes().to_vec();
    bytes.extend(words.concat());
    bytes
}

/// The digest by which the contract knows a key.
pub fn key_digest(key: &[B256]) -> B256 {
    alloy::primitives::keccak256(key.abi_encode_packed())
}

/// What the contract for all circuits returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The digest of the key the proof was checked with.
    pub digest: B256,
    /// The instances, as decimal fractions without their point.
    pub rescaled: Vec<alloy::primitives::I256>,
}

/// Whether an answer of the contract for one circuit says that the proof is valid.
pub fn is_accepted(answer: &[u8]) -> bool {
    abi::Single::verifyProofCall::abi_decode_returns(answer).unwrap_or(false)
}

/// The answer of the contract for all circuits, if it says that the proof is valid.
///
/// # Errors
/// Another answer.
pub fn accepted_with_key(answer: &[u8]) -> Result<Answer, EvmError> {
    match abi::Reusable::verifyProofCall::abi_decode_returns(answer) {
        Ok(answer) if answer.success => {
            Ok(Answer { digest: answer.vka_digest, rescaled: answer.rescaled_instances })
        }
        _ => Err(EvmError::Rejected("it answers something else".into())),
    }
}
