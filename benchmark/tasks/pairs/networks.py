"""A painter, which makes pictures of captions, and a writer, which makes captions of pictures."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.tasks.pairs.language import DIGITS, LENGTH, WORDS, until_end
from benchmark.tasks.training.blueprint import Blueprint

HEADS = 4


class Reading(nn.Module):
    """Self-attention over the words of a caption, then an MLP; both pre-norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 3 * width), nn.SiLU(), nn.Linear(3 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.qkv(self.norm1(x)).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        x = x + self.out(_attend(*qkv).transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """As F.scaled_dot_product_attention, which is slower for so few words."""
    return (q @ k.transpose(2, 3) * k.shape[3] ** -0.5).softmax(-1) @ v


class Painter(nn.Module):
    """Velocity of a flow over the latents of three digits, given a caption.

    One residual MLP sees each digit; the mean over the digits is mixed in, since one hand writes
    all three. The caption is read by attention, then by four learned queries for each digit.
    """

    frequency: Tensor

    def __init__(self, latent: int, width: int, blocks: int, reading: int) -> None:
        super().__init__()
        self.word = nn.Embedding(len(WORDS), reading)
        self.place = nn.Parameter(torch.randn(LENGTH, reading) * 0.5)
        self.read = Reading(reading)
        self.query = nn.Parameter(torch.randn(HEADS * DIGITS, reading) * reading**-0.5)
        self.tell = nn.Sequential(
            nn.Linear(HEADS * reading, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.unsaid = nn.Parameter(torch.zeros(DIGITS, width))  # stands for no caption
        self.slot = nn.Parameter(torch.zeros(DIGITS, width))
        self.time = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        # No weight: it must not be rounded with them.
        self.register_buffer("frequency", torch.linspace(0, 7, 32).exp(), persistent=False)
        self.enter = nn.Linear(latent, width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(),
                          nn.Linear(width, width))
            for _ in range(blocks)
        )  # fmt: skip
        self.mix = nn.Linear(width, width)
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, latent))

    def ask(self, tokens: Tensor, dropped: Tensor | None = None) -> Tensor:
        """(N, 3, width) what captions (N, L) ask of each digit; nothing where one is `dropped`."""
        words = self.read(self.word(tokens) + self.place)
        found = (words @ self.query.T).softmax(1).transpose(1, 2) @ words
        asked = self.tell(found.view(len(tokens), DIGITS, -1))
        if dropped is None:
            return asked
        return torch.where(dropped[:, None, None], self.unsaid.to(asked.dtype), asked)

    def forward(self, x: Tensor, s: Tensor, asked: Tensor) -> Tensor:
        """Velocity like the noisy latents `x` (N, 3, latent) at times `s` (N,) in [0, 1]."""
        dtype = self.enter.weight.dtype
        angle = s[:, None] * self.frequency
        time = self.time(torch.cat([angle.sin(), angle.cos()], 1).to(dtype))
        condition = asked + self.slot + time[:, None]
        h = self.enter(x.to(dtype)) + condition
        for i, layer in enumerate(self.layers):
            h = h + layer(h + condition)
            if i == 0:
                h = h + self.mix(h.mean(1, keepdim=True))
        return self.leave(h)


class Captioner(nn.Module):
    """What writes captions word by word; subclasses say how it looks at a picture.

    Attributes:
        start: the number of what is in front of every caption; never written.
        head: hidden vectors -> logits of words.
    """

    start: int
    head: nn.Module

    def see(self, z: Tensor | None, n: int, dropped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What `go_on` takes of pictures z (n, ...), or of none; nothing where one is `dropped`."""
        raise NotImplementedError

    def go_on(
        self, given: Tensor, state: Tensor | None, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Hidden vectors (N, T, F) of the words after each of `given` (N, T), and the state after
        the last."""
        raise NotImplementedError

    def hidden(self, tokens: Tensor, z: Tensor | None, dropped: Tensor | None = None) -> Tensor:
        """(N, L, F) of every word given those before it and the picture `z`."""
        given = F.pad(tokens[:, :-1], (1, 0), value=self.start)
        return self.go_on(given, None, *self.see(z, len(tokens), dropped))[0]

    def forward(self, tokens: Tensor, z: Tensor | None, dropped: Tensor | None = None) -> Tensor:
        """The same as logits (N, L, words)."""
        return self.head(self.hidden(tokens, z, dropped))


class Writer(Captioner):
    """A recurrent captioner that looks at the digits before each word (Xu et al. 2015, arXiv
    1502.03044), or writes blindly: at learned vectors in the place of a picture's digits."""

    def __init__(self, latent: int, width: int, words: int = len(WORDS)) -> None:
        super().__init__()
        self.start = words
        self.look = nn.Sequential(nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, width))
        self.slot = nn.Parameter(torch.randn(DIGITS, width) * 0.5)
        self.blind = nn.Parameter(torch.randn(DIGITS, width) * 0.5)
        self.word = nn.Embedding(words + 1, width)
        self.cell = nn.GRU(width, width, batch_first=True)
        self.ask, self.offer = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.head = nn.Sequential(
            nn.LayerNorm(2 * width), nn.Linear(2 * width, 2 * width), nn.SiLU(),
            nn.Linear(2 * width, words),
        )  # fmt: skip

    def see(self, z: Tensor | None, n: int, dropped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Keys and values (n, heads, 3, width / heads) of pictures (n, 3, latent), or of none."""
        seen = self.blind.expand(n, -1, -1)
        if z is not None:
            picture = self.look(z.to(self.ask.weight.dtype)) + self.slot
            seen = (
                picture if dropped is None else torch.where(dropped[:, None, None], seen, picture)
            )
        keys, values = self.offer(seen).unflatten(2, (2, HEADS, -1)).permute(2, 0, 3, 1, 4)
        return keys, values

    def go_on(
        self, given: Tensor, state: Tensor | None, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Hidden vectors (N, T, 2 width) of the words after each of `given` (N, T), and the
        recurrent state after the last."""
        out, state = self.cell(self.word(given), state)
        q = self.ask(out).unflatten(2, (HEADS, -1)).transpose(1, 2)
        glimpse = _attend(q, keys, values).transpose(1, 2).flatten(2)
        return torch.cat([out, glimpse], 2), state


class PainterAndWriter(nn.Module):
    """The model of a generation of pairs."""

    def __init__(self, latent: int, width: int, blocks: int, reading: int, writing: int) -> None:
        super().__init__()
        self.painter = Painter(latent, width, blocks, reading)
        self.writer = Writer(latent, writing)


def describe_pair(model: PainterAndWriter) -> dict[str, Any]:
    """What a `PainterAndWriter` of this architecture is made from."""
    painter = model.painter
    return {
        "latent": painter.enter.in_features,
        "width": painter.enter.out_features,
        "blocks": len(painter.layers),
        "reading": painter.word.embedding_dim,
        "writing": model.writer.word.embedding_dim,
    }


BLUEPRINT = Blueprint(PainterAndWriter, PainterAndWriter, describe_pair)


def count_nats(logits: Tensor, tokens: Tensor) -> Tensor:
    """(N, L) nats of every word of captions; 0 after their end."""
    nats = F.cross_entropy(logits.flatten(0, 1).float(), tokens.flatten(), reduction="none")
    return nats.view_as(tokens) * until_end(tokens)
