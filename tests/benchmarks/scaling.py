"""Plots the cost of translation against the length of the sentence and the number of sentences.

    pip install matplotlib
    cmake -S . -B build -DLIMPID_BENCHMARKS=ON && cmake --build build --target engine_benchmark
    python tests/benchmarks/scaling.py --output scaling.svg

One thread, greedy; a sentence of N tokens gets a translation of at most N. A cliff would show as a
jump in the time per token.
"""

import argparse
import json
import subprocess

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt


def measure(program):
    """{(compute type, sentences, length): microseconds per token}"""
    command = [program, "--benchmark_filter=Greedy", "--benchmark_format=json"]
    command += ["--benchmark_min_time=0.2", "--benchmark_repetitions=3"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    figures = {}
    for run in result["benchmarks"]:
        if run.get("aggregate_name") != "median":
            continue
        kind, sentences, length = run["run_name"].split("/")[1:4]
        key = (kind, int(sentences.split(":")[1]), int(length.split(":")[1]))
        figures[key] = run["us/token"]
    return figures


def draw(axes, figures, title, pick):
    for kind in sorted({key[0] for key in figures}):
        points = sorted((pick(key), value) for key, value in figures.items() if key[0] == kind and pick(key))
        axes.plot(*zip(*points), marker="o", label=kind)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(title)
    axes.set_ylabel("microseconds per token")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", default="build/tests/engine_benchmark")
    parser.add_argument("--output", default="scaling.svg")
    args = parser.parse_args()
    figures = measure(args.program)
    _, (lengths, batches) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    draw(lengths, figures, "tokens of one sentence", lambda key: key[2] if key[1] == 1 else None)
    draw(batches, figures, "sentences of 10 tokens", lambda key: key[1] if key[2] == 10 else None)
    plt.savefig(args.output)
    print("| type | sentences | tokens each | us/token |\n|---|---|---|---|")
    for (kind, sentences, length), value in sorted(figures.items()):
        print(f"| {kind} | {sentences} | {length} | {value:.1f} |")


if __name__ == "__main__":
    main()
