"""Align the pieces of the training text that prepare.py wrote, with the `eflomal` package (GPL-3).

Writes train.align into the data folder: a line of links `i-j` a pair, i in the source, j in the
target, counted from 0. Any word aligner can make that file from train.spm.src and train.spm.tgt.
"""

import argparse
import tempfile
from pathlib import Path

import eflomal

NEIGHBOURS = [(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]


def align(data):
    """Links in both directions: two lists of sets of (source, target), one set a pair."""
    with (
        open(data / "train.spm.src", encoding="utf-8") as source,
        open(data / "train.spm.tgt", encoding="utf-8") as target,
        tempfile.TemporaryDirectory() as folder,
    ):
        forward, reverse = f"{folder}/forward", f"{folder}/reverse"
        eflomal.Aligner().align(
            source, target, links_filename_fwd=forward, links_filename_rev=reverse
        )
        return read_links(forward), read_links(reverse)


def read_links(path):
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [{tuple(map(int, link.split("-"))) for link in line.split()} for line in lines]


def symmetrize(forward, reverse):
    """grow-diag-final-and (Koehn et al. 2005): what both directions have, then the links of either
    that touch it and give a piece its first link, then those that give two pieces theirs."""
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
