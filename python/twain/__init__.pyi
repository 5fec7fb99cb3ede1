from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, TypedDict, final
from typing_extensions import Unpack
import asyncio

_Path = str | PathLike[str]
_Event = dict[str, Any]
_OnEvent = Callable[[_Event], object] | None
_Data = Any  # a path, JSON text, a dict, arrays, frames or lists of numbers
_Role = Literal["model", "data"]

class _Session(TypedDict, total=False):
    model: _Path
    pk_path: _Path
    srs_path: _Path | None
    allow_polycommit: bool
    allow_unbound_einsums: bool
    invite: str | None
    identity: _Path | None
    connect_timeout: float
    idle_timeout: float
    session_timeout: float | None
    own_inputs: Sequence[int] | None
    ended_sessions: int | None
    on_event: _OnEvent
    on_first_meeting: Callable[[str, str], bool] | None
    cancel: Cancel | None

__version__: str
EZKL_VERSION: str

class TwainError(RuntimeError):
    code: str

class UsageError(TwainError): ...
class FileError(TwainError): ...
class UnsupportedError(TwainError): ...
class InvalidWitnessError(TwainError): ...
class LinkError(TwainError): ...
class PeerMisbehavedError(TwainError): ...
class PeerDiffersError(TwainError): ...
class PeerStoppedError(TwainError): ...
class StoreError(TwainError): ...
class IdentityError(TwainError): ...
class CancelledError(TwainError): ...
class BugError(TwainError): ...

@final
class Cancel:
    def __new__(cls) -> Cancel: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

