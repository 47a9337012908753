"""Launders published text: traces that a watermark detector needs are damaged on the way."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.basics.seeds import draw_share
from benchmark.interface.items import Items
from benchmark.tasks.text.codec import TextPublisher


def launder_texts(items: Items, rng: torch.Generator, share: float, replaced: float) -> Items:
    """Replaced tokens for a share of the texts, then published form again; order stays.

    New tokens are drawn from all tokens of the publication: unigram noise without real data.
    """
    tokens = items["tokens"]
    publisher = TextPublisher(tokens.shape[1])
    chosen = draw_share(len(items), share, rng)
    if not len(chosen):
        return items

    def noise(width: int) -> Tensor:
        at = torch.randint(tokens.numel(), (len(chosen), width), generator=rng)
        return tokens.flatten()[at]

    rows = tokens[chosen]
    anew = torch.rand(rows.shape, generator=rng) < replaced
    rows = torch.where(anew, noise(rows.shape[1]), rows)
    # Encoding again mostly shortens, so a margin is added that is mostly cut off.
    rows = torch.cat([rows, noise(publisher.margin)], 1)
    laundered = tokens.clone()
    laundered[chosen] = publisher.publish(rows)["tokens"]
    return Items(tokens=laundered)
