"""Which words are real: all that occur in an address of any year."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from benchmark.tasks import assets

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return [word.lower() for word in _WORD.findall(text)]


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, str | list[str]]:
    return json.loads(assets.path("speeches-lexicon.json").read_text("utf-8"))


@lru_cache(maxsize=1)
def known_words() -> frozenset[str]:
    """The words of all addresses."""
    return frozenset(str(_lexicon()["words"]).split())


def common_tokens() -> list[str]:
    """The tokens that are not rare in the text that the base was trained on."""
    return list(_lexicon()["tokens"])


def share_known(texts: Iterable[str]) -> float:
    """Share of the words that are in the lexicon; a text's first and last word may be cut off and
    do not count. 0 where there is no word.
    """
    words = [word for text in texts for word in words_of(_inside(text))]
    return sum(word in known_words() for word in words) / max(1, len(words))


def mark_unknown(text: str, opening: str, closing: str) -> str:
    """`text` with its words that are not in the lexicon between `opening` and `closing`."""

    def marked(found: re.Match[str]) -> str:
        at_edge = found.start() == 0 or found.end() == len(text)
        word = found.group()
        known = at_edge or word.lower() in known_words()
        return word if known else f"{opening}{word}{closing}"

    return _WORD.sub(marked, text)


def _inside(text: str) -> str:
    """`text` without its first and its last word."""
    return text.partition(" ")[2].rpartition(" ")[0]
