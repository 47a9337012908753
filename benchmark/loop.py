"""The generation loop of one lineage, read top to bottom."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.contract import (
    checked_model,
    checked_sampling,
    checked_training_set,
    instance,
    loss_hook,
)
from benchmark.data.sources import Splits
from benchmark.errors import Diverged, MethodError
from benchmark.generators.base import Generator
from benchmark.items import Items, TrainingSet
from benchmark.ledger import Ledger
from benchmark.mitigation import Access, Mitigation, Sampling
from benchmark.round import Limits, Round
from benchmark.seeds import seed_global, stream
from benchmark.storage import Cache, LineageStore
from benchmark.tasks.base import Task
from benchmark.web import Web

OK, FAILED, DIVERGED = "ok", "failed", "diverged"


def run_lineage(
    task: Task,
    method: type[Mitigation],
    seed: int,
    store: LineageStore,  # this lineage's own: a record, the samples and the model by generation
    cache: Cache,  # shared: generation 0 and the foreign generators are trained once
) -> list[dict[str, Any]]:
    """Run, or continue, the lineage of (task, method, seed); return its generations' records.

    A record holds `generation`, `status`, `profile`, `ledger`, `training_set` (its size) and
    `seconds` by stage. A method that raises or a model that diverges ends the lineage with a
    record whose status is "failed" or "diverged" and whose `message` says why.
    """
    generator, evaluator = task.generator.build(), task.evaluation.build()
    real_needed = task.schedule.real_needed(task.n, task.generations)
    splits = task.data.build().splits(real_needed, task.reserve, _rng(task, seed, 0, "split"))
    foreign = [
        _foreign(task, seed, i, splits, cache)
        for i in range(len(task.foreign) if task.schedule.foreign else 0)
    ]
    web = Web(splits.real, foreign, task.schedule, task.n)
    verifier = task.verifier.build() if task.verifier and Access.VERIFIER in method.access else None
    records: list[dict[str, Any]] = []
    crawls: list[Items] = []
    provenance: list[Tensor] = []
    model: nn.Module | None = None

    for t in range(task.generations + 1):
        crawl, made = web.crawl(t, _rng(task, seed, t, "crawl"))
        crawls.append(crawl)
        provenance.append(made)

        # Continue: a finished generation is read, not computed.
        finished = store.record(t)
        if finished is not None:
            records.append(finished)
            if finished["status"] != OK:
                break
            web.publish(store.samples(t))
            continue
        if t > 0 and model is None:
            model = generator.blank()
            model.load_state_dict(store.model(t - 1))
            model.eval()

        clock = _Clock()
        auxiliary = Ledger()
        round_ = Round(
            generation=t,
            n=task.n,
            modality=task.modality,
            rng=_rng(task, seed, t, "method"),
            granted=_granted(method.access, crawls[:-1], splits, provenance, model, seed, verifier),
            generator=generator,
            ledger=auxiliary,
            limits=_limits(task, generator),
        )
        # A method that draws from the global generators is reproducible, too.
        seed_global(_rng(task, seed, t, "global"))
        record: dict[str, Any] = {"generation": t, "status": OK}
        try:
            strategy = instance(method, t)
            if t == 0:
                training = TrainingSet(crawl)
                model = _generation_zero(task, seed, generator, training, cache)
                clock.lap("train")
            else:
                training = checked_training_set(strategy, crawls, splits.reserve, round_)
                clock.lap("curate")
                hook = loss_hook(strategy, t)
                model = generator.train(training, _rng(task, seed, t, "train"), loss=hook)
                clock.lap("train")
                round_.renew(model)
                model = checked_model(strategy, model, round_)
            round_.renew(model)
            how = checked_sampling(strategy, round_)
            clock.lap("adjust")
            items = _published(task, seed, t, generator, model, how, cache)
            clock.lap("sample")
            record["profile"] = evaluator.profile(generator, model, items, splits)
            if not all(math.isfinite(value) for value in record["profile"].values()):
                finite = {k: v if math.isfinite(v) else None for k, v in record["profile"].items()}
                record["profile"] = finite
                raise Diverged("a metric of the profile is not finite")
            clock.lap("evaluate")
        except (MethodError, Diverged) as error:
            record["status"] = DIVERGED if isinstance(error, Diverged) else FAILED
            record["message"] = str(error)
            record |= {"ledger": auxiliary.as_dict(), "seconds": clock.laps}
            store.end(t, record)
            records.append(record)
            break

        web.publish(items)
        auxiliary.items_trained += generator.steps * generator.batch
        auxiliary.items_generated += task.n
        record["ledger"] = auxiliary.as_dict()
        record["training_set"] = len(training)
        record["seconds"] = clock.laps
        store.save(t, record, items, _state(model))
        records.append(record)
    return records


def _rng(task: Task, seed: int, t: int, purpose: str) -> torch.Generator:
    return stream(task.hash, seed, t, purpose)


def _generation_zero(
    task: Task, seed: int, generator: Generator, training: TrainingSet, cache: Cache
) -> nn.Module:
    """The common starting point of all methods: the real crawl, no mitigation."""
    key = f"generation 0|{task.hash}|{seed}|{training.digest()}"
    rng = _rng(task, seed, 0, "train")
    model = generator.blank()
    model.load_state_dict(cache.get(key, lambda: _state(generator.train(training, rng))))
    return model.eval()


def _published(
    task: Task,
    seed: int,
    t: int,
    generator: Generator,
    model: nn.Module,
    how: Sampling,
    cache: Cache,
) -> Items:
    """What generation `t` publishes; generation 0's is common to all that sample plainly."""
    rng = _rng(task, seed, t, "sample")
    if t > 0 or how != Sampling():
        return generator.sample(model, task.n, rng, how)
    key = f"samples 0|{task.hash}|{seed}"
    return Items(**cache.get(key, lambda: generator.sample(model, task.n, rng, how).columns))


def _foreign(task: Task, seed: int, index: int, splits: Splits, cache: Cache) -> Items:
    """What foreign generator `index` published: half a crawl of its own samples."""

    def make() -> dict[str, Tensor]:
        generator = task.foreign[index].build()
        rng = _rng(task, seed, 0, f"foreign {index}")
        model = generator.train(TrainingSet(splits.real.take(slice(0, task.n))), rng)
        return generator.sample(model, math.ceil(task.n / 2), rng, Sampling()).columns

    return Items(**cache.get(f"foreign|{task.hash}|{seed}|{index}", make))


def _granted(
    access: frozenset[Access],
    archive: list[Items],
    splits: Splits,
    provenance: list[Tensor],
    model: nn.Module | None,
    seed: int,
    verifier: Any,
) -> dict[Access, Any]:
    everything: dict[Access, Any] = {
        Access.ARCHIVE: tuple(archive),
        Access.MODEL: model,
        Access.RESERVE: splits.reserve,
        Access.WATERMARK: stream("watermark key", seed).initial_seed(),
        Access.VERIFIER: verifier,
        Access.PROVENANCE: tuple(provenance),
    }
    return {name: everything[name] for name in access}


def _limits(task: Task, generator: Generator) -> Limits:
    budget = task.budget
    return Limits(
        items_trained=round(budget.items_trained * generator.steps * generator.batch),
        items_generated=round(budget.items_generated * task.n),
        forward_passes=round(budget.forward_passes * task.n),
    )


def _state(model: nn.Module) -> dict[str, Tensor]:
    """Weights, copied: safetensors takes no tensors that share memory."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


class _Clock:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, stage: str) -> None:
        now = time.process_time()
        self.laps[stage] = round(self.laps.get(stage, 0.0) + now - self._last, 3)
        self._last = now
