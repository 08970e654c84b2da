from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from limpid_nmt import Translator

ROOT = Path(__file__).parents[2]
SENTENCE = "The old man bought a red car yesterday."


@pytest.fixture(scope="session")
def translator() -> Translator:
    return Translator()


@pytest.fixture(scope="session")
def lines() -> list[str]:
    return (ROOT / "tests/golden/eng-deu/sentences.txt").read_text().splitlines()


class Program:
    """The program limpid, which the package must agree with."""

    def __call__(self, *arguments: str, text: str = "") -> str:
        program = os.environ.get("LIMPID_PROGRAM", str(ROOT / "build/limpid"))
        done = subprocess.run(
            [program, *arguments], input=text, capture_output=True, text=True, check=True
        )
        return done.stdout


@pytest.fixture(scope="session")
def program() -> Program:
    return Program()
