"""Replaces Tom, Mary or Boston, which Tatoeba repeats so often, by other names on both sides, so that
the model learns to copy names piece by piece."""

import re
from pathlib import Path

NAMES_RUS = Path(__file__).parent / "names-eng-rus.tsv"
ONSETS = "b br d f g h j k kr l m n p r s sch st t tr v w z".split()
VOWELS = "a e i o u au ei".split()


class Renamer:
    """For languages that do not inflect names. `folder` has the lists that names.py makes."""

    SLOTS = [
        ("Tom", ("Tom",), "people"),
        ("Mary", ("Mary", "Maria"), "people"),
        ("Boston", ("Boston",), "places"),
    ]

    def __init__(self, folder, rng):
        self.rng = rng
        self.slots = [
            (source, targets, (folder / f"{kind}.txt").read_text(encoding="utf-8").split())
            for source, targets, kind in self.SLOTS
        ]

    def __call__(self, example):
        source, target, links = example
        for name, local_names, others in self.slots:
            if name not in source:
                continue
            at_source = re.compile(rf"\b{name}\b")
            at_target = re.compile(rf"\b(?:{'|'.join(local_names)})\b")
            if len(at_source.findall(source)) == len(at_target.findall(target)) == 1:
                new = self.rng.choice(others) if self.rng.random() > 0.15 else self.new_name()
                source, target = at_source.sub(new, source), at_target.sub(new, target)
        return source, target, links

    def new_name(self):
        """A random invented name."""
        choice = self.rng.choice
        syllables = [choice(ONSETS) + choice(VOWELS) for _ in range(self.rng.randint(2, 3))]
        return "".join(syllables).capitalize() + choice(["", "n", "r", "s", "ck", "l"])


class RussianRenamer:
    """Russian inflects names: the new one gets the case of the old one. Names in
    names-eng-rus.tsv, source<TAB>Russian nominative, end in a consonant, as Том does."""

    ENDINGS = ("", "а", "у", "ом", "е")

    def __init__(self, path, rng):
        self.rng = rng
        lines = path.read_text(encoding="utf-8").splitlines()
        self.names = [tuple(line.split("\t")) for line in lines]

    def __call__(self, example):
        source, target, links = example
        if "Tom" not in source:
            return example
        found = re.findall(r"\bТом(?:а|у|ом|е)?\b", target)
        if len(re.findall(r"\bTom\b", source)) != 1 or len(found) != 1:
            return example
        name, local = self.rng.choice(self.names)
        ending = found[0][3:]
        if local[-1] in "жшчщц" and ending == "ом":
            ending = "ем"
        return (
            re.sub(r"\bTom\b", name, source),
            re.sub(rf"\b{found[0]}\b", local + ending, target),
            links,
        )


def renamer(language, folder, rng):
    """The renamer for a target language; without lists of names it changes nothing."""
    if language == "rus":
        return RussianRenamer(NAMES_RUS, rng)
    return Renamer(folder, rng) if (folder / "people.txt").exists() else lambda example: example
