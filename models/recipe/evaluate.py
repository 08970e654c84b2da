"""Print the scores of a converted model as the table of its card.

    python models/recipe/evaluate.py data models/eng-deu --limpid build/limpid

For each held-out set of DATA: BLEU and chrF of `limpid translate`. Then, on lines derived from
the test set and generated ones: how many numbers survive, how much text to copy is copied, and how
many translations reach their length limit, as those of a looping model do.
"""

import argparse
import json
import random
import re
import subprocess
from pathlib import Path

import sacrebleu

from augment import renumbered
from templates import Templates
from text import words

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def translate(args, lines):
    """A list of limpid's JSON objects, one per line."""
    command = [
        args.limpid,
        "translate",
        f"--model={args.model}",
        "--json",
        f"--threads={args.threads}",
    ]
    if args.options:
        command += args.options.split()
    run = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in run.stdout.split("\n")[: len(lines)]]


def texts(args, lines):
    return [result["text"] for result in translate(args, lines)]


def read(path):
    return path.read_text(encoding="utf-8").splitlines()


def score_sets(args):
    print("| held-out set | lines | BLEU | chrF |\n|---|---|---|---|")
    for path in sorted(args.data.glob("*.src")):
        outputs = texts(args, read(path))
        references = [read(path.with_suffix(".tgt"))]
        bleu, chrf = (
            sacrebleu.corpus_bleu(outputs, references),
            sacrebleu.corpus_chrf(outputs, references),
        )
        print(f"| {path.stem} | {len(outputs)} | {bleu.score:.2f} | {chrf.score:.2f} |", flush=True)


def number_lines(data, rng):
    """300 sentences of the held-out sets, with other numbers."""
    lines = [
        line for path in sorted(data.glob("*.src")) for line in read(path) if NUMBER.search(line)
    ]
    rng.shuffle(lines)
    lines = (lines * 2)[:300]  # those that come twice get two numbers
    return [renumbered((line, line, None), rng, 0)[0] for line in lines]


def kept(number, output):
    """Whether `output` contains the digits of `number`: 1,200 may become 1.200 or 1 200."""
    digits = re.sub(r"\D", "", number)
    return digits in re.sub(r"(?<=\d)[.,   ](?=\d)", "", output)


def score_numbers(args, rng):
    lines = number_lines(args.data, rng)
    found = total = 0
    for line, output in zip(lines, texts(args, lines)):
        for number in NUMBER.findall(line):
            total += 1
            found += kept(number, output)
            if args.verbose and not kept(number, output):
                print(f"  lost {number}: {line} => {output}")
    share = 100 * found / max(1, total)
    print(f"| numbers kept, of {total} in {len(lines)} sentences | {share:.1f} % |")


def score_copies(args, rng, language):
    lines = [Templates(language, rng).rubbish()[0] for _ in range(args.lines // 10)]
    outputs = texts(args, lines)
    if args.verbose:
        for line, output in zip(lines[:100], outputs):
            if line != output:
                print(f"  changed: {line} => {output}")
    same = sum(a == b for a, b in zip(lines, outputs))
    share = 100 * same / len(lines)
    print(f"| symbols, addresses and codes copied, of {len(lines)} lines | {share:.1f} % |")


def mixed_lines(data, rng, language, count):
    """Sentences unchanged, careless ones, single words, lists, noise."""
    paths = [data / f"{name}.src" for name in ("test", "phrases")]
    if not all(path.exists() for path in paths):
        paths = sorted(data.glob("*.src"))
    sentences = [line for path in paths for line in read(path)]
    vocabulary = sorted({word for line in sentences for word in words(line)})
    templates = Templates(language, rng)
    lines = list(sentences)
    lines += [line.upper() for line in rng.sample(sentences, min(700, len(sentences)))]
    lines += [
        line.lower().rstrip(".!?") for line in rng.sample(sentences, min(500, len(sentences)))
    ]
    lines += rng.sample(vocabulary, min(500, len(vocabulary)))
    lines += [", ".join(rng.choices(vocabulary, k=rng.randint(2, 15))) for _ in range(400)]
    lines += [" ".join(rng.choices(vocabulary, k=rng.randint(2, 20))) for _ in range(100)]
    while len(lines) < count:
        lines.append(templates.rubbish()[0])
    return rng.sample(lines, count)


def score_limits(args, rng, language):
    """A translation that was cut off at its limit has no </s>."""
    lines = mixed_lines(args.data, rng, language, args.lines)
    reached = 0
    for line, result in zip(lines, translate(args, lines)):
        tokens = result["tokens"]
        if tokens and tokens[-1]["piece"] != "</s>":
            reached += 1
            if args.verbose:
                print(f"  no end: {line} => {result['text'][:150]}")
    print(f"| translations that reach the length limit, of {len(lines)} mixed lines | {reached} |")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the folder that prepare.py wrote")
    parser.add_argument("model", type=Path, help="Limpid model folder")
    parser.add_argument("--limpid", default="build/limpid")
    parser.add_argument("--language", default="deu", help="target language")
    parser.add_argument("--options", default="", help="more options of limpid translate")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lines", type=int, default=5000, help="lines of mixed text for the length limits")
    parser.add_argument("--verbose", action="store_true", help="print failures")
    args = parser.parse_args()
    score_sets(args)
    rng = random.Random(7)
    print("\n| robustness | |\n|---|---|")
    score_numbers(args, rng)
    score_copies(args, rng, args.language)
    score_limits(args, rng, args.language)


if __name__ == "__main__":
    main()
