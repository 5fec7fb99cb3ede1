"""What a proof from Python costs: time and memory of `twain.prove` beside `ezkl.prove`, what
`twain.load` saves, and whether a process that proves often grows. No proof is checked here: EZKL's
are not.

    prove.py [--circuit FOLDER] [--rounds 7] [--proofs 1000]

FOLDER has network.onnx and input.json (and settings.json, whose arguments of the run are taken);
by default `tests/models/mnist_cnn`. Each module proves in a process of its own; the two take
turns, so that what else the machine does falls on both. The proofs of one process are of
`tests/vectors/1l_relu-k8-private`. Needs the wheel of this repository; EZKL's (`pip install
ezkl==23.0.5`) to compare with.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[2] / "tests"
# Growth of resident memory over nine tenths of the proofs that counts as none.
GROWTH = 0.05


def resident(field="VmRSS"):
    """Resident memory of this process in MiB, now or (VmHWM) at most so far."""
    for line in open("/proc/self/status"):
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise OSError("no /proc/self/status: memory is measured on Linux only")


def prepare(source, folder):
    """Settings, a circuit, an SRS, keys and a witness in `folder`, which becomes the current
    one."""
    import twain

    os.chdir(folder)
    for name in ("network.onnx", "input.json", "settings.json", "model.compiled"):
        if (source / name).exists():
            shutil.copy(source / name, name)
    if not os.path.exists("settings.json"):
        private = dict(input_visibility="private", param_visibility="private")
        twain.gen_settings("network.onnx", "settings.json", twain.PyRunArgs(**private))
    if not os.path.exists("model.compiled"):
        twain.compile_circuit()
    logrows = json.load(open("settings.json"))["run_args"]["logrows"]
    twain.gen_srs("kzg.srs", logrows)
    twain.setup(srs_path="kzg.srs")
    twain.gen_witness()
    return logrows


def work(kind):
    """Proves whenever a line comes, and answers with the seconds; at the end, the most memory."""
    if kind == "load":
        import twain

        prover = twain.load(srs_path="kzg.srs")
        prove = lambda: prover.prove("input.json", "load.json", check_mode="unsafe")
    else:
        module = __import__(kind)
        files = ("witness.json", "model.compiled", "pk.key", f"{kind}.json", "kzg.srs")
        unchecked = {"check_mode": "unsafe"} if kind == "twain" else {}
        prove = lambda: module.prove(*files, **unchecked)
    for line in sys.stdin:
        start = time.perf_counter()
        prove()
        print(time.perf_counter() - start, flush=True)
    print(resident("VmHWM"), flush=True)


def compare(kinds, rounds):
    """Seconds of each kind, round by round, and the most memory in MiB."""
    workers = {
        kind: subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--worker", kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in kinds
    }

    def answer(kind):
        while True:  # EZKL prints, too
            line = workers[kind].stdout.readline()
            try:
                return float(line)
            except ValueError:
                assert line, f"{kind}: the process ended"

    seconds = {kind: [] for kind in kinds}
    for number in range(rounds + 1):
        for kind in kinds:
            workers[kind].stdin.write("\n")
            workers[kind].stdin.flush()
            took = answer(kind)
            if number > 0:  # the first reads files for the first time
                seconds[kind].append(took)
    memory = {}
    for kind in kinds:
        workers[kind].stdin.close()
        memory[kind] = answer(kind)
        workers[kind].wait()
    return seconds, memory


def many(proofs):
    """Resident memory after a tenth of the proofs of one process, and after all, in MiB."""
    import twain

    prover = twain.load(srs_path="kzg.srs")
    early = None
    start = time.perf_counter()
    for number in range(1, proofs + 1):
        prover.prove("input.json")
        if number == max(proofs // 10, 1):
            early = resident()
    return early, resident(), time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--circuit", type=pathlib.Path, default=TESTS / "models/mnist_cnn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--proofs", type=int, default=1000)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return work(arguments.worker)
    circuit = arguments.circuit.resolve()
    place = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        logrows = prepare(circuit, folder)
        kinds = ["twain", "load"]
        if importlib.util.find_spec("ezkl"):
            kinds.append("ezkl")
        seconds, memory = compare(kinds, arguments.rounds)
        os.chdir(place)
    print(f"{circuit.name}, 2^{logrows} rows, {os.cpu_count()} cores, {arguments.rounds} rounds\n")
    print("| | median | least | most memory |\n|---|---|---|---|")
    names = {"twain": "twain.prove", "load": "twain.load(...).prove", "ezkl": "ezkl.prove"}
    medians = {kind: statistics.median(seconds[kind]) for kind in kinds}
    for kind in kinds:
        median, least = medians[kind], min(seconds[kind])
        print(f"| {names[kind]} | {median:.2f} s | {least:.2f} s | {memory[kind]:.0f} MiB |")
    if "ezkl" in kinds:
        print(f"\nezkl.prove takes {medians['ezkl'] / medians['twain']:.1f} times as long.")
    saved = 1 - medians["load"] / medians["twain"]
    print(f"twain.load saves {saved:.0%}.")
    with tempfile.TemporaryDirectory() as folder:
        prepare(TESTS / "vectors/1l_relu-k8-private", folder)
        early, late, took = many(arguments.proofs)
        os.chdir(place)
    grown = late / early - 1
    print(
        f"{arguments.proofs} proofs in one process, {took / arguments.proofs * 1000:.0f} ms each: "
        f"{early:.1f} MiB after a tenth, {late:.1f} MiB at the end ({grown:+.1%})."
    )
    if grown > GROWTH:
        sys.exit("the process grows")


if __name__ == "__main__":
    main()
