"""What reads, scores and shows results works where no torch is installed."""

import pkgutil
import subprocess
import sys

import pytest

import benchmark.results
import leaderboard.board

HEAVY = ("torch", "transformers", "diffusers")
ROOMS = [
    module.name
    for package in (benchmark.results, leaderboard.board)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]
TRUST = [f"benchmark.submission.{name}" for name in ("card", "claim", "folder", "trust")]


@pytest.mark.parametrize("names", [ROOMS, TRUST], ids=["results and board", "submission"])
def test_every_module_is_imported_without_torch(names):
    code = (
        "import importlib, sys\n"
        f"sys.modules |= dict.fromkeys({HEAVY})\n"  # None: asking for it is an ImportError
        f"for name in {names}: importlib.import_module(name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(ROOMS) > 15
