"""Figures of a run."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmark.basics.errors import cannot_write
from benchmark.interface.items import Items


def strip(items: Items, columns: int, label: int | None = None) -> Tensor:
    """One row of `columns` images (H, columns * W) uint8, in colour (H, columns * W, 3): one a
    class and round again, or, to show how much the items of one class differ, all of `label`."""
    chosen: list[int] = []
    classes = int(items["label"].max()) + 1
    for i in range(columns):
        wanted, nth = (i % classes, i // classes) if label is None else (label, i)
        of_class = torch.nonzero(items["label"] == wanted).squeeze(1)
        if len(of_class) == 0:  # a class that is gone leaves its place to any image
            of_class = torch.arange(len(items))
        chosen.append(int(of_class[nth % len(of_class)]))
    pixels = items["image"][chosen].movedim(1, -1)
    return torch.cat(list(pixels if pixels.shape[-1] == 3 else pixels[..., 0]), dim=1)


def grid_png(generations: Mapping[int, Items], columns: int, label: int | None = None) -> bytes:
    """The pixels alone, one row a generation, as PNG; what a row holds, see `strip`."""
    from matplotlib.image import imsave

    rows = torch.cat([strip(items, columns, label) for items in generations.values()])
    content = io.BytesIO()
    imsave(content, rows.numpy(), cmap="gray_r", vmin=0, vmax=255, format="png")
    return content.getvalue()


def save_image_grid(
    samples: Mapping[str, Mapping[int, Items]],
    file: Path,
    title: str,
    columns: int = 10,
    label: int | None = None,
    across: int = 4,
) -> None:
    """One block a method, `across` of them side by side, one row a generation; what a row holds,
    see `strip`.

    Args:
        samples: method -> generation -> published images.
        file: where to write; the ending decides the format.

    Raises:
        InputError: the file cannot be written.
    """
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    rows = max(len(generations) for generations in samples.values())
    across = min(across, len(samples))
    down = math.ceil(len(samples) / across)
    figure, axes = plt.subplots(
        down,
        across,
        figsize=(0.32 * columns * across + 0.8, (0.32 * rows + 0.5) * down + 0.3),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat[len(samples) :]:
        axis.remove()
    for axis, (method, generations) in zip(axes.flat, samples.items(), strict=False):
        strips = [strip(items, columns, label) for items in generations.values()]
        height = strips[0].shape[0]
        axis.imshow(torch.cat(strips).numpy(), cmap="gray_r", interpolation="nearest")
        axis.set_title(method, fontsize=9, parse_math=False)
        axis.set_xticks([])
        axis.set_yticks([height * (i + 0.5) for i in range(len(strips))], list(generations))
        axis.tick_params(length=0, labelsize=8)
        for side in axis.spines.values():
            side.set_visible(False)
    for row in axes:
        row[0].set_ylabel("generation", fontsize=9)
    figure.suptitle(title, fontsize=9, parse_math=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=160)
    except (OSError, ValueError) as error:
        raise cannot_write(file, error, "the figure") from error
    finally:
        plt.close(figure)


def excerpts(texts: Sequence[str], width: int) -> list[str]:
    """The beginnings of texts, at most `width` characters each."""
    return [text if len(text) <= width else text[: width - 1] + "…" for text in texts]
