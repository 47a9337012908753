"""Can pictures and names of icons be learnt? A prototype of a task of pairs at papers' scale.

    pip download --no-deps qtawesome==1.4.2 && unzip -q qtawesome-*.whl
    python -m tests.findings.icons qtawesome/fonts --out icons      # a quarter of an hour of a core

A reader learns which name belongs to which picture, a writer to name pictures, a painter to draw
names: a flow among the pictures' principal components, small enough for a processor. All are
measured on names that none of them saw. docs/standard.md has what came out.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn

# Fonts of one family at most, for the others repeat their icons.
FAMILIES = ("materialdesignicons6-", "phosphor-", "remixicon-", "fontawesome6-solid-",
            "fontawesome6-regular-", "codicon-")  # fmt: skip
SIZE, FINER, LARGEST = 32, 4, 30  # pixels of a picture, times that it is drawn, of what is on it
LONGEST, RARE, HELDOUT, ASKED = 6, 5, 1_000, 100  # words of a name, icons a word, names, at a time
WIDTH, PARTS = 128, 192  # of the networks, principal components


@dataclass
class Icons:
    """Pictures (N, 1, 32, 32) in [0, 1] and names (N, LONGEST + 1), rows of words filled by 0."""

    pictures: Tensor
    names: Tensor
    words: list[str]


def draw_icons(fonts: Path, families: Sequence[str] = FAMILIES) -> Icons:
    """Every different picture of the fonts whose name is of common words and not too long."""
    drawn: list[tuple[np.ndarray, list[str]]] = []
    for family in families:
        (font,) = fonts.glob(f"{family}*.ttf")
        (charmap,) = (file for file in fonts.glob(f"{family}*charmap*.json"))
        seen: set[str] = set()
        for name, code in json.loads(charmap.read_text()).items():
            if code in seen:
                continue
            seen.add(code)
            picture = draw_icon(font, chr(int(code, 16)))
            if picture is not None:
                solid = ["solid"] if family.endswith("-solid-") else []
                drawn.append((picture, [w for w in re.split("[-_ ]", name) if w] + solid))
    counts = Counter(word for _, words in drawn for word in words)
    kept, known = [], set()
    for picture, words in drawn:
        if len(words) > LONGEST or any(counts[word] < RARE for word in words):
            continue
        if picture.tobytes() not in known:
            known.add(picture.tobytes())
            kept.append((picture, words))
    words = ["<end>", *sorted({word for _, of in kept for word in of})]
    number = {word: i for i, word in enumerate(words)}
    names = torch.zeros(len(kept), LONGEST + 1, dtype=torch.int64)
    for row, (_, of) in zip(names, kept, strict=True):
        row[: len(of)] = torch.tensor([number[word] for word in of])
    pictures = torch.from_numpy(np.stack([picture for picture, _ in kept])).float().div(255)
    return Icons(pictures[:, None], names, words)


def draw_icon(font: Path, character: str) -> np.ndarray | None:
    """White on black, in the middle; None if there is nothing to see."""
    whole, large = SIZE * FINER, (SIZE - 4) * FINER
    face = ImageFont.truetype(font, large)
    canvas = Image.new("L", (whole, whole))
    pen = ImageDraw.Draw(canvas)
    left, top, right, bottom = pen.textbbox((0, 0), character, face)
    if min(right - left, bottom - top) < 2:
        return None
    smaller = min(1, LARGEST * FINER / max(right - left, bottom - top))
    if smaller < 1:
        face = ImageFont.truetype(font, int(large * smaller))
    pen.text((whole / 2, whole / 2), character, 255, face, anchor="mm")
    if (box := canvas.getbbox()) is None:
        return None
    aside, below = ((whole - box[i] - box[i + 2]) // 2 for i in (0, 1))
    moved = canvas.transform(canvas.size, Image.Transform.AFFINE, (1, 0, -aside, 0, 1, -below))
    return np.asarray(moved.resize((SIZE, SIZE), Image.Resampling.BOX))


# --- networks ----------------------------------------------------------------------------------


class Eye(nn.Module):
    """Pictures -> 16 places (N, 16, width)."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 24, 3, 2, 1), nn.GELU(),
            nn.Conv2d(24, 48, 3, 2, 1), nn.BatchNorm2d(48), nn.GELU(),
            nn.Conv2d(48, width, 3, 2, 1), nn.BatchNorm2d(width), nn.GELU(),
            nn.Conv2d(width, width, 3, 1, 1), nn.GELU(),
        )  # fmt: skip

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layers(pictures).flatten(2).mT


class Bag(nn.Module):
    """Names -> (N, width), whatever the order of their words."""

    def __init__(self, words: int, width: int = WIDTH) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width, padding_idx=0)
        self.layers = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, names: Tensor) -> Tensor:
        count = (names > 0).sum(1, keepdim=True).clamp(min=1)
        h = self.words(names).sum(1) / count**0.5
        return h + self.layers(h)


