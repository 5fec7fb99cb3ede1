"""Two parties in one process: threads, tasks, and one that is cancelled."""

import asyncio
import json
import os
import shutil
import socket
import threading
import time

import pytest
import twain


@pytest.fixture
def sides_of(folder):
    """Makes a folder and an identity for each side from the circuit in the current one; the data's
    side has the circuit without its parameters."""

    def make():
        for side in ("model", "data"):
            os.makedirs(side)
            for name in ("pk.key", "vk.key", "settings.json"):
                shutil.copy(name, side)
        shutil.copy("model.compiled", "model/model.compiled")
        assert twain.redact("model.compiled", "data/model.compiled") == []
        shutil.copy("input.json", "data/input.json")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % probe.getsockname()[1]

        def arguments(side):
            other = "data" if side == "model" else "model"
            return dict(
                role=side,
                local_addr=address if side == "model" else None,
                remote_peer=address if side == "data" else None,
                peer=twain.identity(f"{other}/identity"),
                identity=f"{side}/identity",
                model=f"{side}/model.compiled",
                pk_path=f"{side}/pk.key",
                connect_timeout=30.0,
            )

        return {side: arguments(side) for side in ("model", "data")}

    return make


@pytest.fixture
def sides(circuit, sides_of):
    """Those of a small circuit."""
    return sides_of()


def test_a_proof_by_two_tasks(sides):
    events = []

    async def prove():
        await asyncio.gather(
            twain.prove_pair_async(
                **sides["model"], proof_path="model/proof.json", on_event=events.append
            ),
            twain.prove_pair_async(
                **sides["data"], proof_path="data/proof.json", data="data/input.json"
            ),
        )

    asyncio.run(prove())
    assert open("model/proof.json").read() == open("data/proof.json").read()
    assert twain.verify("data/proof.json", "data/settings.json", "data/vk.key") is True
    kinds = {event["event"] for event in events}
    assert {"forecast", "listening", "connected", "phase", "notice"} <= kinds
    # The same public values as alone.
    twain.gen_witness("input.json", "model.compiled")
    alone = twain.prove("witness.json", "model.compiled", "pk.key")
    assert json.load(open("data/proof.json"))["instances"] == alone["instances"]


def test_bundles(sides):
    def both(function, **more):
        failures = []

        def side(name):
            try:
                function(**sides[name], **more.get(name, {}))
            except Exception as error:  # a thread's error would be lost
                failures.append(error)

        threads = [threading.Thread(target=side, args=(name,)) for name in sides]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert not failures, failures

    both(twain.preprocess)
    steps = []
    both(
        twain.prove_pair,
        model=dict(proof_path="model/proof.json", on_event=steps.append),
        data=dict(proof_path="data/proof.json", data="data/input.json"),
    )
    said = [event["message"] for event in steps if event["event"] == "notice"]
    assert any("bundle" in message for message in said)


def test_a_task_that_is_cancelled_ends_within_a_second(sides):
    async def prove():
        task = asyncio.ensure_future(
            twain.prove_pair_async(**sides["model"], proof_path="model/proof.json")
        )
        await asyncio.sleep(0.5)
        start = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.perf_counter() - start

    assert asyncio.run(prove()) < 1.5
    assert not os.path.exists("model/proof.json")


def test_mistakes(sides):
    with pytest.raises(ValueError, match="model or data"):
        twain.prove_pair(**{**sides["model"], "role": "verifier"})
    with pytest.raises(ValueError, match="remote_peer"):
        twain.prove_pair("model")
    with pytest.raises(twain.UsageError, match="--peer|fingerprint"):
        twain.prove_pair(**{**sides["model"], "peer": "nonsense", "connect_timeout": 1.0})
    with pytest.raises(twain.LinkError):
        twain.prove_pair(**{**sides["data"], "connect_timeout": 0.5, "data": "data/input.json"})
    with pytest.raises(ValueError, match="invite"):
        twain.prove_pair("data", invite="twain-peer:1:nonsense")
    with pytest.raises(ValueError, match="seconds"):
        twain.prove_pair(**{**sides["data"], "connect_timeout": 1e10})
    for function in (twain.prove_pair, twain.preprocess):
        with pytest.raises(TypeError, match="timeout"):
            function("model", local_addr="127.0.0.1:0", timeout=1.0)


