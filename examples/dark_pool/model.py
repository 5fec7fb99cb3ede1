"""Writes the rules of the pool, `network.onnx`, and two orders."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from graph import Graph, folder_of, save_input

FOLDER = folder_of(__file__)


def main():
    graph = Graph()
    buy, sell = graph.input("buy", 1, 3), graph.input("sell", 1, 3)
    limit_b, size_b, least_b = (graph.part(buy, 1, i, i + 1) for i in range(3))
    limit_s, size_s, least_s = (graph.part(sell, 1, i, i + 1) for i in range(3))
    size = graph.op("Min", size_b, size_s)
    rules = [graph.op("GreaterOrEqual", limit_b, limit_s),
             graph.op("GreaterOrEqual", size, least_b),
             graph.op("GreaterOrEqual", size, least_s)]
    matched = graph.number(graph.op("And", graph.op("And", rules[0], rules[1]), rules[2]))
    graph.output("matched", matched)
    # The seller's order was first, so its price counts.
    graph.output("price", graph.op("Mul", matched, limit_s))
    graph.output("size", graph.op("Mul", matched, size))
    graph.save(FOLDER)
    # Limit, size, least size.
    save_input(FOLDER, "buyer", [101.5, 300, 50])
    save_input(FOLDER, "seller", [100.25, 120, 100])


if __name__ == "__main__":
    main()
