"""What is measured of icons and their names."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.interface.items import Items
from benchmark.metrics.histograms import histogram, total_variation
from benchmark.metrics.numbers import expected_kinds
from benchmark.metrics.tails import rarest, tail_mass
from benchmark.tasks.icons.reader import find_named, load_reader, look_at
from benchmark.tasks.pairs.evaluators import PairEvaluator, measure_together
from benchmark.tasks.pairs.language import words_of
from benchmark.tasks.pairs.law import law_of
from benchmark.tasks.parts import Era, Profile
from benchmark.tasks.profile import Known


class IconEvaluator(PairEvaluator):
    """Icons by the frozen reader, which knows none of the era's; besides the entries of all pairs
    `words_left`: how many of the words are left. `agreement` is the share of pictures whose own
    name the reader finds liker than each of 99 fixed ones. Bins, of which the histogram and the
    tail are, are the words of names; a word that the era does not have is no tail."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = load_reader("icons-reader.safetensors")

    def outputs(self, items: Items) -> Tensor:
        return look_at(self.reader, items["image"])

    def tail(self, era: Era, heldout: Tensor) -> Tensor:
        law = law_of(era)
        return rarest(law) & (law > 0)

    def bins(self, era: Era, heldout: Tensor, pool: Tensor) -> Tensor:
        return words_of(era.heldout["tokens"])

    @torch.no_grad()
    def particular(self, samples: Items, outputs: Tensor, era: Era, known: Known) -> Profile:
        names, real = samples["tokens"], era.heldout["tokens"]
        first, words, law = names[: len(outputs)], words_of(names), law_of(era)
        said, said_real = self.reader.read(first), self.reader.read(real)
        written = set(map(tuple, names.tolist()))
        covered = [tuple(name) in written for name in real.tolist()]
        return {
            **measure_together(outputs, said, known.heldout, said_real),
            "agreement": float(find_named(self.reader, outputs, first).double().mean()),
            "caption_coverage": sum(covered) / len(covered),
            "histogram_distance": total_variation(law, histogram(words, len(law))),
            "tail_mass": tail_mass(known.tail, known.bins, words),
            "words_left": len(words.unique()) / expected_kinds(law, len(words)),
        }
