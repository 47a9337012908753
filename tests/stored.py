"""What comes with the benchmark as measured; it is measured again when the tasks change."""

from functools import lru_cache
from pathlib import Path

import pytest

from benchmark.results.schema import load_result
from benchmark.tasks.suites import load_suite

RESULTS = Path(__file__).parents[1] / "leaderboard" / "results"


def list_current(suite: str = "*") -> list[Path]:
    """The stored results that are of the tasks as they are now."""
    return [file for file in sorted(RESULTS.glob(f"{suite}/*.json")) if _is_current(file)]


def skip_if_stale() -> None:
    """Skips a test of what is stored where all of it is of earlier tasks: `test_references` fails
    until it is measured again."""
    if not _any_current():
        pytest.skip("the stored results are of earlier tasks: measure them again")


@lru_cache(maxsize=1)
def _any_current() -> bool:
    return bool(list_current())


def _is_current(file: Path) -> bool:
    found = {name: task.hash for name, task in load_result(file).tasks.items()}
    return found == {task.name: task.hash for task in load_suite(file.parent.name).tasks}
