"""SentencePiece's normalization rules for these models: spaces and accents only.

SentencePiece's own nmt_nfkc also rewrites signs (… to ..., ² to 2, ™ to TM), which a translation should
keep.
"""

import unicodedata

SPACES = [
    0x09,
    0x0A,
    0x0D,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
]
INVISIBLE = [
    *range(0x01, 0x09),
    0x0B,
    0x0C,
    *range(0x0E, 0x20),
    0x7F,
    0xAD,
    0x200B,
    0x200E,
    0x200F,
    0x2060,
    0xFEFF,
]
COMPOSED = [*range(0xC0, 0x250), *range(0x400, 0x460), *range(0x1E00, 0x1F00)]


def rules():
    """Pairs of texts: from and to."""
    for code in SPACES:
        yield chr(code), " "
    for code in INVISIBLE:
        yield chr(code), ""
    for code in COMPOSED:
        decomposed = unicodedata.normalize("NFD", chr(code))
        if decomposed != chr(code):
            yield decomposed, chr(code)


def write_rules(path):
    """SentencePiece reads lines of hexadecimal code points, with a tab between the two sides."""
    with open(path, "w", encoding="utf-8") as lines:
        for before, after in rules():
            print(
                *(" ".join(f"{ord(c):X}" for c in text) for text in (before, after)),
                sep="\t",
                file=lines,
            )
