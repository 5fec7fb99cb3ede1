"""The six steps of EZKL's notebooks, as they call them, and what can go wrong."""

import asyncio
import copy
import json
import logging
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import threading
import time

import pytest
import twain as ezkl


def test_the_steps_of_a_notebook(folder, args):
    assert ezkl.gen_settings("network.onnx", "settings.json", py_run_args=args) is True
    calibrated = ezkl.calibrate_settings(
        "input.json", "network.onnx", "settings.json", "resources", scales=[4], max_logrows=8
    )
    assert calibrated is True
    assert ezkl.compile_circuit("network.onnx", "model.compiled", "settings.json") is True

    async def srs():
        return await ezkl.get_srs("settings.json")

    assert asyncio.run(srs()) is True
    witness = ezkl.gen_witness("input.json", "model.compiled", "witness.json")
    assert os.path.isfile("witness.json") and len(witness["inputs"][0]) == 3
    on_disk = json.load(open("witness.json"))
    assert witness["outputs"] == on_disk["outputs"] and "pretty_elements" not in witness
    assert ezkl.mock("witness.json", "model.compiled") is True
    assert ezkl.setup("model.compiled", "vk.key", "pk.key") is True
    proof = ezkl.prove("witness.json", "model.compiled", "pk.key", "proof.json")
    assert set(proof) == {"instances", "proof"} and proof["proof"].startswith("0x")
    assert json.load(open("proof.json"))["hex_proof"] == proof["proof"]
    assert ezkl.verify("proof.json", "settings.json", "vk.key") is True


def test_an_invalid_proof_raises(circuit):
    ezkl.gen_witness()
    ezkl.prove(proof_path="proof.json")
    proof = json.load(open("proof.json"))
    proof["proof"][100] ^= 1
    json.dump(proof, open("proof.json", "w"))
    with pytest.raises(RuntimeError, match="not valid") as raised:
        ezkl.verify()
    assert raised.value.code == "file" and isinstance(raised.value, ezkl.FileError)


def test_inputs_from_arrays_and_frames(circuit):
    import numpy
    import pandas

    from_file = ezkl.gen_witness("input.json")
    values = json.load(open("input.json"))["input_data"][0]
    array = numpy.array([values])
    assert ezkl.gen_witness(array, output=None) == from_file
    assert ezkl.gen_witness([values], output=None) == from_file
    assert ezkl.gen_witness(pandas.DataFrame([values]), output=None) == from_file
    assert ezkl.gen_witness({"input_data": [values]}, output=None) == from_file


def test_a_prover_in_memory(circuit):
    prover = ezkl.load()
    assert prover.witness("input.json") == ezkl.gen_witness(output=None)
    proof = prover.prove("input.json", "proof.json")
    assert ezkl.verify() and proof["instances"]
    with pytest.raises(ezkl.FileError):
        prover.prove({"input_data": [[1.0]]}, "other.json")
    assert not os.path.exists("other.json")


def test_run_args():
    args = ezkl.PyRunArgs()
    assert (args.input_visibility, args.param_visibility) == ("public", "fixed")
    assert args.lookup_range == (-32768, 32768) and args.variables == [("batch_size", 1)]
    args.check_mode = "UNSAFE"
    args.input_visibility = "hashed/private/0,1"
    assert (args.check_mode, args.input_visibility) == ("unsafe", "hashed/private/0,1")
    assert args.epsilon == 2.220446049250313e-16
    with pytest.raises(ValueError):
        args.output_visibility = "secret"
    with pytest.raises(ValueError):
        args.check_mode = "perhaps"
    with pytest.raises(TypeError):
        args.input_scale = 0.5
    with pytest.raises(OverflowError):
        args.logrows = -1
    with pytest.raises(AttributeError):
        args.logrow = 8
    with pytest.raises(TypeError):
        ezkl.PyRunArgs(logrow=8)
    for same in (copy.copy(args), copy.deepcopy(args), pickle.loads(pickle.dumps(args))):
        assert same == args and same is not args and "hashed/private/0,1" in repr(same)
    same.logrows = 9
    assert same != args


