"""Drives the unmodified EZKL 23.0.5 wheel for the interop checks of `cargo xtask`.

    ezkl_tool.py random DIR SEED       writes a random network.onnx, input.json and run_args.json
    ezkl_tool.py settings DIR          network.onnx, input.json [, run_args.json] -> settings.json, model.compiled
                                       (calibrated if run_args.json has "calibrate": true)
    ezkl_tool.py front-end DIR         network.onnx [, run_args.json] -> settings.json, model.compiled, table.txt
    ezkl_tool.py calibrate DIR         the same after calibration with calibration.json or input.json:
                                       calibrated.json, calibrated.compiled
    ezkl_tool.py srs FILE LOGROWS      a test SRS
    ezkl_tool.py setup DIR SRS         vk.key, pk.key
    ezkl_tool.py witness DIR SRS       witness.json (with the commitments of polycommit values)
    ezkl_tool.py prove DIR SRS         proof.json; prints the seconds it took, CPU seconds, peak memory in kB
    ezkl_tool.py verify DIR SRS [PROOF [VK]]   prints "accepted" or "rejected"

Needs `pip install ezkl==23.0.5` and, for `random`, `onnx` and `numpy`.
"""

import json
import os
import random
import resource
import shutil
import sys
import time

import ezkl

VISIBILITIES = ("input_visibility", "output_visibility", "param_visibility")


def at(folder, name):
    return os.path.join(folder, name)


def run_args(folder):
    path = at(folder, "run_args.json")
    return json.load(open(path)) if os.path.exists(path) else {}


def settings(folder):
    chosen = run_args(folder)
    calibrate = chosen.pop("calibrate", False)
    args = ezkl.PyRunArgs()
    args.input_visibility, args.output_visibility, args.param_visibility = "private", "public", "private"
    for name, value in chosen.items():
        setattr(args, name, tuple(value) if isinstance(value, list) and name == "lookup_range" else value)
    model, path = at(folder, "network.onnx"), at(folder, "settings.json")
    ezkl.gen_settings(model, path, py_run_args=args)
    if calibrate:
        ezkl.calibrate_settings(at(folder, "input.json"), model, path, "resources")
    ezkl.compile_circuit(model, at(folder, "model.compiled"), path)


def table(folder):
    """The rows of EZKL's table, without its drawing."""
    cells = [[cell.strip() for cell in line.split("│")[1:-1]]
             for line in ezkl.table(at(folder, "network.onnx")).splitlines() if line.count("│") > 2]
    with open(at(folder, "table.txt"), "w") as file:
        file.writelines("|".join(row) + "\n" for row in cells)


def calibrate(folder):
    calibrated = at(folder, "calibrated.json")
    shutil.copy(at(folder, "settings.json"), calibrated)
    model = at(folder, "network.onnx")
    samples = at(folder, "calibration.json")
    if not os.path.exists(samples):
        samples = at(folder, "input.json")
    ezkl.calibrate_settings(samples, model, calibrated, "resources")
    ezkl.compile_circuit(model, at(folder, "calibrated.compiled"), calibrated)


