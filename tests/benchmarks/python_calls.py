"""Measures limpid_nmt from Python; with --others beside CTranslate2 and transformers.

    pip install ./tools/python
    python tests/benchmarks/python_calls.py --source test.src
    pip install ctranslate2 sentencepiece torch transformers
    python tests/benchmarks/python_calls.py --source test.src --others --limpid build/limpid

Everything runs in this process, on one thread unless said otherwise, with the shipped model's weights. Times
are processor time, so that a busy machine does not change them much, and the best of --rounds rounds.
  import      of a Python that imports limpid_nmt, less one that imports nothing
  call        an empty text, so nothing but the call; and a list of one, which has a thread of its own, so
              that the main thread can look for Ctrl-C
  latency     one line a call: the median
  throughput  all lines in one call
  threads     how much sooner two Python threads with one translator are done than one: elapsed time
  memory      growth of the peak resident size over --calls translations and traces
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import compare

from limpid_nmt import Translator


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def best(work, rounds, clock=time.process_time):
    def seconds():
        start = clock()
        work()
        return clock() - start

    return min(seconds() for _ in range(rounds))


def import_seconds(rounds):
    def start(program):
        command = [sys.executable, "-c", program]
        return best(lambda: subprocess.run(command, check=True), 5 * rounds, children_seconds)

    return start("import limpid_nmt") - start("")


def call_seconds(translator, text, rounds, calls=2000):
    def many():
        for _ in range(calls):
            translator.translate(text)

    return best(many, rounds) / calls


def two_threads(translate, lines):
    halves = [lines[::2], lines[1::2]]
    threads = [threading.Thread(target=translate, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_growth(translator, lines, calls):
    def translate(count):
        for i in range(count):
            translator.translate(lines[i % len(lines)])
            if i % 100 == 0:
                translator.trace("I love you.")

    translate(calls // 10)
    before = peak_megabytes()
    translate(calls)
    return peak_megabytes() - before


def engines(args, lines):
    """Name and function from lines to lines of each engine."""
    for compute_type in ("int8", "float32"):
        translator = Translator(compute_type=compute_type, threads=1)

        def translate(texts, translator=translator):
            options = {"split_sentences": False, "log_probabilities": False}
            return [t.text for t in translator.translate(list(texts), **options)]

        yield f"limpid_nmt {compute_type}", translate
    if not args.others:
        return
    with tempfile.TemporaryDirectory() as folder:
        models = compare.convert_models(args, folder)
        makers = {
            "ctranslate2": compare.ctranslate2_translator,
            "transformers": compare.transformers_translator,
        }
        for name, compute_type in (
            ("ctranslate2", "int8"),
            ("ctranslate2", "float32"),
            ("transformers", "float32"),
        ):
            job = {
                "model": models[name],
                "compute_type": compute_type,
                "threads": 1,
                "batch_size": 32,
            }
            yield f"{name} {compute_type}", makers[name](job)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", required=True, help="a file of lines to translate")
    parser.add_argument("--lines", type=int, default=500, help="lines of it to take")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=1000, help="calls while memory is measured")
    parser.add_argument("--others", action="store_true", help="measure the other engines too")
    parser.add_argument("--limpid", default="build/limpid", help="the program, to convert the model")
    parser.add_argument("--model", default="models/eng-deu")
    args = parser.parse_args()
    lines = Path(args.source).read_text(encoding="utf-8").splitlines()[: args.lines]

    translator = Translator(threads=1)
    print(f"import       {1e3 * import_seconds(args.rounds):.1f} ms")
    print(f"call         {1e6 * call_seconds(translator, '', args.rounds):.1f} µs")
    print(f"             {1e6 * call_seconds(translator, [''], args.rounds):.1f} µs of a list")
    growth = memory_growth(translator, lines, args.calls)
    print(f"memory       {growth:+.1f} MB over {args.calls} calls")

    for name, translate in engines(args, lines):
        translate(lines[:32])
        latency = statistics.median(
            best(lambda line=line: translate([line]), args.rounds) for line in lines[:100]
        )
        rate = len(lines) / best(lambda translate=translate: translate(lines), args.rounds)
        print(f"{name:21} {1e3 * latency:6.2f} ms a line, {rate:6.0f} lines/s", end="")
        if name.startswith("limpid"):
            clock = time.perf_counter
            one = best(lambda translate=translate: translate(lines), args.rounds, clock)
            two = best(lambda translate=translate: two_threads(translate, lines), args.rounds, clock)
            print(f"; two threads: {one / two:.2f} times", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
