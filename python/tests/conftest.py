"""Folders with what a test needs, made from the repository's vectors."""

import pathlib
import shutil

import pytest
import twain

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "vectors"
SRS = VECTORS / "srs"


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
