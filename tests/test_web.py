"""Schedules and the web: what a crawl holds, and that nothing tells where an item came from."""

import pytest
import torch

from benchmark import FOREIGN, REAL, Items
from benchmark.basics.device import computing_on
from benchmark.basics.errors import InputError
from benchmark.basics.seeds import stream
from benchmark.lineage.loop import open_evaluator, open_world
from benchmark.lineage.web import Web as Found
from benchmark.tasks.parts import Era
from benchmark.tasks.schedules import (
    SCHEDULES,
    Accumulate,
    FixedReal,
    Fresh,
    Replace,
    Schedule,
    Web,
)
from tests import tiny

N = 100


def numbered(first: int, count: int = N) -> Items:
    return Items(x=first + torch.arange(count))


def moving(t: int) -> Era:
    """Real items of era t are 100 t, 100 t + 1, ...: all below 1000."""
    return Era(real=numbered(N * t), heldout=numbered(0, 1), trusted=numbered(0, 1))


def published_by_others(t: int, count: int) -> Items:
    return numbered(1_000_000 + N * t, count)


def web(schedule: Schedule, models: int = 3, world=moving) -> Found:
    """Items that say who made them: real below 1000, model i from 1000 (i + 1), foreign 10^6.."""
    found = Found(world, schedule, N, published_by_others)
    for i in range(models):
        found.publish(numbered(1000 * (i + 1)), stream("publish", i))
    return found


def source_of(x: torch.Tensor) -> torch.Tensor:
    own = x // 1000 - 1
    return torch.where(x >= 1_000_000, FOREIGN, torch.where(x < 1000, REAL, own))


@pytest.mark.parametrize("name", SCHEDULES)
def test_provenance_is_true_and_nothing_is_drawn_twice(name):
    found = web(SCHEDULES[name]())
    for t in range(4):
        crawl, made = found.crawl(t, stream(t))
        assert len(crawl) == N
        assert len(set(crawl["x"].tolist())) == N
        assert torch.equal(source_of(crawl["x"]), made)


@pytest.mark.parametrize("name", SCHEDULES)
def test_generation_0_crawls_the_real_items_of_its_era(name):
    crawl, made = web(SCHEDULES[name]()).crawl(0, stream(0))
    assert (made == REAL).all()
    assert sorted(crawl["x"].tolist()) == list(range(N))


def counts(schedule: Schedule, t: int) -> dict[int, int]:
    made = web(schedule).crawl(t, stream(schedule.name, t))[1]
    return dict(zip(*(v.tolist() for v in made.unique(return_counts=True)), strict=True))


def test_replace_is_the_last_generation_only():
    assert counts(Replace(), 1) == {0: N}
    assert counts(Replace(), 3) == {2: N}


def test_the_web_keeps_a_floor_of_real_items_and_a_third_of_the_rest_is_foreign():
    assert counts(Web(), 1) == {REAL: 70, 0: 20, FOREIGN: 10}
    assert counts(Web(), 3) == {REAL: 41, 2: 39, FOREIGN: 20}
    assert Web().draws(40, N)[0].count == 25


def test_fixed_real_and_fresh_keep_their_share():
    assert counts(FixedReal(real_share=0.2), 2) == {REAL: 20, 1: 80}
    assert counts(Fresh(real_share=0.2), 2) == {REAL: 20, 1: 80}


@pytest.mark.parametrize(
    "schedule", [Web(), FixedReal(real_share=0.2), Fresh(real_share=0.2), Fresh(real_share=1.0)]
)
def test_real_items_of_a_crawl_are_of_its_era_and_were_in_no_earlier_one(schedule):
    found = web(schedule)
    for t in range(4):
        x = found.crawl(t, stream(t)).items["x"]
        real = x[x < 1000]
        assert len(real)
        assert (real // N == t).all()


def test_accumulate_draws_uniformly_from_all_eras_and_all_models():
    found = web(Accumulate())
    x = torch.cat([found.crawl(3, stream("uniform", i))[0]["x"] for i in range(40)])
    parts = [x // N == era for era in range(4)] + [x // 1000 == model + 1 for model in range(3)]
    for part in parts:
        share = part.double().mean().item()
        assert abs(share - 1 / 7) < 4 * (1 / 7 * 6 / 7 / len(x)) ** 0.5  # 4 standard errors


def test_a_world_that_is_the_same_for_ever_counts_once():
    only = moving(0)
    found = web(Accumulate(), world=lambda t: only)
    made = torch.cat([found.crawl(3, stream("still", i))[1] for i in range(40)])
    for source in (REAL, 0, 1, 2):
        share = (made == source).double().mean().item()
        assert abs(share - 0.25) < 4 * (0.25 * 0.75 / len(made)) ** 0.5


@pytest.mark.parametrize("schedule", [Web(), FixedReal(real_share=0.5), Fresh(real_share=0.5)])
def test_order_does_not_tell_the_source(schedule):
    """Real items stand, on average, in the middle of the crawl: |z| < 4 over 50 crawls."""
    found = web(schedule)
    z = []
    for i in range(50):
        made = found.crawl(1, stream("order", i))[1]
        ranks = torch.nonzero(made == REAL).squeeze(1).double()
        k = len(ranks)
        spread = ((N - k) * (N + 1) / (12 * k)) ** 0.5  # of a mean of k ranks of N
        z.append((ranks.mean().item() - (N - 1) / 2) / spread)
    assert abs(sum(z)) / len(z) ** 0.5 < 4


def test_all_parts_of_a_crawl_have_one_layout():
    crawl, _ = web(Web()).crawl(2, stream("layout"))
    assert crawl["x"].is_contiguous()
    assert crawl["x"].storage_offset() == 0


def test_a_schedule_that_asks_for_too_much_says_so():
    few = Era(real=numbered(0, 3), heldout=numbered(0, 1), trusted=numbered(0, 1))
    found = web(Fresh(real_share=0.5), world=lambda t: few)
    with pytest.raises(InputError, match="asks for 50 of 3 items at generation 1"):
        found.crawl(1, stream(1))


def test_eras_are_made_once_and_of_a_large_world_only_the_last_few_are_kept(monkeypatch):
    task = tiny.TOY_TASKS["digits-web"]
    open_world.cache_clear()
    world = open_world(task, 0)
    eras = [world(t) for t in range(5)]
    assert all(world(t) is era for t, era in enumerate(eras))
    assert open_world(task, 0) is world  # for the next method
    monkeypatch.setattr("benchmark.lineage.loop.MOST_KEPT", 0)
    open_world.cache_clear()
    large = open_world(task, 0)
    again = [large(t) for t in range(5)]
    assert [large(t) is era for t, era in enumerate(again)][2:] == [True] * 3
    assert large(0) is not again[0]
    for one, other in zip(eras, again, strict=True):
        assert one.real.digest() == other.real.digest()


def test_the_evaluator_is_kept_for_the_next_method_but_not_for_another_device(monkeypatch):
    task = tiny.TOY_TASKS["digits-web"]
    first = open_evaluator(task)
    assert open_evaluator(task) is first
    monkeypatch.setattr("benchmark.basics.device.check", lambda name: None)
    with computing_on("cuda"):
        assert open_evaluator(task) is not first
