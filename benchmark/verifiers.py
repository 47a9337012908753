"""Frozen external scorers for methods that declare `VERIFIER`; never the evaluator's networks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmark import assets
from benchmark.generators import language
from benchmark.items import Items

Verifier = Callable[[Items], Tensor]  # items -> (N,) scores, higher is better


@torch.no_grad()
def score_digits(items: Items) -> Tensor:
    """log p(label | image) under a classifier trained on real digits only."""
    network = assets.network("digits-verifier.safetensors")
    batches = [network.logits(part).log_softmax(-1) for part in items["image"].split(500)]
    return torch.cat(batches).gather(1, items["label"][:, None]).squeeze(1)


@torch.no_grad()
def score_speeches(items: Items) -> Tensor:
    """Mean log-probability per token (nats) under a language model trained on real text only."""
    network = assets.network("speeches-verifier.safetensors")
    batches = items["tokens"].split(250)
    nats = [language.nll(language.logits_of(network, part), part) for part in batches]
    return -torch.cat(nats).mean(1)
