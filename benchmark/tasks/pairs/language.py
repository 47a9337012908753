"""The language of captions: a number in one of four wordings, at times with what hand wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
HANDS = ("", "bold", "thin")  # what a caption says of the hand, if anything
WORDS = ("<end>", *ONES, *TEENS, *TENS, "hundred", "and", *"0123456789", *HANDS[1:])
END = 0  # closes a caption and fills the rest of its row
LENGTH = 7  # words of a row, the closing one included
WORDINGS = 4  # "three hundred forty two", "three hundred and forty two", "three four two", "3 4 2"
NUMBERS = 1_000  # 0 to 999; real captions begin at 1
DIGITS = 3

_NUMBER_OF = {word: i for i, word in enumerate(WORDS)}


class Meaning(NamedTuple):
    """What captions say, int64 (N,) each; -1 where a row is not of the language."""

    number: Tensor
    wording: Tensor
    hand: Tensor

    @property
    def readable(self) -> Tensor:
        """(N,) which rows are of the language."""
        return self.number >= 0


def word_number(number: int, wording: int) -> list[str]:
    """The words of `number` in `wording`."""
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    if wording == 2:
        return [ONES[d] for d in (hundreds, tens, ones)]
    if wording == 3:
        return [str(d) for d in (hundreds, tens, ones)]
    words = [ONES[hundreds], "hundred"] if hundreds else []
    if hundreds and number % 100 and wording == 1:
        words.append("and")
    if tens >= 2:
        words += [TENS[tens - 2], *([ONES[ones]] if ones else [])]
    elif tens == 1:
        words.append(TEENS[ones])
    elif ones or not hundreds:
        words.append(ONES[ones])
    return words


def caption_of(number: int, wording: int, hand: int) -> tuple[int, ...]:
    """A caption as a row of `LENGTH` words."""
    words = [HANDS[hand]] * (hand > 0) + word_number(number, wording)
    row = [_NUMBER_OF[word] for word in words]
    return tuple(row + [END] * (LENGTH - len(row)))


def write_captions(number: Tensor, wording: Tensor, hand: Tensor) -> Tensor:
    """(N, LENGTH) captions that say this."""
    rows = zip(number.tolist(), wording.tolist(), hand.tolist(), strict=True)
    return torch.tensor([caption_of(*row) for row in rows])


@lru_cache(maxsize=1)
def list_captions() -> dict[tuple[int, ...], tuple[int, int, int]]:
    """Every caption of the language, and what it says: number, wording, hand.

    What two wordings share, such as "forty two", counts as the first.
    """
    meanings: dict[tuple[int, ...], tuple[int, int, int]] = {}
    for number in range(NUMBERS):
        for wording in range(WORDINGS):
            for hand in range(len(HANDS)):
                row = caption_of(number, wording, hand)
                meanings.setdefault(row, (number, wording, hand))
    return meanings


def read_captions(tokens: Tensor) -> Meaning:
    """What captions (N, LENGTH) say, by exact look-up."""
    known, unknown = list_captions(), (-1, -1, -1)
    found = [known.get(tuple(row), unknown) for row in tokens.tolist()]
    return Meaning(*torch.tensor(found, dtype=torch.int64).view(-1, 3).unbind(1))


def digits_of(number: Tensor) -> Tensor:
    """(N, DIGITS) the digits of numbers (N,), zeros in front included."""
    return torch.stack([number // 100, number // 10 % 10, number % 10], 1)


def until_end(tokens: Tensor) -> Tensor:
    """(N, L) which words belong to a caption: those up to its first `END`."""
    ends = (tokens == END).cumsum(1)
    return ends - (tokens == END).long() == 0


def words_of(tokens: Tensor) -> Tensor:
    """(W,) all words of captions (N, L), the closing ones included."""
    return tokens[until_end(tokens)]


def join_words(row: Iterable[int], words: Sequence[str] = WORDS) -> str:
    """A caption of a vocabulary as text."""
    return " ".join(words[i] for i in row if i != END)
