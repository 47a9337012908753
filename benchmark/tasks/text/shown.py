"""What a page shows of texts: how one of a generation begins, chosen by a rule."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmark.interface.items import Items
from benchmark.tasks import assets
from benchmark.tasks.text import llama
from benchmark.tasks.text.codec import TextPublisher, speeches_tokenizer
from benchmark.tasks.text.lexicon import mark_unknown

LONGEST = 240  # characters
LOOKED_AT = 250  # texts among which the typical one is


def shown(items: Items, publisher: Callable[[], TextPublisher]) -> tuple[None, list[str]]:
    """No pictures; the beginning of one text.

    Of speeches it is the one whose loss under the frozen reference is the median, with the words
    that occur in no address in angle quotes: a reader sees what a generation is like, and nobody
    chose it. Of other texts it is the first.

    Args:
        publisher: makes what turns items into text.

    Raises:
        InputError: it needs a tokenizer from the Hub, which is not there.
    """
    words = publisher()
    speeches = words.tokenizer is speeches_tokenizer()
    chosen = find_typical(items.take(slice(0, LOOKED_AT))) if speeches else 0
    (text,) = words.text(items.take([chosen]))
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return None, [mark_unknown(text, "«", "»") if speeches else text]


@torch.no_grad()
def find_typical(items: Items) -> int:
    """The text of median loss under the evaluator's network; the lower one of two."""
    network = assets.load_network("speeches-reference.safetensors", llama.build_llama)
    nats = llama.nll(llama.logits_of(network, items["tokens"]), items["tokens"]).mean(1)
    return int(nats.argsort(stable=True)[(len(items) - 1) // 2])
