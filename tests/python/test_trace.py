"""Traces: NumPy views without copies, the program's numbers, and what a notebook shows."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import SENTENCE, Program
from limpid_nmt import AttentionLayers, SentenceTrace, Translator

PARTS = ("weights", "scores", "q", "k", "v", "context", "output", "head_output", "norms")


@pytest.fixture(scope="module")
def trace(translator: Translator) -> SentenceTrace:
    return translator.trace(SENTENCE)


def layers_of(trace: SentenceTrace) -> dict[str, AttentionLayers]:
    return {"encoder": trace.encoder, "decoder": trace.decoder, "cross": trace.cross}


def address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def test_numbers_equal_the_program(trace: SentenceTrace, program: Program, tmp_path: Path) -> None:
    program("trace", f"--npz={tmp_path / 'trace.npz'}", SENTENCE)
    theirs = np.load(tmp_path / "trace.npz")
    compared = 0
    for kind, layers in layers_of(trace).items():
        for number, attention in enumerate(layers):
            for part in (*PARTS, "joint_norms"):
                ours = getattr(attention, part)
                assert ours.dtype == np.float32
                np.testing.assert_array_equal(ours, theirs[f"sentence0.{kind}.{number}.{part}"])
                np.testing.assert_array_equal(ours, getattr(layers, part)[number])
                compared += 1
    assert compared == (6 + 2 + 2) * 10
    np.testing.assert_array_equal(trace.alignment.weights, theirs["sentence0.alignment"])
    assert trace.source.pieces == list(theirs["sentence0.source.pieces"])
    assert trace.target.pieces == list(theirs["sentence0.target.pieces"])
    assert trace.decoder_inputs == list(theirs["sentence0.decoder_inputs"])
    assert [word.text for word in trace.target.words] == list(theirs["sentence0.target.words"])
    assert [token.word for token in trace.source.tokens] == list(
        theirs["sentence0.source.word_of_piece"]
    )
    assert [[p.piece for p in step] for step in trace.predictions] == theirs[
        "sentence0.predictions.pieces"
    ].tolist()


def test_shapes(trace: SentenceTrace) -> None:
    source, target = len(trace.source.tokens), len(trace.target.tokens)
    assert trace.encoder.weights.shape == (6, 4, source, source)
    assert trace.decoder.weights.shape == (2, 4, target, target)
    assert trace.cross.weights.shape == (2, 4, target, source)
    assert trace.cross.q.shape == (2, 4, target, 64)
    assert trace.cross.k.shape == trace.cross.v.shape == (2, 4, source, 64)
    assert trace.cross.output.shape == (2, target, 256)
    assert trace.cross.head_output.shape == (2, 4, target, 256)
    assert trace.cross.joint_norms.shape == (2, target, source)
    assert len(trace.cross) == 2 and [a.layer for a in trace.cross] == [0, 1]
    assert trace.cross[-1].layer == 1 and trace.cross[0].kind == "cross"
    with pytest.raises(IndexError, match="layer 2 was not recorded"):
        trace.cross[2]


def test_a_row_follows_from_q_k_and_v(trace: SentenceTrace) -> None:
    for layers in layers_of(trace).values():
        q, k, v = layers.q, layers.k, layers.v
        scores = np.einsum("lhqd,lhkd->lhqk", q, k) / np.sqrt(q.shape[-1])
        scores = np.where(np.isneginf(layers.scores), -np.inf, scores)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(weights, layers.weights, atol=1e-5)
        np.testing.assert_allclose(layers.weights @ v, layers.context, atol=1e-4)


def test_views_do_not_copy_and_cannot_be_written(trace: SentenceTrace) -> None:
    for layers in layers_of(trace).values():
        for attention in layers:
            for part in PARTS:
                first, second = getattr(attention, part), getattr(attention, part)
                assert address(first) == address(second)
                assert not first.flags.owndata and not first.flags.writeable
    again = trace.cross[0]
    assert address(again.weights) == address(trace.cross[0].weights)
    alignment = trace.alignment
    assert address(alignment.weights) == address(alignment.weights)


def test_views_live_as_long_as_they_are_held(translator: Translator) -> None:
    expected = translator.trace(SENTENCE).cross[1].weights.copy()
    views = [translator.trace(SENTENCE).cross[1].weights for _ in range(20)]
    words = [translator.trace(SENTENCE).source.words[0] for _ in range(20)]
    traces = [translator.translate(SENTENCE, trace=True).traces[0] for _ in range(20)]
    gc.collect()
    for view in views:
        np.testing.assert_array_equal(view, expected)
    assert {word.text for word in words} == {"The"}
    for one in traces:
        np.testing.assert_array_equal(one.cross[1].weights, expected)


def test_positions_are_characters(translator: Translator) -> None:
    trace = translator.trace("I love Zoë and 🙂 you.")
    for side in (trace.source, trace.target):
        assert [side.text[word.begin : word.end] for word in side.words] == [
            word.text for word in side.words
        ]
        assert side.tokens[-1].piece == "</s>" and not side.tokens[-1].is_text
    assert "Zoë" in [str(word) for word in trace.source.words]


def test_a_given_translation(translator: Translator) -> None:
    trace = translator.trace("I love you very much.", "Ich mag dich.")
    assert trace.target.text == "Ich mag dich."
    assert str(trace.source) == "I love you very much."
    assert trace.alignment.target == ["Ich", "mag", "dich", "."]


def test_parts_that_were_not_asked_for(translator: Translator) -> None:
    trace = translator.trace(
        "I love you.", kinds=["cross"], layers=[1], heads=[0, 2], scores=False, predictions=0
    )
    assert trace.cross[1].weights.shape[0] == 2 and trace.cross[1].heads == [0, 2]
    assert len(trace.cross) == 1 and len(trace.encoder) == 0
    assert trace.predictions == [] or trace.predictions[0] == []
    with pytest.raises(ValueError, match="scores not recorded"):
        trace.cross[1].scores
    with pytest.raises(ValueError, match="scores not recorded"):
        trace.cross.scores
    with pytest.raises(ValueError, match="no layer was recorded"):
        trace.encoder.weights
    with pytest.raises(ValueError, match="cross-attention of every layer"):
        trace.html()
    with pytest.raises(ValueError, match="occlusion not recorded"):
        trace.occlusion


def test_occlusion(translator: Translator) -> None:
    trace = translator.trace("I love you.", occlusion=True)
    assert trace.occlusion.shape == (len(trace.source.words), len(trace.target.tokens))
    assert trace.align(measure="occlusion").weights.shape == (4, 5)


def test_trace_takes_one_sentence(translator: Translator) -> None:
    with pytest.raises(ValueError, match="the text has 2"):
        translator.trace("I love you. Where is the station?")
    with pytest.raises(ValueError, match="the text has 0"):
        translator.trace("123")
    traces = translator.translate("I love you. Where is the station?", trace=True).traces
    assert [trace.source.text for trace in traces] == ["I love you.", "Where is the station?"]


def test_the_page_equals_the_program(
    trace: SentenceTrace, program: Program, tmp_path: Path
) -> None:
    program("trace", f"--html={tmp_path / 'page.html'}", SENTENCE)
    assert trace.html() == (tmp_path / "page.html").read_text()


def test_a_notebook_shows_words_lines_and_the_page(translator: Translator) -> None:
    shown = translator.trace('I love "Tom & Jerry" <b>.')._repr_html_()
    picture, frame = shown.split("<iframe")
    assert picture.startswith("<svg") and ">love</text>" in picture and "&amp;" in picture
    assert "<b>" not in shown and picture.count("<line") >= 4
    assert 'sandbox="allow-scripts"' in frame and "srcdoc=" in frame
    assert "<!DOCTYPE html>" not in frame  # it is escaped


def test_plot(trace: SentenceTrace) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = trace.plot()
    assert ax.get_title() == "cross attention, layer 1, mean of heads"
    np.testing.assert_array_equal(
        ax.images[0].get_array(), trace.cross.weights[1].mean(axis=0).astype(np.float32)
    )
    assert [label.get_text() for label in ax.get_xticklabels()] == trace.source.pieces
    assert [label.get_text() for label in ax.get_yticklabels()] == trace.decoder_inputs
    same = trace.plot("encoder", layer=0, head=2, ax=ax)
    assert same is ax and ax.get_title() == "encoder attention, layer 0, head 2"
    with pytest.raises(ValueError, match="head 9 was not recorded"):
        trace.plot(head=9)
    with pytest.raises(ValueError, match="kind must be cross, encoder or decoder"):
        trace.plot("self")


def test_bertviz(trace: SentenceTrace) -> None:
    pytest.importorskip("torch")
    arguments = trace.to_bertviz()
    assert len(arguments["encoder_attention"]) == 4
    assert arguments["cross_attention"][0].shape == (1, *trace.cross[0].weights.shape)
    assert arguments["decoder_tokens"] == trace.decoder_inputs
