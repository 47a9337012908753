"""Launders published items: traces that a watermark detector needs are damaged on the way."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmark.codecs import TextPublisher
from benchmark.items import Items
from benchmark.stressors import ImageLaundering, TextLaundering


def launder_images(how: ImageLaundering, items: Items, rng: torch.Generator) -> Items:
    """Shift and JPEG for a share of the images; labels and order stay.

    The JPEG's own traces stay visible, as in the wild: laundering hides the mark, not itself.
    """
    chosen = _chosen(len(items), how.share, rng)
    moves = torch.randint(-how.shift, how.shift + 1, (len(chosen), 2), generator=rng)
    images = items["image"].clone()
    for i, (down, right) in zip(chosen.tolist(), moves.tolist(), strict=True):
        images[i, 0] = _jpeg(_shifted(images[i, 0], down, right), how.quality)
    return Items(image=images, label=items["label"])


def launder_texts(how: TextLaundering, items: Items, rng: torch.Generator) -> Items:
    """Replaced tokens for a share of the texts, then published form again; order stays.

    New tokens are drawn from all tokens of the publication: unigram noise without real data.
    """
    tokens = items["tokens"]
    publisher = TextPublisher(tokens.shape[1])
    chosen = _chosen(len(items), how.share, rng)
    if not len(chosen):
        return items

    def noise(width: int) -> Tensor:
        at = torch.randint(tokens.numel(), (len(chosen), width), generator=rng)
        return tokens.flatten()[at]

    rows = tokens[chosen]
    replaced = torch.rand(rows.shape, generator=rng) < how.replaced
    rows = torch.where(replaced, noise(rows.shape[1]), rows)
    # Encoding again mostly shortens, so a margin is added that is mostly cut off.
    rows = torch.cat([rows, noise(publisher.margin)], 1)
    laundered = tokens.clone()
    laundered[chosen] = publisher.publish(rows)["tokens"]
    return Items(tokens=laundered)


def _chosen(n: int, share: float, rng: torch.Generator) -> Tensor:
    return torch.randperm(n, generator=rng)[: round(n * share)]


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
