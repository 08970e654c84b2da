"""Clean and split a tab-separated parallel corpus, and train its SentencePiece model.

Reads lines `source<TAB>target` (more fields are ignored) and writes into the output folder:
  {train,dev,test}.{src,tgt}  text, split so that no sentence is on both sides of a split
  spm.model, spm.vocab        one SentencePiece unigram model for both languages
  train.spm.{src,tgt}         the training text as pieces between spaces, for align.py and train.py
"""

import argparse
import random
import unicodedata
from collections import defaultdict
from pathlib import Path

import sentencepiece as spm

MOST_WORDS = 60


def clean(text):
    text = unicodedata.normalize("NFC", text)
    for char in "\u00ad\u200b\ufeff":  # soft hyphen, zero-width space, byte order mark
        text = text.replace(char, "")
    text = text.replace("’", "'").replace("‘", "'")
    return " ".join(text.split())


def looks_parallel(source, target):
    ns, nt = len(source.split()), len(target.split())
    return 0 < ns <= MOST_WORDS and 0 < nt <= MOST_WORDS and ns <= 3 * nt + 4 and nt <= 3 * ns + 4


def read_pairs(path):
    """The distinct pairs of a file, sorted."""
    pairs = set()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) >= 2:
                pair = clean(fields[0]), clean(fields[1])
                if looks_parallel(*pair):
                    pairs.add(pair)
    return sorted(pairs)


def connected_groups(pairs):
    """Groups of pairs, by index, that share a source or a target sentence, directly or not."""
    parent = list(range(len(pairs)))

    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    seen = {}
    for i, (source, target) in enumerate(pairs):
        for key in (("source", source.lower()), ("target", target.lower())):
            parent[find(i)] = find(seen.setdefault(key, i))
    groups = defaultdict(list)
    for i in range(len(pairs)):
        groups[find(i)].append(i)
    return list(groups.values())


def split(pairs, heldout):
    """Indices of the pairs of train, dev and test. Groups stay whole, and dev and test take one
    pair of a group: sentences with many translations stay in train."""
    groups = connected_groups(pairs)
    random.Random(1).shuffle(groups)
    small = [group for group in groups if len(group) <= 4]
    heldout = min(heldout, len(small) // 10)
    dev, test = small[:heldout], small[heldout : 2 * heldout]
    held = {i for group in dev + test for i in group}
    train = [i for i in range(len(pairs)) if i not in held]
    return {"train": train, "dev": [g[0] for g in dev], "test": [g[0] for g in test]}


def write_text(folder, name, pairs):
    for side, lines in zip(("src", "tgt"), zip(*pairs)):
        (folder / f"{name}.{side}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(name, len(pairs))


def train_sentencepiece(folder, vocab):
    spm.SentencePieceTrainer.train(
        input=f"{folder}/train.src,{folder}/train.tgt",
        model_prefix=f"{folder}/spm",
        vocab_size=vocab,
        hard_vocab_limit=False,  # a small corpus gives fewer pieces
        character_coverage=0.9999,
        eos_id=0,
        unk_id=1,
        bos_id=-1,
        pad_id=-1,
        minloglevel=2,
    )


def write_pieces(folder):
    model = spm.SentencePieceProcessor(model_file=f"{folder}/spm.model")
    for side in ("src", "tgt"):
        lines = (folder / f"train.{side}").read_text(encoding="utf-8").splitlines()
        with open(folder / f"train.spm.{side}", "w", encoding="utf-8") as out:
            for pieces in model.encode(lines, out_type=str):
                out.write(" ".join(pieces) + "\n")
    print("pieces in the vocabulary", model.get_piece_size())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", help="file of lines source<TAB>target")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--vocab", type=int, default=8000, help="pieces, at most")
    parser.add_argument(
        "--heldout", type=int, default=2000, help="pairs in each of dev and test, at most a tenth"
    )
    args = parser.parse_args()
    pairs = read_pairs(args.corpus)
    splits = split(pairs, args.heldout)
    if not splits["dev"]:
        raise SystemExit(f"{args.corpus}: {len(pairs)} usable pairs are too few to split")
    args.out.mkdir(parents=True, exist_ok=True)
    for name, rows in splits.items():
        write_text(args.out, name, [pairs[i] for i in rows])
    train_sentencepiece(args.out, args.vocab)
    write_pieces(args.out)


if __name__ == "__main__":
    main()
