"""What EZKL's example notebooks do to prove, written anew from the functions and arguments that
they use.

    ezkl_notebooks.py MODULE NOTEBOOK        MODULE: twain or ezkl

runs one in the current folder, which it fills with the notebook's files, and writes what each call
returned to `returned.json`. Networks are small ones of the kind that the notebook is about, with
random weights; circuits have digits below 128, so that they are small, too.
"""

import asyncio
import importlib
import inspect
import json
import os
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

DRAW = np.random.default_rng(7)


def weights(*shape, scale=1.0):
    return (DRAW.normal(size=shape) * scale).astype(np.float32)


def network(nodes, inputs, outputs, constants):
    """Writes `network.onnx`: nodes are (operator, inputs, output, attributes)."""
    made = [
        helper.make_node(operator, names.split(), [output], **attributes)
        for operator, names, output, attributes in nodes
    ]
    value = lambda name, shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        made,
        "network",
        [value(name, shape) for name, shape in inputs.items()],
        [value(name, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), "network.onnx")


def data(*shapes, samples=1, low=-1.0, high=1.0):
    """Writes `input.json`, and `calibration.json` with so many inputs."""
    for name, count in (("input.json", 1), ("calibration.json", samples)):
        lists = [
            DRAW.uniform(low, high, (count, *shape)).astype(np.float32).ravel().tolist()
            for shape in shapes
        ]
        with open(name, "w") as file:
            json.dump({"input_data": lists}, file)


def dense(sizes, last=None, rows=1):
    """Layers with relu between them."""
    nodes, constants, name = [], {}, "x"
    for layer, (before, after) in enumerate(zip(sizes, sizes[1:])):
        constants[f"w{layer}"] = weights(before, after, scale=before**-0.5)
        constants[f"b{layer}"] = weights(after, scale=0.1)
        end = layer == len(sizes) - 2
        output = "y" if end and last is None else f"h{layer}"
        nodes.append(("Gemm", f"{name} w{layer} b{layer}", output, {}))
        name = output
        if not end:
            nodes.append(("Relu", name, f"r{layer}", {}))
            name = f"r{layer}"
    if last is not None:
        nodes.append((last, name, "y", {}))
    network(nodes, {"x": [rows, sizes[0]]}, {"y": [rows, sizes[-1]]}, constants)


def convolutional():
    constants = {
        "w": weights(2, 1, 3, 3, scale=0.3),
        "b": weights(2, scale=0.1),
        "shape": np.array([1, 18], np.int64),
        "v": weights(18, 3, scale=0.3),
        "c": weights(3, scale=0.1),
    }
    nodes = [
        ("Conv", "x w b", "h", {"strides": [2, 2]}),
        ("Relu", "h", "r", {}),
        ("Reshape", "r shape", "f", {}),
        ("Gemm", "f v c", "y", {}),
    ]
    network(nodes, {"x": [1, 1, 7, 7]}, {"y": [1, 3]}, constants)
    data((1, 7, 7), samples=2)


class Cells:
    """The calls that notebooks share."""

    def __init__(self, ezkl, name):
        self.ezkl = ezkl
        self.real = name == "ezkl"

    def args(self, inputs="public", parameters="fixed", outputs="public", **more):
        args = self.ezkl.PyRunArgs()
        args.input_visibility = inputs
        args.param_visibility = parameters
        args.output_visibility = outputs
        args.decomp_base, args.decomp_legs = 128, 4
        args.logrows = 10
        for name, value in more.items():
            setattr(args, name, value)
        return args

    def circuit(self, args, calibration="calibration.json", **more):
        ezkl = self.ezkl
        assert ezkl.gen_settings("network.onnx", "settings.json", py_run_args=args) == True
        if calibration:
            more = {"scales": [5, 7], "max_logrows": 12, **more}
            files = (calibration, "network.onnx", "settings.json")
            ezkl.calibrate_settings(*files, "resources", **more)
        assert ezkl.compile_circuit("network.onnx", "model.compiled", "settings.json") == True
        assert os.path.isfile("model.compiled")

    async def srs(self):
        # The real one downloads it, and takes no other.
        if not self.real:
            assert await self.ezkl.get_srs("settings.json") == True

    async def prove(self, mock=False, commitments=False, verify=True, freivalds=False):
        ezkl = self.ezkl
        # What a proof leaves open then, EZKL does not say.
        accepted = {"allow_unbound_einsums": True} if freivalds and not self.real else {}
        await self.srs()
        ezkl.gen_witness("input.json", "model.compiled", "witness.json")
        if mock:
            assert ezkl.mock("witness.json", "model.compiled") == True
        assert ezkl.setup("model.compiled", "vk.key", "pk.key", **accepted) == True
        assert all(os.path.isfile(name) for name in ("vk.key", "pk.key"))
        if commitments:
            ezkl.gen_witness("input.json", "model.compiled", "witness.json", "vk.key", srs_path())
        ezkl.prove("witness.json", "model.compiled", "pk.key", "proof.json", **accepted)
        assert os.path.isfile("proof.json")
        if verify:
            assert ezkl.verify("proof.json", "settings.json", "vk.key") == True


