"""Inputs of a circuit as people have them: paths, JSON, arrays, frames, tensors, lists; and the
public values of a proof as arrays."""

from __future__ import annotations

import json
import os

from . import _twain  # type: ignore[attr-defined]


def as_argument(data):
    """What the Rust part takes of an input: a path or JSON text."""
    if isinstance(data, (str, os.PathLike)):
        return os.fspath(data)
    if isinstance(data, dict):
        return json.dumps(data)
    tensors = data if isinstance(data, (list, tuple)) else [data]
    return json.dumps({"input_data": [_flat(tensor) for tensor in tensors]})


def _flat(tensor):
    """A tensor as a flat list, row by row."""
    to_numpy = getattr(tensor, "to_numpy", None)
    if to_numpy is not None:
        tensor = to_numpy()
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().numpy()
    if hasattr(tensor, "ravel"):
        return tensor.ravel().tolist()
    flat = []
    for element in tensor:
        flat.extend(_flat(element) if isinstance(element, (list, tuple)) else [element])
    return flat


def public_values(proof_path="proof.json", settings_path="settings.json"):
    """What a proof says: its public inputs and outputs as numbers, by ``"inputs"`` and
    ``"outputs"``.

    Each is a list of numpy arrays (float64) of the tensors' shapes, empty if they are not public.
    Digests of hashed values are left out. Check the proof first (:func:`verify`): this only reads
    it.
    """
    import numpy

    with open(settings_path) as file:
        settings = json.load(file)
    with open(proof_path) as file:
        felts = [felt for column in json.load(file)["instances"] for felt in column]
    args = settings["run_args"]
    # Digests come first.
    felts = felts[sum(settings["module_sizes"]["poseidon"][1]) :]
    shapes = iter(settings["model_instance_shapes"])
    values = {}
    for name in ("input", "output"):
        public = args[f"{name}_visibility"] == "Public"
        tensors = values[f"{name}s"] = []
        for scale in settings[f"model_{name}_scales"] if public else []:
            shape = next(shapes)
            size = numpy.prod(shape, dtype=int)
            numbers = [_twain.felt_to_float(felt, scale) for felt in felts[:size]]
            tensors.append(numpy.array(numbers, dtype=float).reshape(shape))
            felts = felts[size:]
    return values