def test_sessions_that_ended_and_inputs_that_are_not_there(sides):
    hasty = {**sides["data"], "connect_timeout": 0.1}
    with pytest.raises(twain.UsageError, match="the circuit has no such input"):
        twain.prove_pair(**hasty, data="data/input.json", own_inputs=[7])
    os.makedirs("data/identity", exist_ok=True)
    with open("data/identity/ended_sessions", "w") as ended:
        ended.write(3 * (twain.identity("model/identity") + "\n"))

    async def prove(agreed):
        return await asyncio.gather(
            twain.prove_pair_async(**sides["model"], proof_path="model/proof.json"),
            twain.prove_pair_async(
                **sides["data"],
                proof_path="data/proof.json",
                data="data/input.json",
                ended_sessions=agreed,
            ),
            return_exceptions=True,
        )

    model, data = asyncio.run(prove(None))
    assert isinstance(model, twain.PeerDiffersError) and isinstance(data, twain.IdentityError)
    assert "3 sessions" in str(data)
    assert asyncio.run(prove(3)) == ["model/proof.json", "data/proof.json"]


def test_an_invitation_stands_for_an_address_and_a_key(sides):
    model, data = sides["model"], sides["data"]
    invitation = twain.invite(
        model["local_addr"], model["model"], days=1.0, identity=model["identity"]
    )
    assert invitation.startswith("twain-peer:1:" + model["local_addr"])
    with pytest.raises(ValueError, match="invite"):
        twain.prove_pair(**data, invite=invitation)
    data = {**data, "remote_peer": None, "peer": None, "invite": invitation}

    async def prove():
        await asyncio.gather(
            twain.prove_pair_async(**model, proof_path="model/proof.json"),
            twain.prove_pair_async(**data, proof_path="data/proof.json", data="data/input.json"),
        )

    asyncio.run(prove())
    assert open("model/proof.json").read() == open("data/proof.json").read()


def test_inputs_of_both_sides(folder, vectors, sides_of):
    """Each owns inputs of a match, and publishes their hashes first."""
    source = vectors.parents[1] / "examples" / "matching"
    args = twain.PyRunArgs(
        input_visibility="hashed",
        param_visibility="private",
        output_visibility="public",
        decomp_base=128,
        decomp_legs=3,
        logrows=11,
    )
    twain.gen_srs(folder / "ezkl/srs/kzg11.srs", 11)
    twain.gen_settings(source / "network.onnx", "settings.json", args)
    twain.compile_circuit(source / "network.onnx", "model.compiled")
    twain.setup("model.compiled", "vk.key", "pk.key")
    sides = sides_of()
    inputs = {"model": source / "ada/input.json", "data": source / "ben/input.json"}
    places = {"model": [0, 1], "data": [2, 3]}
    hashes = {
        side: twain.hash_inputs(inputs[side], sides[side]["model"], places[side])
        for side in sides
    }
    assert [text.split("=")[0] for text in hashes["data"]] == ["2", "3"]

    def side(name, published):
        other = "data" if name == "model" else "model"
        return twain.prove_pair_async(
            **sides[name],
            data=inputs[name],
            own_inputs=places[name],
            published_hashes=published[other],
            proof_path=f"{name}/proof.json",
        )

    async def both(published):
        return await asyncio.gather(
            side("model", published), side("data", published), return_exceptions=True
        )

    assert asyncio.run(both(hashes)) == ["model/proof.json", "data/proof.json"]
    assert open("model/proof.json").read() == open("data/proof.json").read()
    said = twain.public_values("data/proof.json")
    assert [output.item() for output in said["outputs"]] == [1]
    # Another input than the one that was published.
    digits = hashes["data"][0].split("=")[1]
    wrong = {**hashes, "data": [f"3={digits}", f"2={digits}"]}
    failed = asyncio.run(both(wrong))
    assert all(isinstance(error, twain.TwainError) for error in failed), failed
    with pytest.raises(ValueError, match="published_hashes"):
        twain.prove_pair(**sides["data"], published_hashes=["2=nonsense"])
