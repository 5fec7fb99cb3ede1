"""Writes the small networks of these examples from ONNX operators. Needs onnx and numpy."""
import json
import os

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh


class Graph:
    """Nodes in the order in which they are added; each method returns the name of a result."""

    def __init__(self):
        self.nodes, self.inputs, self.outputs, self.constants = [], [], [], []

    def input(self, name, *shape):
        self.inputs.append(h.make_tensor_value_info(name, T.FLOAT, shape))
        return name

    def output(self, name, result):
        """A result under a name of its own."""
        self.nodes.append(h.make_node("Identity", [result], [name]))
        self.outputs.append(h.make_tensor_value_info(name, T.FLOAT, None))

    def weights(self, values):
        """Numbers that the model's side keeps to itself."""
        return self._constant(np.asarray(values, np.float32))

    def integers(self, values):
        """Shapes, bounds, axes: part of the circuit."""
        return self._constant(np.asarray(values, np.int64))

    def _constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(nh.from_array(array, name))
        return name

    def op(self, kind, *operands, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(h.make_node(kind, list(operands), [name], **attributes))
        return name

    def number(self, boolean):
        """0 or 1."""
        return self.op("Cast", boolean, to=T.FLOAT)

    def part(self, tensor, axis, first, last):
        """The elements from `first` to before `last` along an axis."""
        bounds = [self.integers([value]) for value in (first, last, axis)]
        return self.op("Slice", tensor, *bounds)

    def total(self, tensor, axis):
        return self.op("ReduceSum", tensor, self.integers([axis]), keepdims=1)

    def save(self, folder):
        graph = h.make_graph(self.nodes, "example", self.inputs, self.outputs, self.constants)
        model = h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        onnx.checker.check_model(model)
        onnx.save(model, os.path.join(folder, "network.onnx"))


def save_input(folder, side, *lists):
    """A side's `input.json`: a list for each input that is its own."""
    os.makedirs(os.path.join(folder, side), exist_ok=True)
    lists = [np.asarray(values, float).ravel().tolist() for values in lists]
    with open(os.path.join(folder, side, "input.json"), "w") as file:
        json.dump({"input_data": lists}, file)
        file.write("\n")


def folder_of(script):
    return os.path.dirname(os.path.abspath(script))
