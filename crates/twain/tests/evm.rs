//! Contracts in a real EVM: compiled, deployed on a node of this machine, and given proofs that EZKL
//! made, that Twain made alone and in a pair, and proofs with a bit changed. Needs the compiler and
//! the node of `tests/evm` (`npm ci --ignore-scripts`), so these tests run with `--ignored`.

mod in_process;

use in_process::{Case, Made, Secrets, case_in};
use rand_core::{OsRng, RngCore};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use twain::evm::{self, Key};
use twain::key_files::write_verifying_key;
use twain::observe::Run;
use twain::{Error, Fault, alone};
use twain_algebra::Fr;
use twain_artifacts::key::KeyFormat;
use twain_artifacts::{Proof, read_settings};
use twain_evm::account::Account;
use twain_evm::calldata;
use twain_evm::chain::{Address, Node};
use twain_graph::{RunArgs, Visibility};
use twain_link::channel::memory_pair;

/// Gas of EZKL 23.0.5's contracts for `credit_mlp-k10-private`, as measured by `eth_estimateGas`.
const EZKL_SINGLE: u64 = 540_941;
/// Its reusable contract's, as a transaction.
const EZKL_REUSABLE: u64 = 691_341;

/// Circuits of the repository, and log2 of the rows of the SRS they take.
const CIRCUITS: [(&str, u32); 8] = [
    ("vectors/credit_mlp-k10-private", 10),
    ("vectors/1l_mlp-k10-fixed", 10),
    ("vectors/credit_mlp-k10-polycommit", 10),
    ("circuit_classes/hashed_input-k11", 11),
    ("circuit_classes/hashed_params_public_input-k11", 11),
    ("circuit_classes/freivalds-k10", 10),
    ("circuit_classes/no_compression-k9", 9),
    ("circuit_classes/sigmoid-k10", 10),
];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(path)
}

/// A file that `npm ci` puts into `tests/evm`.
fn tool(path: &str) -> PathBuf {
    let path = repository("evm/node_modules").join(path);
    assert!(path.exists(), "{}: run npm ci --ignore-scripts in tests/evm", path.display());
    path
}

/// A chain of its own.
struct Chain {
    process: Child,
    url: String,
}

