"""What is measured of one generation, on held-out real items that no method ever sees."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from benchmark.interface.generator import Generator
from benchmark.interface.items import Items
from benchmark.metrics.diversity import variance_ratio, vendi
from benchmark.metrics.frechet import frechet_distance
from benchmark.metrics.kernel import kernel_distance
from benchmark.metrics.memorisation import above_chance, nearer_to_train
from benchmark.metrics.modes import Modes
from benchmark.metrics.neighbours import prdc
from benchmark.tasks.parts import Era, Profile

PAIRED = 1_000  # samples compared with every item of the real pool


@dataclass(frozen=True)
class Known:
    """What is computed of an era's real items once.

    Attributes:
        heldout: (H, F) features of the held-out items.
        pool: (P, F) features of the era's first real items.
        modes: modes of the held-out items.
        ambiguity: of the pool's items between those modes.
        tail: which bins (held-out items, or tokens) are the tail.
        bins: of real elements.
        memorisation: of samples, by themselves and what the frozen network gives for the first.
    """

    heldout: Tensor
    pool: Tensor
    modes: Modes
    ambiguity: float
    tail: Tensor
    bins: Tensor
    memorisation: Callable[[Items, Tensor], float]


class FeatureEvaluator:
    """The collapse profile in the feature space of a frozen network, which subclasses load.

    Both modalities share these entries; `m` is a value of unseen real items.

    - `frechet`, `log_frechet`, `kernel_distance`: distance to the held-out items (m = 0; their
      floor at finite size is above 0 but for the unbiased kernel distance).
    - `precision`, `recall`, `density`, `coverage`: of nearest-neighbour balls (m near 1).
    - `vendi`: effective number of distinct items.
    - `variance_ratio`: total variance over the held-out items' (m = 1).
    - `entanglement`: how far items lie between modes, over the real pool's (m = 1).
    - `memorisation`: closeness to the real pool beyond chance (m = 0, a copy of the pool 1).
    - `histogram_distance`: total variation of classes or tokens (m = 0 but for noise).
    - `tail_mass`: mass in the rarest decile of held-out items or real tokens, over the real one
      (m = 1).
    - `heldout_loss`: of the model on the held-out items.
    """

    most: int | None = None  # samples that are embedded (the first ones; their order is random)
    most_pool: int | None = None  # the same of the era's real items

    def __init__(self) -> None:
        # As long as somebody keeps the era: another method's lineage may follow on the same ones.
        self._known: WeakKeyDictionary[Era, Known] = WeakKeyDictionary()

    def outputs(self, items: Items) -> Tensor:
        """(N, ...) what the frozen network gives for published items."""
        raise NotImplementedError

    def pooled(self, outputs: Tensor) -> Tensor:
        """(N, F) features from `outputs`."""
        return outputs

    def tail(self, era: Era, heldout: Tensor) -> Tensor:
        """(B,) which bins are the tail; `heldout` (H, F) features."""
        raise NotImplementedError

    def bins(self, era: Era, heldout: Tensor, pool: Tensor) -> Tensor:
        """Bins of real elements other than those that bins are made of; `pool` (P, F) features."""
        raise NotImplementedError

    def memorisation(
        self, era: Era, heldout: Tensor, pool: Tensor
    ) -> Callable[[Items, Tensor], float]:
        """Closeness to the pool beyond that of unseen real items. By default that of features,
        `heldout` (H, F) and `pool` (P, F)."""

        def measure(samples: Items, outputs: Tensor) -> float:
            nearer = nearer_to_train(pool, heldout, self.pooled(outputs[:PAIRED]))
            return above_chance(nearer, len(pool) / (len(pool) + len(heldout)))

        return measure

    def particular(self, samples: Items, outputs: Tensor, era: Era, known: Known) -> Profile:
        """Entries whose computation depends on the modality; `outputs` of the first samples."""
        raise NotImplementedError

    def profile(self, generator: Generator, model: nn.Module, samples: Items, era: Era) -> Profile:
        """Profile of one generation.

        Args:
            generator: the model's family.
            model: the generation's model.
            samples: what the model wrote, unmarked.
            era: the real items of that generation.
        """
        known = self._real(era)
        outputs = self.outputs(samples.take(slice(0, self.most)))
        real, generated = known.heldout, self.pooled(outputs)
        frechet = frechet_distance(real, generated)
        return {
            "frechet": frechet,
            "log_frechet": math.log(max(frechet, 1e-12)),
            "kernel_distance": kernel_distance(real, generated),
            **prdc(real, generated),
            "vendi": vendi(generated),
            "variance_ratio": variance_ratio(real, generated),
            "entanglement": known.modes.ambiguity(generated) / known.ambiguity,
            "memorisation": known.memorisation(samples, outputs),
            **self.particular(samples, outputs, era, known),
            "heldout_loss": generator.loss(model, era.heldout),
        }

    def _real(self, era: Era) -> Known:
        if era not in self._known:
            pool = era.real.take(slice(0, self.most_pool))
            heldout, pooled = (self.pooled(self.outputs(x)) for x in (era.heldout, pool))
            modes = Modes(heldout)
            self._known[era] = Known(
                heldout=heldout,
                pool=pooled,
                modes=modes,
                ambiguity=modes.ambiguity(pooled),
                tail=self.tail(era, heldout),
                bins=self.bins(era, heldout, pooled),
                memorisation=self.memorisation(era, heldout, pooled),
            )
        return self._known[era]
