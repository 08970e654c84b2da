"""Cleaning a sentence and splitting it into words."""

import re
import unicodedata

REMOVED = "\u00ad\u200b\u200e\u200f\u2060\ufeff"  # soft hyphen, zero-width marks, byte order mark
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
STRAIGHT_QUOTES = re.compile(r'"([^"]*)"')
CURLY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
FOREIGN_QUOTES = re.compile(r"«([^«»]*)»|»([^«»]*)«")  # in German
QUOTES = {"eng": "“{}”", "deu": "„{}“", "rus": "«{}»"}


def clean(text):
    """Composed characters, no invisible ones, single spaces."""
    text = unicodedata.normalize("NFC", text)
    return " ".join("".join(c for c in text if c not in REMOVED).split())


def clean_source(text):
    """Straight quotes and apostrophes: augment.py curls some of them again."""
    return clean(text).translate(CURLY)


def clean_target(text, language):
    """One spelling for what corpora spell in several ways, because a model cannot know which is
    wanted: the language's own quotes, and in Russian е for ё."""
    text = clean(text)
    if language == "rus":
        text = text.replace("ё", "е").replace("Ё", "Е")
    if language == "deu":
        text = FOREIGN_QUOTES.sub(lambda m: f"„{(m[1] or m[2] or '').strip()}“", text)
    if language != "eng" and text.count('"') % 2 == 0:
        text = STRAIGHT_QUOTES.sub(lambda m: QUOTES[language].format(m[1]), text)
    return text


def words(text):
    return WORD.findall(text)


def key(text):
    """A key that ignores case and punctuation."""
    folded = text.casefold().replace("ё", "е")
    return "".join(c for c in folded if c.isalnum()) or folded
