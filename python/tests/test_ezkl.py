"""Beside the real wheel, where it is installed (``pip install ezkl==23.0.5``): the same calls, the
same values and files, and each accepts the other's proofs."""

import json
import random

import pytest
import twain

ezkl = pytest.importorskip("ezkl")

MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617


def felts(count):
    source = random.Random(7)
    for _ in range(count):
        yield source.randrange(MODULUS).to_bytes(32, "little").hex()


def test_field_elements():
    source = random.Random(1)
    for felt in felts(50):
        assert twain.felt_to_big_endian(felt) == ezkl.felt_to_big_endian(felt)
    for kind in ("Bool", "F16", "F32", "F64", "Int", "TDim"):
        for _ in range(20):
            scale = source.randrange(-3, 20)
            # EZKL panics on a Bool that is neither 0 nor 1.
            number = source.uniform(-1000, 1000) if kind != "Bool" else source.uniform(0, 1.99)
            ours = twain.float_to_felt(number, scale, getattr(twain.PyInputType, kind))
            assert ours == ezkl.float_to_felt(number, scale, getattr(ezkl.PyInputType, kind))
            assert twain.felt_to_float(ours, scale) == ezkl.felt_to_float(ours, scale)
            assert twain.felt_to_int(ours) == ezkl.felt_to_int(ours)
    for length in range(0, 70, 7):
        buffer = [source.randrange(256) for _ in range(length)]
        assert twain.buffer_to_felts(buffer) == ezkl.buffer_to_felts(buffer)
    for length in (0, 1, 2, 7):
        message = list(felts(length))
        assert twain.poseidon_hash(message) == ezkl.poseidon_hash(message)


def test_attributes_and_defaults():
    ours, theirs = twain.PyRunArgs(), ezkl.PyRunArgs()
    names = [name for name in dir(theirs) if not name.startswith("_")]
    assert names and all(getattr(ours, name) == getattr(theirs, name) for name in names)


def test_every_name_is_there():
    names = {name for name in dir(ezkl) if not name.startswith("_")} - {"ezkl"}
    assert names <= set(dir(twain))


def comparable(witness):
    """A witness with points that can be compared across modules."""
    witness = dict(witness)
    for name in ("processed_inputs", "processed_params", "processed_outputs"):
        points = witness.get(name, {}).get("polycommit", [])
        points = [[(point.x, point.y) for point in tensor] for tensor in points]
        if points:
            witness[name] = {**witness[name], "polycommit": points}
    return witness


@pytest.mark.parametrize("visibility", ["private", "public", "hashed", "polycommit"])
def test_the_same_files_and_proofs_for_each_other(folder, args, visibility):
    args.logrows = 8 if visibility in ("private", "public") else 10
    args.input_visibility = visibility
    theirs = ezkl.PyRunArgs()
    for name in dir(theirs):
        if not name.startswith("_"):
            setattr(theirs, name, getattr(args, name))
    # EZKL looks for its folder only once in a process.
    srs = str(folder / f"ezkl/srs/kzg{args.logrows}.srs")
    if args.logrows == 10:
        twain.gen_srs(srs, 10)
    assert twain.gen_settings(output="twain.json", py_run_args=args)
    assert ezkl.gen_settings(output="settings.json", py_run_args=theirs)

    def settings(name):
        settings = json.load(open(name))
        settings.pop("timestamp")
        # EZKL leaves the order to chance; keys follow it.
        settings["required_range_checks"].sort()
        return settings

    assert settings("twain.json") == settings("settings.json")
    files = {}
    for name, module in (("twain", twain), ("ezkl", ezkl)):
        model, vk, pk, witness, proof = (
            f"{name}-{file}" for file in ("model", "vk", "pk", "witness", "proof")
        )
        assert module.compile_circuit("network.onnx", model, "settings.json")
        assert module.setup(model, vk, pk, srs)
        values = module.gen_witness("input.json", model, witness, vk, srs)
        made = module.prove(witness, model, pk, proof, srs)
        files[name] = (comparable(values), open(vk, "rb").read(), made["instances"])
    assert files["twain"] == files["ezkl"]
    assert ezkl.verify("twain-proof", "settings.json", "ezkl-vk", srs)
    assert twain.verify("ezkl-proof", "settings.json", "twain-vk", srs)
    for proof in ("twain-proof", "ezkl-proof"):
        calls = [module.encode_evm_calldata(proof, "calldata") for module in (twain, ezkl)]
        assert calls[0] == calls[1] and type(calls[0]) is type(calls[1]) is bytes


def test_commitments(folder, args, vectors):
    args.input_visibility = "polycommit"
    twain.gen_settings(py_run_args=args)
    twain.compile_circuit()
    twain.setup()
    message = list(felts(5))
    ours = twain.kzg_commit(message)
    theirs = ezkl.kzg_commit(message, "vk.key", "settings.json", str(folder / "ezkl/srs/kzg8.srs"))
    assert [(point.x, point.y) for point in ours] == [(point.x, point.y) for point in theirs]
