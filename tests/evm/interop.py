"""EZKL's contracts and Twain's, on the same proofs, in a real EVM.

    interop.py TWAIN       TWAIN: the twain command

For circuits with private, hashed and public values and with several outputs: the contracts that the
unmodified wheel makes accept Twain's proofs, made alone and in a pair, Twain's contracts accept EZKL's,
calldata is the same to the byte, and public values come back the same. Prints a table of code sizes and
gas.

Needs `pip install ezkl==23.0.5` for this Python, and `npm ci --ignore-scripts` beside this file.
"""

import asyncio
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import ezkl

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
# The compiler that the wheel asks for: it has to be at this place below the home folder.
COMPILER = """#!/usr/bin/env node
const solc = require(%s), fs = require('fs');
const contents = (path) => fs.readFileSync(path, 'utf8');
const read = (path) => { try { return { contents: contents(path) }; } catch (error) { return { error: `${error}` }; } };
process.stdout.write(solc.compile(contents(0), { import: read }));
"""
# Folder, log2 of the rows, and whether inputs are made public.
CIRCUITS = [
    ("vectors/credit_mlp-k10-private", 10, False),
    ("pair_circuits/hashed_input_parameters-k11", 11, False),
    ("vectors/1l_mlp-k9-private", 9, False),
    ("vectors/1l_mlp-k9-private", 9, True),
]


class Node:
    """A chain of its own."""

    def __init__(self):
        program = glob.glob(os.path.join(HERE, "node_modules/@foundry-rs/anvil-*/bin/anvil"))[0]
        command = [program, "--host", "127.0.0.1", "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.startswith("Listening on "):
                self.url = "http://" + line.split()[2]
                break
        # Its later lines are for nobody.
        subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=subprocess.DEVNULL)

    def ask(self, method, *parameters):
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        request = urllib.request.Request(
            self.url, json.dumps(question).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))

    def call(self, contract, data):
        """What the contract answers; nothing if it reverts."""
        answer = self.ask("eth_call", {"to": contract, "data": "0x" + data.hex()}, "latest")
        return bytes.fromhex(answer["result"][2:]) if "result" in answer else None

    def gas(self, contract, data):
        sender = self.ask("eth_accounts")["result"][0]
        transaction = {"from": sender, "to": contract, "data": "0x" + data.hex()}
        sent = self.ask("eth_sendTransaction", transaction)["result"]
        while True:
            receipt = self.ask("eth_getTransactionReceipt", sent)["result"]
            if receipt:
                assert receipt["status"] == "0x1"
                return int(receipt["gasUsed"], 16)
            time.sleep(0.1)

    def size(self, contract):
        return len(self.ask("eth_getCode", contract, "latest")["result"]) // 2 - 1


def read(path, mode="rb"):
    with open(path, mode) as file:
        return file.read()


def words(answer):
    return [answer[i:i + 32] for i in range(0, len(answer), 32)]