class Reader(nn.Module):
    """Pictures and names in one space (Radford et al. 2021)."""

    def __init__(self, words: int, width: int = WIDTH) -> None:
        super().__init__()
        self.see, self.read = Eye(width), Bag(words, width)
        self.picture = nn.Linear(width * 16, width)
        self.scale = nn.Parameter(torch.tensor(2.5))

    def likeness(self, pictures: Tensor, names: Tensor) -> Tensor:
        """(N, M) cosines."""
        seen = F.normalize(self.picture(self.see(pictures).flatten(1)), dim=1)
        return seen @ F.normalize(self.read(names), dim=1).T


class Writer(nn.Module):
    """Logits of every word of a name, given those before it and the picture, or nothing."""

    def __init__(self, words: int, width: int = WIDTH) -> None:
        super().__init__()
        self.start = words
        self.see, self.words = Eye(width), nn.Embedding(words + 1, width)
        self.memory = nn.GRU(width, width, batch_first=True)
        self.ask, self.head = nn.Linear(width, width), nn.Linear(2 * width, words)
        self.nothing = nn.Parameter(torch.zeros(1, 16, width))
        self.places = nn.Parameter(0.02 * torch.randn(16, width))

    def nats(self, names: Tensor, pictures: Tensor | None, dropped: Tensor | None = None) -> Tensor:
        """Nats a word, the end of a name included."""
        unseen = self.nothing.expand(len(names), -1, -1)
        seen = unseen if pictures is None else self.see(pictures)
        if dropped is not None:
            seen = torch.where(dropped[:, None, None], self.nothing, seen)
        before = torch.cat([torch.full_like(names[:, :1], self.start), names[:, :-1]], 1)
        h, _ = self.memory(self.words(before), seen.mean(1)[None].contiguous())
        found = F.scaled_dot_product_attention(
            self.ask(h)[:, None], (seen + self.places)[:, None], seen[:, None]
        )
        logits = self.head(torch.cat([h, found[:, 0]], 2))
        counted = (names == 0).cumsum(1) - (names == 0).long() == 0
        nats = F.cross_entropy(logits.flatten(0, 1), names.flatten(), reduction="none")
        return (nats.view(names.shape) * counted).sum() / counted.sum()


class Painter(nn.Module):
    """The velocity of a flow among principal components, given a name or nothing."""

    def __init__(self, words: int, width: int = 4 * WIDTH, reading: int = WIDTH) -> None:
        super().__init__()
        self.read, self.unsaid = Bag(words, reading), nn.Parameter(torch.zeros(1, reading))
        self.enter, self.given = nn.Linear(PARTS, width), nn.Linear(reading + 32, width)
        self.blocks = nn.ModuleList(
            nn.ModuleList([
                nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width),
                nn.Linear(width, 2 * width),
            ])
            for _ in range(4)
        )  # fmt: skip
        self.leave = nn.Linear(width, PARTS)

    def forward(self, x: Tensor, s: Tensor, asked: Tensor) -> Tensor:
        angle = s[:, None] * torch.exp(torch.linspace(0, 5, 16))
        h = self.enter(x)
        given = F.silu(self.given(torch.cat([asked, angle.sin(), angle.cos()], 1)))
        for norm, up, down, change in self.blocks:  # type: ignore[misc]
            scale, shift = change(given).chunk(2, 1)
            h = h + down(F.gelu(up(norm(h) * (1 + scale) + shift)))
        return self.leave(h)


# --- training and measuring --------------------------------------------------------------------


