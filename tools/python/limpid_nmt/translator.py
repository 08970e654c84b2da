"""Translator, inspect and convert: the C++ library with Python's habits."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Sequence, Union, overload

from limpid_nmt import _limpid
from limpid_nmt._limpid import AlignmentOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from limpid_nmt._limpid import Alignment, ModelInfo, SentenceTrace, Translation
    from limpid_nmt.options import ScoreOptions, TracedTranslateOptions, TranslateOptions

PathLike = Union[str, "os.PathLike[str]"]

# Batches per thread and call of a stream, as in `limpid translate`. More leave threads idle for less
# time at the end of a call; fewer give results sooner.
BATCHES_PER_THREAD = 8

TRACE_REQUEST = (
    "kinds",
    "layers",
    "heads",
    "scores",
    "projections",
    "context",
    "output",
    "head_output",
    "norms",
    "occlusion",
    "predictions",
)


def find_model(model: PathLike | None) -> bytes:
    """The path of a model; None is $LIMPID_MODEL, or else the one in this package."""
    shipped = os.path.join(os.path.dirname(__file__), "models", "eng-deu")
    path = model if model is not None else os.environ.get("LIMPID_MODEL") or shipped
    if not os.path.exists(path):
        raise FileNotFoundError(f"no model at '{os.fspath(path)}'")
    return os.fsencode(path)


class Translator:
    """A loaded model, which translates, scores, aligns and traces.

    Any number of threads may use it at once; calls do not hold the GIL. Ctrl-C ends a call with
    KeyboardInterrupt. Pickling keeps what the translator was made from, not the weights: unpickling
    loads the model again, in a worker for example.

    Args:
        model: A model's folder or file, of any format that convert() reads. None: the environment
            variable LIMPID_MODEL, or else the English-German model in this package.
        compute_type: The type of matrix products: "float32", "bfloat16", "int8", or "auto", int8 if
            the processor supports it, else float32.
        threads: Number of threads that translate batches side by side, including the caller's. 0: as
            many as this process can keep busy.
        shortlist: Whether to produce only tokens that the model's shortlist has for the source:
            faster, but now and then another translation.
        verify: Whether to compare all files with their checksums first.
        plain: Whether to leave out what only makes translating faster. The translations are the
            same.

    Raises:
        FileNotFoundError: No model at this path, or it lacks a file.
        ValueError: A file is not what it should be, or an argument is out of range.
        NotImplementedError: This processor does not support the compute type.
        RuntimeError: The model has no shortlist, or no checksums.
        OSError: A file does not match its checksum.
        MemoryError: The model needs more memory.
    """

    def __init__(
        self,
        model: PathLike | None = None,
        compute_type: str = "auto",
        threads: int = 0,
        *,
        shortlist: bool = False,
        verify: bool = False,
        plain: bool = False,
    ) -> None:
        self._made_from = (model, compute_type, threads, shortlist, verify, plain)
        self._translator = _limpid.Translator(
            find_model(model), compute_type, threads, shortlist, verify, plain
        )
        self._threads = threads or len(os.sched_getaffinity(0))

    @property
    def info(self) -> ModelInfo:
        """What is known of the model: languages, layers, heads, limits, types."""
        return self._translator.info

    # A str is an iterable of str too; the first overload that fits counts.
    @overload
    def translate(  # type: ignore[overload-overlap]
        self, text: str, *, progress: bool = ..., **options: Unpack[TracedTranslateOptions]
    ) -> Translation: ...
    @overload
    def translate(  # type: ignore[overload-overlap]
        self,
        text: list[str] | tuple[str, ...],
        *,
        progress: bool = ...,
        **options: Unpack[TracedTranslateOptions],
    ) -> list[Translation]: ...
    @overload
    def translate(
        self, text: Iterable[str], *, progress: bool = ..., **options: Unpack[TracedTranslateOptions]
    ) -> Iterator[Translation]: ...
    def translate(
        self,
        text: str | Iterable[str],
        *,
        progress: bool = False,
        **options: Unpack[TracedTranslateOptions],
    ) -> Translation | list[Translation] | Iterator[Translation]:
        """Translates a text, a list of texts, or a stream of them.

        Args:
            text: A str gives one Translation, a list or tuple a list of as many. Any other iterable,
                such as an open file, gives an iterator, which reads some hundred texts ahead. A
                translation does not depend on the other texts.
            progress: Whether to show a progress bar, with tqdm.
            options: batch_size=64, batch_tokens=0, split_sentences=True, replace_unknowns=False,
                timeout (seconds for each call of the engine);
                beam_size=1, length_penalty=1, nbest=1, alternatives=0, alternatives_at=-1,
                temperature=0, top_k=0, top_p=1, seed=0, log_probabilities=True, prefix="",
                max_output_tokens=0, min_output_tokens=0, suppress=[], end_at=[],
                repetition_penalty=1, no_repeat_ngram_size=0 (search_options.h explains them);
                trace=True, or a dict such as {"kinds": ["cross"]}, records Translation.traces.

        Raises:
            TypeError: Not text, or an unknown option.
            ValueError: An option out of range, options that conflict, a str with lone surrogates, or
                one of more than 100 MB.
            TimeoutError: The time is over.
            MemoryError: Fewer texts or a smaller batch_size may fit.
        """
        if isinstance(text, str):
            return self._translator.translate(text, dict(options))
        if isinstance(text, (list, tuple)):
            if not progress:
                return self._translator.translate_batch(text, dict(options))
            return list(self._stream(text, True, dict(options)))
        if isinstance(text, (bytes, bytearray)) or not hasattr(text, "__iter__"):
            raise TypeError(f"text must be str or an iterable of str, not {type(text).__name__}")
        return self._stream(text, progress, dict(options))

    def _stream(
        self, texts: Iterable[str], progress: bool, options: dict[str, Any]
    ) -> Iterator[Translation]:
        """Translates window after window; the first are small, so that results come early."""
        bar = None
        if progress:
            from tqdm.auto import tqdm

            total = len(texts) if isinstance(texts, (list, tuple)) else None
            bar = tqdm(total=total, unit=" texts")
        try:
            iterator = iter(texts)
            window = self._threads * max(1, int(options.get("batch_size", 64)))
            largest_window = window * BATCHES_PER_THREAD
            while batch := list(islice(iterator, window)):
                translations = self._translator.translate_batch(batch, options)
                if bar is not None:
                    bar.update(len(translations))
                yield from translations
                window = min(2 * window, largest_window)
        finally:
            if bar is not None:
                bar.close()

    @overload
    def score(  # type: ignore[overload-overlap]
        self, source: str, target: str, **options: Unpack[ScoreOptions]
    ) -> Translation: ...
    @overload
    def score(
        self, source: Sequence[str], target: Sequence[str], **options: Unpack[ScoreOptions]
    ) -> list[Translation]: ...
    def score(
        self, source: str | Sequence[str], target: str | Sequence[str], **options: Unpack[ScoreOptions]
    ) -> Translation | list[Translation]:
        """Scores given translations: `score` is log P(target | source), `tokens` has the parts.

        Args:
            source: A sentence, or a list of sentences. Sentences are not split.
            target: Its translation, or a list of as many.
            options: batch_size, batch_tokens, timeout and trace, as in translate().

        Raises:
            ValueError: The model cannot take the pair: it is too long, or its source is empty. In a
                list, such a pair has its `error` set instead.
        """
        if isinstance(source, str) and isinstance(target, str):
            return self._score_pair(source, target, dict(options))
        return self._translator.score_batch(source, target, dict(options))

    def _score_pair(self, source: str, target: str, options: dict[str, Any]) -> Translation:
        (scored,) = self._translator.score_batch([source], [target], options)
        if scored.error is not None:
            raise scored.error
        return scored

    def align(
        self,
        source: str,
        target: str | None = None,
        *,
        level: str = "word",
        layer: int = -1,
        heads: Sequence[int] = (),
        row: str | None = None,
        measure: str = "weight",
        **options: Unpack[TranslateOptions],
    ) -> Alignment:
        """Aligns a text with its translation: the given one, or the model's.

        Args:
            level: "word", by Unicode's rules, or "piece".
            layer, heads, row, measure: As in AlignmentOptions; the defaults are the model's choice.
            options: As in translate(); with a target, batch_size, batch_tokens and timeout.

        Returns:
            `weights` [targets, sources + 1], `links()` and `pharaoh()`.

        Raises:
            ValueError: An argument out of range, or, with a target, a pair that score() rejects.
        """
        alignment = AlignmentOptions(layer, list(heads), row, measure)
        translation = self._traced(source, target, {**options, "trace": alignment})
        return translation.align(alignment, level)

    def trace(self, text: str, target: str | None = None, **options: Any) -> SentenceTrace:
        """Translates one sentence and records its attention, or that of a given translation.

            >>> trace = translator.trace("I love you very much.")
            >>> trace.cross.weights.shape   # [layer, head, target, source]
            (2, 4, 6, 7)

        Args:
            text: One sentence. For several, take translate(text, trace=True).traces.
            target: Its translation; None: the model's.
            options: What to record: kinds, layers and heads (empty: all), scores, projections,
                context, output, head_output and norms (True), occlusion (False), predictions (5);
                and the options of translate(), or with a target those of score().

        Raises:
            ValueError: The text is not one sentence that the model translates, or as translate().
        """
        request = {name: options.pop(name) for name in TRACE_REQUEST if name in options}
        translation = self._traced(text, target, {**options, "trace": request})
        if len(translation.traces) != 1:
            raise ValueError(
                f"trace takes one sentence that the model translates, but the text has "
                f"{len(translation.traces)}; for several, take translate(text, trace=True).traces"
            )
        return translation.traces[0]

    def _traced(self, text: str, target: str | None, options: dict[str, Any]) -> Translation:
        if target is None:
            return self._translator.translate(text, options)
        return self._score_pair(text, target, options)

    def trim(self) -> None:
        """Frees the buffers that are kept for later calls. The next calls allocate them again."""
        self._translator.trim()

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, self._made_from

    def __repr__(self) -> str:
        info = self.info
        return f"<Translator {info.source_language} → {info.target_language}, {info.compute_type}>"


def _load(
    model: PathLike | None,
    compute_type: str,
    threads: int,
    shortlist: bool,
    verify: bool,
    plain: bool,
) -> Translator:
    return Translator(
        model, compute_type, threads, shortlist=shortlist, verify=verify, plain=plain
    )


def inspect(model: PathLike | None = None) -> str:
    """Describes a model: architecture, parameters, types, sizes, vocabulary and tensors.

    Args:
        model: Of any format that convert() reads; None as in Translator.

    Raises:
        FileNotFoundError, ValueError: As in Translator.
    """
    return _limpid.inspect(find_model(model))


def convert(
    from_model: PathLike,
    to: PathLike,
    *,
    dtype: str | None = None,
    source_language: str = "",
    target_language: str = "",
    to_format: str = "limpid",
) -> None:
    """Converts another program's model to a folder that Limpid runs.

    Args:
        from_model: Hugging Face MarianMT, Marian, Firefox, CTranslate2, Argos Translate, PyTorch
            nn.Transformer, or Limpid.
        to: The folder to write, new or empty. It appears whole or not at all.
        dtype: "float32", "float16", "bfloat16" or "int8"; None: the model's.
        source_language: Such as "en"; empty: the model's.
        target_language: The same for the translation.
        to_format: "limpid", or "huggingface": a MarianMT folder that transformers loads.

    Raises:
        FileNotFoundError: No model at `from_model`.
        FileExistsError: `to` is not empty.
        ValueError: An argument or a file is not what it should be.
        NotImplementedError: The format cannot hold this model.
    """
    if to_format not in ("limpid", "huggingface"):
        raise ValueError(f"to_format must be limpid or huggingface, not '{to_format}'")
    _limpid.convert(
        find_model(from_model),
        os.fsencode(to),
        dtype,
        source_language,
        target_language,
        to_format == "huggingface",
    )
