"""What is made of installed or downloaded data once on a machine."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from benchmark.basics.cache import FolderCache
from benchmark.basics.errors import AutophagyError, CorruptFile, InputError
from benchmark.hub.copies import find_home


def keep_published(kind: str, key: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """What `make` gives, kept in this user's folder under `kind` and `key`, which tells all that it
    depends on.

    Raises:
        CorruptFile: what is kept is damaged.
        AutophagyError: as `make` says.
    """
    made: list[dict[str, Tensor]] = []
    failed: list[AutophagyError] = []

    def make_once() -> dict[str, Tensor]:
        try:
            made.append(make())
        except AutophagyError as error:
            failed.append(error)
            raise
        return made[0]

    try:
        return FolderCache(find_home() / "published").get(kind, key, make_once).tensors
    except CorruptFile:
        raise
    except InputError:
        if failed:
            raise
        return made[0] if made else make()  # a home that cannot be written costs time only