def random_model(folder, seed):
    """A small random network: dense or convolutional, with random sizes, strides, paddings and run args."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    draw = random.Random(seed)
    values = numpy.random.RandomState(seed)
    nodes, constants = [], []

    def constant(*shape):
        name = f"c{len(constants)}"
        array = (values.rand(*shape) - 0.5).astype(numpy.float32)
        constants.append(numpy_helper.from_array(array, name))
        return name

    def node(op, inputs, **attributes):
        name = f"t{len(nodes)}"
        nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    tensor = "input"
    if draw.random() < 0.4:
        channels, side = draw.choice([1, 2]), draw.choice([5, 6, 7])
        shape = [1, channels, side, side]
        filters, kernel = draw.choice([1, 2, 3]), draw.choice([2, 3])
        stride, pad = draw.choice([1, 2]), draw.choice([0, 1])
        bias = [constant(filters)] if draw.random() < 0.7 else []
        tensor = node("Conv", [tensor, constant(filters, channels, kernel, kernel)] + bias,
                      kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)
        out = (side + 2 * pad - kernel) // stride + 1
        tensor = node("Relu", [tensor])
        if draw.random() < 0.4 and out >= 2:
            tensor = node("AveragePool", [tensor], kernel_shape=[2, 2], strides=[1, 1])
            out -= 1
        tensor = node("Flatten", [tensor])
        width = filters * out * out
    else:
        width = draw.randint(2, 9)
        shape = [1, width]
    for layer in range(draw.randint(1, 3)):
        size = draw.randint(1, 7)
        tensor = node("Gemm", [tensor, constant(width, size), constant(size)])
        if draw.random() < 0.7:
            tensor = node(draw.choice(["Relu", "Relu", "LeakyRelu", "Abs"]), [tensor])
        if draw.random() < 0.2:
            tensor = node(draw.choice(["Mul", "Sub", "Add"]), [tensor, constant(1, size)])
        width = size
    graph = helper.make_graph(
        nodes, "random",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(tensor, TensorProto.FLOAT, [1, width])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    os.makedirs(folder, exist_ok=True)
    onnx.save(model, at(folder, "network.onnx"))
    count = int(numpy.prod(shape))
    json.dump({"input_data": [[draw.uniform(-1, 1) for _ in range(count)]]}, open(at(folder, "input.json"), "w"))
    base, legs = draw.choice([(1 << 4, 5), (1 << 5, 5), (1 << 6, 4), (1 << 7, 4), (1 << 8, 3), (1 << 10, 3), (1 << 14, 2)])
    scale = draw.choice([3, 4, 5]) if base == 16 else draw.choice([4, 5, 6, 7])
    minimum = max(7, base.bit_length() - draw.choice([1, 1, 1, 2, 3]) + 1)
    args = {
        "input_scale": scale, "param_scale": scale, "num_inner_cols": draw.choice([1, 2, 2, 3, 4]),
        "decomp_base": base, "decomp_legs": legs, "logrows": draw.choice([minimum, minimum + 1, max(minimum, 9)]),
        "param_visibility": draw.choice(["private", "private", "private", "fixed", "polycommit"]),
        "input_visibility": draw.choice(["private", "private", "private", "public"]),
    }
    # Hashes need 2^11 rows and more.
    for name in VISIBILITIES:
        if draw.random() < 0.08:
            args[name], args["logrows"] = "hashed", max(12, args["logrows"])
    json.dump(args, open(at(folder, "run_args.json"), "w"))


def main():
    command, *rest = sys.argv[1:]
    if command == "random":
        random_model(rest[0], int(rest[1]))
    elif command == "settings":
        settings(rest[0])
    elif command in ("front-end", "calibrate"):
        # Sizes depend on the number of EZKL's threads: one is exact.
        os.environ["RAYON_NUM_THREADS"] = "1"
        if command == "front-end":
            settings(rest[0])
            table(rest[0])
        else:
            calibrate(rest[0])
    elif command == "srs":
        ezkl.gen_srs(rest[0], int(rest[1]))
    elif command == "setup":
        folder, srs = rest
        ezkl.setup(at(folder, "model.compiled"), at(folder, "vk.key"), at(folder, "pk.key"), srs_path=srs)
    elif command == "witness":
        folder, srs = rest
        ezkl.gen_witness(at(folder, "input.json"), at(folder, "model.compiled"), at(folder, "witness.json"),
                         at(folder, "vk.key"), srs)
    elif command == "prove":
        folder, srs = rest
        start, cpu = time.time(), time.process_time()
        ezkl.prove(at(folder, "witness.json"), at(folder, "model.compiled"), at(folder, "pk.key"),
                   at(folder, "proof.json"), srs_path=srs)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{time.time() - start:.3f} {time.process_time() - cpu:.2f} {memory}")
    elif command == "verify":
        folder, srs, *more = rest
        proof = more[0] if more else at(folder, "proof.json")
        key = more[1] if len(more) > 1 else at(folder, "vk.key")
        try:
            accepted = ezkl.verify(proof, at(folder, "settings.json"), key, srs_path=srs)
        except Exception as error:  # the wheel raises whatever failed
            print(f"rejected: {error}")
            sys.exit(1)
        print("accepted" if accepted else "rejected")
        sys.exit(0 if accepted else 1)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