def srs_path():
    logrows = json.load(open("settings.json"))["run_args"]["logrows"]
    return os.path.join(os.environ["EZKL_REPO_PATH"], "srs", f"kzg{logrows}.srs")


async def simple_demo_all_public(cells):
    convolutional()
    cells.circuit(cells.args())
    await cells.prove()


async def simple_demo_public_input_output(cells):
    convolutional()
    cells.circuit(cells.args("public", "private", "public"))
    await cells.prove()


async def simple_demo_public_network_output(cells):
    convolutional()
    cells.circuit(cells.args("private", "fixed", "public"))
    await cells.prove()


async def ezkl_demo(cells):
    dense([4, 8, 3])
    data((4,), samples=2)
    cells.circuit(cells.args())
    await cells.prove()
    proof = json.load(open("proof.json"))
    [cells.ezkl.felt_to_big_endian(felt) for felt in proof["instances"][0]]


async def ezkl_demo_batch(cells):
    dense([4, 8, 3], rows="batch_size")
    data((3, 4))
    cells.circuit(cells.args("public", "fixed", "public", variables=[("batch_size", 3)]))
    await cells.prove(freivalds=True)
    proof = json.load(open("proof.json"))
    [cells.ezkl.felt_to_big_endian(felt) for felt in proof["instances"][0]]


async def linear_regression(cells):
    dense([5, 1])
    cells.ezkl.gen_random_data("network.onnx", "input.json")
    data((5,), samples=3)
    cells.circuit(cells.args())
    await cells.prove()


async def logistic_regression(cells):
    dense([5, 1], last="Sigmoid")
    data((5,), samples=2)
    cells.circuit(cells.args(lookup_range=(-2048, 2048)), scales=[4])
    await cells.prove()


async def sklearn_mlp(cells):
    dense([4, 6, 6, 3])
    data((4,), samples=2)
    cells.circuit(cells.args())
    await cells.prove()


async def keras_simple_demo(cells):
    convolutional()
    cells.circuit(cells.args())
    await cells.prove()


async def variance(cells):
    nodes = [
        ("ReduceMean", "x", "m", {"axes": [1], "keepdims": 1}),
        ("Sub", "x m", "d", {}),
        ("Mul", "d d", "q", {}),
        ("ReduceMean", "q", "y", {"axes": [1], "keepdims": 1}),
    ]
    network(nodes, {"x": [1, 8]}, {"y": [1, 1]}, {})
    data((8,), samples=2)
    cells.circuit(cells.args())
    await cells.prove()


async def decision_tree(cells):
    """Compiled to matrices, as hummingbird does: decisions, paths, values of the leaves."""
    constants = {
        "choose": np.eye(4, 3, dtype=np.float32),
        "threshold": np.array([0.1, -0.2, 0.3], np.float32),
        "paths": np.array([[1, 1, -1, -1], [1, -1, 0, 0], [0, 0, 1, -1]], np.float32),
        "depths": np.array([2, 1, 1, 0], np.float32),
        "values": weights(4, 2),
    }
    nodes = [
        ("MatMul", "x choose", "f", {}),
        ("Less", "f threshold", "l", {}),
        ("Cast", "l", "d", {"to": onnx.TensorProto.FLOAT}),
        ("MatMul", "d paths", "p", {}),
        ("Equal", "p depths", "e", {}),
        ("Cast", "e", "s", {"to": onnx.TensorProto.FLOAT}),
        ("MatMul", "s values", "y", {}),
    ]
    network(nodes, {"x": [1, 4]}, {"y": [1, 2]}, constants)
    data((4,), samples=2)
    cells.circuit(cells.args())
    await cells.prove()


async def kmeans(cells):
    """Squared distances to the centres, and the nearest."""
    constants = {"centres": weights(3, 4)}
    nodes = [
        ("Sub", "x centres", "d", {}),
        ("Mul", "d d", "q", {}),
        ("ReduceMean", "q", "r", {"axes": [1], "keepdims": 0}),
        ("Neg", "r", "y", {}),
    ]
    network(nodes, {"x": [1, 4]}, {"y": [3]}, constants)
    data((4,), samples=2)
    cells.circuit(cells.args())
    await cells.prove()


async def svm(cells):
    """A kernel of Gaussians around support vectors."""
    constants = {
        "vectors": weights(3, 4),
        "width": np.array([-0.5], np.float32),
        "factors": weights(3, 1),
        "bias": weights(1),
    }
    nodes = [
        ("Sub", "x vectors", "d", {}),
        ("Mul", "d d", "q", {}),
        ("ReduceMean", "q", "r", {"axes": [1], "keepdims": 0}),
        ("Mul", "r width", "e", {}),
        ("Exp", "e", "k", {}),
        ("MatMul", "k factors", "s", {}),
        ("Add", "s bias", "y", {}),
    ]
    network(nodes, {"x": [1, 4]}, {"y": [1]}, constants)
    data((4,), samples=2)
    cells.circuit(cells.args(lookup_range=(-2048, 2048)), scales=[4])
    await cells.prove()


