"""Private model, private data, one ordinary EZKL proof.

``import twain as ezkl`` runs what proves in EZKL's notebooks: the same names, order of arguments,
defaults, return values and files. On top: proofs by two parties of whom one has the model and one the
data (:func:`identity`, :func:`redact`, :func:`prove_pair`, :func:`preprocess`), arrays and data frames
as inputs, and circuits that stay in memory (:class:`Prover`).

Functions that take long run without the interpreter's lock and end within a second on Ctrl-C, or when
their ``cancel`` (a :class:`Cancel`) is told to. ``on_event`` is called with a ``dict`` for each event
(phases, progress, notices: ``docs/errors.md`` lists them); :func:`progress_bar` is one to start with.
Errors are :class:`TwainError`, by who is at fault, each with a stable ``code``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os

from . import _twain
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
    kzg_commit,
    mock,
    poseidon_hash,
    redact,
    setup,
    swap_proof_commitments,
    table,
    verify,
)

_log = logging.getLogger("twain")


def _data(data):
    """What the Rust part takes of an input: a path or JSON text, or arrays, frames and lists."""
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


def _told(on_event):
    """``on_event``, and what a user should know also to the logger ``twain``."""

    def event(event):
        if event["event"] == "notice":
            level = logging.WARNING if event["kind"] == "warning" else logging.INFO
            _log.log(level, event["message"])
        if on_event is not None:
            on_event(event)

    return event


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
    on_event=None,
    cancel=None,
):
    """Try scales on sample data (a path, arrays or a frame) and rewrite the settings with the best."""
    return _twain.calibrate_settings(
        _data(data),
        model,
        settings,
        target,
        lookup_safety_margin,
        scales,
        list(scale_rebase_multiplier),
        max_logrows,
        _told(on_event),
        cancel,
    )


def gen_witness(
    data="input.json",
    model="model.compiled",
    output="witness.json",
    vk_path=None,
    srs_path=None,
):
    """Run the circuit on an input (a path, JSON text, arrays or a frame); the witness as a ``dict``.

    It is written to ``output`` unless that is ``None``.
    """
    return _twain.gen_witness(_data(data), model, output, vk_path, srs_path)


def prove(
    witness="witness.json",
    model="model.compiled",
    pk_path="pk.key",
    proof_path=None,
    srs_path=None,
    *,
    check_mode="safe",
    on_event=None,
    cancel=None,
):
    """Prove, and check the proof unless ``check_mode="unsafe"``; its ``instances`` and ``proof``."""
    return _twain.prove(
        witness, model, pk_path, proof_path, srs_path, check_mode, _told(on_event), cancel
    )


class Prover:
    """A circuit, its keys and its SRS in memory: a service that proves often reads them once."""

    def __init__(self, model="model.compiled", pk_path="pk.key", srs_path=None):
        self._prover = _twain.Prover(model, pk_path, srs_path)

    def witness(self, data):
        """The witness of an input: a path, JSON text, arrays or a frame."""
        return self._prover.witness(_data(data))

    def prove(self, data, proof_path=None, *, check_mode="safe", on_event=None, cancel=None):
        """Prove for an input; the proof's ``instances`` and ``proof``."""
        return self._prover.prove(_data(data), proof_path, check_mode, _told(on_event), cancel)


def load(model="model.compiled", pk_path="pk.key", srs_path=None):
    """A :class:`Prover`."""
    return Prover(model, pk_path, srs_path)


def _meeting(remote_peer, local_addr, peer, identity, timeouts):
    connect, idle, session = timeouts
    return {
        "remote_peer": remote_peer,
        "local_addr": local_addr,
        "peer": peer,
        "identity": identity,
        "connect_timeout": connect,
        "idle_timeout": idle,
        "session_timeout": session,
    }


def prove_pair(
    role,
    remote_peer=None,
    local_addr=None,
    peer=None,
    *,
    data="input.json",
    model="model.compiled",
    pk_path="pk.key",
    srs_path=None,
    proof_path="proof.json",
    reveal_output=None,
    output_path="output.json",
    published_commitment=None,
    allow_polycommit=False,
    identity=None,
    connect_timeout=60.0,
    idle_timeout=300.0,
    session_timeout=None,
    on_event=None,
    on_first_meeting=None,
    cancel=None,
):
    """Prove with a peer: one side has the model, the other the data; both write the same proof.

    ``role`` is ``"model"`` or ``"data"``. ``remote_peer`` is ``host:port`` to dial, ``local_addr`` is
    ``addr:port`` to listen on; one of them is enough if the other side has the other. ``peer`` is the
    fingerprint that :func:`identity` gives on the peer's machine; without it ``on_first_meeting``
    is asked about a key not seen before: ``(address, fingerprint) -> bool``. Timeouts are in seconds.
    Returns ``proof_path``.
    """
    meeting = _meeting(
        remote_peer,
        local_addr,
        peer,
        identity,
        (connect_timeout, idle_timeout, session_timeout),
    )
    _twain.prove_pair(
        role,
        meeting,
        model,
        pk_path,
        srs_path,
        _data(data),
        proof_path,
        reveal_output,
        output_path,
        published_commitment,
        allow_polycommit,
        _told(on_event),
        on_first_meeting,
        cancel,
    )
    return proof_path


