"""What is computed once for all methods that agree on it: models, and generation 0's items."""

from __future__ import annotations

from torch import Tensor, nn

from benchmark.interface.generator import Generator, LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.lineage.cache import Cache, NoCache
from benchmark.tasks.task import Task


def trained(
    task: Task,
    seed: int,
    t: int,
    generator: Generator,
    training: TrainingSet,
    hook: LossHook | None,
    cache: Cache,
) -> tuple[nn.Module, float]:
    """Generation `t`'s model and the processor seconds that the cache saved.

    Generation 0, the real crawl without mitigation, is common to all methods; so is every later
    training set that two methods agree on. A changed loss is a model of its own.
    """
    rng = task.rng(seed, t, "train")
    if hook is not None or isinstance(cache, NoCache):
        return generator.train(training, rng, loss=hook), 0.0
    key = f"{task.hash}|{seed}|{t}|{training.digest()}"
    kept = cache.get("model", key, lambda: state_of(generator.train(training, rng)))
    model = generator.blank()
    model.load_state_dict(kept.tensors)
    return model.eval(), kept.saved


def published(
    task: Task,
    seed: int,
    t: int,
    generator: Generator,
    model: nn.Module,
    how: Sampling,
    cache: Cache,
) -> tuple[Items, float]:
    """What generation `t` publishes, and the processor seconds that the cache saved: generation
    0's items are common to all that sample plainly."""
    rng = task.rng(seed, t, "sample")

    def make() -> Items:
        return generator.sample(model, task.n, rng, how)

    if t > 0 or how != Sampling():
        return make(), 0.0
    kept = cache.get("samples", f"{task.hash}|{seed}", lambda: make().columns)
    return Items(**kept.tensors), kept.saved


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Weights, copied: safetensors takes no tensors that share memory."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}
