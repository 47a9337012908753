"""What was probably meant by a name that is not known. Needs nothing but Python."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

ALIKE = 0.7  # of difflib's ratio
MOST = 10_000  # names of a folder that are looked at


def find_nearest(name: str, known: Iterable[str], alike: float = ALIKE) -> str | None:
    """The known name that is most like `name`; None if none is like it. Capitals do not count."""
    by_folded: dict[str, str] = {}
    for other in known:
        by_folded.setdefault(other.casefold(), other)
    near = difflib.get_close_matches(name.casefold()[:200], by_folded, 1, alike)
    return by_folded[near[0]] if near else None


def ask_nearest(name: str, known: Iterable[str]) -> str:
    """What follows a name that is not known in a sentence: " (did you mean 'x'?)", or nothing."""
    near = find_nearest(name, known)
    return "" if near is None else f" (did you mean {near!r}?)"


def ask_nearest_path(path: Path) -> str:
    """The same of a file or folder that is not there: the first part of its path that is wrong is
    compared with what lies in the folder."""
    parts = path.parts
    for i in range(len(parts)):
        folder, rest = Path(*parts[:i]), parts[i:]
        if (folder / rest[0]).exists():
            continue
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in islice(entries, MOST)]
        except OSError:
            return ""
        near = find_nearest(rest[0], sorted(n for n in names if not n.startswith(".")))
        if near is None:
            return ""
        meant = Path(folder / near, *rest[1:])
        return f" (did you mean {meant}?)" if meant.exists() else ""
    return ""
