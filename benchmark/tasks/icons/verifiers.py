"""A frozen external scorer of icons, for `VERIFIER`; never the evaluator's reader."""

from __future__ import annotations

from torch import Tensor

from benchmark.interface.items import Items
from benchmark.tasks.icons.reader import load_reader, look_at, rate_names


def score_icons(items: Items) -> Tensor:
    """(N,) log p(own name | picture), in nats, among it and 99 fixed names."""
    reader = load_reader("icons-verifier.safetensors")
    return rate_names(reader, look_at(reader, items["image"]), items["tokens"])
