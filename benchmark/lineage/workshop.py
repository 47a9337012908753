"""The workshop of one lineage: where its models and items are made, reproducibly and once."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmark.basics.cache import Cache, NoCache
from benchmark.basics.files import laid_out
from benchmark.interface.generator import LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.tasks.task import Task
from benchmark.tasks.training.meter import Measured


class Trained(NamedTuple):
    """A model; `saved`, the processor seconds that the cache saved; and of generators that measure
    it, what the training `took` (nothing, if the cache had it)."""

    model: nn.Module
    saved: float
    took: dict[str, float] | None


class Published(NamedTuple):
    """What a generation publishes, and the processor seconds that the cache saved."""

    items: Items
    saved: float


class Workshop:
    """The generator, the random numbers and the cache of the lineages of (task, seed).

    Whatever is made here depends on the task, the seed, the generation and what is handed over, and
    on nothing else; so what two methods agree on is made once for both.
    """

    def __init__(self, task: Task, seed: int, cache: Cache) -> None:
        self.task, self.seed, self.cache = task, seed, cache
        self.generator = task.generator.build()

    def rng(self, t: int, purpose: str) -> torch.Generator:
        """Random numbers of generation `t`; nothing else depends on their use."""
        return self.task.rng(self.seed, t, purpose)

    def key(self, *facts: object) -> str:
        """Names what is made of `facts` in the cache."""
        return "|".join(map(str, (self.task.hash, self.seed, *facts)))

    def train(self, t: int, training: TrainingSet, hook: LossHook | None = None) -> Trained:
        """Generation `t`'s model.

        Generation 0, the real crawl without mitigation, is common to all methods; so is every later
        training set that two methods agree on. A changed loss is a model of its own.
        """
        generator, rng = self.generator, self.rng(t, "train")
        if isinstance(generator, Measured):
            generator.meter.take()  # what a method's fine-tuning took is another matter
        if hook is not None or isinstance(self.cache, NoCache):
            model, saved = generator.train(training, rng, loss=hook), 0.0
        else:
            key = self.key(t, training.digest())
            kept = self.cache.get("model", key, lambda: copy_state(generator.train(training, rng)))
            model, saved = self.restore(kept.tensors), kept.saved
        took = generator.meter.take() if isinstance(generator, Measured) else None
        return Trained(model, saved, took)

    def publish(self, t: int, model: nn.Module, how: Sampling) -> Published:
        """What generation `t` publishes: generation 0's items are common to all that sample
        plainly."""
        rng = self.rng(t, "sample")

        def make() -> Items:
            return self.generator.sample(model, self.task.n, rng, how)

        if t > 0 or how != Sampling():
            return Published(make(), 0.0)
        kept = self.cache.get("samples", self.key(), lambda: make().columns)
        return Published(Items(**kept.tensors), kept.saved)

    def restore(self, state: dict[str, Tensor]) -> nn.Module:
        """A model of the lineage with these weights."""
        model = self.generator.blank()
        model.load_state_dict(state)
        return model.eval()


def copy_state(model: nn.Module) -> dict[str, Tensor]:
    """A model's weights, copied to the CPU in the usual layout, whatever those of the model are."""
    return {name: laid_out(tensor) for name, tensor in model.state_dict().items()}
