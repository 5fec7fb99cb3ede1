"""Writes a model of one operator each, to ask whether EZKL and we make the same of them:

    python3 tests/onnx/operators.py DIR       needs onnx and numpy
    cargo xtask sweep --onnx-dir DIR --max-logrows 1      settings and circuits only
"""

import json
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
ROW = (1, 4)
CUBE = (1, 4, 4)


def write(parent, name, nodes, inputs, constants=None, output=FLOAT, opset=13, **run_args):
    """`inputs` and `constants` by name; the model's output is `y`."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, name, [value(n, kind, shape) for n, (kind, shape) in inputs.items()], [value("y", output, None)],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    folder = os.path.join(parent, name)
    os.makedirs(folder, exist_ok=True)
    onnx.save(model, os.path.join(folder, "network.onnx"))
    data = [[0.5 if kind == FLOAT else 1] * int(np.prod(shape)) for kind, shape in inputs.values()]
    with open(os.path.join(folder, "input.json"), "w") as file:
        json.dump({"input_data": data}, file)
    if run_args:
        with open(os.path.join(folder, "run_args.json"), "w") as file:
            json.dump(run_args, file)


def operators(parent):
    node = helper.make_node

    def one(name, op, inputs, constants=None, **rest):
        model = {key: rest.pop(key) for key in ("output", "opset", "bounded_log_lookup") if key in rest}
        names = rest.pop("names", [*inputs, *(constants or {})])
        write(parent, name, [node(op, names, rest.pop("outputs", ["y"]), **rest)], inputs, constants, **model)

    cube, row = {"x": (FLOAT, CUBE)}, {"x": (FLOAT, ROW)}
    for op in ("Relu Sigmoid Tanh Erf Exp Log Sqrt Reciprocal Abs Neg Sign Floor Ceil Round Sin Cos Tan Sinh Cosh Asin "
               "Acos Atan Asinh Acosh Atanh HardSwish LeakyRelu").split():
        one(op, op, cube, opset=14)
    one("Log_bounded", "Log", cube, bounded_log_lookup=True)
    two = {"x": (FLOAT, ROW), "z": (FLOAT, ROW)}
    for op in ("Add", "Sub", "Mul", "Max", "Min"):
        one(op, op, two)
    for op in ("Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Equal"):
        one(op, op, two, output=BOOL)
    bits = {"x": (BOOL, ROW), "z": (BOOL, ROW)}
    for op in ("And", "Or", "Xor"):
        one(op, op, bits, output=BOOL)
    one("Not", "Not", {"x": (BOOL, ROW)}, output=BOOL)
    one("Where", "Where", {"c": (BOOL, ROW), **two})
    one("Div", "Div", row, {"k": np.float32(3)})
    one("Div_integers", "Div", {"x": (INT, (4,))}, {"k": np.int64(3)}, output=INT)
    for power in (2.0, 3.0, 5.0, 0.5, 1.5):
        one(f"Pow_{power}", "Pow", row, {"k": np.float32(power)})
    one("Pow_base", "Pow", row, {"k": np.float32(2)}, names=["k", "x"])
    one("ReduceSum", "ReduceSum", cube, {"axes": [2]})
    for op in ("ReduceMax", "ReduceMin", "ReduceProd", "ReduceMean"):
        one(op, op, cube, axes=[2])
    for op in ("ArgMax", "ArgMin"):
        one(op, op, cube, axis=2, output=INT)
    one("Softmax", "Softmax", cube, axis=2)
    one("TopK", "TopK", cube, {"k": [2]}, axis=2, outputs=["y", "i"])
    one("Concat", "Concat", two, axis=1)
    one("Slice", "Slice", cube, {"starts": [1], "ends": [3], "axes": [2]})
    one("Slice_steps", "Slice", cube, {"starts": [1], "ends": [4], "axes": [2], "steps": [2]})
    one("Pad", "Pad", cube, {"pads": [0, 0, 1, 0, 0, 1]})
    one("Transpose", "Transpose", cube, perm=[0, 2, 1])
    one("Reshape", "Reshape", cube, {"shape": [2, 8]})
    one("Flatten", "Flatten", cube)
    one("Expand", "Expand", cube, {"shape": [2, 4, 4]})
    one("Cast_to_integers", "Cast", cube, to=INT, output=INT)
    one("Cast_to_floats", "Cast", {"x": (INT, (4,))}, to=FLOAT)
    one("Gather", "Gather", {**cube, "i": (INT, (2,))}, axis=1)
    one("Gather_constant", "Gather", cube, {"i": [0, 2]}, axis=1)
    one("GatherElements", "GatherElements", {**row, "i": (INT, (1, 2))}, axis=1)
    one("GatherElements_constant", "GatherElements", row, {"i": [[0, 2]]}, axis=1)
    one("GatherND", "GatherND", {**row, "i": (INT, (2, 2))})
    one("ScatterElements", "ScatterElements", {**row, "i": (INT, (1, 2)), "u": (FLOAT, (1, 2))}, axis=1)
    one("ScatterND", "ScatterND", {**row, "i": (INT, (2, 2)), "u": (FLOAT, (2,))})
    one("OneHot", "OneHot", {"x": (INT, (3,))}, {"depth": np.int64(4), "values": np.array([0, 1], np.float32)})
    one("Trilu", "Trilu", cube, {"k": np.int64(0)}, upper=1, opset=14)
    image = {"x": (FLOAT, (1, 1, 4, 4))}
    one("Resize", "Resize", image, {"scales": np.array([1, 1, 2, 2], np.float32)}, names=["x", "", "scales"],
        mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")
    kernel = np.ones((1, 1, 2, 2), np.float32)
    one("Conv", "Conv", image, {"w": kernel}, strides=[1, 1], pads=[1, 1, 0, 0])
    one("ConvTranspose", "ConvTranspose", image, {"w": kernel}, strides=[2, 2])
    for op in ("MaxPool", "AveragePool"):
        one(op, op, image, kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1])
    write(parent, "Rsqrt", [node("Sqrt", ["x"], ["m"]), node("Reciprocal", ["m"], ["y"])], row)
    write(parent, "MeanOfSquares",
          [node("Mul", ["x", "x"], ["m"]), node("ReduceMean", ["m"], ["y"], axes=[2])], cube)
    write(parent, "Rescaled", [node("Mul", ["x", "z"], ["m"]), node("Add", ["m", "x"], ["y"])], two,
          scale_rebase_multiplier=10)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    operators(sys.argv[1])
