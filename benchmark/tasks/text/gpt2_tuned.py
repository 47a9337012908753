"""The text generator of suite `large`: a pretrained GPT-2, fine-tuned in every generation."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.hub.repos import HubRepo
from benchmark.tasks.text import gpt2_network
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.text.gpt2 import StoriesGenerator
from benchmark.tasks.text.language import LanguageModelling
from benchmark.tasks.training.accelerated import fine_tune
from benchmark.tasks.training.fit import Objective
from benchmark.tasks.training.meter import Meter
from benchmark.tasks.training.pretrained import pretrained


class TunedTextGenerator(StoriesGenerator):
    """As of suite `standard`, but a generation begins with the pretrained weights."""

    def __init__(
        self, network: HubRepo, tokens: TextPublisher, at_once: int, **schedule: Any
    ) -> None:
        """As `TunedTextRecipe` says."""
        LanguageModelling.__init__(self, tokens, **schedule)
        self.pretrained, self.part, self.start = network, at_once, self.vocab - 1
        self.meter = Meter(self.device)

    def blank(self) -> nn.Module:
        """The pretrained network, cut to the vocabulary and to the length of a block."""
        whole = pretrained("AutoModelForCausalLM", self.pretrained)
        numbers = gpt2_network.describe_gpt2(whole)
        numbers |= {"vocab": self.vocab, "longest": self.longest}
        model = gpt2_network.build_gpt2(**numbers).to(self.device)
        state = whole.state_dict()
        for name in ("transformer.wte.weight", "lm_head.weight"):
            rows = state[name]  # of tokens; START is the last of all
            state[name] = torch.cat([rows[: self.vocab - 1], rows[-1:]])
        places = "transformer.wpe.weight"
        state[places] = state[places][: self.longest]
        model.load_state_dict(state)
        return model

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        example = torch.zeros(1, self.publisher.length, dtype=torch.int64, device=self.device)
        with self.meter.training(partial(self.predict, model, example), steps * self.batch):
            return fine_tune(model, objective, size, steps, self.batch, self.part, lr, rng,
                             rates, self.device)  # fmt: skip

    def predict(self, model: nn.Module, tokens: Tensor) -> Tensor:
        """By the model's own call, which averages gradients where several ranks wrap it."""
        with self.arithmetic():
            return model(input_ids=self._shifted(tokens)).logits
