"""Generators of pairs: a painter and a writer that are trained on the same pairs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from benchmark.basics.errors import Diverged, MethodError
from benchmark.interface.generator import LossHook, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.tasks.pairs.codec import PairPublisher
from benchmark.tasks.pairs.language import DIGITS, END, LENGTH, WORDS, until_end
from benchmark.tasks.pairs.networks import PainterAndWriter, count_nats
from benchmark.tasks.text.language import Chooser, make_chooser
from benchmark.tasks.training.fit import Objective, computing_in, fit
from benchmark.tasks.training.objective import StepLoss
from benchmark.tasks.training.trained import Trained

AT_ONCE = 1_000  # captions written at a time
NEVER = -1e9  # a logit


class Publisher(Protocol):
    """Between published pairs and the space z in which pictures are painted."""

    def encode(self, items: Items) -> Tensor:
        """z (N, ...) of the pictures."""
        ...

    def publish(self, latents: Tensor, tokens: Tensor) -> Items:
        """Pictures of z with their captions."""
        ...


class PairGenerator(Trained):
    """Publishes without a prompt: a caption is written of nothing, a picture painted of it, and a
    caption written of the picture; the pair is (picture, second caption).

    A step trains both networks, each on a batch of its own; the painter's steps come first. `lr` is
    the painter's learning rate. Subclasses say which networks, over which z.
    """

    columns: tuple[str, ...] = ("image", "tokens")
    shape: tuple[int, ...]  # of one z
    at_once: int = 1 << 30  # pictures that are painted at a time

    def __init__(
        self,
        publisher: Publisher,
        words: int,
        writer_lr: float,
        drop_caption: float,
        drop_image: float,
        blur: float,
        sampling_steps: int,
        recaption: bool,
        **schedule: Any,
    ) -> None:
        """As `NumeralsRecipe` says; `schedule` is that of `Trained`."""
        super().__init__(**schedule)
        self.publisher = publisher
        self.writer_lr, self.blur = writer_lr, blur
        self.drop_caption, self.drop_image = drop_caption, drop_image
        self.sampling_steps, self.recaption = sampling_steps, recaption
        self.ranges: Mapping[str, int] = {"tokens": words}

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
            self.fit(network, objective, len(data), steps, rate * lr, rng, data.rates(column))
        return model.eval()

    def fit(self, model: nn.Module, objective: Objective, size: int, steps: int, lr: float,
            rng: torch.Generator, rates: Tensor | None) -> nn.Module:  # fmt: skip
        return fit(model, objective, size, steps, self.batch, lr, rng, rates, dtype=self.dtype)

    def painting(
        self, z: Tensor, tokens: Tensor, loss: LossHook | None, rng: torch.Generator
    ) -> StepLoss:
        """Squared velocity errors (B, size of z) of the painter, through the hook `loss`."""
        one_each = [1] * (z.dim() - 1)

        def draw(rows: Tensor) -> tuple[Tensor, ...]:
            e = torch.randn(len(rows), *z.shape[1:], generator=rng)
            s = torch.rand(len(rows), generator=rng)
            return rows, e, s, torch.rand(len(rows), generator=rng) < self.drop_caption

        def inputs(rows: Tensor, e: Tensor, s: Tensor, dropped: Tensor) -> tuple[Tensor, ...]:
            return z[rows], e, s, dropped, tokens[rows]

        def predict(painter: Any, clean: Tensor, e: Tensor, s: Tensor, dropped: Tensor,
                    asked: Tensor) -> Tensor:  # fmt: skip
            at = s.view(-1, *one_each)
            v = painter((1 - at) * clean + at * e, s, painter.ask(asked, dropped))
            return v.float().flatten(1)

        def score(v: Tensor, clean: Tensor, e: Tensor, *_: Tensor) -> Tensor:
            squared = (v - (e - clean).flatten(1)).square()
            return (squared if loss is None else loss(squared, v)).mean()

        return StepLoss(draw, inputs, predict, score, self.device, self.kind("painter", loss))

    def writing(
        self, z: Tensor, tokens: Tensor, loss: LossHook | None, rng: torch.Generator
    ) -> StepLoss:
        """Nats (B, L) of the writer, through the hook `loss`; what comes after the end of a caption
        does not count."""

        def draw(rows: Tensor) -> tuple[Tensor, ...]:
            noise = torch.randn(len(rows), *z.shape[1:], generator=rng)
            return rows, noise, torch.rand(len(rows), generator=rng) < self.drop_image

        def inputs(rows: Tensor, noise: Tensor, dropped: Tensor) -> tuple[Tensor, ...]:
            return z[rows] + self.blur * noise, dropped, tokens[rows]

        def predict(writer: Any, seen: Tensor, dropped: Tensor, said: Tensor) -> Tensor:
            return writer(said, seen, dropped).float()

        def score(logits: Tensor, seen: Tensor, dropped: Tensor, said: Tensor) -> Tensor:
            nats, counted = count_nats(logits, said), until_end(said)
            if loss is not None:
                nats = loss(nats, logits) * counted
            return nats.sum() / counted.sum()

        return StepLoss(draw, inputs, predict, score, self.device, self.kind("writer", loss))

    def kind(self, part: str, loss: LossHook | None) -> Hashable:
        """`family` of the steps of `part`."""
        family = self.recorded(loss)
        return None if family is None else (part, family)

    def ready(self, model: nn.Module) -> tuple[Any, Any]:
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
        self, writer: Any, z: Tensor | None, uniform: Tensor, rows: Tensor, choose: Chooser
    ) -> Tensor:
        uniform = uniform[rows]
        seen = writer.see(None if z is None else z[rows], len(rows))
        state, token = None, torch.full((len(rows),), writer.start, device=self.device)
        out = torch.full_like(uniform, END, dtype=torch.int64)
        closed = torch.zeros(len(rows), dtype=torch.bool, device=self.device)
        for t in range(LENGTH):
            hidden, state = writer.go_on(token[:, None], state, *seen)
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
        other = None if how.negative is None else self.ready(how.negative)[0]
        noise = torch.randn(len(tokens), *self.shape, generator=rng) * how.temperature
        parts = zip(noise.split(self.at_once), tokens.split(self.at_once), strict=True)
        z = torch.cat([self._painted(painter, other, how.guidance, *part) for part in parts])
        if not torch.isfinite(z).all():
            raise Diverged("the painter's pictures are not finite")
        return self.publisher.publish(z, tokens)

    def _painted(
        self, painter: Any, other: Any | None, by: float, x: Tensor, tokens: Tensor
    ) -> Tensor:
        """Noise `x` carried to pictures of `tokens`; guided away from `other`, or from nothing."""
        x, tokens = x.to(self.device), tokens.to(self.device)
        asked = painter.ask(tokens)
        against = painter.unsaid.expand_as(asked) if other is None else other.ask(tokens)
        grid = torch.linspace(1, 0, self.sampling_steps + 1).tolist()
        for s, to in pairwise(grid):
            times = torch.full((len(x),), s, device=self.device)
            v = painter(x, times, asked).float()
            if by:
                v = v + by * (v - (other or painter)(x, times, against).float())
            x = x + (to - s) * v
        return x.cpu()

    # --- scoring ---------------------------------------------------------------------------

    @torch.no_grad()
    def _each(self, items: Items, make: Callable[[Tensor, Tensor | None], Tensor],
              blind: bool = False) -> Tensor:  # fmt: skip
        """What `make` gives for captions and z of their pictures, or `blind` None, some at a
        time."""
        made = []
        for start in range(0, len(items), self.at_once):
            part = items.take(slice(start, start + self.at_once))
            z = None if blind else self.publisher.encode(part).to(self.device)
            made.append(make(part["tokens"].to(self.device), z).float().cpu())
        return torch.cat(made)

    def _nats(self, model: nn.Module, items: Items, blind: bool = False) -> Tensor:
        """(N,) nats of captions, given their pictures or, `blind`, nothing."""
        writer = _parts(model)[1]
        return self._each(
            items, lambda tokens, z: count_nats(writer(tokens, z), tokens).sum(1), blind
        )

    def log_prob(self, model: nn.Module, items: Items) -> Tensor:
        """log p(caption | picture), exactly."""
        return -self._nats(model, items)

    def log_prior(self, model: nn.Module, items: Items) -> Tensor:
        """log p(caption), exactly."""
        return -self._nats(model, items, blind=True)

    def logits(self, model: nn.Module, items: Items) -> Tensor:
        """Of every word of the captions, given the words before it and the picture."""
        return self._each(items, _parts(model)[1])

    def features(self, model: nn.Module, items: Items) -> Tensor:
        """(N, F) what the writer has in mind, averaged over the words of each caption."""
        writer = _parts(model)[1]

        def average(tokens: Tensor, z: Tensor | None) -> Tensor:
            counted = until_end(tokens)[:, :, None]
            return (writer.hidden(tokens, z) * counted).sum(1) / counted.sum(1)

        return self._each(items, average)

    def loss(self, model: nn.Module, items: Items) -> float:
        """Nats a word of captions, their end included, given their pictures."""
        return float(self._nats(model, items).sum() / until_end(items["tokens"]).sum())


def _parts(model: nn.Module) -> tuple[Any, Any]:
    both: Any = model
    return both.painter, both.writer


class NumeralGenerator(PairGenerator):
    """Pairs of `numerals`: the painter works in the digits' latent space."""

    def __init__(self, width: int, blocks: int, reading: int, writing: int, **pair: Any) -> None:
        """As `NumeralsRecipe` says; `pair` is that of `PairGenerator`."""
        publisher = PairPublisher()
        super().__init__(publisher, len(WORDS), **pair)
        self.network = (publisher.latent, width, blocks, reading, writing)
        self.shape = (DIGITS, publisher.latent)

    def blank(self) -> PainterAndWriter:
        return PainterAndWriter(*self.network).to(self.device)