impl Chain {
    fn start() -> Self {
        let packages =
            fs::read_dir(tool("@foundry-rs")).unwrap().map(|entry| entry.unwrap().path());
        let program = packages.map(|folder| folder.join("bin/anvil")).find(|path| path.exists());
        let mut command = Command::new(program.expect("anvil for this machine"));
        command.args(["--host", "127.0.0.1", "--port", "0"]).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let address = lines.find_map(|line| Some(line.strip_prefix("Listening on ")?.to_owned()));
        let url = format!("http://{}", address.expect("an address"));
        // It writes a line for each call: someone has to read them.
        thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A circuit's contracts on a chain.
struct Deployed {
    node: Node,
    folder: tempfile::TempDir,
    single: Address,
    reusable: Address,
    vka: PathBuf,
    lengths: [usize; 2],
}

fn key(circuit: &str, k: u32) -> Key {
    let folder = repository(circuit);
    Key {
        settings: folder.join("settings.json"),
        vk: folder.join("vk.key"),
        srs: Some(repository(&format!("vectors/srs/kzg{k}.srs"))),
    }
}

impl Deployed {
    fn new(chain: &Chain, key: &Key) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let solc = tool(".bin/solcjs");
        let deploy = |reusable: bool| {
            let (source, abi) = (at("contract.sol"), at("abi.json"));
            evm::create_verifier(key, reusable, &source, &abi).unwrap();
            let deployed =
                evm::deploy(&source, Some(&solc), 1, &chain.url, &Account::Node, &at("address"))
                    .unwrap();
            let written = fs::read_to_string(at("address")).unwrap();
            assert!(written.len() == 42 && written == written.to_lowercase(), "{written}");
            assert_eq!(written.parse::<Address>().unwrap(), deployed.address);
            let compiled = twain_evm::compiler::compile(&solc, &source, 1).unwrap();
            let abi: serde_json::Value =
                serde_json::from_str(&fs::read_to_string(abi).unwrap()).unwrap();
            assert_eq!(compiled.abi, abi, "the ABI that is written is the compiler's");
            (deployed.address, deployed.length)
        };
        let ((single, short), (reusable, long)) = (deploy(false), deploy(true));
        let vka = at("vka.bytes");
        evm::create_vka(key, 18, &vka).unwrap();
        let lengths = [short, long];
        Self { node: Node::new(&chain.url), single, reusable, vka, lengths, folder }
    }

    fn register(&self, chain: &Chain) {
        let (contract, digest) = (self.reusable.to_string(), self.folder.path().join("digest"));
        evm::register_vka(&contract, &self.vka, &chain.url, &Account::Node, &digest).unwrap();
        let numbers: Vec<u8> = serde_json::from_slice(&fs::read(digest).unwrap()).unwrap();
        assert_eq!(numbers, calldata::key_digest(&self.words()).as_slice());
    }

    fn words(&self) -> Vec<twain_evm::chain::B256> {
        calldata::key_words(&fs::read(&self.vka).unwrap()).unwrap()
    }

    /// The calls of both contracts.
    fn calls(&self, proof: &[u8], instances: &[Fr]) -> [(Address, Vec<u8>); 2] {
        let with_key = calldata::verify_with_key(proof, instances, &self.words());
        [(self.single, calldata::verify(proof, instances)), (self.reusable, with_key)]
    }

    fn accepts(&self, proof: &[u8], instances: &[Fr]) {
        let [(single, call), (reusable, with_key)] = self.calls(proof, instances);
        assert!(calldata::is_accepted(&self.node.call(single, &call).unwrap()));
        let answer = self.node.call(reusable, &with_key).unwrap();
        let answer = calldata::accepted_with_key(&answer).unwrap();
        assert_eq!(answer.digest, calldata::key_digest(&self.words()));
        assert!(answer.rescaled.len() <= instances.len());
    }

    fn rejects(&self, proof: &[u8], instances: &[Fr], why: &str) {
        for (contract, call) in self.calls(proof, instances) {
            let answer = self.node.call(contract, &call);
            assert!(matches!(answer, Err(twain_evm::EvmError::Rejected(_))), "{why}: {answer:?}");
        }
    }

    /// One bit in each word of the proof, and in each public value; wrong lengths.
    fn rejects_all_changes(&self, proof: &[u8], instances: &[Fr]) {
        for word in 0..proof.len() / 32 {
            let bit = OsRng.next_u32() as usize % 256;
            let mut changed = proof.to_vec();
            changed[32 * word + bit / 8] ^= 1 << (bit % 8);
            self.rejects(&changed, instances, &format!("bit {bit} of word {word}"));
        }
        for position in 0..instances.len() {
            let mut changed = instances.to_vec();
            changed[position] += Fr::from(1);
            self.rejects(proof, &changed, &format!("public value {position}"));
        }
        self.rejects(&proof[..proof.len() - 32], instances, "a word less");
        self.rejects(&[proof, &[0; 32]].concat(), instances, "a word more");
        self.rejects(proof, &[instances, &[Fr::from(0)]].concat(), "a public value more");
        if let Some((_, fewer)) = instances.split_last() {
            self.rejects(proof, fewer, "a public value less");
        }
    }
}

fn proof_of(circuit: &str) -> (Vec<u8>, Vec<Fr>) {
    let proof = Proof::read(&repository(circuit).join("proof.json")).unwrap();
    (proof.proof, proof.instances.concat())
}

#[test]
#[ignore = "needs npm ci in tests/evm"]
fn ezkls_proofs_are_accepted_and_changed_ones_are_not() {
    let chain = Chain::start();
    for (circuit, k) in CIRCUITS {
        let deployed = Deployed::new(&chain, &key(circuit, k));
        let (proof, instances) = proof_of(circuit);
        let (reusable, with_key) = &deployed.calls(&proof, &instances)[1];
        let error = deployed.node.call(*reusable, with_key).unwrap_err().to_string();
        assert!(error.contains("VKA not registered"), "{error}");
        deployed.register(&chain);
        deployed.accepts(&proof, &instances);
        deployed.rejects_all_changes(&proof, &instances);
        let gas = deployed.calls(&proof, &instances).map(|(contract, call)| {
            deployed.node.send(&Account::Node, Some(contract), &call).unwrap().gas
        });
        let bytes = deployed.calls(&proof, &instances).map(|(_, call)| call.len());
        println!("| {circuit} | {:?} | {bytes:?} | {gas:?} |", deployed.lengths);
        if circuit == "vectors/credit_mlp-k10-private" {
            assert!(gas[0] <= EZKL_SINGLE && gas[1] <= EZKL_REUSABLE, "{gas:?}");
        }
    }
}

/// An instance is a scalar: the same number of the field in another form is another proof.
#[test]
#[ignore = "needs npm ci in tests/evm"]
fn numbers_that_are_not_canonical_are_refused() {
    // The order of the group, most significant byte first, from the last number below it.
    let mut order: [u8; 32] = ff::PrimeField::to_repr(&-Fr::from(1)).into();
    order.reverse();
    order[31] += 1;
    let add_order = |word: &mut [u8]| {
        let mut carry = 0;
        for (byte, other) in word.iter_mut().zip(order).rev() {
            let sum = u16::from(*byte) + u16::from(other) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        carry == 0
    };
    let chain = Chain::start();
    let circuit = "vectors/credit_mlp-k10-private";
    let deployed = Deployed::new(&chain, &key(circuit, 10));
    deployed.register(&chain);
    let (proof, instances) = proof_of(circuit);
    let mut tried = 0;
    for word in 0..proof.len() / 32 {
        let mut changed = proof.clone();
        if add_order(&mut changed[32 * word..][..32]) {
            deployed.rejects(&changed, &instances, &format!("word {word} plus the order"));
            tried += 1;
        }
    }
    assert!(tried > 40);
    for (contract, call) in deployed.calls(&proof, &instances) {
        // Selector, offsets (two or three words), length of the proof, the proof, number of values.
        let offsets = if contract == deployed.single { 2 } else { 3 };
        let at = 4 + 32 * offsets + 32 + proof.len() + 32;
        let mut changed = call.clone();
        assert!(add_order(&mut changed[at..at + 32]));
        let answer = deployed.node.call(contract, &changed);
        assert!(matches!(answer, Err(twain_evm::EvmError::Rejected(_))), "{answer:?}");
    }
}

/// Private values, several outputs, hashed values, and public inputs.
#[test]
#[ignore = "needs npm ci in tests/evm"]
fn proofs_made_alone_and_in_a_pair_are_accepted() {
    let chain = Chain::start();
    let made = tempfile::tempdir().unwrap();
    let public_input = public_input(made.path());
    let folders = [
        (repository("vectors/credit_mlp-k10-private"), 10),
        (repository("vectors/1l_mlp-k9-private"), 9),
        (repository("pair_circuits/hashed_input_parameters-k11"), 11),
        (public_input, 9),
    ];
    for (folder, k) in folders {
        let srs = repository(&format!("vectors/srs/kzg{k}.srs"));
        let case = case_in(&folder, &srs);
        let vk = made.path().join("vk.key");
        write_verifying_key(&vk, KeyFormat::default(), case.key.vk()).unwrap();
        let key = Key { settings: folder.join("settings.json"), vk, srs: Some(srs) };
        let deployed = Deployed::new(&chain, &key);
        deployed.register(&chain);
        let secrets = case.secrets();
        let (instances, proof) = case.alone(&secrets);
        deployed.accepts(&proof, &instances);
        let (instances, proof) = in_pair(&case, &secrets);
        deployed.accepts(&proof, &instances);
        deployed.rejects_all_changes(&proof, &instances);
    }
}

/// A circuit with public inputs and secret parameters, made from a network of the repository.
fn public_input(folder: &Path) -> PathBuf {
    let vector = repository("vectors/1l_mlp-k9-private");
    let at = |name: &str| folder.join(name);
    let (model, settings, compiled) =
        (vector.join("network.onnx"), at("settings.json"), at("model.compiled"));
    let args = RunArgs {
        input_visibility: Visibility::Public,
        ..read_settings(&vector.join("settings.json")).unwrap().run_args
    };
    alone::generate_settings(
        &model,
        &settings,
        &args,
        alone::Allowances::default(),
        &Run::silent(),
    )
    .unwrap();
    alone::compile(&model, &compiled, &settings, alone::Allowances::default(), &Run::silent())
        .unwrap();
    let input = vector.join("input.json");
    let input = input.to_str().unwrap();
    alone::generate_witness(input, &compiled, &at("witness.json"), None, None, &Run::silent())
        .unwrap();
    folder.to_path_buf()
}

fn in_pair(case: &Case, secrets: &Secrets) -> Made {
    let (mut model_end, mut data_end) = memory_pair([7; 32]);
    thread::scope(|scope| {
        let data = scope.spawn(|| case.side_over(&mut data_end, secrets).unwrap());
        let made = case.side_over(&mut model_end, secrets).unwrap();
        assert_eq!(made, data.join().unwrap());
        made
    })
}

/// Public values come back as decimal fractions, without the digest.
#[test]
#[ignore = "needs npm ci in tests/evm"]
fn public_values_come_back_rescaled() {
    let chain = Chain::start();
    let circuit = "circuit_classes/hashed_params_public_input-k11";
    let deployed = Deployed::new(&chain, &key(circuit, 11));
    deployed.register(&chain);
    let proof = repository(circuit).join("proof.json");
    let contract = deployed.reusable.to_string();
    let vka = Some(deployed.vka.as_path());
    let answer = evm::verify(&contract, &chain.url, &proof, vka, None).unwrap().unwrap();
    let values: Vec<f64> = Proof::read(&proof)
        .unwrap()
        .pretty_public_inputs
        .map(|pretty| [pretty.rescaled_inputs.concat(), pretty.rescaled_outputs.concat()].concat())
        .unwrap()
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    assert_eq!(answer.rescaled.len(), values.len());
    for (found, expected) in answer.rescaled.iter().zip(&values) {
        let found: f64 = found.to_string().parse().unwrap();
        assert!((found / 1e18 - expected).abs() < 1e-9, "{found} {expected}");
    }
    assert!(values.iter().any(|value| *value < 0.0), "the sign matters: {values:?}");
}

/// What a user sees when something is missing.
#[test]
#[ignore = "needs npm ci in tests/evm"]
fn what_is_missing_is_named() {
    let chain = Chain::start();
    let circuit = "vectors/1l_relu-k8-private";
    let deployed = Deployed::new(&chain, &key(circuit, 8));
    let proof = repository(circuit).join("proof.json");
    let complaint = |result: Result<_, Error>, fault: Fault, text: &str| {
        let error = result.map(|_: Option<_>| ()).unwrap_err();
        assert!(error.fault() == fault && error.to_string().contains(text), "{error}");
    };
    let single = deployed.single.to_string();
    evm::verify(&single, &chain.url, &proof, None, None).unwrap();
    let nobody = "0x00000000000000000000000000000000000000aa";
    let answer = evm::verify(nobody, &chain.url, &proof, None, None);
    complaint(answer, Fault::File, "there is no contract at");
    let answer = evm::verify(&single, "http://127.0.0.1:9", &proof, None, None);
    complaint(answer, Fault::Link, "http://127.0.0.1:9");
    let other = repository("vectors/1l_mlp-k10-fixed/proof.json");
    complaint(evm::verify(&single, &chain.url, &other, None, None), Fault::File, "not accept");
    let digest = evm::verify("no address", &chain.url, &proof, None, None);
    complaint(digest, Fault::File, "no address");
}

/// The contract compiles also with the options other tools have by default, and is the same.
#[test]
#[ignore = "needs npm ci in tests/evm"]
fn contracts_compile_with_other_options() {
    for (circuit, k) in CIRCUITS {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("contract.sol");
        let abi = folder.path().join("abi.json");
        evm::create_verifier(&key(circuit, k), false, &source, &abi).unwrap();
        for flags in [&["--optimize"][..], &[]] {
            let mut command = Command::new(tool(".bin/solcjs"));
            command.args(["--bin", "--base-path", ".", "contract.sol"]).args(flags);
            let output = command.current_dir(folder.path()).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{circuit} {flags:?}: {text}");
        }
    }
}
