"""translate, score and align: the program's results, and Python's habits."""

from __future__ import annotations

from itertools import count
from typing import Any, Iterator

import pytest

import limpid_nmt
from conftest import SENTENCE, Program
from limpid_nmt import Translator


def test_a_text_gives_a_translation(translator: Translator) -> None:
    translation = translator.translate("I love you very much.")
    assert str(translation) == translation.text == "Ich liebe dich sehr."
    assert repr(translation) == "<Translation 'Ich liebe dich sehr.'>"
    assert translation.source == "I love you very much."
    assert translation.sentences == 1
    assert [token.piece for token in translation.tokens][-1] == "</s>"
    assert translation.score == pytest.approx(
        sum(token.log_probability for token in translation.tokens), abs=1e-4
    )


def test_lists_and_streams_equal_the_program(
    translator: Translator, program: Program, lines: list[str]
) -> None:
    expected = program("translate", text="\n".join(lines) + "\n").splitlines()
    assert [t.text for t in translator.translate(lines)] == expected
    assert [t.text for t in translator.translate(tuple(lines))] == expected
    assert [t.text for t in translator.translate(line for line in lines)] == expected
    assert [translator.translate(line).text for line in lines[:10]] == expected[:10]


@pytest.mark.parametrize("compute_type", ["float32", "int8"])
def test_compute_types_equal_the_program(
    compute_type: str, program: Program, lines: list[str]
) -> None:
    translator = Translator(compute_type=compute_type, threads=1)
    assert translator.info.compute_type == compute_type
    expected = program("translate", f"--compute_type={compute_type}", text="\n".join(lines))
    assert [t.text for t in translator.translate(lines)] == expected.splitlines()


def test_plain_gives_the_same(translator: Translator, lines: list[str]) -> None:
    plain = Translator(plain=True)
    assert [t.text for t in plain.translate(lines)] == [
        t.text for t in translator.translate(lines)
    ]


def test_a_stream_is_read_as_it_is_needed(translator: Translator) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        for number in count():
            read += 1
            yield f"I have {number} cars."

    results = translator.translate(endless(), batch_size=2)
    assert [next(results).text for _ in range(3)][2].startswith("Ich habe")
    assert read < 1000


def test_empty_inputs(translator: Translator) -> None:
    assert translator.translate([]) == []
    assert list(translator.translate(iter([]))) == []
    assert translator.translate("").text == ""
    assert translator.score([], []) == []


def test_a_progress_bar(translator: Translator, capsys: pytest.CaptureFixture[str]) -> None:
    translations = translator.translate(["I love you."] * 5, progress=True)
    assert [t.text for t in translations] == ["Ich liebe dich."] * 5
    assert "5/5" in capsys.readouterr().err


def test_search_options_equal_the_program(translator: Translator, program: Program) -> None:
    nbest = translator.translate(SENTENCE, beam_size=4, nbest=4).nbest
    printed = program("translate", "--beam_size=4", "--nbest=4", SENTENCE).splitlines()
    assert [f"1\t{one.ranking_score:.4f}\t{one.text}" for one in nbest] == printed

    sample = translator.translate(SENTENCE, temperature=1.0, seed=7).text
    assert sample == program("translate", "--temperature=1", "--seed=7", SENTENCE).strip()

    prefixed = translator.translate(SENTENCE, prefix="Ein")
    assert prefixed.text == program("translate", "--prefix=Ein", SENTENCE).strip()
    assert "Auto" not in translator.translate(SENTENCE, suppress=["Auto"]).text
    assert translator.translate(SENTENCE, max_output_tokens=3).unfinished_sentences == 1

    alternatives = translator.translate(SENTENCE, alternatives=3).nbest
    assert [one.alternative_at for one in alternatives] == [0, 0, 0]


# Options that change nothing here, so that at least their names and types are known.
@pytest.mark.parametrize(
    "option",
    [
        {"batch_size": 1},
        {"batch_tokens": 100},
        {"split_sentences": False},
        {"length_penalty": 2},
        {"alternatives_at": -1},
        {"top_k": 0},
        {"top_p": 1.0},
        {"log_probabilities": False},
        {"min_output_tokens": 1},
        {"end_at": []},
        {"repetition_penalty": 1.0},
        {"no_repeat_ngram_size": 3},
        {"timeout": 1e9},
        {"replace_unknowns": True, "trace": {"kinds": ["cross"]}},
    ],
)
def test_every_option_is_known(translator: Translator, option: Any) -> None:
    assert translator.translate("I love you.", **option).text == "Ich liebe dich."


def test_scores_equal_the_program(translator: Translator, program: Program) -> None:
    scored = translator.score("I love you.", "Ich liebe dich.")
    assert f"{scored.score:.4f}\n" == program("score", "I love you.", "Ich liebe dich.")
    worse, too_long = translator.score(["I love you.", "car " * 1000], ["Du liebst mich.", "Auto"])
    assert worse.score < scored.score
    assert isinstance(too_long.error, ValueError) and too_long.tokens == []
    assert worse.error is None


def test_alignments_equal_the_program(
    translator: Translator, program: Program, lines: list[str]
) -> None:
    printed = program("translate", "--alignment=pharaoh", text="\n".join(lines)).splitlines()
    ours = [translator.align(line) for line in lines]
    assert [a.pharaoh() for a in ours] == [line.split("\t")[1] for line in printed]

    alignment = translator.align("I love you.", "Ich liebe dich.")
    assert alignment.source == ["I", "love", "you", "."]
    assert alignment.target == ["Ich", "liebe", "dich", "."]
    assert alignment.links() == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert alignment.pharaoh("each") == "0-0 1-1 2-2 3-3"
    assert alignment.weights.shape == (4, 5)
    assert alignment.weights.sum(axis=1) == pytest.approx(1)

    pieces = translator.align("I love you.", "Ich liebe dich.", level="piece")
    assert pieces.target == ["▁Ich", "▁liebe", "▁dich", "."]
    norm = translator.align("I love you.", layer=0, heads=[1], row="input", measure="norm")
    assert norm.weights.shape == (4, 5)


def test_version_and_names() -> None:
    header = (limpid_nmt.__version__, *limpid_nmt.__all__)
    assert header[0].count(".") == 2
    assert all(hasattr(limpid_nmt, name) for name in limpid_nmt.__all__)
