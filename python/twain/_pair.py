"""Proofs by two parties, of whom one has the model and one the data."""

from __future__ import annotations

from . import _twain  # type: ignore[attr-defined]
from ._arrays import as_argument
from ._running import in_thread

# What `prove_pair` and `preprocess` take alike, by name, with its defaults.
_SESSION = {
    "model": "model.compiled",
    "pk_path": "pk.key",
    "srs_path": None,
    "allow_polycommit": False,
    "allow_unbound_einsums": False,
    "invite": None,
    "identity": None,
    "connect_timeout": 60.0,
    "idle_timeout": 300.0,
    "own_inputs": None,
    "ended_sessions": None,
    "session_timeout": None,
    "on_event": None,
    "on_first_meeting": None,
    "cancel": None,
}


def _session(function, remote_peer, local_addr, peer, given):
    for name in given:
        if name not in _SESSION:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")
    met = {"remote_peer": remote_peer, "local_addr": local_addr, "peer": peer}
    return {**_SESSION, **given, **met}


def prove_pair(
    role,
    remote_peer=None,
    local_addr=None,
    peer=None,
    *,
    data="input.json",
    proof_path="proof.json",
    reveal_output=None,
    output_path="output.json",
    published_commitment=None,
    published_hashes=(),
    trust_peer=False,
    **session,
):
    """Prove with a peer: one side has the model, the other the data; both write the same proof.

    ``role`` is ``"model"`` or ``"data"``. ``remote_peer`` is ``host:port`` to dial, ``local_addr``
    is ``addr:port`` to listen on; one of them is enough if the other side has the other. ``peer``
    is the fingerprint that :func:`identity` gives on the peer's machine; without it
    ``on_first_meeting`` is asked about a key not seen before: ``(address, fingerprint) -> bool``.
    ``data`` is the input, at the data's side: a path, JSON text, arrays or a frame. Returns
    ``proof_path``.

    ``reveal_output`` says who learns outputs that the proof does not publish (``"model"``,
    ``"data"`` or ``"both"``, the same on both sides), in ``output_path``; ``published_commitment``
    is a witness file with a commitment to the parameters that the proof must be about;
    ``published_hashes`` are texts of :func:`hash_inputs` with the hashes that the peer's inputs
    must have. With ``trust_peer`` on both sides nothing that the peer does is tested: faster, and
    needed for circuits that have no tests yet.

    By name, as for :func:`preprocess`, too:

    - ``model="model.compiled"``, at the data's side the circuit that :func:`redact` wrote;
      ``pk_path="pk.key"``; ``srs_path=None``, EZKL's place.
    - ``invite=None``: a line of :func:`invite` instead of ``remote_peer`` and ``peer``.
    - ``identity=None``: the folder of this side's key, ``~/.config/twain``.
    - ``connect_timeout=60.0``, ``idle_timeout=300.0``, ``session_timeout=None``, in seconds.
    - ``own_inputs=None``: the places, from 0, of the circuit's inputs that are this side's; all
      others are the peer's, which must say so. Without it all are the data's side's.
    - ``ended_sessions=None``: begin although so many sessions with this peer have ended without a
      result; after three of them it must be said.
    - ``on_event=None``, ``on_first_meeting=None``, ``cancel=None``.
    - ``allow_polycommit=False``, ``allow_unbound_einsums=False``: what a proof gives away or leaves
      open.
    """
    _twain.prove_pair(
        role,
        _session("prove_pair", remote_peer, local_addr, peer, session),
        as_argument(data),
        proof_path,
        reveal_output,
        output_path,
        published_commitment,
        list(published_hashes),
        trust_peer,
    )
    return proof_path


def hash_inputs(data="input.json", model="model.compiled", own_inputs=()):
    """The hashes of inputs that a proof of a circuit with hashed inputs publishes: ``PLACE=HASH``.

    ``data`` has a list for each of the inputs at the places ``own_inputs``, or for every input.
    """
    return _twain.hash_inputs(as_argument(data), model, list(own_inputs))


def preprocess(role, remote_peer=None, local_addr=None, peer=None, *, proofs=1, **session):
    """With the peer, make ahead of time what ``proofs`` proofs need; arguments as of
    :func:`prove_pair`."""
    _twain.preprocess(
        role, _session("preprocess", remote_peer, local_addr, peer, session), proofs
    )


async def prove_pair_async(*args, **kwargs):
    """As :func:`prove_pair`, as a coroutine; cancelling its task ends the session on both sides."""
    return await in_thread(prove_pair, *args, **kwargs)


async def preprocess_async(*args, **kwargs):
    """As :func:`preprocess`, as a coroutine."""
    return await in_thread(preprocess, *args, **kwargs)
