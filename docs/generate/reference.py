"""Pages of the reference: directives that mkdocstrings fills in from the docstrings."""

from __future__ import annotations

from benchmark.interface.round import ROUND
from docs.generate.prose import ROOT, write_table

# What a method sees is on the page of the interface; the rest of it is here.
INTERFACE = (
    "benchmark.runs.grid.run", "benchmark.tasks.suites.load_task",
    "benchmark.interface.items.Items", "benchmark.interface.items.TrainingSet",
    "benchmark.interface.access.Access", "benchmark.interface.access.tier",
    "benchmark.interface.generator.Sampling", "benchmark.interface.generator.Generator",
    "benchmark.interface.sources", "benchmark.interface.round.Ledger",
    "benchmark.interface.round.Limits", "benchmark.interface.find.Method",
    "benchmark.interface.find.find_method", "benchmark.interface.names",
    "benchmark.tasks.suites.Suite", "benchmark.tasks.suites.load_suite",
    "benchmark.tasks.task.Task", "benchmark.tasks.task.Budget",
)  # fmt: skip
# What the harness does to a round is no method's business.
OPTIONS = {
    "benchmark.interface.round.Round": {
        "merge_init_into_class": "false",
        "filters": '["!^_", "!^renew$"]',
    }
}
PAGES = {
    "interface": "What a method and a program that runs methods import. `benchmark` itself exports "
    "`run`, `load_task`, `Mitigation`, `Round`, `Items`, `TrainingSet`, `Sampling`, `Access`, "
    "`REAL` and `FOREIGN`. The four hooks and the round are on the page "
    "[Interface](../interface.md).",
    "metrics": "Pure functions of features, tokens and counts. What each number means to a reader: "
    "[Metrics](../metrics.md).",
    "results": "What is known of finished runs: the schema of a result, recoveries, intervals, "
    "tiers, curves, galleries. Nothing here needs torch.",
}


def write_reference() -> dict[str, str]:
    """The pages by their addresses."""
    found = {}
    for room, said in PAGES.items():
        names = INTERFACE if room == "interface" else list_modules(room)
        parts = [f"# `benchmark.{room}`", said, *(write_directive(name) for name in names)]
        found[f"reference/{room}.md"] = "\n\n".join(parts) + "\n"
    return found


def list_modules(room: str) -> list[str]:
    """The modules of a folder of `benchmark`."""
    files = sorted((ROOT / "benchmark" / room).glob("[a-z]*.py"))
    return [f"benchmark.{room}.{file.stem}" for file in files]


def write_directive(name: str) -> str:
    """Where mkdocstrings puts what the docstrings of `name` say."""
    options = "".join(f"\n        {key}: {value}" for key, value in OPTIONS.get(name, {}).items())
    return f"::: {name}" + (f"\n    options:{options}" if options else "")


def write_offers() -> str:
    """What a round offers, the access it needs and what it is charged to."""
    rows = [
        [f"`round.{what}`", f"`{offer.access.name}`", f"`{offer.charge}`" if offer.charge else "-"]
        for what, offer in ROUND.items()
    ]
    return write_table(["what", "needs", "counted as"], rows)
