"""Wrong arguments raise Python's exceptions, with words that help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from limpid_nmt import Translator, convert, inspect


@pytest.mark.parametrize("text", [None, b"I love you.", bytearray(b"x"), 3])
def test_not_text(translator: Translator, text: Any) -> None:
    with pytest.raises(TypeError, match="text must be str or an iterable of str, not "):
        translator.translate(text)
    with pytest.raises(TypeError, match="text must be str, not "):
        translator.translate(["I love you.", text])
    with pytest.raises(TypeError):
        translator.score(text, "Ich liebe dich.")
    with pytest.raises(TypeError):
        translator.score(["I love you."], [text])
    with pytest.raises(TypeError):
        translator.align(text)
    with pytest.raises(TypeError):
        translator.trace(text)


def test_lone_surrogates(translator: Translator) -> None:
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        translator.translate("I love \udc80you.")
    with pytest.raises(ValueError):
        translator.translate("I love you.", prefix="\ud800")


def test_too_long(translator: Translator) -> None:
    with pytest.raises(ValueError, match="100000000"):
        translator.translate("a" * 100_000_001)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"beam": 4}, TypeError, "unknown option 'beam'"),
        ({"beam_size": "4"}, TypeError, "beam_size must be an int of 32 bits, not '4'"),
        ({"beam_size": 1 << 40}, TypeError, "beam_size must be an int of 32 bits"),
        ({"beam_size": 0}, ValueError, "beam_size"),
        ({"beam_size": 2, "temperature": 1}, ValueError, "beam_size|temperature"),
        ({"temperature": "hot"}, TypeError, "temperature must be a number"),
        ({"seed": -1}, TypeError, "seed must be an int of 64 bits, not negative"),
        ({"batch_size": 10**6}, ValueError, "batch_size"),
        ({"prefix": b"Ich"}, TypeError, "prefix must be str, not bytes"),
        ({"suppress": "Auto"}, TypeError, "suppress must be a list of str, not str"),
        ({"trace": {"kind": []}}, TypeError, "unknown option 'kind'"),
        ({"trace": {"kinds": ["self"]}}, ValueError, "encoder, decoder, cross, not 'self'"),
        ({"trace": None}, TypeError, "trace must be bool"),
        ({"timeout": -1}, ValueError, "timeout must be seconds"),
        ({"timeout": float("nan")}, ValueError, "timeout must be seconds"),
    ],
)
def test_wrong_options(
    translator: Translator, options: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        translator.translate("I love you.", **options)


def test_time_that_is_over(translator: Translator) -> None:
    with pytest.raises(TimeoutError):
        translator.translate("I love you.", timeout=0)


def test_pairs_of_different_lengths(translator: Translator) -> None:
    with pytest.raises(ValueError, match="same length, not 2 and 1"):
        translator.score(["a", "b"], ["c"])
    with pytest.raises(ValueError, match="tokens"):
        translator.score("car " * 1000, "Auto")


def test_wrong_alignment_options(translator: Translator) -> None:
    with pytest.raises(ValueError, match="level must be word or piece, not 'letter'"):
        translator.align("I love you.", level="letter")
    with pytest.raises(ValueError, match="row must be output or input, not 'first'"):
        translator.align("I love you.", row="first")
    with pytest.raises(ValueError, match="measure must be weight, norm or occlusion"):
        translator.align("I love you.", measure="size")
    with pytest.raises(ValueError, match="rule must be intersection or each, not 'all'"):
        translator.align("I love you.").links("all")
    with pytest.raises(RuntimeError, match="no traces to align by"):
        translator.translate("I love you.").align()


def test_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match="no model at 'nowhere'"):
        Translator("nowhere")
    with pytest.raises((ValueError, FileNotFoundError), match=str(tmp_path)):
        Translator(tmp_path)
    with pytest.raises(FileNotFoundError):
        inspect("nowhere")
    with pytest.raises(FileNotFoundError):
        convert("nowhere", tmp_path)
    monkeypatch.setenv("LIMPID_MODEL", "nowhere")
    with pytest.raises(FileNotFoundError, match="no model at 'nowhere'"):
        Translator()


def test_wrong_translator_options() -> None:
    with pytest.raises(ValueError, match="must be auto, float32, bfloat16 or int8, not 'int4'"):
        Translator(compute_type="int4")
    with pytest.raises(ValueError, match="threads"):
        Translator(threads=-1)
    with pytest.raises(TypeError):
        Translator(None, "auto", 0, True)  # type: ignore[call-arg]
