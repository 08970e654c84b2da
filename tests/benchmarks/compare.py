"""Compares limpid with CTranslate2 and transformers: same weights, lines and number of threads, in turn.

    pip install ctranslate2 sentencepiece torch transformers
    python tests/benchmarks/compare.py --source test.src --json results.json

Each engine runs as its own process, from text to text, tokenization included. Measures
  latency     one line at a time, through a pipe: from writing the line to reading its translation
  throughput  the corpus, --repeat times over, at the engine's best batch size (found first). For limpid this
              is the whole process, from start to exit; for the others only translation, after loading
  memory      the peak resident size of that process
  start       from starting the process to its first translated line; Python's start and imports included
Each figure is the median over --rounds rounds, in which the engines take turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

# Examples per batch; for ctranslate2 also tokens per batch, filled from a sorted window.
BATCH_SIZES = [16, 32, 64, 128, 256]
CTRANSLATE2_TOKENS = [1024, 2048, 4096, 8192]
# transformers is slow, so it gets fewer lines.
TRANSFORMERS_LINES = 500
# Starts are short, so each round measures this many.
STARTS = 5


class Engine:
    """One engine. `setting` is its batch size, found once."""

    def __init__(self, name, compute_type, models, args):
        self.name, self.compute_type = name, compute_type
        self.models, self.args = models, args
        self.setting = {"batch_size": 32}
        self.results = {}

    def __str__(self):
        return f"{self.name} {self.compute_type}"

    def settings(self):
        for size in BATCH_SIZES:
            yield {"batch_size": size}

    def command(self, source=None, output=None):
        """Translates a file if `source` is given, else line by line from a pipe."""
        raise NotImplementedError

    def corpus_lines(self, lines):
        return lines * self.args.repeat

    def translate_corpus(self, lines):
        """Returns the seconds, the peak memory in MB, and the translations."""
        with tempfile.TemporaryDirectory() as folder:
            source, output = Path(folder, "source"), Path(folder, "output")
            source.write_text("\n".join(lines) + "\n", encoding="utf-8")
            start = time.perf_counter()
            process = subprocess.Popen(
                self.command(source, output), stdout=subprocess.PIPE, text=True
            )
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.stdout.close()
            if status != 0:
                raise SystemExit(f"{self} failed")
            if said:
                seconds = float(said)
            return seconds, usage.ru_maxrss / 1024, read_lines(output)

    def start(self, line):
        """Starts the process and sends a first line. Returns the process and the seconds until the answer."""
        start = time.perf_counter()
        process = subprocess.Popen(
            self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        ask(process, line)
        return process, time.perf_counter() - start


class Limpid(Engine):
    def command(self, source=None, output=None):
        command = [self.args.limpid, "translate", "--model", self.models["limpid"]]
        command += ["--nosplit_sentences", f"--threads={self.args.threads}"]
        command += [f"--compute_type={self.compute_type}"]
        if source:
            command += [f"--input={source}", f"--output={output}"]
            command += [f"--{key}={value}" for key, value in self.setting.items()]
        return command


class PythonEngine(Engine):
    def command(self, source=None, output=None):
        job = {
            "engine": self.name,
            "model": self.models[self.name],
            "compute_type": self.compute_type,
            "threads": self.args.threads,
            "source": source and str(source),
            "output": output and str(output),
            **self.setting,
        }
        return [sys.executable, __file__, "--worker", json.dumps(job)]


class CTranslate2(PythonEngine):
    def settings(self):
        for parallel in {1, self.args.threads}:
            for size in BATCH_SIZES:
                yield {"batch_size": size, "batch_type": "examples", "inter_threads": parallel}
            for size in CTRANSLATE2_TOKENS:
                yield {"batch_size": size, "batch_type": "tokens", "inter_threads": parallel}


class Transformers(PythonEngine):
    def corpus_lines(self, lines):
        return lines[:TRANSFORMERS_LINES]


def ask(process, line):
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()
    return process.stdout.readline().decode().rstrip("\n")


def read_lines(path):
    return Path(path).read_text(encoding="utf-8").splitlines()


# ---- What runs in the processes of the Python engines ------------------------------------------


def ctranslate2_translator(job):
    import ctranslate2
    import sentencepiece

    inter_threads = job.get("inter_threads", 1)
    translator = ctranslate2.Translator(
        job["model"],
        compute_type=job["compute_type"],
        inter_threads=inter_threads,
        intra_threads=max(1, job["threads"] // inter_threads),
    )
    source = sentencepiece.SentencePieceProcessor(os.path.join(job["model"], "source.spm"))
    target = sentencepiece.SentencePieceProcessor(os.path.join(job["model"], "target.spm"))

    def translate(lines):
        pieces = source.encode(lines, out_type=str, add_eos=True, num_threads=job["threads"])
        results = translator.translate_batch(
            pieces,
            beam_size=1,
            max_batch_size=job["batch_size"],
            batch_type=job.get("batch_type", "examples"),
        )
        return target.decode([result.hypotheses[0] for result in results])

    return translate


def transformers_translator(job):
    import torch
    import transformers

    torch.set_num_threads(job["threads"])
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    dtype = getattr(torch, job["compute_type"])
    tokenizer = transformers.MarianTokenizer.from_pretrained(job["model"])
    model = transformers.MarianMTModel.from_pretrained(job["model"], dtype=dtype).eval()

    @torch.inference_mode()
    def translate(lines):
        order = sorted(range(len(lines)), key=lambda i: len(lines[i]))
        texts = [""] * len(lines)
        for begin in range(0, len(order), job["batch_size"]):
            batch = order[begin : begin + job["batch_size"]]
            inputs = tokenizer([lines[i] for i in batch], return_tensors="pt", padding=True)
            ids = model.generate(**inputs, num_beams=1, do_sample=False, max_new_tokens=200)
            for i, text in zip(batch, tokenizer.batch_decode(ids, skip_special_tokens=True)):
                texts[i] = text
        return texts

    return translate


def work(job):
    make = {"ctranslate2": ctranslate2_translator, "transformers": transformers_translator}
    translate = make[job["engine"]](job)
    if job["source"]:
        lines = read_lines(job["source"])
        translate(lines[:1])
        start = time.perf_counter()
        texts = translate(lines)
        print(time.perf_counter() - start)
        Path(job["output"]).write_text("\n".join(texts) + "\n", encoding="utf-8")
        return
    for line in sys.stdin:
        print(translate([line.rstrip("\n")])[0], flush=True)


# ---- The comparison ----------------------------------------------------------------------------------


def convert_models(args, folder):
    """Limpid's model, and the same weights for the others."""
    models = {"limpid": args.model}
    models["transformers"] = os.path.join(folder, "transformers")
    models["ctranslate2"] = os.path.join(folder, "ctranslate2")
    subprocess.run(
        [args.limpid, "convert", f"--from={args.model}", f"--to={models['transformers']}"]
        + ["--to_format=huggingface", "--dtype=float32"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    # In its own process: what this process loads would count as memory of those it starts.
    subprocess.run(
        [sys.executable, "-m", "ctranslate2.converters.transformers"]
        + ["--model", models["transformers"], "--output_dir", models["ctranslate2"]]
        + ["--copy_files", "source.spm", "target.spm"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return models


def tune(engine, lines):
    """Finds the engine's fastest batch size; of those within 2 %, the one that takes least memory."""

    def run(setting):
        engine.setting = setting
        seconds, memory, _ = engine.translate_corpus(lines)
        return seconds, memory, setting

    measured = sorted((run(setting) for setting in engine.settings()), key=lambda m: m[0])[:3]
    measured += [run(setting) for _, _, setting in measured]
    fastest = min(seconds for seconds, _, _ in measured)
    engine.setting = min((m for m in measured if m[0] <= 1.02 * fastest), key=lambda m: m[1])[2]
    print(f"  {engine}: {engine.setting}", flush=True)


def measure(engine, lines, args):
    """One round of one engine."""
    starts = []
    for _ in range(STARTS):
        process, seconds = engine.start(lines[0])
        starts.append(seconds)
        if len(starts) < STARTS:
            process.stdin.close()
            process.wait()
    ask(process, lines[1])
    latencies = []
    for line in lines[: args.latency_lines]:
        begin = time.perf_counter()
        ask(process, line)
        latencies.append(time.perf_counter() - begin)
    process.stdin.close()
    process.wait()
    latencies.sort()
    corpus = engine.corpus_lines(lines)
    seconds, memory, texts = engine.translate_corpus(corpus)
    engine.texts = texts[: len(lines)]
    figures = {
        "latency median, ms": 1000 * statistics.median(latencies),
        "latency p99, ms": 1000 * latencies[int(0.99 * len(latencies))],
        "throughput, lines/s": len(corpus) / seconds,
        "peak memory, MB": memory,
        "start, ms": 1000 * statistics.median(starts),
    }
    for name, value in figures.items():
        engine.results.setdefault(name, []).append(value)


def agreement(engines):
    """The number of lines that each engine translates differently from the first other engine, in float32."""
    reference = next(e for e in engines if not isinstance(e, Limpid) and e.compute_type == "float32")
    for engine in engines:
        pairs = list(zip(engine.texts, reference.texts))
        engine.different = f"{sum(a != b for a, b in pairs)} of {len(pairs)}"
    return str(reference)


def print_table(engines, reference):
    names = list(engines[0].results)
    print("| | " + " | ".join(names) + f" | lines that differ from {reference} |")
    print("|---" * (len(names) + 2) + "|")
    for engine in engines:
        cells = [f"{statistics.median(engine.results[name]):.4g}" for name in names]
        print(f"| {engine} | " + " | ".join(cells) + f" | {engine.different} |")


def ratios(engines):
    """Ratios of Limpid's best to CTranslate2's best, overall and in float32: above 1, Limpid is ahead."""

    def best(candidates, name):
        values = [statistics.median(engine.results[name]) for engine in candidates]
        return max(values) if "throughput" in name else min(values)

    def ahead(ours, theirs, name):
        ratio = best(ours, name) / best(theirs, name)
        return ratio if "throughput" in name else 1 / ratio

    ours = [engine for engine in engines if isinstance(engine, Limpid)]
    theirs = [engine for engine in engines if isinstance(engine, CTranslate2)]
    float32 = [[e for e in group if e.compute_type == "float32"] for group in (ours, theirs)]
    table = {name: ahead(ours, theirs, name) for name in engines[0].results}
    if all(float32):
        table["float32, throughput, lines/s"] = ahead(*float32, "throughput, lines/s")
    return table


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown"


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", help="one sentence per line")
    parser.add_argument("--limpid", default="build/limpid", help="the program")
    parser.add_argument("--model", default="models/eng-deu", help="Limpid model folder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=10, help="repetitions of the corpus")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency_lines", type=int, default=500)
    parser.add_argument(
        "--engines",
        default="limpid:int8,limpid:bfloat16,limpid:float32,ctranslate2:int8,"
        "ctranslate2:float32,transformers:float32",
    )
    parser.add_argument("--json", help="write all figures to this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    args = parse_arguments()
    if args.worker:
        work(json.loads(args.worker))
        return
    lines = read_lines(args.source)
    kinds = {"limpid": Limpid, "ctranslate2": CTranslate2, "transformers": Transformers}
    with tempfile.TemporaryDirectory() as folder:
        models = convert_models(args, folder)
        engines = []
        for engine in args.engines.split(","):
            name, compute_type = engine.split(":")
            engines.append(kinds[name](name, compute_type, models, args))
        print("Best batch settings:")
        for engine in engines:
            tune(engine, engine.corpus_lines(lines))
        for _ in range(args.rounds):
            for engine in engines:
                measure(engine, lines, args)
    reference = agreement(engines)
    print(f"\n{processor()}, {args.threads} of {os.cpu_count()} processors, median of {args.rounds} rounds\n")
    print_table(engines, reference)
    print("\nlimpid's best against CTranslate2's best (above 1: limpid is ahead)")
    table = ratios(engines)
    for name, ratio in table.items():
        print(f"  {name}: {ratio:.2f}")
    if args.json:
        figures = {str(e): {"setting": e.setting, **e.results, "different": e.different} for e in engines}
        result = {"processor": processor(), "threads": args.threads, "engines": figures, "ratios": table}
        Path(args.json).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
