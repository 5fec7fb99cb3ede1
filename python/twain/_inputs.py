"""Inputs of a circuit as people have them: paths, JSON, arrays, frames, tensors, lists."""

from __future__ import annotations

import json
import os


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
