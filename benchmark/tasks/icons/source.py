"""Real icons and their names, of which more and more are drawn by thin strokes."""

from __future__ import annotations

import torch

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items
from benchmark.metrics.histograms import histogram
from benchmark.tasks.icons.drawing import grade, load_icons, load_words
from benchmark.tasks.images.slant import change_images
from benchmark.tasks.kinds import Kinds, share_of
from benchmark.tasks.pairs.language import words_of
from benchmark.tasks.pairs.law import LawEra
from benchmark.tasks.parts import Era, Stream, World

ASIDE = 2  # icons set aside for each held-out and each trusted item of an era


class IconsSource:
    """Icons split anew for every lineage: some are for evaluation, some for the reserve, the rest
    for crawls. Each is changed a little whenever it is handed out. No era holds one twice; one
    comes again in a later era when all of its kind were handed out."""

    def __init__(
        self,
        sha256: str | None,
        families: tuple[str, ...],
        heldout: int,
        outlined: tuple[float, float] | None,
        eras: int,
    ) -> None:
        """As `IconsData` says."""
        self.sha256, self.families = sha256, families
        self.heldout, self.outlined, self.eras = heldout, outlined, eras

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        items = load_icons(self.families, self.sha256)
        outlined = items["outlined"]
        order = torch.randperm(len(items), generator=stream(0, "split"))
        aside = [ASIDE * self.heldout, ASIDE * reserve]
        if sum(aside) + n > len(order):
            raise InputError(
                f"{n} icons asked for and {sum(aside)} to be set aside, {len(order)} exist"
            )
        parts = order.split([*aside, len(order) - sum(aside)])
        laws = [histogram(words_of(items["tokens"][kind]), len(load_words()))
                for kind in (outlined, ~outlined, outlined | ~outlined)]  # fmt: skip
        heldout, trusted, real = (
            Kinds(items, rows, outlined, f"{what} icon")
            for rows, what in zip(parts, ("held-out", "trusted", "real"), strict=True)
        )

        def begin(t: int) -> Era:
            shares = [share_of(self.outlined, i, self.eras) for i in range(t + 1)]

            def show(kinds: Kinds, count: int, first: int, purpose: str) -> Items:
                rng = stream(t, purpose)
                chosen = kinds.choose(count, shares[first:], rng)
                images = change_images(chosen["image"], 0.0, rng)
                return Items(image=grade(images.float() / 255), tokens=chosen["tokens"])

            share = shares[-1]
            law = laws[2] if share is None else share * laws[0] + (1 - share) * laws[1]
            return LawEra(
                law=law,
                real=show(real, n, 0, "real"),
                # The held-out icons of every era are the same as far as its share allows.
                heldout=show(heldout, self.heldout, t, "held out"),
                trusted=show(trusted, reserve, 0, "trusted"),
            )

        return begin
