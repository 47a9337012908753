"""Launders published images: traces that a watermark detector needs are damaged on the way."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmark.basics.seeds import draw_share
from benchmark.interface.items import Items


def launder_images(
    items: Items, rng: torch.Generator, share: float, quality: int, shift: int
) -> Items:
    """Shift and JPEG for a share of the images; labels and order stay.

    The JPEG's own traces stay visible, as in the wild: laundering hides the mark, not itself.
    """
    chosen = draw_share(len(items), share, rng)
    moves = torch.randint(-shift, shift + 1, (len(chosen), 2), generator=rng)
    images = items["image"].clone()
    for i, (down, right) in zip(chosen.tolist(), moves.tolist(), strict=True):
        images[i, 0] = _jpeg(_shifted(images[i, 0], down, right), quality)
    return Items(image=images, label=items["label"])


def _shifted(image: Tensor, down: int, right: int) -> Tensor:
    """Moved by whole pixels; what enters at the border repeats the border."""
    height, width = image.shape
    rows = (torch.arange(height) - down).clamp(0, height - 1)
    columns = (torch.arange(width) - right).clamp(0, width - 1)
    return image[rows][:, columns]


def _jpeg(image: Tensor, quality: int) -> Tensor:
    buffer = io.BytesIO()
    Image.fromarray(image.numpy()).save(buffer, format="JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(buffer)))
