"""What EZKL does asynchronously: the SRS, and the way to a smart contract.

Each function returns a future at once and needs a running event loop when it is called, as EZKL's.
"""

from __future__ import annotations

import os

from . import _twain  # type: ignore[attr-defined]
from ._running import as_future


def get_srs(
    settings_path="settings.json",
    logrows=None,
    srs_path=None,
    *,
    url=None,
    on_event=None,
    cancel=None,
):
    """Make sure that the SRS of a circuit is where EZKL keeps it; a future of ``True``.

    One that is there is taken. Else the file of a public ceremony for as many rows is downloaded
    (from the mirror ``url``, if there is one), its digest and powers are checked, and what is
    needed is kept. Interrupted, it goes on where it was; cancelling the future ends it.
    :func:`import_srs` takes a ceremony's file that is there.
    """

    def make_sure():
        if not os.path.isfile(_twain.srs_place(settings_path, logrows, srs_path)):
            _twain.download_srs(url, srs_path, settings_path, logrows, on_event, cancel)
        return True

    cancel = cancel or _twain.Cancel()
    future = as_future(make_sure)
    future.add_done_callback(lambda done: done.cancelled() and cancel.cancel())
    return future


def create_evm_verifier(
    vk_path="vk.key",
    settings_path="settings.json",
    sol_code_path="evm_deploy.sol",
    abi_path="verifier_abi.json",
    srs_path=None,
    reusable=False,
):
    """Write a contract that verifies a circuit's proofs (Solidity) and its ABI; a future of
    ``True``.

    With ``reusable`` one contract serves all circuits; :func:`create_evm_vka` makes the key that
    then comes with every call. No compiler is needed.
    """
    return _done(
        _twain.create_evm_verifier,
        vk_path,
        settings_path,
        sol_code_path,
        abi_path,
        srs_path,
        reusable,
    )


def create_evm_vka(
    vk_path="vk.key",
    settings_path="settings.json",
    vka_path="vka.bytes",
    srs_path=None,
    decimals=18,
):
    """Write a circuit's key for the reusable contract, which returns public values with so many
    ``decimals``; a future of ``True``."""
    return _done(_twain.create_evm_vka, vk_path, settings_path, vka_path, srs_path, decimals)


def deploy_evm(
    addr_path,
    rpc_url,
    sol_code_path="evm_deploy.sol",
    contract_type="verifier",
    optimizer_runs=1,
    private_key=None,
    *,
    keystore=None,
    solc=None,
):
    """Compile a contract, bring it onto the chain of a node, and write its address; a future of
    ``True``.

    ``contract_type`` is ``"verifier"`` or ``"verifier/reusable"``, as EZKL has it; the contract
    itself says which it is. Who pays: ``private_key`` (64 hexadecimal digits), the file
    ``keystore`` (its password in ``TWAIN_KEYSTORE_PASSWORD``), the private key in
    ``TWAIN_PRIVATE_KEY``, or the node's own account. ``solc`` is the compiler, 0.8.20 or newer, if
    not the one on the ``PATH`` or in svm's folder.
    """
    if contract_type not in ("verifier", "verifier/reusable"):
        raise ValueError(f"{contract_type!r} is no contract: verifier or verifier/reusable")
    return _done(
        _twain.deploy_evm,
        addr_path,
        rpc_url,
        sol_code_path,
        optimizer_runs,
        private_key,
        keystore,
        solc,
    )


def register_vka(
    addr_verifier,
    rpc_url,
    vka_path="vka.bytes",
    vka_digest_path="vka.digest",
    private_key=None,
    *,
    keystore=None,
):
    """Let the reusable contract use a circuit's key, and write the key's digest; a future of
    ``True``.

    ``addr_verifier`` is the contract's address, or the file with it. Who pays: as in
    :func:`deploy_evm`.
    """
    return _done(
        _twain.register_vka,
        os.fspath(addr_verifier),
        rpc_url,
        vka_path,
        vka_digest_path,
        private_key,
        keystore,
    )


def verify_evm(
    addr_verifier, rpc_url, proof_path="proof.json", vka_path=None, encoded_calldata=None
):
    """Have a contract verify a proof, without a transaction; a future of ``True``.

    A proof that is not valid raises. With ``vka_path`` the contract is the reusable one. With
    ``encoded_calldata`` that call is made (:func:`encode_evm_calldata`) instead of one from the
    proof.
    """
    return _done(
        _twain.verify_evm,
        os.fspath(addr_verifier),
        rpc_url,
        proof_path,
        vka_path,
        encoded_calldata,
    )


def _done(function, *args):
    """A future of ``True`` once ``function`` has done its work."""

    def work():
        function(*args)
        return True

    return as_future(work)