def twain(folder, *arguments):
    done = subprocess.run([TWAIN, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"twain {arguments}: {done.stderr}"
    return done.stdout.strip()


def prove_in_a_pair(folder, srs):
    """A proof by two, of whom one has the model and the other the input: `data/proof.json`."""
    data = os.path.join(folder, "data")
    os.mkdir(data)
    twain(folder, "redact", "-O", "data/model.compiled", "--yes")
    for name in ("input.json", "settings.json", "vk.key", "pk.key"):
        shutil.copy(os.path.join(folder, name), data)
    own = ("--identity", "identity")
    model, customer = twain(folder, "identity", *own), twain(data, "identity", *own)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % free.getsockname()[1]
    more = ("--srs-path", srs, *own)
    listens = subprocess.Popen(
        [TWAIN, "prove", "--id", "model", "--local-addr", address, "--peer", customer, *more,
         "--proof-path", "pair.json"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    twain(data, "prove", "--id", "data", "--remote-peer", address, "--peer", model, *more)
    assert listens.wait() == 0


def prepare(folder, circuit, srs, public):
    """A circuit with keys, proofs of Twain's alone and in a pair, and one of EZKL's."""
    source = os.path.join(TESTS, circuit)
    for name in ("network.onnx", "input.json", "settings.json", "model.compiled"):
        shutil.copy(os.path.join(source, name), folder)
    if public:
        args = json.load(open(os.path.join(folder, "settings.json")))["run_args"]
        twain(folder, "gen-settings", "--input-visibility", "public", "--param-visibility", "private",
              "--logrows", str(args["logrows"]), "--decomp-base", str(args["decomp_base"]),
              "--decomp-legs", str(args["decomp_legs"]))
        twain(folder, "compile-circuit")
    twain(folder, "gen-witness")
    twain(folder, "setup", "--srs-path", srs)
    twain(folder, "prove", "--srs-path", srs)
    prove_in_a_pair(folder, srs)
    at = lambda name: os.path.join(folder, name)
    ezkl.prove(at("witness.json"), at("model.compiled"), at("pk.key"), at("ezkl.json"), srs_path=srs)


async def check(node, folder, circuit, srs, reusable):
    at = lambda name: os.path.join(folder, name)
    key, settings, proofs = at("vk.key"), at("settings.json"), (at("proof.json"), at("data/proof.json"), at("ezkl.json"))
    kind = ("verifier/reusable",) if reusable else ()
    await ezkl.create_evm_verifier(key, settings, at("e.sol"), at("e.abi"), srs, reusable)
    await ezkl.deploy_evm(at("e.address"), node.url, at("e.sol"), *kind)
    twain(folder, "create-evm-verifier", "--srs-path", srs, *(["--reusable"] if reusable else []))
    twain(folder, "deploy-evm", "--rpc-url", node.url, "--solc", os.path.join(HERE, "node_modules/.bin/solcjs"))
    theirs, ours = read(at("e.address"), "r"), read(at("contract.address"), "r")
    with_theirs, with_ours = (), ()
    if reusable:
        await ezkl.create_evm_vka(key, settings, at("e.vka"), srs)
        await ezkl.register_vka(theirs, node.url, at("e.vka"), at("e.digest"))
        twain(folder, "create-evm-vka", "--srs-path", srs)
        twain(folder, "register-vka", "--rpc-url", node.url)
        with_theirs, with_ours = ("--vka-path", "e.vka"), ("--vka-path", "vka.bytes")
    gas = []
    for proof in proofs:
        for contract, their_key, our_key in (
                (theirs, [at("e.vka")], with_theirs), (ours, [at("vka.bytes")], with_ours)):
            ezkl.encode_evm_calldata(proof, at("e.call"), *(their_key if reusable else []))
            twain(folder, "encode-evm-calldata", "--proof-path", proof, *our_key)
            call = read(at("calldata.bytes"))
            assert call == read(at("e.call")), f"{circuit}: calldata differ"
            answer = words(node.call(contract, call) or b"")
            assert answer and answer[0][-1] == 1, f"{circuit}: {proof} is not accepted"
            if reusable:
                # Behind the digest: the length in bytes and the values, or as the ABI says.
                rescaled = answer[3:] if contract == theirs else answer[4:]
                values = rescaled if contract == theirs else values
                assert rescaled == values, f"{circuit}: other public values"
            changed = bytearray(call)
            changed[4 + 32 * (3 + reusable) + 700] ^= 1
            assert node.call(contract, bytes(changed)) is None, f"{circuit}: a changed proof"
            gas.append(node.gas(contract, call))
        twain(folder, "verify-evm", "--rpc-url", node.url, "--proof-path", proof, *with_ours)
        assert await ezkl.verify_evm(theirs, node.url, proof, *([at("e.vka")] if reusable else []))
    form = "all circuits" if reusable else "one circuit"
    print(f"| {circuit} | {form} | {node.size(theirs)} / {node.size(ours)} | {gas[0]} / {gas[1]} |", flush=True)


async def main():
    print("| circuit | contract for | code, EZKL / Twain | gas, EZKL / Twain |\n|---|---|---|---|")
    node = Node()
    try:
        for circuit, logrows, public in CIRCUITS:
            srs = os.path.join(TESTS, f"vectors/srs/kzg{logrows}.srs")
            with tempfile.TemporaryDirectory() as folder:
                prepare(folder, circuit, srs, public)
                for reusable in (False, True):
                    name = circuit + (", public input" if public else "")
                    await check(node, folder, name, srs, reusable)
    finally:
        node.process.kill()


TWAIN = os.path.abspath(sys.argv[1])
home = tempfile.mkdtemp()
compiler = os.path.join(home, ".svm/0.8.20/solc-0.8.20")
os.makedirs(os.path.dirname(compiler))
with open(compiler, "w") as file:
    file.write(COMPILER % json.dumps(os.path.join(HERE, "node_modules/solc-0.8.20")))
os.chmod(compiler, 0o755)
os.environ["HOME"] = home
status = 1
try:
    asyncio.run(main())
    status = 0
finally:
    shutil.rmtree(home)
    sys.stdout.flush()
    # The wheel ends with a crash once it has made a contract: a status is told before.
    if status == 0:
        os._exit(0)
