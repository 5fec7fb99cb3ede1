"""Writes what makes a match, `network.onnx`, and what two people are and want."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from graph import Graph, folder_of, save_input

FOLDER = folder_of(__file__)
TRAITS = 6


def main():
    graph = Graph()
    who = [(graph.input(f"{name}_is", 1, TRAITS), graph.input(f"{name}_wants", 1, TRAITS + 1))
           for name in ("ada", "ben")]
    likes = []
    for (_, wants), (other, _) in (who, who[::-1]):
        weights, least = graph.part(wants, 1, 0, TRAITS), graph.part(wants, 1, TRAITS, TRAITS + 1)
        score = graph.total(graph.op("Mul", weights, other), 1)
        likes.append(graph.op("Greater", score, least))
    graph.output("match", graph.number(graph.op("And", *likes)))
    graph.save(FOLDER)
    # Traits from 0 to 1; weights of the other's traits, and the score that is asked for.
    save_input(FOLDER, "ada", [0.9, 0.2, 0.6, 0.4, 0.8, 0.1], [1, -0.5, 0.5, 0, 1, -1, 0.75])
    save_input(FOLDER, "ben", [0.7, 0.1, 0.8, 0.9, 0.6, 0.3], [0.5, 0, 1, 0.25, 0.5, -0.5, 1])


if __name__ == "__main__":
    main()
