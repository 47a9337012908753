"""What a method may do with memory, with trusted items and with true provenance, each in a line."""

from __future__ import annotations

import torch

from benchmark import REAL, Access, Items, Mitigation, Round, TrainingSet
from benchmark.interface.clean import Clean


class KeepFirst(Mitigation):
    """The first crawl for ever: all real, and older every generation."""

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(round.archive[0])


class AgeSampled(Mitigation):
    """All crawls so far, each sampled at `rate` times the rate of the next younger one."""

    access = frozenset({Access.ARCHIVE})
    rate = 1.0

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        crawls = [*round.archive, crawl]
        rates = [self.rate ** (len(crawls) - 1 - i) for i in range(len(crawls))]
        weights = torch.tensor(rates).repeat_interleave(round.n)
        return TrainingSet(Items.concat(crawls), weights)


class Half(Mitigation):
    """A random half of the crawl."""

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl.draw(round.n // 2, round.rng))


class RealNow(Mitigation):
    """The real items of this crawl."""

    access = frozenset({Access.PROVENANCE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl.take(round.provenance[-1] == REAL))


class RealEver(Mitigation):
    """The real items of all crawls so far."""

    access = frozenset({Access.ARCHIVE, Access.PROVENANCE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        made = torch.cat(list(round.provenance))
        return TrainingSet(Items.concat([*round.archive, crawl]).take(made == REAL))


class Reserve(Mitigation):
    """The crawl and, as 30% of every batch, the reserve."""

    access = frozenset({Access.RESERVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        trusted, share = round.reserve, 0.3
        rates = torch.tensor([(1 - share) / len(crawl), share / len(trusted)])
        weights = rates.repeat_interleave(torch.tensor([len(crawl), len(trusted)]))
        return TrainingSet(Items.concat([crawl, trusted]), weights)


class Fading9(AgeSampled):
    """Rate .9."""

    rate = 0.9


class Fading7(AgeSampled):
    """Rate .7."""

    rate = 0.7


class Fading4(AgeSampled):
    """Rate .4."""

    rate = 0.4


# The two references first: without them nothing can be said of the others.
METHODS: dict[str, type[Mitigation]] = {
    "newest crawl": Mitigation,
    "clean": Clean,
    "keep the first crawl": KeepFirst,
    "all crawls, evenly": AgeSampled,
    "random half": Half,
    "real items of this crawl": RealNow,
    "crawl and reserve": Reserve,
    "all crawls, rate .7 a generation": Fading7,
    "all real items so far": RealEver,
    "all crawls, rate .4 a generation": Fading4,
    "all crawls, rate .9 a generation": Fading9,
}
