"""The text generator: a causal language model trained on blocks, sampled without a prompt."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from benchmark.codecs import TextPublisher
from benchmark.device import current
from benchmark.errors import Diverged
from benchmark.generators import language
from benchmark.generators.base import LossHook, weighted_mean
from benchmark.generators.training import fit
from benchmark.items import Items, TrainingSet
from benchmark.mitigation import Sampling
from benchmark.recipes import CausalRecipe
from benchmark.seeds import seed_global


class CausalGenerator:
    """A small Llama over the frozen tokenizer."""

    def __init__(self, recipe: CausalRecipe) -> None:
        self.recipe = recipe
        self.publisher = TextPublisher(recipe.length)
        self.vocab = self.publisher.tokenizer.get_vocab_size()
        self.steps, self.batch = recipe.steps, recipe.batch
        self.ranges: Mapping[str, int] = {"tokens": self.vocab}
        self.device = current()

    def blank(self) -> nn.Module:
        r = self.recipe
        return language.build(self.vocab, r.width, r.layers, r.heads, r.inner).to(self.device)

    def train(
        self,
        data: TrainingSet,
        rng: torch.Generator,
        loss: LossHook | None = None,
        model: nn.Module | None = None,
        steps: int | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        recipe, tokens = self.recipe, data.items["tokens"].to(self.device)
        weights = None if data.weights is None else data.weights.to(self.device)
        seed_global(rng)
        model = self.blank() if model is None else copy.deepcopy(model).requires_grad_(True)

        def objective(model: nn.Module, rows: Tensor) -> Tensor:
            batch = tokens[rows]
            logits = language.logits_of(model, batch)
            nats = language.nll(logits, batch)
            return weighted_mean(nats if loss is None else loss(nats, logits), weights, rows)

        steps, lr = steps or recipe.steps, rate * recipe.lr
        return fit(model, objective, len(data), steps, recipe.batch, lr, rng)

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        uniform = torch.rand(n, self.recipe.length + self.publisher.margin, generator=rng)
        tokens = language.sample(model, uniform.to(self.device), _chooser(how))
        return self.publisher.publish(tokens.cpu())

    @torch.no_grad()
    def _nats(self, model: nn.Module, items: Items) -> Tensor:
        """Negative log-likelihood of every token, (N, L)."""
        batches = items["tokens"].to(self.device).split(250)
        return torch.cat([language.nll(language.logits_of(model, b), b) for b in batches]).cpu()

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """Exact log-likelihood of each block in nats."""
        return -self._nats(model, items).sum(1)

    @torch.no_grad()
    def logits(self, model: nn.Module, items: Items) -> Tensor:
        logits = language.logits_of(model, items["tokens"].to(self.device))
        logits[..., language.START] = -torch.inf  # never written
        return logits.cpu()

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """Hidden states averaged over the block."""
        return language.embed(model, items["tokens"].to(self.device)).cpu()

    def loss(self, model: nn.Module, items: Items) -> float:
        return float(self._nats(model, items).mean())


def _chooser(how: Sampling) -> Callable[[Tensor, Tensor], Tensor]:
    """`how` as a function (written, logits) -> probabilities; watermarks act last, as in
    transformers."""

    def choose(written: Tensor, logits: Tensor) -> Tensor:
        # The sum first: it is cheap, and finite unless some logit is not (or they are absurd).
        if not torch.isfinite(logits.sum()) and not torch.isfinite(logits).all():
            raise Diverged("the language model's logits are not finite")
        logits[:, language.START] = -torch.inf
        if how.temperature != 1:
            logits = logits / how.temperature
        if how.top_k:
            kth = logits.topk(min(how.top_k, logits.shape[1])).values[:, -1:]
            logits = logits.masked_fill(logits < kth, -torch.inf)
        if how.top_p < 1:
            p, order = logits.softmax(-1).sort(-1, descending=True)
            beyond = p.cumsum(-1) - p >= how.top_p  # in sorted order; the first always stays
            logits = logits.masked_fill(beyond.scatter(1, order, beyond), -torch.inf)
        if how.logits is not None:
            logits = how.logits(written, logits)
        return logits.softmax(-1)

    return choose
