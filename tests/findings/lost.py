"""How much there is to lose on every task, by the frozen references.

`python -m tests.findings.lost` writes the table of docs/findings.md.
"""

from __future__ import annotations

import numpy as np

from benchmark.results.curves import gather_curves
from benchmark.results.references import frozen_file
from benchmark.results.schema import load_result
from benchmark.results.statistics import intervals
from tests.findings.pairs import PAGE
from tests.findings.table import fill_page

SUITES = ("small", "closed", "stress")
MARK = "lost"


def write_table() -> str:
    """A row a task: primary metric of `clean` and `nothing` in the last generation, and how far
    apart they are, seed by seed."""
    rows = [
        "| task | metric | seeds | `clean` | `nothing` | apart (95%) |",
        "|---|---|---|---|---|---|",
    ]
    for suite in SUITES:
        clean, nothing = (load_result(frozen_file(suite, name)) for name in ("clean", "nothing"))
        for task, result in sorted(nothing.tasks.items()):
            good, bad = (gather_curves(of, task, result.primary)[:, -1] for of in (clean, nothing))
            low, high = intervals((bad - good)[None])
            rows.append(
                f"| `{task}` | `{result.primary}` | {len(bad)} | {np.mean(good):.2f} | "
                f"{np.mean(bad):.2f} | {np.mean(bad - good):.2f} ({low:.2f} to {high:.2f}) |"
            )
    return "\n".join(rows)


def main() -> None:
    PAGE.write_text(fill_page(PAGE.read_text("utf-8"), write_table(), MARK), "utf-8")


if __name__ == "__main__":
    main()
