"""Frozen external scorers of text, for `VERIFIER`. That of speeches is none of the
evaluator's networks; of stories both are GPT-2, but the score is the generator's own loss."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.tasks import assets
from benchmark.tasks.text import llama
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.text.reader import Reader


class StoryScorer:
    """Mean log-probability per token (nats) under a pretrained language model."""

    def __init__(self, network: HubRepo, tokens: TextPublisher) -> None:
        self.reader, self.publisher = Reader(network), tokens

    def __call__(self, items: Items) -> Tensor:
        nats, count = self.reader.read(self.publisher.text(items))[:, -2:].unbind(1)
        return -nats / count


@torch.no_grad()
def score_speeches(items: Items) -> Tensor:
    """Mean log-probability per token (nats) under a language model trained on real text only."""
    network = assets.load_network("speeches-verifier.safetensors", llama.build_llama)
    batches = items["tokens"].split(250)
    nats = [llama.nll(llama.logits_of(network, part), part) for part in batches]
    return -torch.cat(nats).mean(1)
