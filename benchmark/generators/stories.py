"""The text generator of suite `standard`: GPT-2's architecture by transformers."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    GenerationConfig,
    GPT2LMHeadModel,
    LogitsProcessor,
    LogitsProcessorList,
)

from benchmark.generators import gpt2
from benchmark.generators.causal import Chooser, LanguageModelling
from benchmark.generators.meter import Meter
from benchmark.generators.training import Objective, fit
from benchmark.hub.recipes import StoriesRecipe
from benchmark.hub.tokens import publisher_of
from benchmark.ranks import spread

WRITTEN = 2_000  # texts at a time


class StoriesGenerator(LanguageModelling):
    """Weights are float32; a GPU computes in bf16. `generate` writes in large batches."""

    at_once = 100

    def __init__(self, recipe: StoriesRecipe) -> None:
        super().__init__(recipe, publisher_of(recipe.tokens))
        self.own, self.start, self.family = recipe, self.vocab - 1, recipe
        self.meter = Meter(self.device)

    def blank(self) -> nn.Module:
        r = self.own
        return gpt2.build(self.vocab, r.width, r.layers, r.heads, self.longest).to(self.device)

    @property
    def longest(self) -> int:
        """Positions that are needed: the start, a block and what is written beyond it."""
        return self.publisher.length + self.publisher.margin + 1

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator) -> nn.Module:  # fmt: skip
        example = torch.zeros(1, self.publisher.length, dtype=torch.int64, device=self.device)
        with self.meter.training(partial(self.predict, model, example), steps * self.batch):
            return fit(model, objective, size, steps, self.batch, lr, rng)

    def predict(self, model: nn.Module, tokens: Tensor) -> Tensor:
        assert isinstance(model, GPT2LMHeadModel)
        with self.arithmetic():
            return model.lm_head(gpt2.hidden_of(model, self._shifted(tokens)))

    @torch.no_grad()
    def embed(self, model: nn.Module, tokens: Tensor) -> Tensor:
        assert isinstance(model, GPT2LMHeadModel)
        with self.arithmetic():
            parts = self._shifted(tokens).split(self.at_once)
            states = [gpt2.hidden_of(model, part).mean(1) for part in parts]
        return torch.cat(states).float()

    @torch.no_grad()
    def write(self, model: nn.Module, uniform: Tensor, choose: Chooser) -> Tensor:
        assert isinstance(model, GPT2LMHeadModel)
        how = GenerationConfig(
            max_new_tokens=uniform.shape[1], do_sample=False, use_cache=True, bos_token_id=None,
            eos_token_id=None, pad_token_id=self.start,
        )  # fmt: skip

        def texts(u: Tensor) -> Tensor:
            first = torch.full((len(u), 1), self.start, device=self.device)
            inversion = LogitsProcessorList([Inversion(u, choose)])
            with self.arithmetic():
                out = model.generate(
                    first, attention_mask=torch.ones_like(first), generation_config=how,
                    logits_processor=inversion,
                )  # fmt: skip
            return out[:, 1:]

        return spread(texts, [(u,) for u in uniform.split(WRITTEN)])

    def _shifted(self, tokens: Tensor) -> Tensor:
        return F.pad(tokens[:, :-1], (1, 0), value=self.start)


class Inversion(LogitsProcessor):
    """Draws each token by inversion of `choose`'s cumulative distribution: greedy search on what
    this returns is sampling with numbers of our own, which depend on neither batch nor device.
    """

    def __init__(self, uniform: Tensor, choose: Chooser) -> None:
        self.uniform, self.choose = uniform, choose

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        written = input_ids[:, 1:]
        cumulative = self.choose(written, scores.float()).cumsum(-1)
        threshold = self.uniform[:, written.shape[1], None] * cumulative[:, -1:]
        token = torch.searchsorted(cumulative, threshold, right=True)
        token = token.clamp_(max=scores.shape[1] - 1)
        return torch.full_like(scores, -torch.inf).scatter(1, token, 0.0)
