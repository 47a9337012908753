"""The generator of pairs: a painter and a writer that are trained on the same pairs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn

from benchmark.basics.errors import Diverged, MethodError
from benchmark.interface.generator import LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.tasks.pairs.codec import PairPublisher
from benchmark.tasks.pairs.language import DIGITS, END, LENGTH, WORDS, until_end
from benchmark.tasks.pairs.networks import Painter, PainterAndWriter, Writer, count_nats
from benchmark.tasks.text.language import Chooser, make_chooser
from benchmark.tasks.training.fit import Objective, computing_in, fit
from benchmark.tasks.training.trained import Trained

AT_ONCE = 1_000  # captions written at a time
NEVER = -1e9  # a logit


class PairGenerator(Trained):
    """Publishes without a prompt: a caption is written of nothing, a picture painted of it, and a
    caption written of the picture; the pair is (picture, second caption).

    A step trains both networks, each on a batch of its own; the painter's steps come first. `lr` is
    the painter's learning rate.
    """

    columns: tuple[str, ...] = ("image", "tokens")

    def __init__(
        self,
        width: int,
        blocks: int,
        reading: int,
        writing: int,
        steps: int,
        batch: int,
        lr: float,
        writer_lr: float,
        drop_caption: float,
        drop_image: float,
        blur: float,
        sampling_steps: int,
        recaption: bool,
    ) -> None:
        """As `NumeralsRecipe` says."""
        super().__init__(steps, batch, lr)
        self.writer_lr, self.blur = writer_lr, blur
        self.drop_caption, self.drop_image = drop_caption, drop_image
        self.sampling_steps, self.recaption = sampling_steps, recaption
        self.publisher = PairPublisher()
        self.network = (self.publisher.latent, width, blocks, reading, writing)
        self.ranges: Mapping[str, int] = {"tokens": len(WORDS)}

    def blank(self) -> PainterAndWriter:
        return PainterAndWriter(*self.network).to(self.device)

    # --- training --------------------------------------------------------------------------

    def learn(self, model: nn.Module, data: TrainingSet, loss: LossHook | None, steps: int,
              rate: float, rng: torch.Generator) -> nn.Module:  # fmt: skip
        painter, writer = _parts(model)
        z = self.publisher.encode(data.items).to(self.device)
        tokens = data.items["tokens"].to(self.device)
        parts = (
            ("image", painter, self.painting(z, tokens, loss, rng), self.lr),
            ("tokens", writer, self.writing(z, tokens, loss, rng), self.writer_lr),
        )
        for column, network, objective, lr in parts:
            fit(
                network, objective, len(data), steps, self.batch, rate * lr, rng,
                data.rates(column), dtype=self.dtype,
            )  # fmt: skip
        return model.eval()

    def painting(
        self, z: Tensor, tokens: Tensor, loss: LossHook | None, rng: torch.Generator
    ) -> Objective:
        """Squared velocity errors (B, 3 latent) of the painter, through the hook `loss`."""

        def objective(painter: Any, rows: Tensor) -> Tensor:
            clean = z[rows]
            e = torch.randn(clean.shape, generator=rng).to(self.device)
            s = torch.rand(len(rows), generator=rng).to(self.device)
            dropped = (torch.rand(len(rows), generator=rng) < self.drop_caption).to(self.device)
            asked = painter.ask(tokens[rows], dropped)
            at = s[:, None, None]
            v = painter((1 - at) * clean + at * e, s, asked).float().flatten(1)
            squared = (v - (e - clean).flatten(1)).square()
            return (squared if loss is None else loss(squared, v)).mean()

        return objective

    def writing(
        self, z: Tensor, tokens: Tensor, loss: LossHook | None, rng: torch.Generator
    ) -> Objective:
        """Nats (B, L) of the writer, through the hook `loss`; what comes after the end of a caption
        does not count."""

        def objective(writer: Any, rows: Tensor) -> Tensor:
            seen = z[rows]
            seen = seen + self.blur * torch.randn(seen.shape, generator=rng).to(self.device)
            dropped = (torch.rand(len(rows), generator=rng) < self.drop_image).to(self.device)
            logits = writer(tokens[rows], seen, dropped).float()
            nats, counted = count_nats(logits, tokens[rows]), until_end(tokens[rows])
            if loss is not None:
                nats = loss(nats, logits) * counted
            return nats.sum() / counted.sum()

        return objective

    def ready(self, model: nn.Module) -> tuple[Painter, Writer]:
        """Painter and writer as they make things."""
        return _parts(computing_in(self.dtype, model))

    # --- making ----------------------------------------------------------------------------

    def sample(self, model: nn.Module, n: int, rng: torch.Generator, how: Sampling) -> Items:
        plain = Sampling(temperature=how.temperature, top_p=how.top_p, top_k=how.top_k)
        asked = self.write(model, n, None, rng, plain if self.recaption else how)
        items = self.paint(model, asked, rng, how)
        if not self.recaption:
            return items
        return Items(image=items["image"], tokens=self.write(model, n, items, rng, how))

    def fill(self, model: nn.Module, items: Items, column: str, rng: torch.Generator) -> Items:
        if column not in self.columns:
            raise MethodError(
                f"round.fill cannot make a column {column!r}: ask for one of "
                f"{', '.join(self.columns)}"
            )
        if column == "image":
            return self.paint(model, items["tokens"], rng, Sampling())
        tokens = self.write(model, len(items), items, rng, Sampling())
        return Items(image=items["image"], tokens=tokens)

    @torch.no_grad()
    def write(
        self, model: nn.Module, n: int, items: Items | None, rng: torch.Generator, how: Sampling
    ) -> Tensor:
        """(n, LENGTH) captions of the pictures of `items`, or of nothing."""
        _, writer = self.ready(model)
        uniform = torch.rand(n, LENGTH, generator=rng).to(self.device)
        z = None if items is None else self.publisher.encode(items).to(self.device)
        choose = make_chooser(how, start=None)
        written = [self._written(writer, z, uniform, rows, choose)
                   for rows in torch.arange(n).split(AT_ONCE)]  # fmt: skip
        return torch.cat(written).cpu()

    def _written(
        self, writer: Writer, z: Tensor | None, uniform: Tensor, rows: Tensor, choose: Chooser
    ) -> Tensor:
        uniform = uniform[rows]
        keys, values = writer.see(None if z is None else z[rows], len(rows))
        state, token = None, torch.full((len(rows),), writer.start, device=self.device)
        out = torch.full_like(uniform, END, dtype=torch.int64)
        closed = torch.zeros(len(rows), dtype=torch.bool, device=self.device)
        for t in range(LENGTH):
            hidden, state = writer.go_on(token[:, None], state, keys, values)
            logits = writer.head(hidden)[:, 0].float()
            # A closed caption stays so: its row is filled with the closing word.
            logits[closed] = NEVER
            logits[closed, END] = 0
            cumulative = choose(out[:, :t], logits).cumsum(-1)
            threshold = uniform[:, t, None] * cumulative[:, -1:]
            token = torch.searchsorted(cumulative, threshold, right=True).squeeze(1)
            token = token.clamp(max=cumulative.shape[1] - 1)
            out[:, t] = token
            closed = closed | (token == END)
        return out

    @torch.no_grad()
    def paint(self, model: nn.Module, tokens: Tensor, rng: torch.Generator, how: Sampling) -> Items:
        """Pictures of captions (N, L), published with them."""
        painter, _ = self.ready(model)
        other, _ = self.ready(how.negative or model)
        shape = (len(tokens), DIGITS, self.publisher.latent)
        x = (torch.randn(shape, generator=rng) * how.temperature).to(self.device)
        asked = painter.ask(tokens.to(self.device))
        against = painter.unsaid.expand_as(asked)
        if how.negative is not None:
            against = other.ask(tokens.to(self.device))
        grid = torch.linspace(1, 0, self.sampling_steps + 1).tolist()
        for s, to in pairwise(grid):
            times = torch.full((len(x),), s, device=self.device)
            v = painter(x, times, asked).float()
            if how.guidance:
                v = v + how.guidance * (v - other(x, times, against).float())
            x = x + (to - s) * v
        if not torch.isfinite(x).all():
            raise Diverged("the painter's pictures are not finite")
        return self.publisher.publish(x.cpu(), tokens)

    # --- scoring ---------------------------------------------------------------------------

    @torch.no_grad()
    def _nats(self, model: nn.Module, items: Items, blind: bool = False) -> Tensor:
        """(N,) nats of captions, given their pictures or, `blind`, nothing."""
        tokens = items["tokens"].to(self.device)
        z = None if blind else self.publisher.encode(items).to(self.device)
        return count_nats(_parts(model)[1](tokens, z), tokens).sum(1).cpu()

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """log p(caption | picture), exactly."""
        return -self._nats(model, items)

    def log_prior(self, model: nn.Module, items: Items) -> Tensor:
        """log p(caption), exactly."""
        return -self._nats(model, items, blind=True)

    def logits(self, model: nn.Module, items: Items) -> Tensor:
        """Of every word of the captions, given the words before it and the picture."""
        z = self.publisher.encode(items).to(self.device)
        with torch.no_grad():
            return _parts(model)[1](items["tokens"].to(self.device), z).float().cpu()

    @torch.no_grad()
    def features(self, model: nn.Module, items: Items) -> Tensor:
        """(N, 2 writing) what the writer has in mind, averaged over the words of each caption."""
        tokens = items["tokens"].to(self.device)
        hidden = _parts(model)[1].hidden(tokens, self.publisher.encode(items).to(self.device))
        counted = until_end(tokens)[:, :, None]
        return ((hidden * counted).sum(1) / counted.sum(1)).float().cpu()

    def loss(self, model: nn.Module, items: Items) -> float:
        """Nats a word of captions, their end included, given their pictures."""
        return float(self._nats(model, items).sum() / until_end(items["tokens"]).sum())


def _parts(model: nn.Module) -> tuple[Painter, Writer]:
    both = cast(PainterAndWriter, model)
    return both.painter, both.writer
