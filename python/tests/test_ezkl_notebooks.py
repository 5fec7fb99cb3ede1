"""EZKL's notebooks' proving cells with either module: what they return, settings, witness and keys
are the same, and each accepts the other's proof."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
import twain

ezkl = pytest.importorskip("ezkl")
pytest.importorskip("onnx")

SCRIPT = pathlib.Path(__file__).with_name("ezkl_notebooks.py")
sys.path.insert(0, str(SCRIPT.parent))
import ezkl_notebooks  # noqa: E402


@pytest.fixture(scope="session")
def powers(tmp_path_factory):
    store = tmp_path_factory.mktemp("powers")
    (store / "srs").mkdir()
    for logrows in range(8, 13):
        twain.gen_srs(store / f"srs/kzg{logrows}.srs", logrows)
    return store


def settings_in(folder):
    settings = json.load(open(folder / "settings.json"))
    settings.pop("timestamp")
    # EZKL leaves their order to chance.
    settings["required_range_checks"].sort()
    return settings


@pytest.mark.parametrize("name", ezkl_notebooks.NOTEBOOKS)
def test_a_notebook_of_ezkl(name, powers, tmp_path):
    folders = {}
    for module in ("ezkl", "twain"):
        folders[module] = tmp_path / module
        folders[module].mkdir()
        done = subprocess.run(
            [sys.executable, SCRIPT, module, name],
            cwd=folders[module],
            env={**os.environ, "EZKL_REPO_PATH": str(powers)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{module}: {done.stdout}{done.stderr}"
    theirs, ours = folders["ezkl"], folders["twain"]
    settings = settings_in(ours)
    assert settings == settings_in(theirs)
    for file in ("returned.json", "witness.json"):
        assert json.load(open(ours / file)) == json.load(open(theirs / file)), file
    srs = powers / f"srs/kzg{settings['run_args']['logrows']}.srs"
    # Keys follow the order of the range checks: from EZKL's settings they are EZKL's.
    made = [tmp_path / name for name in ("model", "vk", "pk")]
    twain.compile_circuit(theirs / "network.onnx", made[0], theirs / "settings.json")
    twain.setup(*made, srs, allow_unbound_einsums=True)
    for key, file in zip(made[1:], ("vk.key", "pk.key")):
        assert key.read_bytes() == (theirs / file).read_bytes(), file
    for verifier, files in ((twain, theirs), (ezkl, ours)):
        paths = [str(files / file) for file in ("proof.json", "settings.json", "vk.key")]
        assert verifier.verify(*paths, str(srs)) is True
