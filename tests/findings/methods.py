"""What memory, trusted items and true provenance are worth: the methods of the figure."""

from __future__ import annotations

from baselines.accumulate import Accumulate
from baselines.age_sampled import AgeSampled
from baselines.first_crawl import FirstCrawl
from baselines.newest_and_reserve import NewestAndReserve
from baselines.oracle import Oracle
from benchmark import Items, Mitigation, Round, TrainingSet
from benchmark.interface.clean import Clean


class Rate4(AgeSampled):
    """A short memory."""

    rate = 0.4


class Half(Mitigation):
    """A random half of the crawl, which mitigates nothing."""

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl.draw(round.n // 2, round.rng))


# The two references first: without them nothing can be said of the others.
METHODS: dict[str, type[Mitigation]] = {
    "newest crawl": Mitigation,
    "clean": Clean,
    "first crawl for ever": FirstCrawl,
    "all crawls, evenly": Accumulate,
    "random half": Half,
    "oracle": Oracle,
    "crawl and reserve": NewestAndReserve,
    "all crawls, rate .7": AgeSampled,
    "all crawls, rate .4": Rate4,
}
