"""Checks that a line's translation does not depend on its batch, the threads or the run, and hardly on the processor.

    python tests/benchmarks/same.py --source test.src

Translates the file in each compute type, with oneDNN limited to each instruction set in turn (ONEDNN_MAX_CPU_ISA; one
that this processor lacks acts as the best that it has). At each level it also translates in batches of several sizes,
on one thread and two, a second time, and line by line through a pipe. Prints how many lines differ from those with all
instruction sets, and fails if anything except the instruction set changes a line. To compare with another build, such
as one with another version of oneDNN, run it with --keep=FOLDER there and --reference=FOLDER here.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LEVELS = ["ALL", "AVX512_CORE_BF16", "AVX512_CORE_VNNI", "AVX512_CORE"]
LEVELS += ["AVX2_VNNI", "AVX2", "AVX", "SSE41"]
COMPUTE_TYPES = ["float32", "bfloat16", "int8"]
WAYS = {
    "once more": [],
    "two threads": ["--threads=2"],
    "batches of 1": ["--batch_size=1"],
    "batches of 7": ["--batch_size=7"],
    "batches of 250, two threads": ["--batch_size=250", "--threads=2"],
    "batches of 300 tokens": ["--batch_tokens=300"],
}


class Limpid:
    """The program with one compute type, at one instruction set."""

    def __init__(self, args, level, compute_type):
        self.environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": level}
        self.command = [args.limpid, "translate", f"--model={args.model}", f"--compute_type={compute_type}"]
        self.source = args.source

    def translate(self, flags):
        """The translations of the file's lines, or None if the processor lacks the compute type."""
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "output")
            flags = ["--threads=1", f"--input={self.source}", f"--output={output}", *flags]
            result = subprocess.run(self.command + flags, env=self.environment, capture_output=True, text=True)
            if "does not compute in" in result.stderr:
                return None
            if result.returncode != 0:
                raise SystemExit(result.stderr)
            return read_lines(output)

    def translate_line_by_line(self):
        """Sends each line after receiving the translation of the one before."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        translations = []
        with subprocess.Popen(self.command + ["--threads=1"], env=self.environment, **pipes) as process:
            for line in read_lines(Path(self.source)):
                process.stdin.write(line + b"\n")
                process.stdin.flush()
                translations.append(process.stdout.readline().removesuffix(b"\n"))
            process.stdin.close()
        return translations


def write_lines(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def read_lines(path):
    return path.read_bytes().split(b"\n")[:-1]


def read_references(folder):
    return {path.name: read_lines(path) for path in Path(folder).iterdir()}


def different(ours, theirs):
    assert len(ours) == len(theirs)
    return sum(a != b for a, b in zip(ours, theirs))


def check_ways(limpid, expected, where):
    """Returns the number of ways that change a line."""
    failures = 0
    for way, translations in [
        *((way, limpid.translate(flags)) for way, flags in WAYS.items()),
        ("line by line", limpid.translate_line_by_line()),
    ]:
        count = different(translations, expected)
        if count > 0:
            failures += 1
            print(f"{where}: {way}: {count} lines differ", file=sys.stderr)
    return failures


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, help="the lines to translate")
    parser.add_argument("--limpid", default="build/limpid", help="the program")
    parser.add_argument("--model", default="models/eng-deu", help="Limpid model folder")
    parser.add_argument("--quick", action="store_true", help="translate once at each level, in one way")
    parser.add_argument("--keep", help="write the translations of the first instruction set to this folder")
    parser.add_argument("--reference", help="a folder written by --keep: compare with its translations")
    parser.add_argument("--levels", default=",".join(LEVELS), help="instruction sets; all are compared with the first")
    args = parser.parse_args()

    references = read_references(args.reference) if args.reference else {}
    failures = 0
    print(f"{processor()}: lines that differ\n")
    print("| ONEDNN_MAX_CPU_ISA | " + " | ".join(COMPUTE_TYPES) + " |")
    print("|---" * (len(COMPUTE_TYPES) + 1) + "|")
    for level in args.levels.split(","):
        cells = []
        for compute_type in COMPUTE_TYPES:
            limpid = Limpid(args, level, compute_type)
            translations = limpid.translate([])
            if translations is None:
                cells.append("–")
                continue
            reference = references.setdefault(compute_type, translations)
            if args.keep and reference is translations:
                write_lines(Path(args.keep, compute_type), translations)
            cells.append(f"{different(translations, reference)} of {len(reference)}")
            if not args.quick:
                failures += check_ways(limpid, translations, f"{level}, {compute_type}")
        print(f"| {level} | " + " | ".join(cells) + " |", flush=True)
    if failures > 0:
        raise SystemExit("a translation depends on more than its line")
    if args.quick:
        return
    print(f"\nNo line changed with: once more; {'; '.join(list(WAYS)[1:])}; line by line")


if __name__ == "__main__":
    main()
