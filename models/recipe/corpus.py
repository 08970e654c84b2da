"""The training examples: read, varied and put into batches.

An example is (source ids, target ids, links), both without </s>; links are pairs (i, j) of
positions that translate each other, or none where the text is not aligned.
"""

import numpy as np
import torch

from model import EOS, padded

LONGEST = 80  # pieces, of an example as read
LONGEST_JOINED = 100


def load(data, sp):
    """Returns the examples, and whether they are aligned."""
    sources = read_pieces(data / "train.spm.src", sp)
    targets = read_pieces(data / "train.spm.tgt", sp)
    aligned = (data / "train.align").exists()
    links = read_links(data / "train.align") if aligned else [[]] * len(sources)
    if not len(sources) == len(targets) == len(links):
        raise SystemExit(f"{data}: train.spm.src, train.spm.tgt and train.align differ in length")
    examples = [
        example
        for example in zip(sources, targets, links)
        if 0 < len(example[0]) <= LONGEST and 0 < len(example[1]) <= LONGEST
    ]
    return examples, aligned


def read_pieces(path, sp):
    return [sp.piece_to_id(line.split()) for line in path.read_text(encoding="utf-8").splitlines()]


def read_links(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[tuple(map(int, link.split("-"))) for link in line.split()] for line in lines]


class Renamer:
    """Puts other names where both sides say Tom, Mary or Boston, as Tatoeba so often does, so that
    the model learns to copy names, piece by piece, and not that everyone is called Tom."""

    SLOTS = [
        ("▁Tom", ["▁Tom"], "people.txt"),
        ("▁Mary", ["▁Mary", "▁Maria"], "people.txt"),
        ("▁Boston", ["▁Boston"], "places.txt"),
    ]

    def __init__(self, sp, folder, rng):
        self.sp, self.rng = sp, rng
        self.slots = [
            (
                sp.piece_to_id(source),
                set(sp.piece_to_id(targets)) - {sp.unk_id()},
                (folder / names).read_text(encoding="utf-8").split(),
            )
            for source, targets, names in self.SLOTS
            if sp.piece_to_id(source) != sp.unk_id()
        ]

    def __call__(self, example):
        for source_id, target_ids, names in self.slots:
            at_source = [i for i, piece in enumerate(example[0]) if piece == source_id]
            at_target = [j for j, piece in enumerate(example[1]) if piece in target_ids]
            if len(at_source) == 1 and len(at_target) == 1:
                name = self.sp.encode(self.name(names))
                example = put_name(example, at_source[0], at_target[0], name)
        return example

    def name(self, names):
        return self.rng.choice(names) if self.rng.random() > 0.15 else self.new_name()

    def new_name(self):
        """One that nobody has."""
        onsets = "b br d f g h j k kr l m n p r s sch st t tr v w z".split()
        choice = self.rng.choice
        syllables = [
            choice(onsets) + choice("a e i o u au ei".split())
            for _ in range(self.rng.randint(2, 3))
        ]
        return "".join(syllables).capitalize() + choice(["", "n", "r", "s", "ck", "l"])


def put_name(example, i, j, name):
    """`name`, a list of ids, instead of source piece i and target piece j."""
    source, target, links = example
    grow = len(name) - 1
    moved = [(a + grow * (a > i), b + grow * (b > j)) for a, b in links if a != i and b != j]
    moved += [(i + k, j + k) for k in range(len(name))]
    return source[:i] + name + source[i + 1 :], target[:j] + name + target[j + 1 :], moved


def join(example, other):
    (source, target, links), (source2, target2, links2) = example, other
    moved = [(i + len(source), j + len(target)) for i, j in links2]
    return source + source2, target + target2, links + moved


class Varier:
    """Gives examples other names (`rename`, if not None), joins them, or takes away their final
    stop or the capital of their first letter, so that the model takes longer and carelessly typed
    input."""

    def __init__(self, examples, sp, rng, rename):
        self.examples, self.rng, self.rename = examples, rng, rename
        self.stops = {sp.piece_to_id(char) for char in ".!?"} - {sp.unk_id()}
        ids = {sp.id_to_piece(i): i for i in range(sp.get_piece_size())}
        self.lowered = {i: ids[piece.lower()] for piece, i in ids.items() if piece.lower() in ids}

    def __call__(self):
        """All examples once, each varied or not."""
        return [e for e in map(self.vary, self.examples) if max(map(len, e[:2])) <= LONGEST_JOINED]

    def vary(self, example):
        rng = self.rng
        if self.rename and rng.random() < 0.7:
            example = self.rename(example)
        kind = rng.random()
        if kind < 0.12:
            example = join(example, rng.choice(self.examples))
            if rng.random() < 0.3:
                example = join(example, rng.choice(self.examples))
        elif kind < 0.24:
            example = self.without_stop(example)
        if rng.random() < 0.1:
            first = example[0][0]
            example = ([self.lowered.get(first, first)] + example[0][1:], *example[1:])
        return example

    def without_stop(self, example):
        source, target, links = example
        if min(len(source), len(target)) <= 2 or not {source[-1], target[-1]} <= self.stops:
            return example
        last = len(source) - 1, len(target) - 1
        kept = [(i, j) for i, j in links if i < last[0] and j < last[1]]
        return source[:-1], target[:-1], kept


def batches(examples, tokens, rng):
    """Lists of examples of like length, of about `tokens` target tokens each, in random order."""
    rng.shuffle(examples)
    examples.sort(key=lambda e: (len(e[1]), len(e[0])))
    result = [[]]
    for example in examples:
        if result[-1] and (len(result[-1]) + 1) * (len(example[1]) + 1) > tokens:
            result.append([])
        result[-1].append(example)
    rng.shuffle(result)
    return result


def tensors(batch, pad):
    """Source ids [batch, source]; the decoder's input and what it should say [batch, target]; links
    [batch, target, source], 1 where linked. Padding in what it should say is -100."""
    source = padded([s + [EOS] for s, _, _ in batch], pad)
    target_in = padded([[pad] + t for _, t, _ in batch], pad)
    target_out = padded([t + [EOS] for _, t, _ in batch], -100)
    align = np.zeros((*target_out.shape, source.shape[1]), dtype=np.float32)
    for b, (s, t, links) in enumerate(batch):
        for i, j in links:
            align[b, j, i] = 1
        align[b, len(t), len(s)] = 1  # </s> to </s>
    return source, target_in, target_out, torch.from_numpy(align)
