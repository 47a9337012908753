"""The workshop of one lineage: where its models and items are made, reproducibly and once."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmark.basics.cache import Cache, NoCache
from benchmark.basics.device import is_trouble
from benchmark.basics.errors import CorruptFile
from benchmark.basics.files import laid_out
from benchmark.interface.generator import LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.lineage.marks import Written, write_marked
from benchmark.tasks.task import Task
from benchmark.tasks.training.meter import Measured

AFTER_TRAINING = "global after training"  # what the global generators are seeded with for hooks


class Trained(NamedTuple):
    """A model; `saved`, the processor seconds that the cache saved; and of generators that measure
    it, what the training `took` (nothing, if the cache had it)."""

    model: nn.Module
    saved: float
    took: dict[str, float] | None


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
        generator, steps = self.generator, training.steps or self.generator.steps
        if isinstance(generator, Measured):
            generator.meter.take()  # what a method's fine-tuning took is another matter

        def make() -> nn.Module:
            return generator.train(training, self.rng(t, "train"), loss=hook, steps=steps)

        if hook is not None or isinstance(self.cache, NoCache):
            model, saved = make(), 0.0
        else:
            key = self.key(t, training.digest(), steps)
            kept = self.cache.get("model", key, lambda: copy_state(make()))
            model, saved = self.restore(kept.tensors), kept.saved
        took = generator.meter.take() if isinstance(generator, Measured) else None
        return Trained(model, saved, took)

    def write(self, t: int, model: nn.Module, how: Sampling, where: str) -> tuple[Written, float]:
        """What generation `t` writes, and the processor seconds that the cache saved: generation
        0's items are common to all that sample plainly. `where` says whose settings these are.

        Raises:
            MethodError: a mark changes more than its bound allows.
            Diverged: the model's output is not finite.
        """

        def make() -> Written:
            return write_marked(
                self.generator, model, self.task.n, lambda: self.rng(t, "sample"), how, where
            )

        if t > 0 or how != Sampling():
            return make(), 0.0
        kept = self.cache.get("samples", self.key(), lambda: make().scored.columns)
        items = Items(**kept.tensors)
        return Written(items, items), kept.saved

    def settle(self, model: nn.Module, trained: nn.Module) -> nn.Module:
        """The model of a generation: the weights of `model`, in bf16 where they are float32, so
        that low bits carry no message; what only training sets is that of `trained`."""
        fixed = self.generator.fixed
        if not fixed and not any(p.dtype == torch.float32 for p in model.state_dict().values()):
            return model  # an analytic task's: exact as it is
        state = kept_state(model)
        state |= {name: laid_out(trained.get_buffer(name)) for name in fixed}
        return self.restore(state)

    def restore(self, state: dict[str, Tensor]) -> nn.Module:
        """A model of the lineage with these weights."""
        model = self.generator.blank()
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            if is_trouble(error):
                raise
            raise CorruptFile(
                f"a stored model of {self.task.name}, seed {self.seed}, is one of another task: "
                f"delete the folder of this lineage and run the same command again"
            ) from error
        return model.eval()


def kept_state(model: nn.Module) -> dict[str, Tensor]:
    """What is kept of a model: float32 weights as bf16, which loses nothing of a settled one."""
    return {name: _rounded(tensor) for name, tensor in copy_state(model).items()}


def _rounded(tensor: Tensor) -> Tensor:
    return tensor.bfloat16() if tensor.dtype == torch.float32 else tensor


def copy_state(model: nn.Module) -> dict[str, Tensor]:
    """A model's weights, copied to the CPU in the usual layout, whatever those of the model are."""
    return {name: laid_out(tensor) for name, tensor in model.state_dict().items()}
