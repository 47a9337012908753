"""What memory is worth, by the speed of the world: `python -m tests.findings.world_speed`.

Computes the lineages that docs/world_speed.jsonl lacks, a line each (half a minute of one core),
then draws docs/world_speed.svg and writes the table of docs/findings.md from that file.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.findings.figure import draw
from tests.findings.table import add_line, describe_noise, fill_page, read_lineages, write_table

FOLDER = Path(__file__).parents[2] / "docs"
LINEAGES = FOLDER / "world_speed.jsonl"
FIGURE, PAGE = FOLDER / "world_speed.svg", FOLDER / "findings.md"
SPEEDS = (3.0, 0.0, 6.0, 1.5, 4.5)  # degrees a generation; the standard one first


@dataclass(frozen=True)
class DistanceOnly:
    """The image evaluation without what the figure does not show."""

    primary: str = "log_frechet"

    def build(self) -> Any:
        import math

        from benchmark.metrics.frechet import frechet_distance
        from benchmark.tasks.images.evaluators import ImageEvaluator

        class Distance(ImageEvaluator):
            def profile(self, generator: Any, model: Any, samples: Any, era: Any) -> Any:
                parts = (self.outputs(items) for items in (era.heldout, samples))
                return {"log_frechet": math.log(frechet_distance(*parts))}

        return Distance()


def compute(speed: float, method: str, seed: int, cache: Path) -> dict[str, Any]:
    """The lineage of digits-web at `speed` degrees a generation."""
    from benchmark.basics.cache import FolderCache
    from benchmark.basics.processor import describe, settle
    from benchmark.lineage.loop import run_lineage
    from benchmark.lineage.store import LineageMemory
    from benchmark.tasks.images.tasks import digits
    from benchmark.tasks.schedules import Web
    from tests.findings.methods import METHODS

    settle()
    task: Any = digits(Web(), slant=speed)
    task = replace(task, evaluation=DistanceOnly())
    started = time.process_time()
    records = run_lineage(task, METHODS[method], seed, LineageMemory(), FolderCache(cache))
    distances = [round(record["profile"]["log_frechet"], 4) for record in records]
    return {
        "speed": speed,
        "method": method,
        "seed": seed,
        "log_frechet": distances,
        "seconds": round(time.process_time() - started, 1),
        "processor": describe("cpu"),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute what is missing, then show it."""
    from tests.findings.methods import METHODS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speeds", type=float, nargs="*", default=SPEEDS)
    parser.add_argument("--seeds", type=int, nargs="*", default=(0, 1, 2))
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as cache:
        for speed in options.speeds:
            for seed in options.seeds:
                for method in options.methods:
                    if (speed, method, seed) in read_lineages(LINEAGES):
                        continue
                    add_line(LINEAGES, compute(speed, method, seed, Path(cache)))
    found = read_lineages(LINEAGES)
    draw(found, FIGURE)
    page = fill_page(PAGE.read_text("utf-8"), write_table(found, list(METHODS)[2:]), LINEAGES.name)
    PAGE.write_text(page, "utf-8")
    for what, values in describe_noise(found, SPEEDS[0]).items():
        print(f"{what}, by seed:", *(f"{value:.3f}" for value in values))


if __name__ == "__main__":
    main()
