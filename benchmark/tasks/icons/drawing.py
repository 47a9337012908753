"""Icons of six fonts, as they ship inside the package qtawesome, with their names."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.hub.copies import find_home
from benchmark.interface.items import Items
from benchmark.tasks import assets
from benchmark.tasks.pairs.language import LENGTH
from benchmark.tasks.published import keep_published

SIZE, FINER, LARGEST = 32, 4, 30  # pixels of a picture, times that it is drawn, of what is on it
RARE, LEAST = 5, 1  # icons that a word is in at least, and of them those of the reader's part
WORDS = "icons-words.json"
FORM = 1  # of what is kept: another number where the code below draws otherwise
# Last words of names that say how an icon is drawn, not what it shows; the first ones thinly.
OUTLINED = frozenset({"outline", "line", "thin", "light"})
STYLES = OUTLINED | {"bold", "fill", "solid", "regular", "duotone", "variant"}


@dataclass(frozen=True)
class Drawn:
    """An icon: the words of its name, and its picture."""

    name: tuple[str, ...]
    picture: np.ndarray

    @property
    def outlined(self) -> bool:
        """Whether it is drawn by thin strokes, as its name says."""
        return self.name[-1] in OUTLINED or "outline" in self.name

    @property
    def known(self) -> bool:
        """Whether it is of the third that the frozen reader learns from and no era holds; icons
        whose names differ in style only are of the same part."""
        base = " ".join(word for word in self.name if word not in STYLES)
        return hashlib.sha256(base.encode()).digest()[0] % 3 == 0


@lru_cache(maxsize=1)
def load_words() -> tuple[str, ...]:
    """The frozen vocabulary of names, in the order of their numbers; word 0 ends a name and fills
    its row."""
    return tuple(json.loads(assets.path(WORDS).read_text("utf-8")))


@lru_cache(maxsize=2)
def load_icons(families: tuple[str, ...], sha256: str | None) -> Items:
    """Every icon of some fonts that is not of the reader's part: see `draw_icons`. To draw them
    takes some ten seconds, once on a machine.

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
    key = repr((FORM, Image.__version__, families, contents, words))

    def draw() -> dict[str, Tensor]:
        return dict(draw_icons(list_icons(fonts, families), words, known=False).columns)

    items = Items(**keep_published("icons", key, draw))
    if sha256 is not None and items.digest() != sha256:
        raise CorruptFile(
            f"the icons of the installed qtawesome, as the installed Pillow draws them, have "
            f"SHA-256 {items.digest()[:12]}..., the task needs {sha256[:12]}...: install both as "
            f"constraints.txt pins them, or delete {find_home() / 'published'} if they are"
        )
    return items


def find_fonts() -> Path:
    """The folder of fonts inside qtawesome.

    Raises:
        InputError: the package is not installed.
    """
    spec = find_spec("qtawesome")  # not imported, which needs a graphical toolkit
    if spec is None or spec.origin is None:
        raise InputError(
            "the package qtawesome, whose icons the task needs, is not installed: pip install "
            "qtawesome as constraints.txt pins it"
        )
    return Path(spec.origin).parent / "fonts"


def list_icons(fonts: Path, families: Sequence[str]) -> list[Drawn]:
    """Every different picture of the fonts whose name is not too long, the first of its names.

    Raises:
        InputError: a font is not there.
    """
    kept: dict[bytes, Drawn] = {}
    for family in families:
        for icon in _drawn(fonts, family):
            if len(icon.name) < LENGTH:
                kept.setdefault(icon.picture.tobytes(), icon)
    return list(kept.values())


def list_words(icons: Sequence[Drawn]) -> list[str]:
    """The vocabulary of the names all of whose words are common, in the reader's part, too."""
    counts = Counter(word for icon in icons for word in set(icon.name))
    learnt = Counter(word for icon in icons if icon.known for word in set(icon.name))
    common = {word for word in counts if counts[word] >= RARE and learnt[word] >= LEAST}
    names = [icon.name for icon in icons if common.issuperset(icon.name)]
    return ["<end>", *sorted({word for name in names for word in name})]


def draw_icons(icons: Sequence[Drawn], words: Sequence[str], known: bool) -> Items:
    """Those whose names are of `words`, of the reader's part (`known`) or of the rest.

    Returns:
        `image` uint8 (N, 1, 32, 32), white on black; `tokens` int64 (N, LENGTH), their names as
        published; `outlined` bool (N,).
    """
    number = {word: i for i, word in enumerate(words)}
    usual = [icon for icon in icons if icon.known == known and number.keys() >= set(icon.name)]
    rows = [[number[word] for word in icon.name] for icon in usual]
    tokens = torch.tensor([row + [0] * (LENGTH - len(row)) for row in rows])
    pictures = torch.from_numpy(np.stack([icon.picture for icon in usual]))
    return Items(
        image=grade(pictures[:, None].float() / 255),
        tokens=order_words(tokens),
        outlined=torch.tensor([icon.outlined for icon in usual]),
    )


def grade(pictures: Tensor) -> Tensor:
    """uint8 pictures of sixteen greys, from `pictures` in [0, 1]: what is nearly black is black,
    for real icons have a black ground and a painter's would tell them."""
    return (pictures.clamp(0, 1) * 15).round().mul(17).to(torch.uint8)


def order_words(names: Tensor) -> Tensor:
    """Names (N, L) with their words in the order of the vocabulary: that of a name means nothing to
    any score, so that it could be a mark."""
    last = names.masked_fill(names == 0, torch.iinfo(names.dtype).max).sort(1).values
    return last.masked_fill(last == torch.iinfo(names.dtype).max, 0)


def _drawn(fonts: Path, family: str) -> Iterator[Drawn]:
    """Every character of a font that shows something."""
    files = [sorted(fonts.glob(f"{family}*{end}")) for end in (".ttf", "charmap*.json")]
    if not all(files):
        raise InputError(f"{fonts} has no font {family}*: install the qtawesome of constraints.txt")
    font, charmap = (found[0] for found in files)
    solid = ("solid",) if family.endswith("-solid-") else ()  # said of each by the font's own name
    codes: dict[str, str] = {}
    for name, code in json.loads(charmap.read_text("utf-8")).items():
        codes.setdefault(code, name)  # others are its synonyms
    for code, name in codes.items():
        picture = draw_icon(font, chr(int(code, 16)))
        words = tuple(word for word in re.split("[-_ ]", name) if word) + solid
        if picture is not None and words:
            yield Drawn(words, picture)


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
