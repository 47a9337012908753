"""What is made of installed or downloaded data once on a machine."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from benchmark.basics.cache import FolderCache
from benchmark.basics.errors import CorruptFile, InputError
from benchmark.hub.copies import find_home


def keep_published(kind: str, key: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """What `make` gives, kept in this user's folder under `kind` and `key`, which tells all that it
    depends on.

    Raises:
        CorruptFile: what is kept is damaged.
        InputError: as `make` says, which is then asked twice.
    """
    try:
        return FolderCache(find_home() / "published").get(kind, key, make).tensors
    except CorruptFile:
        raise
    except InputError:  # a home that cannot be written costs time only
        return make()
