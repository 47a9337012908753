"""The last three crawls: a memory with an end."""

from benchmark import Access, Items, Mitigation, Round, TrainingSet

WINDOW = 3  # crawls


class SlidingArchive(Mitigation):
    """Trains on the union of the three newest crawls, evenly.

    The sliding window, the oldest remedy for drift in data streams (Widmer and Kubat 1996,
    "Learning in the presence of concept drift and hidden contexts", Machine Learning 23; Gama et
    al. 2014, ACM Computing Surveys 46): what is older than the window is forgotten at once, where
    `age_sampled` forgets it little by little. Three crawls weigh about as much as its rate of 0.7
    remembers; not tuned. Keeps two crawls, trains no longer. Expected to fail where the world moves
    so fast that three crawls differ, and after the clean first crawls have left the window.
    """

    access = frozenset({Access.ARCHIVE})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(Items.concat([*round.archive, crawl][-WINDOW:]))
