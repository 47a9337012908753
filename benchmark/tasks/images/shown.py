"""What a page shows of images: ten of one class, which show best how samples lose variety."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.interface.items import Items

COLUMNS = 10
LABEL = 2


def shown(items: Items, publisher: object) -> tuple[Tensor, None]:
    """A row of `COLUMNS` images of class `LABEL`, and no texts; images need no `publisher`."""
    return draw_strip(items, COLUMNS, LABEL), None


def draw_strip(items: Items, columns: int, label: int) -> Tensor:
    """Images of class `label` side by side (H, columns * W) uint8, in colour (H, columns * W, 3);
    a class that is gone leaves its place to any image."""
    of_class = torch.nonzero(items["label"] == label).squeeze(1)
    if len(of_class) == 0:
        of_class = torch.arange(len(items))
    chosen = of_class[torch.arange(columns) % len(of_class)]
    pixels = items["image"][chosen].movedim(1, -1)
    return torch.cat(list(pixels if pixels.shape[-1] == 3 else pixels[..., 0]), dim=1)
