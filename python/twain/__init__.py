"""Private model, private data, one ordinary EZKL proof.

``import twain as ezkl`` runs what EZKL's notebooks run: the same names, order of arguments,
defaults, return values and files. On top: proofs by two parties of whom one has the model and one
the data (:func:`identity`, :func:`redact`, :func:`prove_pair`, :func:`preprocess`), arrays and
data frames as inputs, and circuits that stay in memory (:class:`Prover`).

Functions that take long run without the interpreter's lock and end within a second on Ctrl-C, or
when their ``cancel`` (a :class:`Cancel`) is told to. ``on_event`` is called with a ``dict`` for
each event (phases, progress, notices: ``docs/errors.md`` lists them); :func:`progress_bar` is one
to start with. What a user should know goes to the logger ``twain``. Errors are
:class:`TwainError`, by who is at fault, each with a stable ``code``.
"""

from __future__ import annotations

from . import _twain
from ._absent import PyG1, PyTestDataSource
from ._arrays import as_argument as _as_argument
from ._arrays import public_values
from ._chain import (
    create_evm_verifier,
    create_evm_vka,
    deploy_evm,
    get_srs,
    register_vka,
    verify_evm,
)
from ._pair import hash_inputs, preprocess, preprocess_async, prove_pair, prove_pair_async
from ._running import in_thread as _in_thread
from ._running import progress_bar
from ._twain import (
    EZKL_VERSION,
    BugError,
    Cancel,
    CancelledError,
    FileError,
    IdentityError,
    InvalidWitnessError,
    LinkError,
    PeerDiffersError,
    PeerMisbehavedError,
    PeerStoppedError,
    PyG1Affine,
    PyInputType,
    PyRunArgs,
    StoreError,
    TwainError,
    UnsupportedError,
    UsageError,
    __version__,
    bind_params,
    buffer_to_felts,
    compile_circuit,
    encode_evm_calldata,
    felt_to_big_endian,
    felt_to_float,
    felt_to_int,
    float_to_felt,
    gen_random_data,
    gen_settings,
    gen_srs,
    gen_vk_from_pk_single,
    identity,
    import_srs,
    invite,
    kzg_commit,
    mock,
    poseidon_hash,
    redact,
    setup,
    swap_proof_commitments,
    table,
    verify,
)


def calibrate_settings(
    data="calibration.json",
    model="network.onnx",
    settings="settings.json",
    target="resources",
    lookup_safety_margin=2,
    scales=None,
    scale_rebase_multiplier=(1, 10),
    max_logrows=None,
    *,
    report=None,
    on_event=None,
    cancel=None,
):
    """Try scales on sample data (a path, arrays or a frame) and rewrite the settings with the best.

    ``report`` is where a page goes that shows how far the circuit's outputs are from the network's
    (HTML).
    """
    return _twain.calibrate_settings(
        _as_argument(data),
        model,
        settings,
        target,
        lookup_safety_margin,
        scales,
        list(scale_rebase_multiplier),
        max_logrows,
        report,
        on_event,
        cancel,
    )


def gen_witness(
    data="input.json",
    model="model.compiled",
    output="witness.json",
    vk_path=None,
    srs_path=None,
):
    """Run the circuit on an input (a path, JSON text, arrays or a frame); the witness as a
    ``dict``.

    It is written to ``output`` unless that is ``None``.
    """
    return _twain.gen_witness(_as_argument(data), model, output, vk_path, srs_path)


def prove(
    witness="witness.json",
    model="model.compiled",
    pk_path="pk.key",
    proof_path=None,
    srs_path=None,
    *,
    allow_unbound_einsums=False,
    check_mode="safe",
    on_event=None,
    cancel=None,
):
    """Prove, and check the proof unless ``check_mode="unsafe"``; its ``instances`` and ``proof``.

    A circuit whose proofs say next to nothing where einsums use Freivalds' check is refused unless
    ``allow_unbound_einsums``.
    """
    return _twain.prove(
        witness,
        model,
        pk_path,
        proof_path,
        srs_path,
        allow_unbound_einsums,
        check_mode,
        on_event,
        cancel,
    )


async def prove_async(*args, **kwargs):
    """As :func:`prove`, as a coroutine."""
    return await _in_thread(prove, *args, **kwargs)


class Prover:
    """A circuit, its keys and its SRS in memory: a service that proves often reads them once."""

    def __init__(
        self,
        model="model.compiled",
        pk_path="pk.key",
        srs_path=None,
        *,
        allow_unbound_einsums=False,
    ):
        self._prover = _twain.Prover(model, pk_path, srs_path, allow_unbound_einsums)

    def witness(self, data):
        """The witness of an input: a path, JSON text, arrays or a frame."""
        return self._prover.witness(_as_argument(data))

    def prove(self, data, proof_path=None, *, check_mode="safe", on_event=None, cancel=None):
        """Prove for an input; the proof's ``instances`` and ``proof``."""
        return self._prover.prove(_as_argument(data), proof_path, check_mode, on_event, cancel)


def load(model="model.compiled", pk_path="pk.key", srs_path=None, *, allow_unbound_einsums=False):
    """A :class:`Prover`."""
    return Prover(model, pk_path, srs_path, allow_unbound_einsums=allow_unbound_einsums)