def test_field_elements():
    felt = ezkl.float_to_felt(-1.5, 4)
    assert ezkl.felt_to_int(felt) == -24 and ezkl.felt_to_float(felt, 4) == -1.5
    assert ezkl.felt_to_big_endian(ezkl.float_to_felt(1, 0)) == "0x" + "0" * 63 + "1"
    assert ezkl.float_to_felt(0.7, 4, ezkl.PyInputType.Bool) == ezkl.float_to_felt(0, 4)
    assert ezkl.float_to_felt(2.9, 4, ezkl.PyInputType.Int) == ezkl.float_to_felt(2, 4)
    assert ezkl.float_to_felt(float("nan"), 4) == ezkl.float_to_felt(0, 4)
    with pytest.raises(OverflowError):
        ezkl.float_to_felt(1e40, 4)
    # Exact over the whole field.
    half = (21888242871839275222246405745257275088548364400416034343698204186575808495617 - 1) // 2
    text = half.to_bytes(32, "little").hex()
    assert ezkl.felt_to_int(text) == half
    assert ezkl.felt_to_int((half + 1).to_bytes(32, "little").hex()) == -half
    for malformed in ("", "xyz", "ff" * 32, "0x" + "00" * 31):
        for function in (ezkl.felt_to_int, ezkl.felt_to_big_endian):
            with pytest.raises(ValueError):
                function(malformed)
    felts = ezkl.buffer_to_felts(bytes(range(20)))
    assert [ezkl.felt_to_int(felt) for felt in felts] == [
        int.from_bytes(bytes(range(16)), "little"),
        int.from_bytes(bytes(range(16, 20)), "little"),
    ]
    known = "ad20d5a6dd09e7ffc5ae1a76ac1e3705ad396650cf6ed4b4b6771c9c4ba5ea12"
    assert ezkl.poseidon_hash([ezkl.float_to_felt(x, 0) for x in (8, 4, 16)]) == [known]
    assert ezkl.poseidon_hash([]) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda: ezkl.gen_settings("nowhere.onnx"),
        lambda: ezkl.compile_circuit("network.onnx", "x", "nowhere.json"),
        lambda: ezkl.gen_witness("nowhere.json"),
        lambda: ezkl.prove("nowhere.json"),
        lambda: ezkl.verify("nowhere.json"),
        lambda: ezkl.setup("network.onnx"),
        lambda: ezkl.mock("input.json"),
        lambda: ezkl.load("nowhere.compiled"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(circuit, call):
    with pytest.raises(ezkl.TwainError) as raised:
        call()
    assert "\n" not in str(raised.value) and raised.value.code == "file"


def test_other_threads_run_meanwhile(circuit):
    ticks, stop = [0], threading.Event()

    def tick():
        while not stop.is_set():
            ticks[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < 0.5:
        ezkl.setup("model.compiled", "vk.key", "pk.key")
        calls += 1
    stop.set()
    thread.join()
    # A thread that stood still during a call would get a turn between two at most; how often it
    # gets one in a second says more of what else the machine does.
    assert ticks[0] > 5 * calls


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_events_and_logs(circuit, caplog):
    events = []
    ezkl.gen_witness()
    with caplog.at_level(logging.DEBUG, logger="twain"):
        ezkl.prove(proof_path="proof.json", on_event=events.append)
    phases = [event["phase"] for event in events if event["event"] == "phase"]
    assert {"load", "witness", "opening", "verify"} <= set(phases)
    # A callback that fails does not fail the work.
    ezkl.prove(on_event=lambda _: 1 / 0)
    with caplog.at_level(logging.DEBUG, logger="twain"):
        ezkl.gen_srs("test.srs", 4)
    (record,) = [record for record in caplog.records if "could forge proofs" in record.message]
    assert (record.name, record.levelname) == ("twain", "WARNING")


def test_cancelling(circuit):
    ezkl.gen_witness()
    cancel = ezkl.Cancel()
    cancel.cancel()
    with pytest.raises(ezkl.CancelledError) as raised:
        ezkl.prove(proof_path="cancelled.json", cancel=cancel)
    assert raised.value.code == "cancelled" and not os.path.exists("cancelled.json")


def test_einsums_that_a_proof_says_nothing_of_have_to_be_accepted(folder, vectors):
    source = vectors.parent / "circuits" / "freivalds"
    for name in ("model.compiled", "witness.json"):
        shutil.copy(source / name, folder)
    srs = str(vectors / "srs" / "kzg9.srs")
    with pytest.raises(ezkl.FileError, match="Freivalds"):
        ezkl.setup(srs_path=srs)
    assert not os.path.exists("pk.key")
    ezkl.setup(srs_path=srs, allow_unbound_einsums=True)
    for refused in (ezkl.prove, ezkl.load):
        with pytest.raises(ezkl.FileError, match="Freivalds"):
            refused(srs_path=srs)
    assert ezkl.prove(srs_path=srs, allow_unbound_einsums=True)["proof"]
    ezkl.load(srs_path=srs, allow_unbound_einsums=True)


def test_how_far_a_circuit_is_from_its_network(folder, args):
    ezkl.gen_settings(py_run_args=args)
    ezkl.calibrate_settings("input.json", scales=[4], max_logrows=8, report="report.html")
    page = open("report.html").read()
    assert "<svg" in page and "network.onnx" in page


def test_a_network_as_the_circuit_sees_it(folder, args):
    shown = ezkl.table("network.onnx", args)
    assert "RELU" in shown.upper() and len(shown.splitlines()) > 2
    with pytest.raises(ezkl.FileError):
        ezkl.table("input.json")


def test_the_verifying_key_out_of_a_proving_key(circuit):
    assert ezkl.gen_vk_from_pk_single("pk.key", "settings.json", "copy.key") is True
    assert open("copy.key", "rb").read() == open("vk.key", "rb").read()


def test_the_wheel_brings_commands():
    program = pathlib.Path(sys.executable).with_name("twain")
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    # Behind it: of which commit, and whose EZKL.
    assert told.stdout.startswith(f"twain {ezkl.__version__} ("), told.stdout


def test_what_a_proof_says_in_numbers(folder, args):
    values = json.load(open("input.json"))["input_data"][0]
    for visibility, rows in (("public", 8), ("hashed", 10)):
        args.input_visibility, args.logrows = visibility, rows
        ezkl.gen_srs(f"ezkl/srs/kzg{rows}.srs", rows)
        ezkl.gen_settings(py_run_args=args)
        ezkl.compile_circuit()
        ezkl.setup()
        witness = ezkl.gen_witness()
        ezkl.prove(proof_path="proof.json")
        said = ezkl.public_values()
        if visibility == "public":
            (inputs,) = said["inputs"]
            assert inputs.shape == (1, 3) and abs(inputs[0] - values).max() <= 2**-args.input_scale
        else:
            assert said["inputs"] == []
        scale = json.load(open("settings.json"))["model_output_scales"][0]
        (outputs,) = said["outputs"]
        expected = [ezkl.felt_to_float(felt, scale) for felt in witness["outputs"][0]]
        assert outputs.shape == (1, 3) and outputs.ravel().tolist() == expected


@pytest.mark.parametrize("name", ["PyG1", "PyTestDataSource"])
def test_what_is_not_here_says_what_is_instead(name):
    instead = {"PyG1": "PyG1Affine", "PyTestDataSource": "gen_witness"}[name]
    with pytest.raises(ezkl.UnsupportedError, match=instead) as raised:
        getattr(ezkl, name)()
    assert raised.value.code == "unsupported"
