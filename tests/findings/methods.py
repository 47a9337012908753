"""What memory, trusted items and true provenance are worth: the methods of the figure."""

from __future__ import annotations

import torch

from baselines.accumulate import Accumulate
from baselines.age_sampled import AgeSampled
from baselines.first_crawl import FirstCrawl
from baselines.oracle import Oracle
from benchmark import REAL, Access, Items, Mitigation, Round, TrainingSet
from benchmark.interface.clean import Clean


class Rate9(AgeSampled):
    """A long memory."""

    rate = 0.9


class Rate4(AgeSampled):
    """A short memory."""

    rate = 0.4


class Half(Mitigation):
    """A random half of the crawl, which mitigates nothing."""

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl.draw(round.n // 2, round.rng))


class AllReal(Mitigation):
    """The real items of all crawls so far, by true provenance."""

    access = frozenset({Access.ARCHIVE, Access.PROVENANCE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        made = torch.cat(list(round.provenance))
        return TrainingSet(Items.concat([*round.archive, crawl]).take(made == REAL))


class Trusted(Mitigation):
    """The crawl and, as 30% of every batch, the reserve."""

    access = frozenset({Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        trusted, share = round.reserve, 0.3
        rates = torch.tensor([(1 - share) / len(crawl), share / len(trusted)])
        weights = rates.repeat_interleave(torch.tensor([len(crawl), len(trusted)]))
        return TrainingSet(Items.concat([crawl, trusted]), weights)


# The two references first: without them nothing can be said of the others.
METHODS: dict[str, type[Mitigation]] = {
    "newest crawl": Mitigation,
    "clean": Clean,
    "first crawl for ever": FirstCrawl,
    "all crawls, evenly": Accumulate,
    "random half": Half,
    "oracle": Oracle,
    "crawl and reserve": Trusted,
    "all crawls, rate .7": AgeSampled,
    "all real items so far": AllReal,
    "all crawls, rate .4": Rate4,
    "all crawls, rate .9": Rate9,
}
