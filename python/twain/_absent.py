"""EZKL's names that nothing here returns or takes: each says what there is instead."""

from __future__ import annotations

from . import _twain  # type: ignore[attr-defined]


class PyG1:
    """EZKL's point in projective coordinates, which none of its functions returns."""

    def __init__(self, *args, **kwargs):
        text = "there is no PyG1: points are PyG1Affine, as kzg_commit returns them"
        raise _twain.UnsupportedError(text)


class PyTestDataSource:
    """Where EZKL's earlier contracts took their data from; nothing of it is left there either."""

    def __init__(self, *args, **kwargs):
        text = "there is no PyTestDataSource: gen_witness takes an input as a file, text or arrays"
        raise _twain.UnsupportedError(text)
