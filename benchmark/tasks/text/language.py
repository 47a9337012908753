"""The text generator: a causal language model trained on blocks, sampled without a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.basics.errors import Diverged
from benchmark.interface.generator import LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.metrics.nats import measure_nats
from benchmark.tasks import assets
from benchmark.tasks.text import llama
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.training.fit import Objective, fit
from benchmark.tasks.training.objective import StepLoss
from benchmark.tasks.training.trained import Trained

BASE = "speeches-base.safetensors"
MEASURED = 100  # texts of which it is measured how far settings are from the model
Chooser = Callable[[Tensor, Tensor], Tensor]  # written (B, t), logits (B, V) -> probabilities


class LanguageModelling(Trained):
    """Next-token prediction on blocks; `start` is the token in front of each, never written.

    Subclasses say which network predicts, with what arithmetic, and how it writes.
    """

    start: int
    at_once = 250  # items that are scored at a time

    def __init__(self, publisher: TextPublisher, **schedule: Any) -> None:
        """`schedule` is that of `Trained`."""
        super().__init__(**schedule)
        self.publisher = publisher
        self.vocab = publisher.tokenizer.get_vocab_size()
        self.ranges: Mapping[str, int] = {"tokens": self.vocab}

    def predict(self, model: nn.Module, tokens: Tensor) -> Tensor:
        """Logits (N, L, V) of every token given those before it."""
        raise NotImplementedError

    def embed(self, model: nn.Module, tokens: Tensor) -> Tensor:
        """Hidden states (N, F), averaged over the block."""
        raise NotImplementedError

    def write(self, model: nn.Module, uniform: Tensor, choose: Chooser) -> Tensor:
        """Tokens like `uniform` (N, L), which decides each by inversion."""
        raise NotImplementedError

    def objective(self, data: TrainingSet, loss: LossHook | None, rng: torch.Generator
                  ) -> Objective:  # fmt: skip
        tokens = data.items["tokens"].to(self.device)

        def inputs(rows: Tensor) -> tuple[Tensor, ...]:
            return (tokens[rows],)

        def predict(model: nn.Module, batch: Tensor) -> Tensor:
            return self.predict(model, batch)

        def score(logits: Tensor, batch: Tensor) -> Tensor:
            nats = llama.nll(logits, batch)
            # A GPU's are bf16, by autocast; a hook is handed the same type everywhere.
            return (nats if loss is None else loss(nats, logits.float())).mean()

        family = self.recorded(loss)
        return StepLoss(lambda rows: (rows,), inputs, predict, score, self.device, family)

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        uniform = torch.rand(n, self.publisher.length + self.publisher.margin, generator=rng)
        tokens = self.write(model, uniform.to(self.device), make_chooser(how, self.start))
        return self.publisher.publish(tokens.cpu())

    @torch.no_grad()
    def _nats(self, model: nn.Module, items: Items) -> Tensor:
        """Negative log-likelihood of every token, (N, L)."""
        batches = items["tokens"].to(self.device).split(self.at_once)
        return torch.cat([llama.nll(self.predict(model, b), b) for b in batches]).cpu()

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """Exact log-likelihood of each block in nats."""
        return -self._nats(model, items).sum(1)

    @torch.no_grad()
    def logits(self, model: nn.Module, items: Items) -> Tensor:
        return self._drawn_from(model, items["tokens"].to(self.device)).cpu()

    def _drawn_from(self, model: nn.Module, tokens: Tensor) -> Tensor:
        """Logits (N, L, V) of every token, where the model computes."""
        logits = self.predict(model, tokens).float()
        logits[..., self.start] = -torch.inf  # never written
        return logits

    @torch.no_grad()
    def settings_nats(self, model: nn.Module, items: Items, how: Sampling) -> float:
        """Mean KL in nats of every token of the first texts between what `how` draws from and the
        model. Every text has the same settings, so a few are enough."""
        nats = []
        for text in items["tokens"][:MEASURED].to(self.device).split(10):
            logits = self._drawn_from(model, text).flatten(0, 1)
            nats.append(measure_nats(narrow(how, logits), logits))
        return float(torch.cat(nats).mean())

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """Hidden states averaged over the block."""
        return self.embed(model, items["tokens"].to(self.device)).cpu()

    def loss(self, model: nn.Module, items: Items) -> float:
        return float(self._nats(model, items).mean())


class CausalGenerator(LanguageModelling):
    """A small Llama over the frozen tokenizer, which every training begins with the frozen base."""

    start = llama.START
    at_once = llama.AT_ONCE

    def __init__(
        self, base: str, width: int, layers: int, heads: int, inner: int, length: int,
        **schedule: Any,
    ) -> None:  # fmt: skip
        """As `CausalRecipe` says."""
        super().__init__(TextPublisher(length), **schedule)
        self.network = (self.vocab, width, layers, heads, inner)
        self.base = base

    def blank(self) -> nn.Module:
        model = llama.build_llama(*self.network).to(self.device)
        if self.base:
            # What a network of fewer layers has no place for is left.
            given = assets.load_network(BASE, llama.build_llama).state_dict()
            wanted = model.state_dict().keys()
            model.load_state_dict({k: v for k, v in given.items() if k in wanted})
        return model

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        return fit(model, objective, size, steps, self.batch, lr, rng, rates, dtype=self.dtype)

    def predict(self, model: nn.Module, tokens: Tensor) -> Tensor:
        return llama.logits_of(model, tokens)

    def embed(self, model: nn.Module, tokens: Tensor) -> Tensor:
        return llama.embed(model, tokens)

    def write(self, model: nn.Module, uniform: Tensor, choose: Chooser) -> Tensor:
        return llama.sample(model, uniform, choose, dtype=self.dtype)


def make_chooser(how: Sampling, start: int | None = llama.START) -> Chooser:
    """`how` as a function (written, logits) -> probabilities; watermarks act last, as in
    transformers."""

    def choose(written: Tensor, logits: Tensor) -> Tensor:
        # The sum first: it is cheap, and finite unless some logit is not (or they are absurd).
        if not torch.isfinite(logits.sum()) and not torch.isfinite(logits).all():
            raise Diverged("the language model's logits are not finite")
        if start is not None:  # a token that is never written
            logits[:, start] = -torch.inf
        logits = narrow(how, logits)
        if how.logits is not None:
            # A method computes on the CPU, wherever the model does.
            logits = how.logits(written.cpu(), logits.cpu()).to(logits.device)
        return logits.softmax(-1)

    return choose


def narrow(how: Sampling, logits: Tensor) -> Tensor:
    """(B, V) `logits` by temperature, top_k and top_p, in this order, as in transformers."""
    if how.temperature != 1:
        logits = logits / how.temperature
    if how.top_k:
        kth = logits.topk(min(how.top_k, logits.shape[1])).values[:, -1:]
        logits = logits.masked_fill(logits < kth, -torch.inf)
    if how.top_p < 1:
        p, order = logits.softmax(-1).sort(-1, descending=True)
        beyond = p.cumsum(-1) - p >= how.top_p  # in sorted order; the first always stays
        logits = logits.masked_fill(beyond.scatter(1, order, beyond), -torch.inf)
    return logits
