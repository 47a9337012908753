"""Icons of six fonts, as they ship inside the package qtawesome, with their names."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.interface.items import Items
from benchmark.tasks import assets
from benchmark.tasks.pairs.language import LENGTH
from benchmark.tasks.published import keep_published

SIZE, FINER, LARGEST = 32, 4, 30  # pixels of a picture, times that it is drawn, of what is on it
RARE = 5  # icons that a word is in at least
WORDS = "icons-words.json"
OUTLINED = frozenset({"outline", "line", "thin", "light"})  # words of icons drawn by thin strokes
Drawn = tuple[list[str], np.ndarray]  # the words of a name, and what it is the name of


@lru_cache(maxsize=1)
def load_words() -> tuple[str, ...]:
    """The frozen vocabulary of names, in the order of their numbers; word 0 ends a name and fills
    its row."""
    return tuple(json.loads(assets.path(WORDS).read_text("utf-8")))


@lru_cache(maxsize=2)
def load_icons(families: tuple[str, ...], sha256: str | None) -> Items:
    """Every icon of some fonts whose name is of the vocabulary: `image` uint8 (N, 1, 32, 32), white
    on black, and `tokens` (N, LENGTH), its name. To draw them takes some ten seconds, once on a
    machine.

    Args:
        families: how the names of the fonts' files begin.
        sha256: of the items; None takes any.

    Raises:
        CorruptFile: the installed fonts are not the ones the task was frozen with, or are drawn
            otherwise.
        InputError: they are not installed.
    """
    fonts, words = find_fonts(), load_words()
    files = [file for family in families for file in sorted(fonts.glob(f"{family}*"))]
    contents = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    key = repr((Image.__version__, families, contents, words))
    items = Items(
        **keep_published("icons", key, lambda: dict(draw_icons(fonts, families, words).columns))
    )
    if sha256 is not None and items.digest() != sha256:
        raise CorruptFile(
            f"the icons that the installed Pillow {Image.__version__} draws of the installed "
            f"qtawesome have SHA-256 {items.digest()[:12]}..., the task needs {sha256[:12]}...: "
            "install both as constraints.txt pins them"
        )
    return items


def find_fonts() -> Path:
    """The folder of fonts inside qtawesome.

    Raises:
        InputError: the package is not installed.
    """
    spec = find_spec("qtawesome")  # not imported, which needs a graphical toolkit
    if spec is None or spec.origin is None:
        raise InputError("the package qtawesome, whose icons the task needs, is not installed")
    return Path(spec.origin).parent / "fonts"


def find_outlined(items: Items) -> Tensor:
    """(N,) which names say that an icon is drawn by thin strokes."""
    thin = [number for number, word in enumerate(load_words()) if word in OUTLINED]
    return torch.isin(items["tokens"], torch.tensor(thin)).any(1)


def list_words(fonts: Path, families: Sequence[str]) -> list[str]:
    """The vocabulary of names that are not too long and all of whose words are common."""
    drawn = _draw_all(fonts, families)
    counts = Counter(word for name, _ in drawn for word in name)
    usual = [name for name, _ in drawn
             if len(name) < LENGTH and all(counts[word] >= RARE for word in name)]  # fmt: skip
    return ["<end>", *sorted({word for name in usual for word in name})]


def draw_icons(fonts: Path, families: Sequence[str], words: Sequence[str]) -> Items:
    """Every different picture of the fonts whose name is of `words` and not too long."""
    number = {word: i for i, word in enumerate(words)}
    kept: dict[bytes, Drawn] = {}
    for name, picture in _draw_all(fonts, families):
        if len(name) < LENGTH and number.keys() >= set(name):
            kept.setdefault(picture.tobytes(), (name, picture))
    rows = [[number[word] for word in name] for name, _ in kept.values()]
    tokens = torch.tensor([row + [0] * (LENGTH - len(row)) for row in rows])
    pictures = torch.from_numpy(np.stack([picture for _, picture in kept.values()]))
    return Items(image=pictures[:, None], tokens=tokens)


def _draw_all(fonts: Path, families: Sequence[str]) -> list[Drawn]:
    return [drawn for family in families for drawn in _drawn(fonts, family)]


def _drawn(fonts: Path, family: str) -> Iterator[Drawn]:
    """Name and picture of every character of a font."""
    (font,) = fonts.glob(f"{family}*.ttf")
    (charmap,) = fonts.glob(f"{family}*charmap*.json")
    solid = ["solid"] if family.endswith("-solid-") else []  # said of each by the font's own name
    codes: dict[str, str] = {}
    for name, code in json.loads(charmap.read_text("utf-8")).items():
        codes.setdefault(code, name)  # others are its synonyms
    for code, name in codes.items():
        picture = draw_icon(font, chr(int(code, 16)))
        if picture is not None:
            yield [word for word in re.split("[-_ ]", name) if word] + solid, picture


def draw_icon(font: Path, character: str) -> np.ndarray | None:
    """White on black, in the middle of `SIZE` pixels each way; None if there is nothing to see."""
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
