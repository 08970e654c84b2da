"""Align the words of prepare.py's training pairs with the `eflomal` package (GPL-3).

Writes train.align into the data folder: one line of links `i-j` per pair, i in the source, j in the
target, indices into `text.words`. Any word aligner can make that file.
"""

import argparse
import tempfile
from pathlib import Path

import eflomal

from text import words

NEIGHBOURS = [(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]


def write_words(data, source, target):
    with open(data / "train.tsv", encoding="utf-8") as lines:
        for line in lines:
            _, *pair = line.rstrip("\n").split("\t")
            for text, out in zip(pair, (source, target)):
                print(" ".join(words(text.lower())), file=out)


def align(data):
    """Links in both directions: two lists of sets of (source, target), one set per pair."""
    with tempfile.TemporaryDirectory() as folder:
        forward, reverse = f"{folder}/forward", f"{folder}/reverse"
        with (
            open(f"{folder}/source", "w+", encoding="utf-8") as source,
            open(f"{folder}/target", "w+", encoding="utf-8") as target,
        ):
            write_words(data, source, target)
            source.seek(0)
            target.seek(0)
            eflomal.Aligner().align(
                source, target, links_filename_fwd=forward, links_filename_rev=reverse
            )
        return read_links(forward), read_links(reverse)


def read_links(path):
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [{tuple(map(int, link.split("-"))) for link in line.split()} for line in lines]


def symmetrize(forward, reverse):
    """grow-diag-final-and (Koehn et al. 2005): the links of both directions; then links of either
    direction that touch one and give a word its first; then links between two unlinked words."""
    links = forward & reverse
    candidates = forward | reverse
    sources, targets = {i for i, _ in links}, {j for _, j in links}

    def add(link):
        links.add(link)
        sources.add(link[0])
        targets.add(link[1])

    queue = sorted(links)
    for i, j in queue:  # grows as it is read
        for di, dj in NEIGHBOURS:
            link = (i + di, j + dj)
            is_new = link in candidates and link not in links
            if is_new and (link[0] not in sources or link[1] not in targets):
                add(link)
                queue.append(link)
    for link in sorted(forward) + sorted(reverse):
        if link[0] not in sources and link[1] not in targets:
            add(link)
    return links


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the folder that prepare.py wrote")
    args = parser.parse_args()
    with open(args.data / "train.align", "w", encoding="utf-8") as out:
        for forward, reverse in zip(*align(args.data)):
            links = sorted(symmetrize(forward, reverse))
            out.write(" ".join(f"{i}-{j}" for i, j in links) + "\n")


if __name__ == "__main__":
    main()
