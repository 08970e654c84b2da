"""The training examples: read, varied, split into pieces and batched."""

import re

import numpy as np
import torch

from model import EOS, padded
from text import WORD

LONGEST = 110  # pieces of an example; longer ones are left out


def load(data):
    """Returns the examples, their weights, and whether they are aligned."""
    rows = [
        line.split("\t") for line in (data / "train.tsv").read_text(encoding="utf-8").splitlines()
    ]
    aligned = (data / "train.align").exists()
    links = read_links(data / "train.align") if aligned else [None] * len(rows)
    if len(links) != len(rows):
        raise SystemExit(f"{data}: train.tsv and train.align differ in length")
    examples = [(source, target, link) for (_, source, target), link in zip(rows, links)]
    return examples, [float(row[0]) for row in rows], aligned


def read_links(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[tuple(map(int, link.split("-"))) for link in line.split()] for line in lines]


class Pieces:
    """Splits a text into pieces, each with the index of its word."""

    def __init__(self, sp):
        self.sp = sp
        self.widths = [piece_width(sp.id_to_piece(i)) for i in range(sp.get_piece_size())]

    def __call__(self, text):
        """Ids, and for each the index of its word, or -1."""
        ids = self.sp.encode(text)
        owner = np.full(len(text) + 2, -1, dtype=np.int64)
        for number, match in enumerate(WORD.finditer(text)):
            owner[match.start() + 1 : match.end() + 1] = number  # "▁" stands before the text
        ends = np.cumsum([self.widths[i] for i in ids])
        if len(ids) == 0 or ends[-1] != len(text) + 1:  # the normalizer changed the text
            return ids, None
        return ids, owner[np.maximum(ends - 1, 0)].tolist()


def piece_width(piece):
    """The number of characters; a character in bytes counts at its first byte."""
    byte = re.fullmatch(r"<0x(..)>", piece)
    if byte:
        return 0 if 0x80 <= int(byte[1], 16) < 0xC0 else 1
    return len(piece)


def spread(links, source_words, target_words):
    """Turns links of words into links of their pieces."""
    if links is None or source_words is None or target_words is None:
        return []
    by_word = {}
    for i, word in enumerate(source_words):
        by_word.setdefault(word, []).append(i)
    partners = {}
    for i, j in links:
        partners.setdefault(j, []).extend(by_word.get(i, ()))
    return [(i, j) for j, word in enumerate(target_words) for i in partners.get(word, ())]


class Stream:
    """Endless batches of varied examples, examples drawn by weight."""

    def __init__(self, examples, weights, augment, sp, tokens, rng, pool=8000):
        self.examples, self.weights, self.augment = examples, weights, augment
        self.pieces, self.tokens, self.rng = Pieces(sp), tokens, rng
        self.pool = min(pool, 5 * len(examples))

    def __iter__(self):
        while True:
            chosen = self.rng.choices(self.examples, self.weights, k=self.pool)
            yield from batches([e for e in map(self.encode, chosen) if e], self.tokens, self.rng)

    def encode(self, example):
        source, target, links = self.augment(example)
        source_ids, source_words = self.pieces(source)
        target_ids, target_words = self.pieces(target)
        if not (0 < len(source_ids) <= LONGEST and 0 < len(target_ids) <= LONGEST):
            return None
        return source_ids, target_ids, spread(links, source_words, target_words)


def batches(examples, tokens, rng):
    """Lists of examples of similar length, of about `tokens` target tokens each, in random order."""
    examples.sort(key=lambda e: (len(e[1]), len(e[0]), rng.random()))
    result = [[]]
    for example in examples:
        if result[-1] and (len(result[-1]) + 1) * (len(example[1]) + 1) > tokens:
            result.append([])
        result[-1].append(example)
    rng.shuffle(result)
    return result


def tensors(batch, pad):
    """Source ids [batch, source]; decoder inputs and labels [batch, target]; links
    [batch, target, source], 1 where linked. Padding labels are -100."""
    source = padded([s + [EOS] for s, _, _ in batch], pad)
    target_in = padded([[pad] + t for _, t, _ in batch], pad)
    target_out = padded([t + [EOS] for _, t, _ in batch], -100)
    align = np.zeros((*target_out.shape, source.shape[1]), dtype=np.float32)
    for b, (s, t, links) in enumerate(batch):
        for i, j in links:
            align[b, j, i] = 1
        if links:
            align[b, len(t), len(s)] = 1  # </s> to </s>
    return source, target_in, target_out, torch.from_numpy(align)
