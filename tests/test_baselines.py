"""Conformance: every file in baselines/ on every task, so a new method is tested by existing."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import baselines
from benchmark import REAL, Access, Items
from benchmark.basics.seeds import stream
from benchmark.interface.find import find_method
from benchmark.interface.names import find_baselines as registry
from benchmark.interface.round import ROUND, Ledger, Limits, Round
from benchmark.interface.sources import FOREIGN
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.tasks.task import Task
from tests import tiny


def applicable(name: str, tasks: Iterable[Task]) -> list[Task]:
    """Those of the modalities that the method is for."""
    theirs = find_method(name).load().modalities
    return [task for task in tasks if not theirs or task.modality in theirs]


@pytest.mark.parametrize("name", registry())
def test_runs_and_keeps_its_declaration(name, shared_cache, monkeypatch):
    """On the open task of each modality, in one generation after the first: it is not refused (the
    harness refuses undeclared access, changed crawls and broken budgets, see test_interface), and
    on some task it touches all that it declares."""
    touched = set()
    get, weights = Round._get, Round._weights
    monkeypatch.setattr(
        Round, "_get", lambda self, what: touched.add(ROUND[what].access) or get(self, what)
    )
    # Weights of a generation before are memory.
    monkeypatch.setattr(
        Round,
        "_weights",
        lambda self, what: (self._trained or touched.add(Access.ARCHIVE), weights(self, what))[1],
    )
    method, tasks = find_method(name), tiny.by_name(tiny.TINY)
    for task in applicable(name, (tasks[name] for name in tiny.WEB)):
        task = replace(task, generations=1)
        records = run_lineage(task, method.load(), 0, LineageMemory(), shared_cache)
        assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 2
    assert touched == set(method.access)


@pytest.mark.slow
@pytest.mark.parametrize("name", registry())
def test_is_deterministic(name, shared_cache):
    """On the open task of each modality, twice the same is the same."""
    method, tasks = find_method(name), tiny.by_name(tiny.TINY)
    for task in applicable(name, (tasks[name] for name in tiny.WEB)):
        stores = [LineageMemory() for _ in range(2)]
        for store in stores:
            records = run_lineage(task, method.load(), 0, store, shared_cache)
            assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 3
        for t in range(3):
            assert len({store.published[t].digest() for store in stores}) == 1
            assert all(s.records[t]["profile"] == records[t]["profile"] for s in stores)


@pytest.mark.slow
@pytest.mark.parametrize("name", registry())
def test_runs_on_closed_tasks(name, shared_cache):
    """With the networks and evaluators of full size."""
    for task in applicable(name, (tiny.TOY_TASKS[name] for name in tiny.REPLACE)):
        task = replace(task, generations=1)
        records = run_lineage(task, find_method(name).load(), 0, LineageMemory(), shared_cache)
        assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 2


@pytest.mark.parametrize("name", registry())
def test_is_short_and_names_its_source(name):
    text = (Path(baselines.__file__).parent / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 80
    assert find_method(name).summary


def curated(name: str, archive: list[Items], crawl: Items, provenance: list) -> Items:
    method = find_method(name).load()
    granted = {
        Access.ARCHIVE: tuple(archive),
        Access.RESERVE: Items(x=torch.arange(9000, 9010)),
        Access.PROVENANCE: tuple(provenance),
    }
    round_ = Round(
        generation=len(archive),
        n=len(crawl),
        modality="toy",
        rng=stream("curated"),
        granted={a: granted[a] for a in method.access},
        generator=None,
        ledger=Ledger(),
        limits=Limits(0, 0, 0),
    )
    return method().curate(crawl, round_).items


@pytest.fixture
def world():
    """Crawl 0: real 0..99. Crawl 1: 50 of the same real items, 30 own, 20 foreign."""
    zero, one = Items(x=torch.arange(100)), Items(x=torch.arange(50, 150))
    made = torch.cat([torch.full((50,), REAL), torch.zeros(30), torch.full((20,), FOREIGN)]).long()
    return [zero], one, [torch.full((100,), REAL), made]


def test_nothing_takes_the_crawl(world):
    assert curated("nothing", *world)["x"].tolist() == list(range(50, 150))


def test_accumulate_takes_everything_ever_crawled(world):
    assert curated("accumulate", *world)["x"].tolist() == [*range(100), *range(50, 150)]


def test_accumulate_subsample_takes_n_of_both_crawls(world):
    x = curated("accumulate_subsample", *world)["x"]
    assert len(x) == 100
    assert 30 < (x < 50).sum() + (x >= 100).sum() < 70  # 50 expected


def test_anchor_takes_the_whole_reserve_and_the_rest_of_the_crawl(world):
    x = curated("anchor", *world)["x"]
    assert len(x) == 100
    assert set(range(9000, 9010)) <= set(x.tolist())
    assert ((x >= 50) & (x < 150)).sum() == 90


def test_oracle_takes_the_real_items_of_the_crawl_and_nothing_else(world):
    assert curated("oracle", *world)["x"].tolist() == list(range(50, 100))


def test_first_crawl_never_changes(world):
    assert curated("first_crawl", *world)["x"].tolist() == list(range(100))


def test_age_sampled_draws_older_crawls_more_rarely(world):
    archive, crawl, _ = world
    method = find_method("age_sampled").load()
    granted = {Access.ARCHIVE: (*archive, *archive)}
    limits = Limits(0, 0, 0)
    round_ = Round(2, 100, "toy", stream("aged"), granted, None, Ledger(), limits)
    training = method().curate(crawl, round_)
    assert training.items["x"].tolist() == [*range(100), *range(100), *range(50, 150)]
    rates = training.weights.view(3, 100)
    assert (rates == rates[:, :1]).all()
    assert rates[:, 0].tolist() == pytest.approx([0.49, 0.7, 1.0])
