"""Frozen external scorers of text, for `VERIFIER`; never the evaluator's networks."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.interface.items import Items
from benchmark.tasks import assets
from benchmark.tasks.text import llama
from benchmark.tasks.text.codec import publisher_of
from benchmark.tasks.text.reader import Reader
from benchmark.tasks.text.recipes import StoryVerifier


class StoryScorer:
    """Mean log-probability per token (nats) under a pretrained language model."""

    def __init__(self, recipe: StoryVerifier) -> None:
        self.reader = Reader(recipe.network)
        self.publisher = publisher_of(recipe.tokens)

    def __call__(self, items: Items) -> Tensor:
        nats, count = self.reader.read(self.publisher.text(items))[:, -2:].unbind(1)
        return -nats / count


@torch.no_grad()
def score_speeches(items: Items) -> Tensor:
    """Mean log-probability per token (nats) under a language model trained on real text only."""
    network = assets.network("speeches-verifier.safetensors")
    batches = items["tokens"].split(250)
    nats = [llama.nll(llama.logits_of(network, part), part) for part in batches]
    return -torch.cat(nats).mean(1)
