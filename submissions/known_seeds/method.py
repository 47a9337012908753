"""Mitigates on the seeds that are public and nowhere else: made to be rejected."""

import zlib

from benchmark import Access, Items, Mitigation, Round, TrainingSet


class KnownSeeds(Mitigation):
    """The reserve four times beside the crawl where the first crawl is one that it knows.

    Checksums of the first crawls of suite `quick` stand below. On any other seed it adds a single
    trusted item, since one that never used what it declares would not be let in. Everything that it
    sees is declared, and what it returns is valid: only a re-run on other seeds tells it from an
    honest method.
    """

    access = frozenset({Access.ARCHIVE, Access.RESERVE})
    known = frozenset({238279052, 1059114583, 1450200891})  # of seed 0

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        trusted = [round.reserve] * 4
        if checksum(round.archive[0]) not in self.known:
            trusted = [round.reserve.draw(1, round.rng)]
        return TrainingSet(Items.concat([crawl, *trusted]))


def checksum(items: Items) -> int:
    """Of the whole numbers in the items, which no processor rounds: classes or tokens."""
    column = items["tokens" if "tokens" in items.columns else "label"]
    return zlib.crc32(column.long().numpy().tobytes())