def fit(model: nn.Module, loss: Callable[[Tensor], Tensor], rows: Tensor, steps: int, batch: int,
        rate: float) -> None:  # fmt: skip
    """AdamW by a warm-up of 50 steps and a cosine."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.05)
    model.train()
    for step in range(steps):
        chosen = rows[torch.randint(len(rows), (batch,))]
        fade = 0.5 * (1 + math.cos(math.pi * step / steps))
        optimiser.param_groups[0]["lr"] = rate * min(1, (step + 1) / 50) * fade
        optimiser.zero_grad()
        loss(chosen).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    model.eval()


def shift(pictures: Tensor) -> Tensor:
    """All by up to two pixels each way."""
    across, along = torch.randint(-2, 3, (2,)).tolist()
    return torch.roll(pictures, (across, along), (2, 3))


@torch.no_grad()
def recognise(reader: Reader, pictures: Tensor, names: Tensor) -> float:
    """Share of pictures whose own name the reader finds nearest among `ASKED`."""
    right = []
    for i in range(0, len(names) - ASKED + 1, ASKED):
        some = names[i : i + ASKED]
        nearest = reader.likeness(pictures[i : i + ASKED], some).argmax(1, keepdim=True)
        equal = (some[:, None] == some[None]).all(2)
        right.append(equal.gather(1, nearest)[:, 0])
    return float(torch.cat(right).float().mean())


def measure(icons: Icons, note: Callable[..., None], shorter: int = 1) -> Tensor:
    """Trains and measures the three; pictures of some held-out names over what was painted.

    Args:
        note: is told every number by name.
        shorter: divides the numbers of steps.
    """
    pictures, names, many = icons.pictures, icons.names, len(icons.words)
    kinds: dict[tuple[int, ...], int] = {}
    kind = torch.tensor([kinds.setdefault(tuple(row), len(kinds)) for row in names.tolist()])
    aside = torch.randperm(len(kinds))[kind] < min(HELDOUT, len(kinds) // 5)
    train, heldout = (~aside).nonzero()[:, 0], aside.nonzero()[:, 0][:HELDOUT]
    seen = train[torch.randperm(len(train))[:HELDOUT]]
    note(icons=len(names), words=many, names=len(kinds), trained_on=len(train))

    reader = Reader(many)

    def read(rows: Tensor) -> Tensor:
        both = reader.likeness(shift(pictures[rows]), names[rows]) * reader.scale.exp()
        own = torch.arange(len(rows))
        return (F.cross_entropy(both, own) + F.cross_entropy(both.T, own)) / 2

    fit(reader, read, train, 1_200 // shorter, 256, 2e-3)
    found = {"heldout": heldout, "trained on": seen}
    note(recognised={of: recognise(reader, pictures[i], names[i]) for of, i in found.items()})

    writer = Writer(many)

    def write(rows: Tensor) -> Tensor:
        blurred = shift(pictures[rows]) + 0.1 * torch.randn(len(rows), 1, SIZE, SIZE)
        return writer.nats(names[rows], blurred, torch.rand(len(rows)) < 0.25)

    fit(writer, write, train, 1_500 // shorter, 128, 3e-3)
    with torch.no_grad():
        note(nats_a_word={of: float(writer.nats(names[i], pictures[i])) for of, i in found.items()},
             blind={of: float(writer.nats(names[i], None)) for of, i in found.items()})  # fmt: skip

    mean = pictures[train].flatten(1).mean(0)
    parts = torch.linalg.svd(pictures[train][:6_000].flatten(1) - mean, full_matrices=False)[2]
    parts = parts[:PARTS]
    z = (pictures.flatten(1) - mean) @ parts.T
    spread = z[train].std(0)
    z, weight = z / spread, (spread / spread.mean()).sqrt()
    painter = Painter(many)

    def paint(rows: Tensor) -> Tensor:
        e, s = torch.randn(len(rows), PARTS), torch.rand(len(rows))
        unsaid = torch.rand(len(rows), 1) < 0.1
        asked = torch.where(unsaid, painter.unsaid, painter.read(names[rows]))
        x = (1 - s[:, None]) * z[rows] + s[:, None] * e
        return ((painter(x, s, asked) - (e - z[rows])) * weight).square().mean()

    fit(painter, paint, train, 4_000 // shorter, 128, 1e-3)

    @torch.no_grad()
    def painted(rows: Tensor, guidance: float) -> Tensor:
        asked, x = painter.read(names[rows]), torch.randn(len(rows), PARTS)
        unsaid = painter.unsaid.expand_as(asked)
        for s, to in pairwise(torch.linspace(1, 0, 26).tolist()):
            at = torch.full((len(rows),), s)
            v = painter(x, at, asked)
            v = v + guidance * (v - painter(x, at, unsaid))
            x = x + (to - s) * v
        return ((x * spread) @ parts + mean).view(-1, 1, SIZE, SIZE).clamp(0, 1)

    for guidance in (0.0, 1.0, 2.0):
        shown = {of: painted(i, guidance) for of, i in found.items()}
        right = {of: recognise(reader, shown[of], names[i]) for of, i in found.items()}
        note(guidance=guidance, painted_and_recognised=right)
    return torch.cat([pictures[heldout][:20], shown["heldout"][:20]], 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("fonts", type=Path, help="the folder fonts of the package qtawesome")
    parser.add_argument("--out", type=Path, required=True, help="NAME.jsonl and NAME.png")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)

    def note(**numbers: Any) -> None:
        line = json.dumps(numbers)
        print(line, flush=True)
        with given.out.with_suffix(".jsonl").open("a") as file:
            file.write(line + "\n")

    rows = measure(draw_icons(given.fonts), note)
    drawn = (255 * (1 - torch.cat(list(rows[:, 0]), 1))).to(torch.uint8).numpy()
    Image.fromarray(drawn).save(given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
