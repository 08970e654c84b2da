"""Alignment error rate of a model's attention against gold word alignments.

    tests/benchmarks/aer.py                     # the shipped model, tests/golden/align-tatoeba
    tests/benchmarks/aer.py --model=FOLDER --source=FILE --target=FILE --gold=FILE

Source and target are lines of words separated by spaces; a line of the gold file has the links of a
pair, counted from 0: SOURCE-TARGET sure, SOURCEpTARGET possible. Translations are given (teacher
forcing). With A the links found, S the sure and P the sure and possible ones (Och and Ney 2003):

    precision = |A∩P| / |A|    recall = |A∩S| / |S|    AER = 1 - (|A∩S| + |A∩P|) / (|A| + |S|)

Choosing the best score overfits to the pairs. So each row has the AER of the even-numbered pairs,
to choose by, and of the odd-numbered, to report.
Candidates: each head, the mean of each layer and of all, and the mean of each pair of heads; for
each, the row of attention, the measure and the rule for links. Needs only Python and `limpid`.
"""

import argparse
import itertools
import json
import re
import subprocess
from pathlib import Path

GOLD = Path("tests/golden/align-tatoeba")
INTERSECTION_SHARE = 0.9  # as in engine/trace/alignment.cc


def read_gold(path):
    pairs = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        sure, all_links = set(), set()
        for link in line.split():
            source, kind, target = re.fullmatch(r"(\d+)([-p])(\d+)", link).groups()
            all_links.add((int(source), int(target)))
            if kind == "-":
                sure.add((int(source), int(target)))
        pairs.append((sure, all_links))
    return pairs


def align(options, *flags):
    command = [options.limpid, "align", "--compute_type=float32"]
    command += [f"--source={options.source}", f"--target={options.target}", *flags]
    if options.model:
        command.append(f"--model={options.model}")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def read_shares(lines):
    """[pairs][targets][sources + 1]"""
    return [[[float(x) for x in row.split(",")] for row in line.split()] for line in lines]


def read_links(lines):
    return [{tuple(map(int, link.split("-"))) for link in line.split()} for line in lines]


def mean(*alignments):
    return [
        [[sum(cells) / len(cells) for cells in zip(*rows)] for rows in zip(*matrices)]
        for matrices in zip(*alignments)
    ]


def each(shares):
    """The largest share of each target, unless it is the null word's."""
    links = {(row.index(max(row)), j) for j, row in enumerate(shares)}
    return {(i, j) for i, j in links if i < len(shares[j]) - 1}


def within(shares, part):
    """Those of `each` with at least `part` of the largest share of their source."""
    best = [max(column) for column in zip(*shares)]
    return {(i, j) for i, j in each(shares) if shares[j][i] >= part * best[i]}


RULES = {
    "each": each,
    "intersection": lambda shares: within(shares, INTERSECTION_SHARE),
    "strict intersection": lambda shares: within(shares, 1),
    "above 0.3": lambda shares: {
        (i, j) for j, row in enumerate(shares) for i, x in enumerate(row[:-1]) if x > 0.3
    },
}


def score(links, gold):
    found = sum(len(a) for a in links)
    sure = sum(len(s) for s, _ in gold)
    hits_sure = sum(len(a & s) for a, (s, _) in zip(links, gold))
    hits = sum(len(a & p) for a, (_, p) in zip(links, gold))
    aer = 1 - (hits_sure + hits) / (found + sure)
    return [100 * x for x in (aer, hits / max(found, 1), hits_sure / sure)]


def line(name, links, gold):
    """Pairs are counted from 1: the second is the first even-numbered one."""
    even, odd = score(links[1::2], gold[1::2])[0], score(links[::2], gold[::2])[0]
    aer, precision, recall = score(links, gold)
    return (even, odd, aer, precision, recall, name)


def show(rows):
    print("| read from | AER, even pairs | AER, odd pairs | AER, all | precision | recall |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row[5]} |", " | ".join(f"{x:.1f}" for x in row[:5]), "|")


def candidates(options, layers, heads):
    """Names and shares of all single heads and means, by measure."""
    for measure in ("weight", "norm"):
        views = {}
        for row in ("output", "input"):
            for layer in range(layers):
                for head in [*range(heads), -1]:
                    name = f"layer {layer}, " + ("mean of heads" if head < 0 else f"head {head}")
                    flags = [f"--layer={layer}", f"--head={head}", f"--row={row}"]
                    lines = align(options, *flags, f"--measure={measure}", "--format=soft")
                    views[f"{name}, {row} row"] = read_shares(lines)
            means = [v for k, v in views.items() if "mean" in k and row in k]
            views[f"all heads, {row} row"] = mean(*means)
        for name, shares in views.items():
            yield f"{name}, {measure}", shares, False
        single = [(k, v) for k, v in views.items() if ", head" in k]
        for (a, x), (b, y) in itertools.combinations(single, 2):
            yield f"{a} + {b}, {measure}", mean(x, y), True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limpid", default="build/limpid")
    parser.add_argument("--model", default="", help="default: the shipped one")
    parser.add_argument("--source", default=GOLD / "source.eng")
    parser.add_argument("--target", default=GOLD / "target.deu")
    parser.add_argument("--gold", default=GOLD / "gold.talp")
    parser.add_argument("--best", type=int, default=5, help="number of best rows to show")
    options = parser.parse_args()
    gold = read_gold(options.gold)
    config = json.loads((Path(options.model or "models/eng-deu") / "config.json").read_text())

    print("limpid's default, and occlusion:\n")
    defaults = [("default", []), ("default, each", ["--links=each"])]
    defaults += [("default, norm", ["--measure=norm"])]
    defaults += [("occlusion", ["--measure=occlusion"])]
    show(line(name, read_links(align(options, *flags)), gold) for name, flags in defaults)

    rows, pairs = [], []
    for name, shares, is_pair in candidates(
        options, config["decoder_layers"], config["decoder_heads"]
    ):
        for rule, links_of in RULES.items():
            row = line(f"{name}, {rule}", [links_of(pair) for pair in shares], gold)
            (pairs if is_pair else rows).append(row)
    print(f"\nThe best of {len(pairs)} means of two heads, by the even pairs:\n")
    show(sorted(pairs)[: options.best])
    print(f"\nThe best of {len(rows)} single heads and means of all:\n")
    show(sorted(rows)[: options.best])
    print("\nAll of those with the rule 'each':\n")
    show(row for row in rows if row[5].endswith("each"))


if __name__ == "__main__":
    main()
