"""What is measured of icons and their names, and how like both are for `VERIFIER`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.interface.items import Items
from benchmark.metrics.histograms import histogram, total_variation
from benchmark.metrics.numbers import expected_kinds
from benchmark.metrics.tails import rarest, tail_mass
from benchmark.tasks.icons.reader import OTHERS, find_named, load_reader, look_at
from benchmark.tasks.pairs.evaluators import PairEvaluator, measure_together
from benchmark.tasks.pairs.language import until_end
from benchmark.tasks.parts import Era, Profile
from benchmark.tasks.profile import Known


class IconEvaluator(PairEvaluator):
    """Icons by the frozen reader; besides the entries of all pairs `words_left`: how many of the
    words are left. `agreement` is the share of pictures whose own name the reader finds liker than
    any of 99 held-out ones: other samples' names would be easier the fewer there are. Bins, of
    which the histogram and the tail are, are the words of names."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = load_reader("icons-reader.safetensors")

    def outputs(self, items: Items) -> Tensor:
        return look_at(self.reader, items["image"])

    def tail(self, era: Era, heldout: Tensor) -> Tensor:
        return rarest(self._law(era))

    def bins(self, era: Era, heldout: Tensor, pool: Tensor) -> Tensor:
        return words_of(era.heldout["tokens"])

    @torch.no_grad()
    def particular(self, samples: Items, outputs: Tensor, era: Era, known: Known) -> Profile:
        names, real = samples["tokens"], era.heldout["tokens"]
        first, words, law = names[: len(outputs)], words_of(names), self._law(era)
        said, said_real = self.reader.read(first), self.reader.read(real)
        agreeing = find_named(self.reader, outputs, first, real[:OTHERS])
        written = set(map(tuple, names.tolist()))
        covered = [tuple(name) in written for name in real.tolist()]
        return {
            **measure_together(outputs, said, known.heldout, said_real),
            "agreement": float(agreeing.double().mean()),
            "caption_coverage": sum(covered) / len(covered),
            "histogram_distance": total_variation(law, histogram(words, len(law))),
            "tail_mass": tail_mass(known.tail, known.bins, words),
            "words_left": len(words.unique()) / expected_kinds(law, len(words)),
        }

    def _law(self, era: Era) -> Tensor:
        """(words,) the share of each word in the era's real names."""
        return histogram(words_of(era.real["tokens"]), self.reader.words)


def words_of(names: Tensor) -> Tensor:
    """All words of names (N, L), the closing ones included."""
    return names[until_end(names)]


@torch.no_grad()
def score_icons(items: Items) -> Tensor:
    """(N,) cosines of what pictures show and what their names say, in [-1, 1]."""
    reader = load_reader("icons-verifier.safetensors")
    said = F.normalize(reader.read(items["tokens"]), dim=1)
    return (F.normalize(look_at(reader, items["image"]), dim=1) * said).sum(1)
