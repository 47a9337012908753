"""What a page shows of icons: pictures with their names beneath."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.interface.items import Items
from benchmark.tasks.icons.drawing import load_words
from benchmark.tasks.icons.reader import find_named, load_reader, look_at
from benchmark.tasks.pairs.language import join_words
from benchmark.tasks.pairs.shown import draw_row

COLUMNS = 6  # pairs


def shown(items: Items, publisher: object) -> tuple[Tensor, None]:
    """A row (H, W, 3) of pairs, and no texts. A name is red and ends in an asterisk where the
    reader finds one of 99 fixed ones liker. Icons need no `publisher`."""
    few = items.take(torch.arange(COLUMNS) % len(items))
    reader, words = load_reader("icons-reader.safetensors"), load_words()
    right = find_named(reader, look_at(reader, few["image"]), few["tokens"])
    names = [join_words(row, words) for row in few["tokens"].tolist()]
    return torch.from_numpy(draw_row(few["image"], names, right.tolist())), None
