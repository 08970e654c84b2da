"""Draws a trace: as HTML in a notebook, with matplotlib, and for BertViz."""

from __future__ import annotations

import html as escaping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limpid_nmt._limpid import SentenceTrace

WORD_GAP = 18
LETTER_WIDTH = 9
LINE_HEIGHT = 110
# Weaker links would hide the others.
WEAKEST_LINK = 0.05


def html(trace: SentenceTrace) -> str:
    """Words and the lines between them, which show everywhere; then the page, where frames may run."""
    page = escaping.escape(trace.html())
    return (
        f"{_word_lines(trace)}\n"
        f'<iframe srcdoc="{page}" title="Trace" sandbox="allow-scripts" loading="lazy" '
        f'style="width: 100%; height: 640px; border: 1px solid #8888"></iframe>'
    )


def _word_lines(trace: SentenceTrace) -> str:
    """An SVG: the source above, the translation below, lines as strong as the alignment."""
    alignment = trace.alignment
    source, source_width = _places(alignment.source)
    target, target_width = _places(alignment.target)
    lines = [
        f'<line x1="{source[s]:.0f}" y1="24" x2="{target[t]:.0f}" y2="{LINE_HEIGHT - 24}" '
        f'stroke="#36c" stroke-width="{3 * weight:.1f}" stroke-opacity="{weight:.2f}"/>'
        for t, row in enumerate(alignment.weights[:, :-1])
        for s, weight in enumerate(row)
        if weight >= WEAKEST_LINK
    ]
    words = [
        f'<text x="{x:.0f}" y="{y}" text-anchor="middle">{escaping.escape(word)}</text>'
        for texts, places, y in (
            (alignment.source, source, 16),
            (alignment.target, target, LINE_HEIGHT - 8),
        )
        for word, x in zip(texts, places)
    ]
    width = max(source_width, target_width)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{LINE_HEIGHT}" '
        f'viewBox="0 0 {width} {LINE_HEIGHT}" font-family="sans-serif" font-size="15" '
        f'fill="currentColor">{"".join(lines)}{"".join(words)}</svg>'
    )


def _places(words: list[str]) -> tuple[list[float], int]:
    """The middle of each word, and the width of all."""
    places = []
    x = 0
    for word in words:
        width = LETTER_WIDTH * len(word)
        places.append(x + width / 2)
        x += width + WORD_GAP
    return places, max(1, x)


def plot(
    trace: SentenceTrace,
    kind: str = "cross",
    layer: int | None = None,
    head: int | None = None,
    ax: Any = None,
) -> Any:
    """See SentenceTrace.plot."""
    import matplotlib.pyplot as plt

    if kind not in ("cross", "encoder", "decoder"):
        raise ValueError(f"kind must be cross, encoder or decoder, not '{kind}'")
    attention = getattr(trace, kind)[-1 if layer is None else layer]
    if head is not None and head not in attention.heads:
        raise ValueError(f"head {head} was not recorded; there are {attention.heads}")
    weights = (
        attention.weights.mean(axis=0)
        if head is None
        else attention.weights[attention.heads.index(head)]
    )
    rows = trace.source.pieces if kind == "encoder" else trace.decoder_inputs
    columns = trace.decoder_inputs if kind == "decoder" else trace.source.pieces
    if ax is None:
        _, ax = plt.subplots(figsize=(1.5 + 0.45 * len(columns), 1 + 0.4 * len(rows)))
    ax.imshow(weights, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    ax.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xlabel("keys: " + ("decoder inputs" if kind == "decoder" else "source tokens"))
    ax.set_ylabel("queries: " + ("source tokens" if kind == "encoder" else "decoder inputs"))
    which = "mean of heads" if head is None else f"head {head}"
    ax.set_title(f"{kind} attention, layer {attention.layer}, {which}")
    return ax


def to_bertviz(trace: SentenceTrace) -> dict[str, Any]:
    """See SentenceTrace.to_bertviz."""
    import torch

    def tensors(kind: str) -> list[Any]:
        # BertViz expects [batch, heads, queries, keys] for each layer, and PyTorch writable memory.
        return [torch.tensor(layer.weights)[None] for layer in getattr(trace, kind)]

    return {
        "encoder_attention": tensors("encoder"),
        "decoder_attention": tensors("decoder"),
        "cross_attention": tensors("cross"),
        "encoder_tokens": trace.source.pieces,
        "decoder_tokens": trace.decoder_inputs,
    }
