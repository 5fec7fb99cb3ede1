"""Every notebook from a clean kernel, in an empty folder, with what its text says it takes; and
what the README shows.

    pytest tests/test_notebooks.py        # all of them
"""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest
import twain

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = pathlib.Path(__file__).resolve().parents[1] / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
# Programs of this repository, where they are built.
PROGRAMS = pathlib.Path(__file__).resolve().parents[2] / "target" / "debug"
# A notebook is to be done within so many seconds.
LIMIT = 120
SKLEARN = ("sklearn", "skl2onnx")
# On Linux PyPI's torch is gigabytes, for graphics cards: its notebook runs where it is installed.
NEEDS = {"pytorch_alone": ("torch", "onnx")}


@pytest.fixture(scope="session")
def powers(tmp_path_factory):
    """EZKL's folder with what a ceremony would give for the notebooks' circuits."""
    store = tmp_path_factory.mktemp("ezkl")
    (store / "srs").mkdir()
    for logrows in range(8, 16):
        twain.gen_srs(store / f"srs/kzg{logrows}.srs", logrows)
    return store


def read(name):
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook(name, powers, tmp_path, monkeypatch, request):
    missing = [
        package
        for package in NEEDS.get(name, SKLEARN)
        if importlib.util.find_spec(package) is None
    ]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    monkeypatch.setenv("PATH", os.environ["PATH"] + os.pathsep + str(PROGRAMS))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EZKL_REPO_PATH", str(powers))
    if name == "contract":
        monkeypatch.setenv("RPC_URL", request.getfixturevalue("chain").url)
    if name == "hosted_peer" and not all(map(shutil.which, ("lilith", "twain"))):
        pytest.skip("lilith and twain are not built: cargo build -p twain-cli -p twain-lilith")
    client = nbclient.NotebookClient(
        read(name), timeout=LIMIT, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    start = time.perf_counter()
    client.execute()
    assert time.perf_counter() - start < LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_private_from_the_first_cell_on(name):
    notebook = read(name)
    first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for secret in ("input", "param"):
        assert re.search(secret + r'[-_]visibility(="| )private', first), first
    # What is committed has not been run: outputs would be somebody's.
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_what_the_readme_shows(powers, folder):
    text = (NOTEBOOKS.parent / "README.md").read_text()
    steps = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    lines = "".join(f"    {line}\n" for line in steps.splitlines())
    program = f"import asyncio\nasync def main():\n{lines}asyncio.run(main())\n"
    environment = {**os.environ, "EZKL_REPO_PATH": str(powers)}
    subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, check=True)
    assert (folder / "proof.json").exists()
