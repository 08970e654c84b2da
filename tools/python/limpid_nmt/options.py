"""The keyword arguments of Translator's methods, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence, TypedDict, Union

if TYPE_CHECKING:
    from limpid_nmt._limpid import AlignmentOptions


class TraceRequest(TypedDict, total=False):
    """What to record; limpid/trace.h. By default everything except occlusion."""

    kinds: Sequence[str]  # "encoder", "decoder", "cross"; empty: all
    layers: Sequence[int]  # empty: all
    heads: Sequence[int]  # empty: all
    scores: bool
    projections: bool
    context: bool
    output: bool
    head_output: bool
    norms: bool
    occlusion: bool
    predictions: int


class BatchOptions(TypedDict, total=False):
    """Options of every call; limpid/translate_options.h."""

    batch_size: int
    batch_tokens: int
    timeout: float  # seconds, then TimeoutError


class TranslateOptions(BatchOptions, total=False):
    """Options of a translation; limpid/search_options.h."""

    split_sentences: bool
    replace_unknowns: bool
    beam_size: int
    length_penalty: float
    nbest: int
    alternatives: int
    alternatives_at: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    log_probabilities: bool
    prefix: str
    max_output_tokens: int
    min_output_tokens: int
    suppress: Sequence[str]
    end_at: Sequence[str]
    repetition_penalty: float
    no_repeat_ngram_size: int


class ScoreOptions(BatchOptions, total=False):
    trace: Union[bool, TraceRequest, AlignmentOptions]


class TracedTranslateOptions(TranslateOptions, total=False):
    trace: Union[bool, TraceRequest, AlignmentOptions]
