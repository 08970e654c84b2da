"""Calls: threads, the GIL, Ctrl-C, and memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from limpid_nmt import Translator

# Takes far longer than a test may, on one thread.
LONG_TEXT = "The old man bought a red car yesterday. " * 60_000


def interrupt_soon(number: int = signal.SIGINT) -> threading.Timer:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), number))
    timer.start()
    return timer


def test_ctrl_c_ends_a_call_and_the_translator_still_works() -> None:
    translator = Translator(threads=1)
    begin = time.monotonic()
    timer = interrupt_soon()
    with pytest.raises(KeyboardInterrupt):
        translator.translate(LONG_TEXT)
    timer.join()
    assert time.monotonic() - begin < 10
    assert translator.translate("I love you.").text == "Ich liebe dich."


def test_a_handler_that_raises_nothing_does_not_end_a_call(translator: Translator) -> None:
    arrived = []
    before = signal.signal(signal.SIGUSR1, lambda *_: arrived.append(time.monotonic()))
    try:
        timer = interrupt_soon(signal.SIGUSR1)
        translation = translator.translate(" ".join(["I love you."] * 2000))
        timer.join()
        time.sleep(0.05)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert translation.text == " ".join(["Ich liebe dich."] * 2000)
    assert len(arrived) == 1


def test_other_threads_run_while_one_translates(translator: Translator) -> None:
    turns = 0
    done = threading.Event()

    def count_turns() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count_turns)
    thread.start()
    translator.translate(" ".join(["I love you."] * 500))
    done.set()
    thread.join()
    assert turns > 20


def test_many_threads_share_a_translator(translator: Translator, lines: list[str]) -> None:
    expected = [t.text for t in translator.translate(lines)]
    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(lambda line: translator.translate(line).text, lines * 3))
    assert texts == expected * 3


def test_memory_is_flat(translator: Translator) -> None:
    def translate_and_trace(times: int) -> None:
        for _ in range(times):
            translator.translate("I love you.", nbest=2, beam_size=2)
            translator.trace("I love you.")._repr_html_()
            with pytest.raises(ValueError):
                translator.translate("I love you.", beam_size=0)

    translate_and_trace(50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    translate_and_trace(150)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 3_000, f"{grown} KB for 150 traces, each of which takes over 300 KB"


def test_import_is_light() -> None:
    program = "import sys, limpid_nmt; print({'numpy', 'matplotlib', 'tqdm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
