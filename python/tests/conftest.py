"""Folders with what a test needs, made from the repository's vectors; and a chain of its own."""

import os
import pathlib
import shutil
import subprocess
import threading
import types

import pytest
import twain

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "vectors"
SRS = VECTORS / "srs"
# A compiler and a node: `npm ci --ignore-scripts` there.
EVM = VECTORS.parent / "evm" / "node_modules"


@pytest.fixture
def vectors():
    return VECTORS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a network, an input and an SRS."""
    for name in ["network.onnx", "input.json"]:
        shutil.copy(VECTORS / "1l_relu-k8-private" / name, tmp_path)
    store = tmp_path / "ezkl"
    (store / "srs").mkdir(parents=True)
    shutil.copy(SRS / "kzg8.srs", store / "srs")
    monkeypatch.setenv("EZKL_REPO_PATH", str(store))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def args():
    """Both secrets private, and a circuit of 2^8 rows."""
    return twain.PyRunArgs(
        input_visibility="private",
        param_visibility="private",
        logrows=8,
        decomp_base=128,
        lookup_range=(0, 64),
        input_scale=4,
        param_scale=4,
    )


@pytest.fixture
def circuit(folder, args):
    """The same with settings, circuit and keys."""
    assert twain.gen_settings("network.onnx", "settings.json", py_run_args=args)
    assert twain.compile_circuit("network.onnx", "model.compiled", "settings.json")
    assert twain.setup("model.compiled", "vk.key", "pk.key")
    return folder


@pytest.fixture(scope="session")
def node():
    """A node of a chain of its own, with an account's private key; and `solcjs` on the path."""
    programs = list(EVM.glob("@foundry-rs/anvil-*/bin/anvil"))
    if not programs:
        pytest.skip("no chain: run npm ci --ignore-scripts in tests/evm")
    command = [programs[0], "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url = key = None
    for line in process.stdout:
        if line.startswith("(0) 0x") and len(line.split()[1]) == 66:
            key = line.split()[1][2:]
        if line.startswith("Listening on "):
            url = "http://" + line.split()[2]
            break
    # A full pipe would stop it.
    threading.Thread(target=process.stdout.read, daemon=True).start()
    yield types.SimpleNamespace(url=url, key=key)
    process.kill()
    process.wait()


@pytest.fixture
def chain(node, monkeypatch):
    """The node, and a compiler on the path."""
    monkeypatch.setenv("PATH", f"{EVM / '.bin'}{os.pathsep}{os.environ['PATH']}")
    return node
