"""The SRS from a server, and the way from a proof to a contract on a chain."""

import asyncio
import contextlib
import http.server
import json
import threading
import time

import pytest
import twain


def run(function, *args, **kwargs):
    """What a function's future gives; it needs a running loop when it is called."""

    async def call():
        return await function(*args, **kwargs)

    return asyncio.run(call())


@contextlib.contextmanager
def server(answer):
    """A web server on this machine: its address, and the requests it had."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append((self.path, self.headers.get("Range")))
            answer(self, len(requests))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}/", requests
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "function, args",
    [
        (twain.get_srs, ()),
        (twain.create_evm_verifier, ()),
        (twain.create_evm_vka, ()),
        (twain.deploy_evm, ("contract.address", "http://127.0.0.1:9")),
        (twain.register_vka, ("0x" + "0" * 40, "http://127.0.0.1:9")),
        (twain.verify_evm, ("0x" + "0" * 40, "http://127.0.0.1:9")),
    ],
)
def test_a_running_loop_is_needed(folder, function, args):
    with pytest.raises(RuntimeError, match="no running event loop"):
        function(*args)
    # A failure comes with the future.
    with pytest.raises(twain.TwainError) as raised:
        run(function, *args)
    assert "\n" not in str(raised.value)


def test_an_srs_that_is_there_is_taken(circuit):
    assert run(twain.get_srs, "settings.json") is True
    assert run(twain.get_srs, logrows=8, url="http://127.0.0.1:9/") is True


def test_a_server_that_has_another_file_or_none(folder):
    def absent(request, _):
        request.send_error(404)

    def wrong(request, _):
        request.send_response(200)
        request.send_header("Content-Length", "5")
        request.end_headers()
        request.wfile.write(b"wrong")

    with server(absent) as (url, _):
        with pytest.raises(twain.LinkError, match="404"):
            run(twain.get_srs, logrows=12, url=url)
    events = []
    with server(wrong) as (url, requests):
        with pytest.raises(twain.FileError, match="digest"):
            run(twain.get_srs, logrows=12, url=url, on_event=events.append)
    assert requests == [("/powersOfTau28_hez_final_12.ptau", None)]
    assert {"event": "download", "done": 5, "of": 5} in events
    assert not (folder / "ezkl/srs/kzg12.srs").exists()


def test_a_connection_that_breaks_is_taken_up_where_it_was(folder):
    def half(request, number):
        part = request.headers.get("Range") is not None
        request.send_response(206 if part else 200)
        request.send_header("Content-Length", "1000" if part else "2000")
        if part:
            request.send_header("Content-Range", "bytes 1000-1999/2000")
        request.end_headers()
        request.wfile.write(bytes(1000))

    with server(half) as (url, requests):
        with pytest.raises(twain.FileError, match="digest"):
            run(twain.get_srs, logrows=12, url=url)
    assert [asked for _, asked in requests] == [None, "bytes=1000-"]


def test_a_download_ends_with_its_future(folder):
    def slow(request, _):
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 30))
        request.end_headers()
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                request.wfile.write(bytes(1 << 16))
                time.sleep(0.05)

    async def impatient(url):
        await asyncio.wait_for(twain.get_srs(logrows=20, url=url), 0.5)

    with server(slow) as (url, requests):
        start = time.perf_counter()
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(impatient(url))
        # The loop's end waits for its threads.
        assert len(requests) == 1 and time.perf_counter() - start < 3


def prove():
    """A proof and a contract's source."""
    twain.gen_witness()
    twain.prove(proof_path="proof.json")
    assert run(twain.create_evm_verifier) is True


def test_files_for_a_contract(circuit):
    prove()
    functions = [entry.get("name") for entry in json.load(open("verifier_abi.json"))]
    assert functions == ["verifyProof"]
    assert "contract TwainVerifier" in open("evm_deploy.sol").read()
    call = twain.encode_evm_calldata()
    # A selector, then words: EZKL's, which has a spare one at the end.
    assert isinstance(call, bytes) and call == open("calldata.bytes", "rb").read()
    assert call[:4].hex() == "1e8e1e13" and len(call) % 32 == 4
    assert run(twain.create_evm_vka) is True
    with_key = twain.encode_evm_calldata("proof.json", "reusable.bytes", "vka.bytes")
    assert with_key[:4].hex() == "3409fc9f" and open("vka.bytes", "rb").read()[8:] in with_key


def test_mistakes(circuit):
    prove()
    node = "http://127.0.0.1:9"
    with pytest.raises(ValueError, match="verifier/reusable"):
        twain.deploy_evm("a", node, contract_type="token")
    with pytest.raises(ValueError, match="64 hexadecimal digits") as raised:
        run(twain.deploy_evm, "a", node, private_key="secret")
    assert "secret" not in str(raised.value)
    with pytest.raises(twain.UsageError, match="no Solidity compiler"):
        run(twain.deploy_evm, "a", node, solc="/bin/true")
    with pytest.raises(twain.FileError):
        run(twain.verify_evm, "nowhere.address", node)
    with pytest.raises(twain.LinkError):
        run(twain.verify_evm, "0x" + "0" * 40, node)


@pytest.mark.parametrize("reusable", [False, True])
def test_a_contract_takes_the_proof_and_no_other(circuit, chain, reusable):
    prove()
    key = ("vka.bytes",) if reusable else ()
    if reusable:
        run(twain.create_evm_verifier, reusable=True)
        run(twain.create_evm_vka)
    kind = "verifier/reusable" if reusable else "verifier"
    assert run(twain.deploy_evm, "addr.txt", chain.url, "evm_deploy.sol", kind) is True
    address = open("addr.txt").read()
    assert len(address) == 42 and address == address.lower()
    if reusable:
        with pytest.raises(twain.FileError, match="VKA not registered"):
            run(twain.verify_evm, address, chain.url, "proof.json", *key)
        assert run(twain.register_vka, address, chain.url, private_key=chain.key) is True
        assert len(json.load(open("vka.digest"))) == 32
    assert run(twain.verify_evm, address, chain.url, "proof.json", *key) is True
    assert run(twain.verify_evm, "addr.txt", chain.url, "proof.json", *key) is True
    twain.encode_evm_calldata("proof.json", "calldata.bytes", *key)
    encoded = dict(encoded_calldata="calldata.bytes", vka_path=key[0] if key else None)
    assert run(twain.verify_evm, address, chain.url, **encoded) is True
    changed = json.load(open("proof.json"))
    changed["proof"][700] ^= 1
    json.dump(changed, open("changed.json", "w"))
    with pytest.raises(twain.FileError, match="does not accept"):
        run(twain.verify_evm, address, chain.url, "changed.json", *key)