def preprocess(
    role,
    remote_peer=None,
    local_addr=None,
    peer=None,
    *,
    proofs=1,
    model="model.compiled",
    pk_path="pk.key",
    srs_path=None,
    allow_polycommit=False,
    identity=None,
    connect_timeout=60.0,
    idle_timeout=300.0,
    session_timeout=None,
    on_event=None,
    on_first_meeting=None,
    cancel=None,
):
    """With the peer, make ahead of time what ``proofs`` proofs need; arguments as of :func:`prove_pair`."""
    meeting = _meeting(
        remote_peer,
        local_addr,
        peer,
        identity,
        (connect_timeout, idle_timeout, session_timeout),
    )
    _twain.preprocess(
        role,
        meeting,
        model,
        pk_path,
        srs_path,
        proofs,
        allow_polycommit,
        _told(on_event),
        on_first_meeting,
        cancel,
    )


async def _in_thread(function, *args, **kwargs):
    """``function`` on a thread; cancelling the task ends the work and waits until it has ended."""
    cancel = Cancel()
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, cancel=cancel, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        cancel.cancel()
        await asyncio.gather(work, return_exceptions=True)
        raise


async def prove_pair_async(*args, **kwargs):
    """As :func:`prove_pair`, as a coroutine; cancelling its task ends the session on both sides."""
    return await _in_thread(prove_pair, *args, **kwargs)


async def preprocess_async(*args, **kwargs):
    """As :func:`preprocess`, as a coroutine."""
    return await _in_thread(preprocess, *args, **kwargs)


async def prove_async(*args, **kwargs):
    """As :func:`prove`, as a coroutine."""
    return await _in_thread(prove, *args, **kwargs)


def get_srs(settings_path="settings.json", logrows=None, srs_path=None):
    """Make sure that the SRS of a circuit is where EZKL keeps it; a future, as EZKL's.

    Nothing is made up: if it is not there, the error says how to get it.
    """
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    try:
        place = _twain.srs_place(settings_path, logrows, srs_path)
        if not os.path.isfile(place):
            raise FileError(
                f"{place}: there is no SRS; import a ceremony's file with twain.import_srs(FILE), or, "
                f"for tests only, make one with twain.gen_srs({str(place)!r}, LOGROWS)"
            )
        future.set_result(True)
    except TwainError as error:
        future.set_exception(error)
    return future


def progress_bar():
    """A callable for ``on_event`` that shows a progress bar; needs ``tqdm``."""
    from tqdm.auto import tqdm

    bars = {}

    def show(event):
        kind = event["event"]
        if kind == "phase" and event["state"] == "began":
            if event["phase"] not in bars:
                bars[event["phase"]] = tqdm(desc=event["phase"], unit="B", unit_scale=True)
        elif kind == "progress" and event["phase"] in bars:
            bar = bars[event["phase"]]
            bar.total = event["of"] or None
            bar.n = event["done"]
            bar.refresh()
        elif kind == "phase" and event["phase"] in bars:
            bar = bars[event["phase"]]
            if bar.total:
                bar.n = bar.total
            bar.refresh()
            bar.close()

    return show


def _elsewhere(name, instead):
    def absent(*_args, **_kwargs):
        raise UnsupportedError(f"twain.{name} does not exist yet: {instead}")

    absent.__name__ = name
    absent.__doc__ = f"Not there yet: {instead}."
    return absent


_FILES_ARE_THE_SAME = "use ezkl's function of that name on the same files"
create_evm_verifier = _elsewhere("create_evm_verifier", _FILES_ARE_THE_SAME)
create_evm_vka = _elsewhere("create_evm_vka", _FILES_ARE_THE_SAME)
deploy_evm = _elsewhere("deploy_evm", _FILES_ARE_THE_SAME)
register_vka = _elsewhere("register_vka", _FILES_ARE_THE_SAME)
verify_evm = _elsewhere("verify_evm", _FILES_ARE_THE_SAME)
encode_evm_calldata = _elsewhere("encode_evm_calldata", _FILES_ARE_THE_SAME)

__all__ = sorted(name for name in globals() if not name.startswith("_")) + ["__version__"]
for _name in ("annotations", "asyncio", "json", "logging", "os"):
    __all__.remove(_name)
