"""What a translator knows of its model, pickling, inspect and convert."""

from __future__ import annotations

import os
import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import limpid_nmt
from conftest import ROOT, Program
from limpid_nmt import Translator, convert, inspect

SHIPPED = ROOT / "models/eng-deu"


def test_info(translator: Translator) -> None:
    info = translator.info
    assert (info.source_language, info.target_language) == ("eng", "deu")
    assert (info.encoder_layers, info.decoder_layers) == (6, 2)
    assert info.model_dim == 256 and info.encoder_heads == info.decoder_heads == 4
    assert info.compute_type in ("int8", "float32")
    assert "eng → deu" in repr(info) and "eng → deu" in repr(translator)


def test_the_package_has_the_shipped_model() -> None:
    packaged = Path(limpid_nmt.__file__).parent / "models/eng-deu"
    for file in SHIPPED.iterdir():
        assert (packaged / file.name).read_bytes() == file.read_bytes()


def test_the_environment_names_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMPID_MODEL", str(ROOT / "tests/golden/pre_norm"))
    assert Translator().info.model_dim != 256


def test_models_of_other_programs() -> None:
    assert Translator(ROOT / "tests/golden/ctranslate2/int8").info.model_dim > 0


def test_a_pickle_is_what_the_translator_was_made_from() -> None:
    made = Translator(SHIPPED, "float32", 1, plain=True)
    pickled = pickle.dumps(made)
    assert len(pickled) < 1000
    again = pickle.loads(pickled)
    assert again.info.compute_type == "float32"
    assert again.__reduce__() == made.__reduce__()
    assert again.translate("I love you.").text == "Ich liebe dich."


def translate_in_worker(translator: Translator, text: str) -> str:
    return translator.translate(text).text


def test_workers() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as workers:
        done = workers.submit(translate_in_worker, Translator(threads=1), "I love you.")
        assert done.result(timeout=60) == "Ich liebe dich."


def test_checksums_are_verified(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(SHIPPED, damaged)
    Translator(damaged, verify=True)
    with open(damaged / "model.safetensors", "r+b") as weights:
        weights.seek(-1, os.SEEK_END)
        last = weights.read(1)
        weights.seek(-1, os.SEEK_END)
        weights.write(bytes([last[0] ^ 1]))
    with pytest.raises(OSError, match="model.safetensors"):
        Translator(damaged, verify=True)


def test_inspect_equals_the_program(program: Program) -> None:
    assert inspect(SHIPPED) == program("inspect", str(SHIPPED))
    assert "256" in inspect()


def test_convert_equals_the_program(tmp_path: Path, program: Program) -> None:
    model = str(ROOT / "tests/golden/ctranslate2/int8")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    convert(model, ours, dtype="float16", source_language="en", target_language="de")
    program(
        "convert",
        f"--from={model}",
        f"--to={theirs}",
        "--dtype=float16",
        "--source_language=en",
        "--target_language=de",
    )
    names = sorted(file.name for file in theirs.iterdir())
    assert sorted(file.name for file in ours.iterdir()) == names
    for name in names:
        assert (ours / name).read_bytes() == (theirs / name).read_bytes()
    assert Translator(ours).info.source_language == "en"

    with pytest.raises(FileExistsError):
        convert(model, ours)
    with pytest.raises(ValueError, match="dtype must be .* not 'int4'"):
        convert(model, tmp_path / "other", dtype="int4")
    with pytest.raises(ValueError, match="to_format must be limpid or huggingface"):
        convert(model, tmp_path / "other", to_format="onnx")


def test_convert_to_hugging_face(tmp_path: Path) -> None:
    convert(SHIPPED, tmp_path / "marian", dtype="float32", to_format="huggingface")
    assert (tmp_path / "marian" / "config.json").exists()
    translated = Translator(tmp_path / "marian").translate("I love you.")
    assert translated.text == "Ich liebe dich."
