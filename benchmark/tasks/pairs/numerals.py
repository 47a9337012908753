"""Real pairs: three MNIST digits by one hand, and what number they are, in words."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.basics.seeds import draw_evenly
from benchmark.interface.items import Items
from benchmark.tasks.images.digits import HELDOUT, RESERVED, load_digits
from benchmark.tasks.images.slant import change_images
from benchmark.tasks.pairs.codec import PairPublisher, join_digits
from benchmark.tasks.pairs.language import DIGITS, NUMBERS, digits_of, write_captions
from benchmark.tasks.pairs.law import LawEra
from benchmark.tasks.pairs.reader import Reader, measure_ink, name_hand
from benchmark.tasks.parts import Stream, World

JITTER = 0.12  # how far the digits of one hand scatter, in shares of all hands
MENTIONED = 0.5  # how often a caption says that a hand is bold or thin


def power_law(exponent: float) -> Tensor:
    """(1000,) p(k) in proportion to k^-exponent for k = 1 to 999; at 1 Zipf's and Benford's."""
    p = torch.arange(NUMBERS, dtype=torch.float64).clamp(min=1).pow(-exponent)
    p[0] = 0
    return p / p.sum()


class NumeralsSource:
    """Digits split anew for every lineage, as in `DigitsSource`; in era t of T their slant, the
    shares of the wordings and the law's exponent are t/T of the way from the first to the last."""

    def __init__(
        self,
        sha256: str,
        heldout: int,
        slant: float,
        wordings: tuple[tuple[float, ...], tuple[float, ...]],
        exponents: tuple[float, float],
        eras: int,
    ) -> None:
        """As `NumeralsData` says."""
        self.sha256, self.heldout, self.slant, self.eras = sha256, heldout, slant, eras
        self.wordings, self.exponents = wordings, exponents

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        digits = load_digits(self.sha256)
        order = torch.randperm(len(digits), generator=stream(0, "split"))
        kept, trusted, pool = order.split([HELDOUT, RESERVED, len(order) - HELDOUT - RESERVED])
        pools = {name: Pool(digits.take(rows)) for name, rows in
                 (("real", pool), ("held out", kept), ("trusted", trusted))}  # fmt: skip
        publisher, reader = PairPublisher(), Reader()

        def begin(t: int) -> LawEra:
            way = t / self.eras
            first, last = (torch.tensor(shares, dtype=torch.float64) for shares in self.wordings)
            shares = (1 - way) * first + way * last
            law = power_law((1 - way) * self.exponents[0] + way * self.exponents[1])
            slant = self.slant * (t - self.eras / 2)

            def show(count: int, purpose: str, even: bool = False) -> Items:
                rng = stream(t, purpose)
                draw = draw_evenly if even else draw_freely
                number, wording = draw(law, count, rng), draw(shares, count, rng)
                figures = digits_of(number)
                hands = spread_hands(count, rng) if even else torch.rand(count, generator=rng)
                chosen = pools[purpose].choose(figures, hands, rng)
                images = publisher.pass_through(
                    Items(
                        image=join_digits(change_images(chosen, slant, rng)),
                        tokens=torch.zeros(count, 1, dtype=torch.int64),
                    )
                )["image"]
                mentioned = torch.rand(count, generator=rng) < MENTIONED
                hand = name_hand(reader.weigh(images, figures)) * mentioned
                return Items(image=images, tokens=write_captions(number, wording, hand))

            return LawEra(
                real=show(n, "real"),
                heldout=show(self.heldout, "held out", even=True),
                trusted=show(reserve, "trusted"),
                law=law,
            )

        return begin


class Pool:
    """Digits by class, in the order of their ink.

    Raises:
        InputError: a class has no digit.
    """

    def __init__(self, digits: Items) -> None:
        self._images = digits["image"]
        ink, self._rows = measure_ink(self._images), []
        for digit in range(10):
            rows = torch.nonzero(digits["label"] == digit).squeeze(1)
            if not len(rows):
                raise InputError(f"no digit {digit} among the {len(digits)} of a pool")
            self._rows.append(rows[ink[rows].argsort()])

    def choose(self, figures: Tensor, hands: Tensor, rng: torch.Generator) -> Tensor:
        """Images (3 N, 1, 28, 28) of `figures` (N, 3), by hands (N,) in [0, 1] from thin to bold.

        Of the m places that ask for a digit the k-th thinnest gets the k-th thinnest of m images
        that are spread evenly over the pool's: all are shown equally often, give or take one.
        """
        wanted = hands[:, None] + JITTER * torch.randn(len(hands), DIGITS, generator=rng)
        wanted = 1 - (wanted.abs() % 2 - 1).abs()  # reflected into [0, 1]
        chosen = torch.empty(figures.shape, dtype=torch.int64)
        for place in range(DIGITS):
            for digit, rows in enumerate(self._rows):
                at = torch.nonzero(figures[:, place] == digit).squeeze(1)
                at = at[wanted[at, place].argsort()]
                start = torch.rand(1, generator=rng)
                spread = (torch.arange(len(at)) + start) * len(rows) / max(1, len(at))
                chosen[at, place] = rows[spread.long().clamp(max=len(rows) - 1)]
        return self._images[chosen.flatten()]


def draw_freely(law: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """(count,) independent draws from `law`."""
    return torch.multinomial(law, count, replacement=True, generator=rng)


def spread_hands(count: int, rng: torch.Generator) -> Tensor:
    """(count,) hands in random order, evenly spread over [0, 1]."""
    return (torch.randperm(count, generator=rng) + torch.rand(count, generator=rng)) / count
