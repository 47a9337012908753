"""Schedules and the web: what a crawl holds, and that nothing tells where an item came from."""

import pytest
import torch

from benchmark import FOREIGN, REAL, Items
from benchmark.basics.errors import InputError
from benchmark.basics.seeds import stream
from benchmark.lineage.web import Web as World
from benchmark.tasks.schedules import (
    SCHEDULES,
    Accumulate,
    FixedReal,
    Fresh,
    Replace,
    Schedule,
    Web,
)

N = 100


def world(schedule: Schedule, generations: int = 3) -> World:
    """Items that say who made them: real 0.., model i 1000*(i+1).., foreign 10^6.."""
    real = torch.arange(schedule.real_needed(N, generations))
    web = World(Items(x=real), schedule, N)
    for k in range(2 if schedule.foreign else 0):
        web.publish_foreign(Items(x=1_000_000 + k * N + torch.arange(N)))
    for i in range(generations):
        web.publish(Items(x=1000 * (i + 1) + torch.arange(N)), stream("publish", i))
    return web


def source_of(x: torch.Tensor) -> torch.Tensor:
    own = x // 1000 - 1
    return torch.where(x >= 1_000_000, FOREIGN, torch.where(x < 1000, REAL, own))


@pytest.mark.parametrize("name", SCHEDULES)
def test_provenance_is_true_and_nothing_is_drawn_twice(name):
    web = world(SCHEDULES[name]())
    for t in range(4):
        crawl, made = web.crawl(t, stream(t))
        assert len(crawl) == N
        assert len(set(crawl["x"].tolist())) == N
        assert torch.equal(source_of(crawl["x"]), made)


@pytest.mark.parametrize("name", SCHEDULES)
def test_generation_0_crawls_real_items_only(name):
    crawl, made = world(SCHEDULES[name]()).crawl(0, stream(0))
    assert (made == REAL).all()
    assert sorted(crawl["x"].tolist()) == list(range(N))


def counts(schedule: Schedule, t: int) -> dict[int, int]:
    made = world(schedule).crawl(t, stream(schedule.name, t))[1]
    return dict(zip(*(v.tolist() for v in made.unique(return_counts=True)), strict=True))


def test_replace_is_the_last_generation_only():
    assert counts(Replace(), 1) == {0: N}
    assert counts(Replace(), 3) == {2: N}


def test_web_share_is_1_minus_fading_to_the_t_and_a_third_of_it_foreign():
    assert counts(Web(), 1) == {REAL: 60, 0: 27, FOREIGN: 13}
    assert counts(Web(), 3) == {REAL: 22, 2: 52, FOREIGN: 26}


def test_fixed_real_and_fresh_keep_their_share():
    assert counts(FixedReal(real_share=0.2), 2) == {REAL: 20, 1: 80}
    assert counts(Fresh(real_share=0.2), 2) == {REAL: 20, 1: 80}


def test_fresh_never_hands_out_a_real_item_twice():
    web = world(Fresh(real_share=0.2))
    seen = [web.crawl(t, stream(t))[0]["x"] for t in range(4)]
    real = torch.cat([x[x < 1000] for x in seen]).tolist()
    assert len(real) == N + 3 * 20 == len(set(real))


def test_accumulate_draws_uniformly_from_the_union():
    web = world(Accumulate())
    made = torch.cat([web.crawl(3, stream("uniform", i))[1] for i in range(40)])
    for source in (REAL, 0, 1, 2):
        share = (made == source).double().mean().item()
        assert abs(share - 0.25) < 4 * (0.25 * 0.75 / len(made)) ** 0.5  # 4 standard errors


@pytest.mark.parametrize("schedule", [Web(), FixedReal(real_share=0.5), Fresh(real_share=0.5)])
def test_order_does_not_tell_the_source(schedule):
    """Real items stand, on average, in the middle of the crawl: |z| < 4 over 50 crawls."""
    web = world(schedule)
    z = []
    for i in range(50):
        made = web.crawl(1, stream("order", i))[1]
        ranks = torch.nonzero(made == REAL).squeeze(1).double()
        k = len(ranks)
        spread = ((N - k) * (N + 1) / (12 * k)) ** 0.5  # of a mean of k ranks of N
        z.append((ranks.mean().item() - (N - 1) / 2) / spread)
    assert abs(sum(z)) / len(z) ** 0.5 < 4


def test_all_parts_of_a_crawl_have_one_layout():
    crawl, _ = world(Web()).crawl(2, stream("layout"))
    assert crawl["x"].is_contiguous()
    assert crawl["x"].storage_offset() == 0


def test_a_schedule_that_asks_for_too_much_says_so():
    web = World(Items(x=torch.arange(N)), Fresh(real_share=0.5), N)
    web.publish(Items(x=torch.arange(N)), stream("publish"))
    with pytest.raises(InputError, match="asks for 50 of 0 items at generation 1"):
        web.crawl(1, stream(1))
    with pytest.raises(InputError, match="the real pool holds 3 items"):
        World(Items(x=torch.arange(3)), Replace(), N)