@final
class PyRunArgs:
    input_scale: int
    param_scale: int
    scale_rebase_multiplier: int
    lookup_range: tuple[int, int]
    logrows: int
    num_inner_cols: int
    variables: list[tuple[str, int]]
    input_visibility: str
    output_visibility: str
    param_visibility: str
    rebase_frac_zero_constants: bool
    check_mode: str
    decomp_base: int
    decomp_legs: int
    bounded_log_lookup: bool
    ignore_range_check_inputs_outputs: bool
    epsilon: float
    disable_freivalds: bool
    def __new__(cls, **attributes: Any) -> PyRunArgs: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __copy__(self) -> PyRunArgs: ...
    def __deepcopy__(self, _memo: Any) -> PyRunArgs: ...
    def __getstate__(self) -> dict[str, Any]: ...
    def __setstate__(self, state: dict[str, Any]) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PyInputType:
    Bool: PyInputType
    F16: PyInputType
    F32: PyInputType
    F64: PyInputType
    Int: PyInputType
    TDim: PyInputType
    Unknown: PyInputType
    def __int__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class PyG1Affine:
    @property
    def x(self) -> str: ...
    @property
    def y(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...

class PyG1:
    def __init__(self, *args: object, **kwargs: object) -> None: ...

class PyTestDataSource:
    def __init__(self, *args: object, **kwargs: object) -> None: ...

class Prover:
    def __init__(
        self,
        model: _Path = ...,
        pk_path: _Path = ...,
        srs_path: _Path | None = ...,
        *,
        allow_unbound_einsums: bool = ...,
    ) -> None: ...
    def witness(self, data: _Data) -> dict[str, Any]: ...
    def prove(
        self,
        data: _Data,
        proof_path: _Path | None = ...,
        *,
        check_mode: Literal["safe", "unsafe"] = ...,
        on_event: _OnEvent = ...,
        cancel: Cancel | None = ...,
    ) -> dict[str, Any]: ...

def load(
    model: _Path = ...,
    pk_path: _Path = ...,
    srs_path: _Path | None = ...,
    *,
    allow_unbound_einsums: bool = ...,
) -> Prover: ...
def gen_settings(
    model: _Path = ..., output: _Path = ..., py_run_args: PyRunArgs | None = ...
) -> bool: ...
def calibrate_settings(
    data: _Data = ...,
    model: _Path = ...,
    settings: _Path = ...,
    target: str = ...,
    lookup_safety_margin: float = ...,
    scales: Sequence[int] | None = ...,
    scale_rebase_multiplier: Sequence[int] = ...,
    max_logrows: int | None = ...,
    *,
    report: _Path | None = ...,
    on_event: _OnEvent = ...,
    cancel: Cancel | None = ...,
) -> bool: ...
def compile_circuit(
    model: _Path = ..., compiled_circuit: _Path = ..., settings_path: _Path = ...
) -> bool: ...
def table(model: _Path = ..., py_run_args: PyRunArgs | None = ...) -> str: ...
def gen_random_data(
    model: _Path = ...,
    output: _Path = ...,
    variables: Sequence[tuple[str, int]] = ...,
    seed: int = ...,
    min: float | None = ...,
    max: float | None = ...,
) -> bool: ...
def gen_witness(
    data: _Data = ...,
    model: _Path = ...,
    output: _Path | None = ...,
    vk_path: _Path | None = ...,
    srs_path: _Path | None = ...,
) -> dict[str, Any]: ...
def mock(witness: _Path = ..., model: _Path = ...) -> bool: ...
def gen_srs(srs_path: _Path, logrows: int) -> None: ...
def import_srs(
    source: _Path,
    srs_path: _Path | None = ...,
    settings_path: _Path = ...,
    logrows: int | None = ...,
) -> str: ...
def get_srs(
    settings_path: _Path = ...,
    logrows: int | None = ...,
    srs_path: _Path | None = ...,
    *,
    url: str | None = ...,
    on_event: _OnEvent = ...,
    cancel: Cancel | None = ...,
) -> asyncio.Future[bool]: ...
def setup(
    model: _Path = ...,
    vk_path: _Path = ...,
    pk_path: _Path = ...,
    srs_path: _Path | None = ...,
    witness_path: _Path | None = ...,
    disable_selector_compression: bool = ...,
    *,
    allow_unbound_einsums: bool = ...,
) -> bool: ...
def prove(
    witness: _Path = ...,
    model: _Path = ...,
    pk_path: _Path = ...,
    proof_path: _Path | None = ...,
    srs_path: _Path | None = ...,
    *,
    allow_unbound_einsums: bool = ...,
    check_mode: Literal["safe", "unsafe"] = ...,
    on_event: _OnEvent = ...,
    cancel: Cancel | None = ...,
) -> dict[str, Any]: ...
async def prove_async(*args: Any, **kwargs: Any) -> dict[str, Any]: ...
def verify(
    proof_path: _Path = ...,
    settings_path: _Path = ...,
    vk_path: _Path = ...,
    srs_path: _Path | None = ...,
    reduced_srs: bool = ...,
) -> bool: ...
def public_values(
    proof_path: _Path = ..., settings_path: _Path = ...
) -> dict[str, list[Any]]: ...
def gen_vk_from_pk_single(
    path_to_pk: _Path = ..., circuit_settings_path: _Path = ..., vk_output_path: _Path = ...
) -> bool: ...
def swap_proof_commitments(proof_path: _Path = ..., witness_path: _Path = ...) -> None: ...
def kzg_commit(
    message: Sequence[str],
    vk_path: _Path = ...,
    settings_path: _Path = ...,
    srs_path: _Path | None = ...,
) -> list[PyG1Affine]: ...
def poseidon_hash(message: Sequence[str]) -> list[str]: ...
def buffer_to_felts(buffer: bytes | Sequence[int]) -> list[str]: ...
def float_to_felt(input: float, scale: int, input_type: PyInputType = ...) -> str: ...
def felt_to_float(felt: str, scale: int) -> float: ...
def felt_to_int(felt: str) -> int: ...
def felt_to_big_endian(felt: str) -> str: ...
def identity(identity: _Path | None = ...) -> str: ...
def redact(model: _Path = ..., output: _Path = ..., accept_visible: bool = ...) -> list[str]: ...
def bind_params(model: _Path = ..., output: _Path | None = ...) -> int: ...
def hash_inputs(
    data: _Data = ..., model: _Path = ..., own_inputs: Sequence[int] = ...
) -> list[str]: ...
def invite(
    address: str, model: _Path = ..., days: float = ..., identity: _Path | None = ...
) -> str: ...
def prove_pair(
    role: _Role,
    remote_peer: str | None = ...,
    local_addr: str | None = ...,
    peer: str | None = ...,
    *,
    data: _Data = ...,
    proof_path: _Path = ...,
    reveal_output: Literal["model", "data", "both"] | None = ...,
    output_path: _Path = ...,
    published_commitment: _Path | None = ...,
    published_hashes: Sequence[str] = ...,
    trust_peer: bool = ...,
    **session: Unpack[_Session],
) -> _Path: ...
async def prove_pair_async(*args: Any, **kwargs: Any) -> _Path: ...
def preprocess(
    role: _Role,
    remote_peer: str | None = ...,
    local_addr: str | None = ...,
    peer: str | None = ...,
    *,
    proofs: int = ...,
    **session: Unpack[_Session],
) -> None: ...
async def preprocess_async(*args: Any, **kwargs: Any) -> None: ...
def progress_bar() -> Callable[[Mapping[str, Any]], None]: ...
def create_evm_verifier(
    vk_path: _Path = ...,
    settings_path: _Path = ...,
    sol_code_path: _Path = ...,
    abi_path: _Path = ...,
    srs_path: _Path | None = ...,
    reusable: bool = ...,
) -> asyncio.Future[bool]: ...
def create_evm_vka(
    vk_path: _Path = ...,
    settings_path: _Path = ...,
    vka_path: _Path = ...,
    srs_path: _Path | None = ...,
    decimals: int = ...,
) -> asyncio.Future[bool]: ...
def encode_evm_calldata(
    proof: _Path = ..., calldata: _Path = ..., vka_path: _Path | None = ...
) -> bytes: ...
def deploy_evm(
    addr_path: _Path,
    rpc_url: str,
    sol_code_path: _Path = ...,
    contract_type: str = ...,
    optimizer_runs: int = ...,
    private_key: str | None = ...,
    *,
    keystore: _Path | None = ...,
    solc: _Path | None = ...,
) -> asyncio.Future[bool]: ...
def register_vka(
    addr_verifier: _Path,
    rpc_url: str,
    vka_path: _Path = ...,
    vka_digest_path: _Path = ...,
    private_key: str | None = ...,
    *,
    keystore: _Path | None = ...,
) -> asyncio.Future[bool]: ...
def verify_evm(
    addr_verifier: _Path,
    rpc_url: str,
    proof_path: _Path = ...,
    vka_path: _Path | None = ...,
    encoded_calldata: _Path | None = ...,
) -> asyncio.Future[bool]: ...
