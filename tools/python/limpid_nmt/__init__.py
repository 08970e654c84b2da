"""Limpid: a tiny encoder-decoder translation engine that you can see through.

    >>> from limpid_nmt import Translator
    >>> translator = Translator()
    >>> print(translator.translate("I love you very much."))
    Ich liebe dich sehr.

Translator translates, scores, aligns and traces. inspect() describes a model; convert() makes one
of another program's. Names are those of the C++ library, whose headers say more: translator.h,
search_options.h, trace.h, alignment.h.
"""

from limpid_nmt._limpid import (
    Alignment,
    AlignmentOptions,
    AttentionLayers,
    AttentionTrace,
    ModelInfo,
    NBestTranslation,
    Prediction,
    SentenceTrace,
    Token,
    TracedSide,
    TracedToken,
    TracedWord,
    Translation,
)
from limpid_nmt._limpid import version as __version__
from limpid_nmt.translator import Translator, convert, inspect

__all__ = [
    "Alignment",
    "AlignmentOptions",
    "AttentionLayers",
    "AttentionTrace",
    "ModelInfo",
    "NBestTranslation",
    "Prediction",
    "SentenceTrace",
    "Token",
    "TracedSide",
    "TracedToken",
    "TracedWord",
    "Translation",
    "Translator",
    "__version__",
    "convert",
    "inspect",
]