async def stacked_regression(cells):
    constants = {
        "a": weights(4, 1),
        "b": weights(4, 1),
        "c": weights(2, 1),
        "d": weights(1),
    }
    nodes = [
        ("MatMul", "x a", "u", {}),
        ("MatMul", "x b", "v", {}),
        ("Concat", "u v", "w", {"axis": 1}),
        ("MatMul", "w c", "s", {}),
        ("Add", "s d", "y", {}),
    ]
    network(nodes, {"x": [1, 4]}, {"y": [1, 1]}, constants)
    data((4,), samples=2)
    cells.circuit(cells.args())
    await cells.prove()


async def reusable_verifier(cells):
    """Up to the proof: contracts are compared in tests/evm/interop.py."""
    dense([3, 3])
    data((3,))
    cells.circuit(cells.args("private", "fixed", "public"), "input.json")
    await cells.prove(verify=False)


async def hashed_vis(cells):
    dense([3, 2])
    data((3,))
    args = cells.args("hashed", "hashed", "public")
    args.variables = [("batch_size", 1)]
    cells.circuit(args, "input.json")
    await cells.prove(mock=True)


async def kzg_vis(cells):
    dense([3, 2])
    data((3,))
    args = cells.args("polycommit", "polycommit", "public")
    args.variables = [("batch_size", 1)]
    cells.circuit(args, "input.json")
    await cells.prove(mock=True, commitments=True)
    assert cells.ezkl.swap_proof_commitments("proof.json", "witness.json") is None
    assert cells.ezkl.verify("proof.json", "settings.json", "vk.key") == True


async def solvency(cells):
    """Users' balances, of which there is a digest, add up to what is claimed."""
    ezkl = cells.ezkl
    nodes = [("ReduceSum", "x axes", "s", {"keepdims": 1}), ("Sub", "s claimed", "y", {})]
    constants = {"axes": np.array([1], np.int64)}
    network(nodes, {"x": [1, 6], "claimed": [1, 1]}, {"y": [1, 1]}, constants)
    balances = [float(number) for number in range(1, 7)]
    with open("input.json", "w") as file:
        json.dump({"input_data": [balances, [sum(balances)]]}, file)
    felts = [ezkl.float_to_felt(balance, 0) for balance in balances]
    ezkl.poseidon_hash(felts)
    args = cells.args("polycommit", "fixed", "public", input_scale=0, param_scale=0)
    cells.circuit(args, calibration=None)
    await cells.prove(commitments=True)
    ezkl.swap_proof_commitments("proof.json", "witness.json")
    assert ezkl.verify("proof.json", "settings.json", "vk.key") == True


async def felt_conversion_test(cells):
    ezkl = cells.ezkl
    dense([4, 2])
    data((4,))
    cells.circuit(cells.args(input_scale=6, param_scale=6), calibration=None)
    await cells.prove()
    settings = json.load(open("settings.json"))
    values = json.load(open("input.json"))["input_data"][0]
    scale = settings["model_input_scales"][0]
    for value in values:
        felt = ezkl.float_to_felt(value, scale, ezkl.PyInputType.F32)
        ezkl.felt_to_float(felt, scale)
    for felt in json.load(open("proof.json"))["instances"][0]:
        ezkl.felt_to_float(felt, settings["model_output_scales"][0])


async def proof_splitting(cells):
    """The first of two models, whose output is committed to."""
    dense([3, 4])
    data((3,))
    args = cells.args("public", "fixed", "polycommit")
    cells.circuit(args, "input.json")
    await cells.prove(commitments=True)
    cells.ezkl.swap_proof_commitments("proof.json", "witness.json")
    assert cells.ezkl.verify("proof.json", "settings.json", "vk.key") == True


NOTEBOOKS = {
    cells.__name__: cells
    for cells in (
        simple_demo_all_public,
        simple_demo_public_input_output,
        simple_demo_public_network_output,
        ezkl_demo,
        ezkl_demo_batch,
        linear_regression,
        logistic_regression,
        sklearn_mlp,
        keras_simple_demo,
        variance,
        decision_tree,
        kmeans,
        svm,
        stacked_regression,
        reusable_verifier,
        hashed_vis,
        kzg_vis,
        solvency,
        felt_conversion_test,
        proof_splitting,
    )
}


class Recorded:
    """A module, and what its functions returned."""

    def __init__(self, module):
        self.module = module
        self.returned = []

    def __getattr__(self, name):
        found = getattr(self.module, name)
        if inspect.isclass(found):
            return found

        def call(*args, **kwargs):
            result = found(*args, **kwargs)
            if name == "prove":  # proofs are random
                self.returned.append([name, sorted(result), result["instances"]])
            elif name != "get_srs":
                self.returned.append([name, plain(result)])
            return result

        return call


def plain(value):
    """Without classes of one module or the other."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    if hasattr(value, "x") and hasattr(value, "y"):
        return [value.x, value.y]
    return value


if __name__ == "__main__":
    module, notebook = sys.argv[1:]
    recorded = Recorded(importlib.import_module(module))
    asyncio.run(NOTEBOOKS[notebook](Cells(recorded, module)))
    with open("returned.json", "w") as file:
        json.dump(recorded.returned, file)
