"""The generation loop of one lineage, read top to bottom."""

from __future__ import annotations

import math
import time
from typing import Any

from torch import Tensor, nn

from benchmark.basics.errors import Diverged, InputError, MethodError
from benchmark.basics.seeds import seed_global
from benchmark.interface.access import Access
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.ledger import Ledger
from benchmark.interface.mitigation import Mitigation
from benchmark.lineage.cache import Cache
from benchmark.lineage.foreign import foreign_items
from benchmark.lineage.granted import granted, round_of
from benchmark.lineage.hooks import (
    checked_model,
    checked_sampling,
    checked_training_set,
    instance,
    loss_hook,
)
from benchmark.lineage.once import published, state_of, trained
from benchmark.lineage.provenance import Composition
from benchmark.lineage.store import LineageStore
from benchmark.lineage.web import Web
from benchmark.tasks.parts import BiasableSource, Splits
from benchmark.tasks.task import Task
from benchmark.tasks.training.meter import Measured

OK, FAILED, DIVERGED = "ok", "failed", "diverged"


def run_lineage(
    task: Task,
    method: type[Mitigation],
    seed: int,
    store: LineageStore,  # this lineage's own: a record, the samples and the model by generation
    cache: Cache,  # shared: what is trained on the same items, with the same seed, is trained once
) -> list[dict[str, Any]]:
    """Run, or continue, the lineage of (task, method, seed); return its generations' records.

    A record holds `generation`, `status`, `profile`, `ledger`, `training_set` (its size),
    `trained_on` and `kept` (see `Composition.describe`), `seconds` by stage and, of generators
    that measure it, what `training` took (see `Meter`). A method that raises or a model that
    diverges ends the lineage with a record whose status is "failed" or "diverged" and whose
    `message` says why.
    """
    generator, evaluator = task.generator.build(), task.evaluation.build()
    meter = generator.meter if isinstance(generator, Measured) else None
    splits = splits_of(task, seed)
    launder = task.laundering.build() if task.laundering else None
    web = Web(splits.real, task.schedule, task.n, launder)
    archived = Access.ARCHIVE in method.access
    trusted = splits.reserve if Access.RESERVE in method.access else None
    composition = Composition(trusted, archived)
    verifier = task.verifier.build() if task.verifier and Access.VERIFIER in method.access else None
    records: list[dict[str, Any]] = []
    crawls: list[Items] = []
    provenance: list[Tensor] = []
    model: nn.Module | None = None

    for t in range(task.generations + 1):
        if t == 1 and task.schedule.foreign:  # nobody crawls foreign items before
            marks = Sampling()
            if task.adoption is not None:
                # The method's own mark, asked for as at generation 0.
                first, _ = trained(task, seed, 0, generator, TrainingSet(crawls[0]), None, cache)
                known = granted(method.access, [], splits, provenance, first, seed, verifier)
                round_ = round_of(task, seed, 0, "adopters", known, generator, Ledger())
                how = checked_sampling(instance(method, 0), round_)
                marks = Sampling(logits=how.logits, pixels=how.pixels)
            for items in foreign_items(task, seed, splits, marks, cache):
                web.publish_foreign(items)
        crawl, made = web.crawl(t, task.rng(seed, t, "crawl"))
        crawls = [*crawls, crawl] if archived else [crawl]
        provenance.append(made)
        composition.add(crawl, made)

        # Continue: a finished generation is read, not computed.
        finished = store.record(t)
        if finished is not None:
            records.append(finished)
            if finished["status"] != OK:
                break
            web.publish(store.samples(t), task.rng(seed, t, "laundering"))
            continue
        if t > 0 and model is None:
            model = generator.blank()
            model.load_state_dict(store.model(t - 1))
            model.eval()

        clock = Clock()
        auxiliary = Ledger()
        known = granted(method.access, crawls[:-1], splits, provenance, model, seed, verifier)
        round_ = round_of(task, seed, t, "method", known, generator, auxiliary)
        # A method that draws from the global generators is reproducible, too.
        seed_global(task.rng(seed, t, "global"))
        record: dict[str, Any] = {"generation": t, "status": OK}
        try:
            strategy = instance(method, t)
            if t == 0:
                training = TrainingSet(crawl)
                model, saved = trained(task, seed, t, generator, training, None, cache)
                clock.lap("train", saved)
            else:
                training = checked_training_set(
                    strategy, crawls, splits.reserve, round_, generator.ranges
                )
                clock.lap("curate")
                if meter is not None:
                    meter.take()  # what the method's fine-tuning took is another matter
                hook = loss_hook(strategy, t)
                model, saved = trained(task, seed, t, generator, training, hook, cache)
                clock.lap("train", saved)
                seed_global(task.rng(seed, t, "global after training"))  # cached or not
                round_.renew(model)
                model = checked_model(strategy, model, round_)
            if meter is not None:
                record["training"] = meter.take()
            record |= composition.describe(training)
            round_.renew(model)
            how = checked_sampling(strategy, round_)
            clock.lap("adjust")
            items, saved = published(task, seed, t, generator, model, how, cache)
            clock.lap("sample", saved)
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

        web.publish(items, task.rng(seed, t, "laundering"))
        auxiliary.items_trained += generator.steps * generator.batch
        auxiliary.items_generated += task.n
        record["ledger"] = auxiliary.as_dict()
        record["training_set"] = len(training)
        record["seconds"] = clock.laps
        store.save(t, record, items, state_of(model))
        records.append(record)
    return records


def splits_of(task: Task, seed: int) -> Splits:
    """The real pool, the reserve and the held-out items of a lineage.

    Raises:
        InputError: the data hold fewer items, or the reserve cannot be biased.
    """
    source = task.data.build()
    if task.reserve_bias is not None:
        if not isinstance(source, BiasableSource):
            raise InputError(f"task {task.name!r} cannot bias its reserve")
        source.bias = task.reserve_bias
    real = task.schedule.real_needed(task.n, task.generations)
    return source.splits(real, task.reserve, task.rng(seed, 0, "split"))


class Clock:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, stage: str, saved: float = 0.0) -> None:
        """`saved`: what the stage took when it was computed for the cache, so that a method's
        costs do not depend on what ran before it."""
        now = time.process_time()
        self.laps[stage] = round(self.laps.get(stage, 0.0) + now - self._last + saved, 3)
        self._last = now
