"""What a page shows of texts: how the first of a generation begins."""

from __future__ import annotations

from collections.abc import Callable

from benchmark.interface.items import Items
from benchmark.tasks.text.codec import TextPublisher

LONGEST = 240  # characters


def shown(items: Items, publisher: Callable[[], TextPublisher]) -> tuple[None, list[str]]:
    """No pictures; the beginning of the first text.

    Args:
        publisher: makes what turns items into text.

    Raises:
        InputError: it needs a tokenizer from the Hub, which is not there.
    """
    (text,) = publisher().text(items.take(slice(0, 1)))
    return None, [text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"]
