"""Collect the sets of a language pair, keep dev and test sentences out, train SentencePiece.

CONFIG is a file such as eng-deu.json, which names the sets and their weights. Writes into OUT:
  train.tsv           weight, source, target of each training pair
  NAME.src, NAME.tgt  each held-out set: those of "heldout", and slices cut from training sets
  spm.model           one SentencePiece unigram model for both languages
No sentence of a held-out set, in either language, is in training: see `text.key`.
"""

import argparse
import io
import json
import lzma
import os
import random
import re
import zipfile
from pathlib import Path

import sentencepiece as spm

from normalization import write_rules
from text import clean_source, clean_target, key

MAX_WORDS = 60
# Characters that are always pieces, however rare in the corpus.
REQUIRED = (
    "’‘“”„«»—–…€$£%()[]{}<>@#&*+=/\\_|~^°§№²³½×·•'\"-.,:;!?áàâãåæçéèêëíìîïñóòôõøúùûýÁÅÉÖÄÜØßäöü"
)


def read_lines(path, member=None):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(member).decode("utf-8").splitlines()
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as lines:
        return lines.read().split("\n")


def read_pairs(entry, folder, languages):
    """The distinct clean pairs of one set, in order, from a tab-separated file or two files."""
    if "source" in entry:
        rows = zip(read_lines(folder / entry["source"]), read_lines(folder / entry["target"]))
    else:
        a, b = entry.get("columns", [0, 1])
        rows = (
            line.split("\t") for line in read_lines(folder / entry["path"], entry.get("member"))
        )
        rows = ((row[a], row[b]) for row in rows if len(row) > max(a, b))
    pairs = ((clean_source(s), clean_target(t, languages[1])) for s, t in rows)
    return list(dict.fromkeys(pair for pair in pairs if all(pair)))


def looks_parallel(source, target):
    """Whether a pair has similar lengths, the same digits, and is not a copy."""
    ns, nt = len(source.split()), len(target.split())
    if not (0 < ns <= MAX_WORDS and 0 < nt <= MAX_WORDS and ns <= 3 * nt + 4 and nt <= 3 * ns + 4):
        return False
    if source == target and ns > 3:
        return False
    return sorted(re.findall(r"\d", source)) == sorted(re.findall(r"\d", target))


def cut_slices(sets, rng):
    """Moves `heldout` pairs of longer sentences out of each set that has that key."""
    slices = {}
    for entry, pairs in sets:
        if entry.get("heldout"):
            long = [pair for pair in pairs if len(pair[0].split()) >= 5]
            slices[entry["name"]] = rng.sample(long, entry["heldout"])
    return slices


def remove_heldout(sets, heldout):
    """Drops training pairs that share a sentence with a held-out set, and repetitions of pairs
    in later sets."""
    sources = {key(s) for pairs in heldout.values() for s, _ in pairs}
    targets = {key(t) for pairs in heldout.values() for _, t in pairs}
    seen = set()
    kept = []
    for entry, pairs in sets:
        here = []
        for pair in pairs:
            if key(pair[0]) in sources or key(pair[1]) in targets or pair in seen:
                continue
            seen.add(pair)
            if entry.get("trusted") or looks_parallel(*pair):
                here.append(pair)
        print(f"{entry['name']}: {len(pairs)} pairs, {len(here)} used, weight {entry['weight']}")
        kept.append((entry, here))
    return kept


def write_text(out, name, pairs):
    for side, lines in zip(("src", "tgt"), zip(*pairs)):
        (out / f"{name}.{side}").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_train(path, sets):
    with open(path, "w", encoding="utf-8") as lines:
        for entry, pairs in sets:
            lines.writelines(f"{entry['weight']}\t{s}\t{t}\n" for s, t in pairs)


def sample_by_weight(sets, rng):
    """The text to learn the pieces from, sampled as training reads it."""
    for entry, pairs in sets:
        for pair in pairs:
            yield from pair * int(entry["weight"] + rng.random())


def train_sentencepiece(sentences, vocab, out):
    """Single digits and byte fallback, so that any source text can be copied. Our own rules
    normalize spaces and accents, because SentencePiece's turn … into ... and ² into 2."""
    write_rules(out / "normalization.tsv")
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        vocab_size=vocab,
        hard_vocab_limit=False,  # a small corpus gives fewer pieces
        character_coverage=0.9998,
        required_chars=REQUIRED,
        split_digits=True,
        byte_fallback=True,
        # The model records this path: a relative one names no folder of this machine.
        normalization_rule_tsv=os.path.relpath(out / "normalization.tsv"),
        eos_id=0,
        unk_id=1,
        bos_id=-1,
        pad_id=-1,
        minloglevel=2,
    )
    (out / "spm.model").write_bytes(model.getvalue())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("folder", type=Path, help="folder of the sets")
    parser.add_argument("out", type=Path, help="folder to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text(encoding="utf-8"))
    languages, rng = config["languages"], random.Random(1)
    args.out.mkdir(parents=True, exist_ok=True)

    heldout = {e["name"]: read_pairs(e, args.folder, languages) for e in config["heldout"]}
    sets = [(e, read_pairs(e, args.folder, languages)) for e in config["sets"]]
    heldout.update(cut_slices(sets, rng))
    sets = remove_heldout(sets, heldout)
    for name, pairs in heldout.items():
        write_text(args.out, name, pairs)
    write_train(args.out / "train.tsv", sets)
    if not (args.out / "spm.model").exists():  # a model being trained keeps its pieces
        train_sentencepiece(sample_by_weight(sets, rng), config.get("vocab", 8000), args.out)


if __name__ == "__main__":
    main()
