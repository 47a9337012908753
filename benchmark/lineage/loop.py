"""The generation loop of one lineage, read top to bottom."""

from __future__ import annotations

import math
import time
from typing import Any

from torch import nn

from benchmark.basics import device
from benchmark.basics.cache import Cache
from benchmark.basics.errors import Diverged, InputError, MethodError
from benchmark.basics.plain import bound_metric
from benchmark.basics.processor import describe, without_denormals
from benchmark.basics.seeds import seed_global
from benchmark.interface.access import Access
from benchmark.interface.items import TrainingSet
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.round import Ledger
from benchmark.lineage.foreign import ForeignModels
from benchmark.lineage.granted import Grants
from benchmark.lineage.hooks import (
    checked_loss,
    checked_model,
    checked_sampling,
    checked_training_set,
    make_instance,
)
from benchmark.lineage.provenance import Composition
from benchmark.lineage.store import LineageStore
from benchmark.lineage.web import Web
from benchmark.lineage.workshop import Workshop, copy_state
from benchmark.tasks.parts import BiasableSource, MovingSource, Splits
from benchmark.tasks.task import Task

OK, FAILED, DIVERGED = "ok", "failed", "diverged"


@without_denormals()
def run_lineage(
    task: Task,
    method: type[Mitigation],
    seed: int,
    store: LineageStore,  # this lineage's own: a record, the samples and the model by generation
    cache: Cache,  # shared: what is trained on the same items, with the same seed, is trained once
) -> list[dict[str, Any]]:
    """Run, or continue, the lineage of (task, method, seed); return its generations' records.

    A record holds `generation`, `status`, `machine`, `profile`, `ledger`, `training_set` (its
    size), `trained_on` and `kept` (see `Composition.describe`), `seconds` by stage and, of
    generators that measure it, what `training` took (see `Meter`). A method that raises or a model
    that diverges ends the lineage with a record whose status is "failed" or "diverged" and whose
    `message` says why.
    """
    workshop, evaluator = Workshop(task, seed, cache), task.evaluation.build()
    source, splits = task.data.build(), draw_splits(task, seed)
    web = Web(splits.real, task.schedule, task.n, task.laundering)
    grants = Grants(workshop, method.access)
    foreign = ForeignModels(workshop, grants, method)
    trusted = splits.reserve if Access.RESERVE in method.access else None
    composition = Composition(trusted, Access.ARCHIVE in method.access)
    records: list[dict[str, Any]] = []
    model: nn.Module | None = None
    machine = describe(device.name())

    for t in range(task.generations + 1):
        # The web as it is before generation t: others publish, then everybody crawls. Who made an
        # item is known to the harness and, if it is declared, to the oracle; to nobody else.
        for released in foreign.release(t, splits):
            web.publish_foreign(released)
        if t > 0 and isinstance(source, MovingSource):
            # Real, trusted and held-out items are of this era from now on.
            splits = source.world(t, task.n, task.reserve, workshop.rng(t, "world"))
            web.move(splits.real)
            composition.trust(splits.reserve)
        crawl, provenance = web.crawl(t, workshop.rng(t, "crawl"))
        grants.add(crawl, provenance)
        composition.add(crawl, provenance)

        # Continue: a finished generation is read, not computed.
        finished = store.record(t)
        if finished is not None:
            records.append(finished)
            if finished["status"] != OK:
                break
            web.publish(store.samples(t), workshop.rng(t, "laundering"))
            continue
        if t > 0 and model is None:
            model = workshop.restore(store.model(t - 1))

        clock, ledger = Clock(), Ledger()
        round_ = grants.open_round(t, splits.reserve, model, ledger)
        # A method that draws from the global generators is reproducible, too.
        seed_global(workshop.rng(t, "global"))
        record: dict[str, Any] = {"generation": t, "status": OK, "machine": machine}
        try:
            strategy = make_instance(method, t)  # anew, so that only the archive remembers
            if t == 0:
                # The common start: every method's first model is trained on the same real crawl.
                training = TrainingSet(crawl)
                made = workshop.train(t, training)
                model = made.model
                clock.lap("train", made.saved)
            else:
                training = checked_training_set(
                    strategy, grants.crawls, splits.reserve, round_, workshop.generator.ranges
                )
                clock.lap("curate")
                made = workshop.train(t, training, checked_loss(strategy, t))
                clock.lap("train", made.saved)
                # Whether the model was trained or read from the cache, the hooks draw the same.
                seed_global(workshop.rng(t, "global after training"))
                round_.renew(made.model)
                model = checked_model(strategy, made.model, round_)
            if made.took is not None:
                record["training"] = made.took
            record |= composition.describe(training)
            round_.renew(model)
            how = checked_sampling(strategy, round_)
            clock.lap("adjust")
            items, saved = workshop.publish(t, model, how)
            clock.lap("sample", saved)
            record["profile"] = evaluator.profile(workshop.generator, model, items, splits)
            _check_finite(record)
            clock.lap("evaluate")
        except (MethodError, Diverged) as error:
            # A failure is a result: the lineage ends here, with what it cost and the sentence.
            record["status"] = DIVERGED if isinstance(error, Diverged) else FAILED
            record["message"] = str(error)
            record |= {"ledger": ledger.as_dict(), "seconds": clock.laps}
            store.end(t, record)
            records.append(record)
            break

        # What the model wrote is on the web, where the next generation will find it, unlabelled.
        web.publish(items, workshop.rng(t, "laundering"))
        ledger.items_trained += workshop.generator.steps * workshop.generator.batch
        ledger.items_generated += task.n
        record["ledger"] = ledger.as_dict()
        record["training_set"] = len(training)
        record["seconds"] = clock.laps
        store.save(t, record, items, copy_state(model))
        records.append(record)
    return records


def draw_splits(task: Task, seed: int) -> Splits:
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


def _check_finite(record: dict[str, Any]) -> None:
    """Raises Diverged where the profile is not finite; JSON has no word for it, so None stays."""
    profile = record["profile"]
    bounded = {k: math.isfinite(v) and abs(v) <= bound_metric(k) for k, v in profile.items()}
    record["profile"] = {k: v if bounded[k] else None for k, v in profile.items()}
    if None in record["profile"].values():
        raise Diverged("a metric of the profile is not finite, or beyond any model that learnt")


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
