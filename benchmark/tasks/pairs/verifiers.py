"""A frozen external scorer of pairs, for `VERIFIER`; never the evaluator's reader."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.interface.items import Items
from benchmark.tasks.images.verifiers import read_digits
from benchmark.tasks.pairs.codec import cut_digits
from benchmark.tasks.pairs.language import DIGITS, digits_of, read_captions

UNREADABLE = -1e9  # the score of a caption that names no number


def score_pairs(items: Items) -> Tensor:
    """(N,) log p(the digits that the caption names | picture), in nats."""
    log_p = read_digits(cut_digits(items["image"]))
    meaning = read_captions(items["tokens"])
    named = digits_of(meaning.number.clamp(min=0))
    score = log_p.unflatten(0, (-1, DIGITS)).gather(2, named[:, :, None]).squeeze(2).sum(1)
    return torch.where(meaning.readable, score, UNREADABLE)
