"""Keeps the model it has: nothing new is learnt, so nothing of what models wrote is."""

from torch import nn

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class Freeze(Mitigation):
    """Publishes with the model of generation 0 for ever.

    The trivial way out of a self-consuming loop, which every stability theorem admits (a generator
    that is not retrained cannot collapse). Its weights are memory, so it declares the archive as
    `first_crawl` does, from which it differs in that not even the training is repeated. In a world
    that stands still it is perfect; in one that moves it goes stale by as much as the world has
    moved (`docs/theory.md`, M2). The training that it is given is thrown away, but for the shares
    of the classes of images: those published are the newest crawl's.
    """

    access = frozenset({Access.ARCHIVE, Access.MODEL})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        self.kept = round.model
        return TrainingSet(crawl)

    def adjust(self, model: nn.Module, round: Round) -> nn.Module:
        return self.kept
