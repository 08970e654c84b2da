"""Varies training pairs so that the model accepts what people type: capitals, missing stops, curly
quotes, other names and numbers, several sentences, text to copy.

An example is (source, target, links): two texts, and pairs (i, j) of their words (`text.words`)
that translate each other, or None if unknown. Each function returns a new example.
"""

import re

from text import QUOTES, words

STOPS = ".!?"
CURLED = re.compile(r'"([^"]*)"')
NUMBER = re.compile(r"(?<![\w.,:])\d+(?![\w.,:]\w)")


class Augmenter:
    """Varies examples at random and joins them with others of `examples`. `rename` comes from
    rename.py; `templates` generates text in the target's `language`."""

    def __init__(self, examples, language, templates, rename, rng):
        self.examples, self.language = examples, language
        self.templates, self.rename, self.rng = templates, rename, rng

    def __call__(self, example):
        rng = self.rng
        kind = rng.random()
        if kind < 0.02:
            return (*self.templates.rubbish(), None)
        if kind < 0.05:
            example = (*self.templates.sentence(), None)
        example = self.vary_words(example)
        kind = rng.random()
        if kind < 0.08:
            example = join(example, self.vary_words(rng.choice(self.examples)))
            if rng.random() < 0.25:
                example = join(example, self.vary_words(rng.choice(self.examples)))
        elif kind < 0.18:
            example = without_stop(example)
        elif kind < 0.20:
            example = other_stop(
                example, rng.choice(["!!", "!!!", "??", "?!", "...", "…", " !", ".."])
            )
        elif kind < 0.23:
            example = self.with_copied(example)
        elif kind < 0.25:
            example = self.wrapped(example)
        return self.vary_case(curled(example) if rng.random() < 0.25 else example)

    def vary_words(self, example):
        if self.rng.random() < 0.7:
            example = self.rename(example)
        if self.rng.random() < 0.5:
            # In Russian the ending of the noun depends on the last two digits.
            example = renumbered(example, self.rng, 2 if self.language == "rus" else 0)
        return example

    def vary_case(self, example):
        source, target, links = example
        kind = self.rng.random()
        if kind < 0.03:
            return source.upper(), target.upper(), links
        if kind < 0.06:
            return source.lower(), target, links
        if kind < 0.11:
            return source[:1].lower() + source[1:], target, links
        return example

    def with_copied(self, example):
        """Adds text to copy before or after the sentence."""
        source, target, _ = example
        maker = self.rng.choice([self.templates.emoji, lambda: self.templates.copied()[0]])
        text = maker()
        if self.rng.random() < 0.5:
            return f"{source} {text}", f"{target} {text}", None
        return f"{text} {source}", f"{target}" if not text else f"{text} {target}", None

    def wrapped(self, example):
        """The sentence in quotes or brackets, or as an item of a list."""
        source, target, links = example
        number = self.rng.randint(1, 20)
        if '"' in source or "(" in source:
            return example
        return self.rng.choice(
            [
                (f'"{source}"', QUOTES[self.language].format(target), None),
                (f"({source})", f"({target})", None),
                (f"- {source}", f"- {target}", None),
                (f"– {source}", f"– {target}", None),
                (f"{number}. {source}", f"{number}. {target}", None),
                (f"* {source}", f"* {target}", None),
            ]
        )


def renumbered(example, rng, last_kept):
    """Replaces a number that occurs once on both sides; its last digits may be kept."""
    source, target, links = example
    for number in NUMBER.findall(source):
        free = len(number) - last_kept
        if number in ("0", "1") or free < 1 or number[0] == "0":
            continue
        pattern = re.compile(rf"(?<!\d){number}(?!\d)")
        if len(pattern.findall(source)) == len(pattern.findall(target)) == 1:
            low = 10 ** (free - 1)
            new = str(rng.randrange(max(low, 2), 10 * low)) + number[free:]
            source, target = pattern.sub(new, source), pattern.sub(new, target)
    return source, target, links


def curled(example):
    """Typographic quotes and apostrophes in the source; the target always has its own."""
    source, target, links = example
    if source.count('"') % 2 == 0:
        source = CURLED.sub(lambda m: QUOTES["eng"].format(m[1]), source)
    return source.replace("'", "’"), target, links


def join(example, other):
    """Two examples as one line."""
    (source, target, links), (source2, target2, links2) = example, other
    if links is not None and links2 is not None:
        i, j = len(words(source)), len(words(target))
        links = links + [(a + i, b + j) for a, b in links2]
    else:
        links = None
    return f"{source} {source2}", f"{target} {target2}", links


def without_stop(example):
    source, target, links = example
    if len(source) < 2 or len(target) < 2 or source[-1] not in STOPS or target[-1] not in STOPS:
        return example
    if source[-2] in STOPS or target[-2] in STOPS:
        return example
    if links is not None:
        last = len(words(source)) - 1, len(words(target)) - 1
        links = [(i, j) for i, j in links if i < last[0] and j < last[1]]
    return source[:-1].rstrip(), target[:-1].rstrip(), links


def other_stop(example, stop):
    source, target, links = without_stop(example)
    if source == example[0]:
        return example
    return source + stop, target + stop, links
