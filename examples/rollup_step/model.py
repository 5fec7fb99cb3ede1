"""Writes the rules of a step, `network.onnx`, a ledger of four accounts and an update of it. There are no
constants: they would be weights, which a verifier does not see."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from graph import Graph, folder_of, save_input

FOLDER = folder_of(__file__)
ACCOUNTS = 4
# What nobody can guess, so that the published hash of a state tells nothing of it.
SALT = 4


def main():
    graph = Graph()
    state, update = (graph.input(name, 1, ACCOUNTS + SALT) for name in ("state", "update"))
    balances, change = (graph.part(tensor, 1, 0, ACCOUNTS) for tensor in (state, update))
    sent = graph.total(graph.op("Relu", graph.op("Neg", change)), 1)
    received = graph.total(graph.op("Relu", change), 1)
    balanced = graph.number(graph.op("Equal", sent, received))
    after = graph.op("Add", balances, change)
    # None is below 0.
    covered = graph.number(graph.op("Equal", after, graph.op("Relu", after)))
    covered = graph.op("ReduceMin", covered, axes=[1], keepdims=1)
    # What is not allowed changes nothing.
    allowed = graph.op("Mul", balanced, covered)
    after = graph.op("Add", balances, graph.op("Mul", allowed, change))
    salt = graph.part(update, 1, ACCOUNTS, ACCOUNTS + SALT)
    graph.output("next", graph.op("Concat", after, salt, axis=1))
    graph.save(FOLDER)
    rng = np.random.default_rng(8)
    salts = rng.integers(-2 ** 24, 2 ** 24, (2, SALT))
    save_input(FOLDER, "sequencer", [500, 120, 0, 80, *salts[0]])
    save_input(FOLDER, "user", [-70, 0, 70, 0, *salts[1]])


if __name__ == "__main__":
    main()
