"""Samples of an entry by generation, small enough to be stored with it. Reading needs no torch."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from benchmark.basics.errors import CorruptFile
from benchmark.basics.plain import clean_text, read_start
from benchmark.results.schema import Name, Seed

LARGEST = 2_000_000  # bytes of a file
MOST_PIXELS = 1_000_000  # of a picture: six rows of ten images of 128 x 128
NARROW = 400  # pixels
MOST = 20  # generations of a task
STEP = 17  # between two of the 16 levels of a colour, 0 and 255 among them
LONGEST = 1_000  # characters of one generation's excerpts

Generation = Annotated[int, Field(ge=0, le=10_000)]


def _rising(generations: list[int]) -> list[int]:
    if sorted(set(generations)) != generations:
        raise ValueError("generations do not rise")
    return generations


def _in_order(texts: dict[int, str]) -> dict[int, str]:
    return dict(sorted(texts.items()))  # the stored form has "10" before "2"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Shown(_Strict):
    """What a lineage published of a task, by generation: a row of pictures, excerpts, or both.

    Attributes:
        seed: of the lineage.
        generations: of the rows of pictures.
        png: the rows, one below the other, as a PNG in base64; empty without pictures.
        texts: generation -> excerpts, one a line.
    """

    seed: Seed
    generations: Annotated[
        list[Generation], Field(max_length=MOST), AfterValidator(_rising)
    ] = []  # fmt: skip
    png: str = ""
    texts: Annotated[
        dict[Generation, Annotated[str, Field(max_length=LONGEST), AfterValidator(clean_text)]],
        Field(max_length=MOST),
        AfterValidator(_in_order),
    ] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> Shown:
        if bool(self.png) != bool(self.generations):
            raise ValueError("rows of pictures and their generations come together")
        if not self.png and not self.texts:
            raise ValueError("neither pictures nor excerpts")
        return self

    @property
    def picture(self) -> bytes:
        """The PNG file."""
        return base64.b64decode(self.png)

    @property
    def wide(self) -> bool:
        """Whether the rows of pictures need the width of a page."""
        return int.from_bytes(self.picture[16:20]) > NARROW


class Gallery(_Strict):
    """What an entry shows of each task; tasks whose samples were not kept are left out."""

    version: Literal[1] = 1
    tasks: Annotated[dict[Name, Shown], Field(max_length=50)]

    def to_json(self) -> bytes:
        """The stored form."""
        content = {
            "version": self.version,
            "tasks": self.model_dump(mode="json", exclude_defaults=True)["tasks"],
        }
        return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def group_excerpts(shown: Mapping[str, Shown]) -> dict[int, dict[str, list[str]]]:
    """Generation -> text -> the methods that published it; "" where a lineage had failed."""
    of_texts = {method: of.texts for method, of in shown.items() if of.texts}
    found: dict[int, dict[str, list[str]]] = {}
    for t in sorted({t for texts in of_texts.values() for t in texts}):
        found[t] = {}
        for method, texts in of_texts.items():
            found[t].setdefault(texts.get(t, ""), []).append(method)
    return found


def crop_row(shown: Shown, generation: int, part: float = 1.0, foot: int = 0) -> str:
    """The row of one generation as a PNG in base64; "" if it is not there.

    Args:
        part: of its width, from the left.
        foot: pixels left out at its bottom.
    """
    if generation not in shown.generations:
        return ""
    return _crop(shown, [generation], part, foot)


def pick_rows(shown: Shown, generations: Sequence[int]) -> Shown:
    """Of a lineage's pictures the rows of these generations, as far as they are there, and no
    excerpts.

    Raises:
        ValueError: none of them is there.
    """
    kept = [t for t in shown.generations if t in generations]
    if not kept:
        raise ValueError(f"no pictures of generations {list(generations)}")
    return Shown(seed=shown.seed, generations=kept, png=_crop(shown, kept))


def _crop(shown: Shown, generations: Sequence[int], part: float = 1.0, foot: int = 0) -> str:
    """Rows one below the other as a PNG in base64."""
    from PIL import Image

    with Image.open(io.BytesIO(shown.picture), formats=["PNG"]) as image:
        height = image.height // len(shown.generations)
        right, tall = max(1, round(image.width * part)), max(1, height - foot)
        picked = Image.new(image.mode, (right, tall * len(generations)))
        if image.palette is not None:
            picked.putpalette(image.palette)
        for i, t in enumerate(generations):
            top = height * shown.generations.index(t)
            picked.paste(image.crop((0, top, right, top + tall)), (0, tall * i))
    content = io.BytesIO()
    picked.save(content, "PNG", optimize=True)
    return base64.b64encode(content.getvalue()).decode()


def load_gallery(path: Path) -> Gallery:
    """Read a stored gallery; its pictures are decoded and written anew, so they are just pixels.

    Raises:
        InputError: the file cannot be read.
        CorruptFile: it is too large or not a gallery of this version.
    """
    content = read_start(path, LARGEST + 1, "gallery")
    try:
        if len(content) > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} bytes")
        gallery = Gallery.model_validate_json(content)
        return Gallery(tasks={name: _redrawn(shown) for name, shown in gallery.tasks.items()})
    except (ValueError, RecursionError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise CorruptFile(f"{path} is not a valid gallery ({said}): make it again") from error


def _redrawn(shown: Shown) -> Shown:
    if not shown.png:
        return shown
    content = base64.b64decode(shown.png, validate=True)
    return shown.model_copy(update={"png": encode_picture(content, len(shown.generations))})


def encode_picture(png: bytes, rows: int) -> str:
    """A PNG in base64 with nothing in it but its pixels, in 16 levels of each colour where that
    makes it a drawing of at most 256 colours, which a third to a half of the bytes hold.

    Raises:
        ValueError: it is no PNG of `rows` rows, or has too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise ValueError(f"a picture has more than {MOST_PIXELS:,} pixels")
            if height % rows:
                raise ValueError(f"a picture is not {rows} rows of images")
            decoded = image.convert("RGB").tobytes()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("a picture is no PNG that can be decoded") from error
    colours = Image.frombytes("RGB", (width, height), decoded)
    levels = [round(value / STEP) * STEP for value in range(256)]
    coarse = colours.point(levels * 3)
    grey, used = coarse.convert("L"), coarse.getcolors(256)
    if used is None:  # more than that
        plain = colours
    elif grey.convert("RGB").tobytes() == coarse.tobytes():
        plain = grey
    else:
        plain = coarse.convert("P", palette=Image.Palette.ADAPTIVE, colors=len(used))
    content = io.BytesIO()
    plain.save(content, "PNG", optimize=True)
    return base64.b64encode(content.getvalue()).decode()
