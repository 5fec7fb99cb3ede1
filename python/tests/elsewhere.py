"""Tries a wheel with nothing but Python, for machines that are only emulated: ``python/aarch64``.

Proves a test vector alone and has the proof checked, for its outputs and for others.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from pathlib import Path

import twain

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"
VECTOR = VECTORS / "1l_relu-k8-private"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("network.onnx", "input.json", "settings.json"):
            shutil.copy(VECTOR / name, folder)
        shutil.copy(VECTORS / "srs" / "kzg8.srs", folder)
        os.chdir(folder)
        srs = "kzg8.srs"
        twain.compile_circuit("network.onnx", "model.compiled", "settings.json")
        twain.gen_witness("input.json", "model.compiled", "witness.json")
        assert twain.setup("model.compiled", "vk.key", "pk.key", srs)
        ezkl_s = (VECTOR / "vk.key").read_bytes()
        assert Path("vk.key").read_bytes() == ezkl_s, "another key than EZKL's"
        twain.prove("witness.json", "model.compiled", "pk.key", "proof.json", srs)
        assert twain.verify("proof.json", "settings.json", "vk.key", srs)
        proof = json.loads(Path("proof.json").read_text())
        proof["instances"][0][0] = proof["instances"][0][1]
        Path("proof.json").write_text(json.dumps(proof))
        try:
            twain.verify("proof.json", "settings.json", "vk.key", srs)
        except twain.FileError:
            pass
        else:
            raise AssertionError("a proof of another output is accepted")
    place = f"{platform.machine()}, Python {platform.python_version()}"
    print(f"twain {twain.__version__} on {place}: proven and checked")


if __name__ == "__main__":
    main()
