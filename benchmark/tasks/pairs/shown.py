"""What a page shows of pairs: pictures with their captions beneath, and which numbers are left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from benchmark.interface.items import Items
from benchmark.tasks.pairs.language import NUMBERS, join_words, read_captions
from benchmark.tasks.pairs.reader import Reader
from benchmark.tasks.pairs.sheet import CELL, COLUMNS, GAP, LINE, LINES, SPACE, ZOOM

FAINT = 229  # of a picture's greys
PAPER, INK, WRONG, LEFT, GONE = 255, (0, 0, 0), (190, 0, 0), (40, 90, 150), (226, 226, 226)


def shown(items: Items, publisher: object) -> tuple[Tensor, None]:
    """A row (H, W, 3) of pairs over a strip of 999 cells, and no texts.

    A caption that the reader finds wrong is red and ends in an asterisk. The cells stand for the
    numbers 1 to 999 in three lines; a number that no item names has lost its colour. Pairs need no
    `publisher`.
    """
    said = read_captions(items["tokens"])
    few = items.take(torch.arange(COLUMNS) % len(items))
    reader = Reader()
    seen = reader.read(reader.features(few["image"]))
    right = reader.agreement(seen, read_captions(few["tokens"])).all(1)
    captions = [join_words(row) for row in few["tokens"].tolist()]
    row = draw_row(few["image"], captions, right.tolist())
    strip = _draw_strip(said.number)
    page = np.full((len(row) + len(strip) + GAP, max(row.shape[1], strip.shape[1]), 3), PAPER)
    page[: len(row), : row.shape[1]] = row
    page[len(row) : len(row) + len(strip), : strip.shape[1]] = strip
    return torch.from_numpy(page.astype(np.uint8)), None


def draw_row(images: Tensor, captions: Sequence[str], right: Sequence[bool]) -> np.ndarray:
    """Pictures (N, 1, H, W) side by side with their captions beneath, those that are not `right` in
    red with an asterisk: uint8 (height, width, 3)."""
    drawn = [
        _draw_pair(image[0].numpy(), caption, agrees)
        for image, caption, agrees in zip(images, captions, right, strict=True)
    ]
    gap = np.full((len(drawn[0]), GAP, 3), PAPER, dtype=np.uint8)
    return np.concatenate([part for pair in drawn for part in (pair, gap)][:-1], 1)


def _draw_pair(picture: np.ndarray, caption: str, right: bool) -> np.ndarray:
    """Dark ink on white paper, the caption beneath."""
    size = (ZOOM * picture.shape[1], ZOOM * len(picture))
    drawn = Image.fromarray(255 - picture).resize(size, Image.Resampling.BICUBIC)
    # Sixteen greys, the faintest left white, show the same and take a third of the space.
    drawn = drawn.point([PAPER if k > FAINT else (k + 8) // 17 * 17 for k in range(256)])
    canvas = Image.new("RGB", (SPACE, drawn.height + LINE), "white")
    canvas.paste(drawn, ((SPACE - drawn.width) // 2, 0))
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=10)
    text = _fit(caption or "(nothing)", "" if right else " *", partial(pen.textlength, font=font))
    place = (max(0, (SPACE - pen.textlength(text, font)) // 2), drawn.height + 1)
    pen.text(place, text, INK if right else WRONG, font)
    return np.asarray(canvas)


def _fit(caption: str, mark: str, length: Callable[[str], float]) -> str:
    """As many words of `caption` as there is room for beside `mark`."""
    words, end = caption.split(" "), ""
    while len(words) > 1 and length(" ".join(words) + end + mark) > SPACE:
        words, end = words[:-1], "…"
    return " ".join(words) + end + mark


def _draw_strip(numbers: Tensor) -> np.ndarray:
    """Which of the numbers 1 to 999 are among `numbers`."""
    there = torch.zeros(NUMBERS, dtype=torch.bool)
    there[numbers.clamp(min=0)] = True
    cells = there[1:].view(LINES, -1).numpy()[:, :, None]
    colours = np.where(cells, np.array(LEFT), np.array(GONE)).astype(np.uint8)
    return colours.repeat(CELL[0], 0).repeat(CELL[1], 1)
