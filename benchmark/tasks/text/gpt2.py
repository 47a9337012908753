"""The text generator of suite `standard`: GPT-2's architecture by transformers."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GPT2LMHeadModel

from benchmark.basics.ranks import spread
from benchmark.tasks.text import gpt2_network
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.text.language import Chooser, LanguageModelling
from benchmark.tasks.text.writing import Writer
from benchmark.tasks.training.fit import Objective, fit
from benchmark.tasks.training.graphs import Recent
from benchmark.tasks.training.meter import Meter

WRITTEN = 2_000  # texts at a time

_writers = Recent(1)


class StoriesGenerator(LanguageModelling):
    """Weights are float32; a GPU computes in bf16 and writes in large batches."""

    at_once = 100

    def __init__(
        self, tokens: TextPublisher, width: int, layers: int, heads: int, **schedule: Any
    ) -> None:
        """As `StoriesRecipe` says."""
        super().__init__(tokens, **schedule)
        self.network, self.start = (width, layers, heads), self.vocab - 1
        self.family = ("gpt2", self.vocab, *self.network, self.longest)
        self.meter = Meter(self.device)

    def blank(self) -> nn.Module:
        return gpt2_network.build_gpt2(self.vocab, *self.network, self.longest).to(self.device)

    @property
    def longest(self) -> int:
        """Positions that are trained: the start and a block but for its last token. What is written
        beyond stands at the last of them."""
        return self.publisher.length

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        example = torch.zeros(1, self.publisher.length, dtype=torch.int64, device=self.device)
        with self.meter.training(partial(self.predict, model, example), steps * self.batch):
            return fit(model, objective, size, steps, self.batch, lr, rng, rates)

    def predict(self, model: nn.Module, tokens: Tensor) -> Tensor:
        assert isinstance(model, GPT2LMHeadModel)
        with self.arithmetic():
            return model.lm_head(gpt2_network.hidden_of(model, self._shifted(tokens)))

    @torch.no_grad()
    def embed(self, model: nn.Module, tokens: Tensor) -> Tensor:
        assert isinstance(model, GPT2LMHeadModel)
        with self.arithmetic():
            parts = self._shifted(tokens).split(self.at_once)
            states = [gpt2_network.hidden_of(model, part).mean(1) for part in parts]
        return torch.cat(states).float()

    def write(self, model: nn.Module, uniform: Tensor, choose: Chooser) -> Tensor:
        assert isinstance(model, GPT2LMHeadModel)
        length = uniform.shape[1]

        def texts(u: Tensor) -> Tensor:
            if len(u) < WRITTEN:
                writer = Writer(model, len(u), length, recorded=False)
            else:
                key = (gpt2_network.describe_gpt2(model).values(), WRITTEN, length, self.device)
                writer = _writers.get(
                    str(key), lambda: Writer(model, WRITTEN, length, recorded=True)
                )
            return writer.write(model, self.start, u, choose)

        return spread(texts, [(u,) for u in uniform.split(WRITTEN)])

    def _shifted(self, tokens: Tensor) -> Tensor:
        return F.pad(tokens[:, :-1], (1, 0), value=self.start)
