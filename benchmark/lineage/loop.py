"""The generation loop of one lineage, read top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from torch import nn

from benchmark.basics import device
from benchmark.basics.cache import Cache
from benchmark.basics.containment import LONGEST, one_line
from benchmark.basics.errors import Diverged, Inapplicable, InputError, MethodError
from benchmark.basics.plain import bound_metric
from benchmark.basics.processor import describe, without_denormals
from benchmark.basics.seeds import seed_global
from benchmark.basics.surroundings import kept_random
from benchmark.interface.access import Access
from benchmark.interface.clean import Clean
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet, read_columns
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.round import Ledger
from benchmark.lineage.applicable import check_effect, check_modality
from benchmark.lineage.foreign import ForeignModels
from benchmark.lineage.granted import Grants
from benchmark.lineage.hooks import Hooks
from benchmark.lineage.marks import LabelReader, check_labels
from benchmark.lineage.provenance import Composition
from benchmark.lineage.store import LineageStore
from benchmark.lineage.web import Web
from benchmark.lineage.workshop import AFTER_TRAINING, Workshop, kept_state
from benchmark.tasks.parts import BiasableSource, Era, Evaluator, World
from benchmark.tasks.schedules import Fresh
from benchmark.tasks.task import Task

OK, FAILED, DIVERGED, INAPPLICABLE = "ok", "failed", "diverged", "inapplicable"
MOST_KEPT, FEW = 200_000_000, 3  # bytes of all eras; eras of a world that has more
_STATUS = {Diverged: DIVERGED, Inapplicable: INAPPLICABLE}


@without_denormals()
@kept_random()
def run_lineage(
    task: Task,
    method: type[Mitigation],
    seed: int,
    store: LineageStore,  # this lineage's own: a record, the samples and the model by generation
    cache: Cache,  # shared: what is trained on the same items, with the same seed, is trained once
    read_clock: Callable[[], float] = time.process_time,  # processor seconds of all who work for it
) -> list[dict[str, Any]]:
    """Run, or continue, the lineage of (task, method, seed); return its generations' records.

    A record holds `generation`, `status`, `machine`, `profile`, `ledger`, `training_set` (its
    size), `trained_on` and `kept` (see `Composition.describe`), `seconds` by stage and, of
    generators that measure it, what `training` took (see `Meter`). A method that raises or a model
    that diverges ends the lineage with a record whose status is "failed" or "diverged" and whose
    `message` says why; so does, at generation 0, one that has nothing to do in the task's modality,
    with the status "inapplicable".
    """
    workshop, evaluator = Workshop(task, seed, cache), open_evaluator(task)
    world, grants = open_world(task, seed), Grants(workshop, method.access)
    foreign = ForeignModels(
        workshop, world, grants, method, first=lambda: workshop.restore(store.model(0))
    )
    # The upper reference differs in nothing but its crawls.
    schedule = Fresh(real_share=1.0) if method is Clean else task.schedule
    web = Web(world, schedule, task.n, foreign.publish, task.laundering)
    composition = Composition(Access.RESERVE in grants.access, Access.ARCHIVE in grants.access)
    records: list[dict[str, Any]] = []
    model: nn.Module | None = None
    machine = describe(device.name())

    for t in range(task.generations + 1):
        finished = store.record(t)
        if finished is not None and finished["status"] != OK:
            records.append(finished)
            break
        era, clock, ledger = world(t), Clock(read_clock), Ledger()
        record: dict[str, Any] = {"generation": t, "status": OK, "machine": machine}
        try:
            # The web as it is before generation t. Who made an item is known to the harness and, if
            # it is declared, to the oracle; to nobody else.
            crawl, provenance = web.crawl(t, workshop.rng(t, "crawl"))
            grants.add(crawl, provenance)
            composition.trust(era.trusted)
            composition.add(crawl, provenance)

            # Continue: a finished generation is read, not computed.
            if finished is not None:
                records.append(finished)
                web.publish(store.samples(t), workshop.rng(t, "laundering"))
                continue
            if t > 0 and model is None:
                model = workshop.restore(store.model(t - 1))

            if t == 0:
                check_modality(method, task.modality)
            clock = Clock(read_clock)
            # The world is kept for lineages of other methods: nobody is handed its own tensors.
            trusted = era.trusted.take(slice(None))
            round_ = grants.open_round(t, trusted, model, ledger)
            # A method that draws from the global generators is reproducible, too.
            seed_global(workshop.rng(t, "global"))
            # Anew, so that only the archive remembers.
            hooks = Hooks(method, t, grants.access, grants.lent(trusted))
            if t == 0:
                # The common start: every method's first model is trained on the same real crawl.
                training = TrainingSet(crawl, steps=workshop.generator.steps)
            else:
                training = hooks.curate(round_, ledger, workshop.generator)
                clock.lap("curate")
            # Before training, so that `loss` cannot spend the same steps on `round.finetune`.
            ledger.items_trained += (training.steps or 0) * workshop.generator.batch
            train = partial(workshop.train, t, training)
            made = train() if t == 0 else hooks.train(train)
            clock.lap("train", made.saved)
            # Whether the model was trained or read from the cache, the hooks draw the same.
            seed_global(workshop.rng(t, AFTER_TRAINING))
            round_.renew(made.model)
            model = made.model if t == 0 else hooks.adjust(made.model, round_)
            model = workshop.settle(model, made.model)
            if made.took is not None:
                record["training"] = made.took
            record |= composition.describe(training)
            round_.renew(model)
            how = hooks.sampling(round_, model)
            if t == 0:
                check_effect(method, how, task.modality)
            clock.lap("adjust")
            written, saved = workshop.write(t, model, how, hooks.where("sampling"))
            hooks.check_lent("sampling")  # by its marks
            clock.lap("sample", saved)
            if isinstance(evaluator, LabelReader):
                first = partial(_write_first, workshop, store, t, model)
                check_labels(evaluator, written.scored, first, hooks.where())
            # What is scored is the model's own: a mark is for what is published.
            record["profile"] = evaluator.profile(workshop.generator, model, written.scored, era)
            _check_finite(record)
            clock.lap("evaluate")
        except (MethodError, Diverged, Inapplicable) as error:
            if finished is not None:  # a mark that others adopt was made before, and can be again
                raise
            # A failure is a result: the lineage ends here, with what it cost and the sentence.
            record["status"] = _STATUS.get(type(error), FAILED)
            record["message"] = one_line(str(error), 4 * LONGEST)
            record |= {"ledger": ledger.as_dict(), "seconds": clock.laps}
            store.end(t, record)
            records.append(record)
            break

        # What the model wrote is on the web, where the next generation will find it, unlabelled.
        web.publish(written.published, workshop.rng(t, "laundering"))
        ledger.items_generated += task.n
        record["ledger"] = ledger.as_dict()
        record["training_set"] = len(training)
        record["seconds"] = clock.laps
        store.save(t, record, written, kept_state(model))
        records.append(record)
    return records


def end_lineage(store: LineageStore, message: str) -> list[dict[str, Any]]:
    """The records of a lineage that ends where it would go on, for a reason outside its hooks: its
    method does not load any more, or ended its process."""
    records: list[dict[str, Any]] = []
    while (finished := store.record(len(records))) is not None:
        records.append(finished)
    if not records or records[-1]["status"] == OK:
        t = len(records)
        said = one_line(message, 4 * LONGEST)
        records.append({"generation": t, "status": FAILED, "message": said})
        store.end(t, records[-1])
    return records


@lru_cache(maxsize=1)
def open_world(task: Task, seed: int) -> World:
    """The real items of a lineage, by generation. Eras are made when they are asked for and kept,
    with the last world: lineages of several methods on one task and seed follow upon one another.
    Where all eras together are large, only the last few are kept if the schedule asks for no more.

    Raises:
        InputError: the data hold fewer items, or the reserve cannot be biased.
    """
    source = task.data.build()
    if task.reserve_bias is not None:
        if not isinstance(source, BiasableSource):
            raise InputError(f"task {task.name!r} cannot bias its reserve")
        source.bias = task.reserve_bias
    world = source.world(task.n, task.reserve, partial(task.rng, seed))
    kept: dict[int, Era] = {}

    def find_era(t: int) -> Era:
        if t in kept:
            return kept[t]
        era = kept[t] = world(t)
        parts = (era.real, era.heldout, era.trusted)
        size = sum(column.nbytes for part in parts for column in read_columns(part).values())
        if task.schedule.newest and size * (task.generations + 1) > MOST_KEPT:
            for old in sorted(kept)[:-FEW]:
                del kept[old]
        return era

    return find_era


def open_evaluator(task: Task) -> Evaluator:
    """The last evaluator is kept like the last world, of whose eras it knows the held-out items."""
    return _build_evaluator(task, device.name())


@lru_cache(maxsize=1)
def _build_evaluator(task: Task, where: str) -> Evaluator:
    """Where generators compute on another device, so may what the evaluator consists of."""
    return task.evaluation.build()


def _write_first(workshop: Workshop, store: LineageStore, t: int, model: nn.Module) -> Items:
    """What the model of generation 0 writes by no settings; at t = 0 it is `model`."""
    first = model if t == 0 else workshop.restore(store.model(0))
    return workshop.write(0, first, Sampling(), "generation 0")[0].scored


def _check_finite(record: dict[str, Any]) -> None:
    """Raises Diverged where the profile is not finite; JSON has no word for it, so None stays."""
    profile = record["profile"]
    bounded = {k: math.isfinite(v) and abs(v) <= bound_metric(k) for k, v in profile.items()}
    record["profile"] = {k: v if bounded[k] else None for k, v in profile.items()}
    if None in record["profile"].values():
        raise Diverged("a metric of the profile is not finite, or beyond any model that learnt")


class Clock:
    """Processor seconds by stage."""

    def __init__(self, read: Callable[[], float]) -> None:
        self.laps: dict[str, float] = {}
        self._read, self._last = read, read()

    def lap(self, stage: str, saved: float = 0.0) -> None:
        """`saved`: what the stage took when it was computed for the cache, so that a method's
        costs do not depend on what ran before it."""
        now = self._read()
        self.laps[stage] = round(self.laps.get(stage, 0.0) + now - self._last + saved, 3)
        self._last = now
