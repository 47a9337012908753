"""What helps where pictures and captions loop together: `python -m tests.findings.pairs`.

Computes the lineages of control methods that docs/pairs.jsonl lacks, a line each (a minute and a
half of one core), then writes the table of docs/findings.md from them, the stored results of suite
`small` and its references.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from baselines.likelihood_confident import LikelihoodConfident
from baselines.verifier_filter import VerifierFilter
from benchmark import REAL, Access, Items, Mitigation, Round, TrainingSet
from benchmark.interface.names import REFERENCES
from benchmark.results.references import frozen_file
from benchmark.results.schema import load_result
from benchmark.results.statistics import intervals, recovery
from tests.findings.methods import Half
from tests.findings.table import add_line, fill_page

DOCS = Path(__file__).parents[2] / "docs"
LINEAGES, PAGE = DOCS / "pairs.jsonl", DOCS / "findings.md"
RESULTS = DOCS.parent / "leaderboard" / "results" / "small"
TASK = "numerals-web"
DISTANCES = ("log_frechet_joint", "log_frechet", "log_frechet_caption")
AT_LAST = ("agreement", "numbers", "recall", "heldout_loss")
Curves = dict[str, list[float]]


class RealForPainter(Mitigation):
    """The painter is trained on the crawl's real pairs only, the writer on all."""

    access = frozenset({Access.PROVENANCE})
    column = "image"

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        return TrainingSet(crawl, {self.column: (round.provenance[-1] == REAL).float()})


class RealForWriter(RealForPainter):
    """The writer is trained on the crawl's real pairs only, the painter on all."""

    column = "tokens"


class FrozenCaptioner(Mitigation):
    """Every caption of the crawl is written anew by the model of generation 0, which no method can
    keep: it lies outside of the interface's rules, as controls may."""

    access = frozenset({Access.ARCHIVE, Access.MODEL})
    first: nn.Module | None = None

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        if round.generation == 1:
            FrozenCaptioner.first = round.model
        return TrainingSet(round.fill(crawl, "tokens", model=FrozenCaptioner.first))


CONTROLS: dict[str, type[Mitigation]] = {
    "random half": Half,
    "real pairs for the painter": RealForPainter,
    "real pairs for the writer": RealForWriter,
    "frozen captioner": FrozenCaptioner,
    "`verifier_filter`": VerifierFilter,
    "`likelihood_confident`": LikelihoodConfident,
}
# Of the board's methods, those that the table compares with them.
BASELINES = (
    "oracle", "detector_threshold", "crossmodal_anchor", "anchor", "newest_and_reserve",
    "first_crawl", "accumulate",
    "verifier_filter", "agreement_filter", "mutual_information_filter", "likelihood_confident",
    "recaption", "repaint", "balanced_numbers",
)  # fmt: skip


def compute(name: str, seed: int, cache: Path) -> dict[str, Any]:
    """The lineage of a control on numerals-web."""
    from benchmark.basics.cache import FolderCache
    from benchmark.basics.processor import describe, settle
    from benchmark.lineage.loop import run_lineage
    from benchmark.lineage.store import LineageMemory
    from benchmark.tasks.suites import load_task

    settle()
    torch.set_num_threads(1)
    started = time.process_time()
    records = run_lineage(
        load_task(TASK), CONTROLS[name], seed, LineageMemory(), FolderCache(cache)
    )
    if records[-1]["status"] != "ok":
        raise SystemExit(f"{name}, seed {seed}: {records[-1]['message']}")
    curves = {
        entry: [round(record["profile"][entry], 5) for record in records]
        for entry in (*DISTANCES, *AT_LAST)
    }
    seconds = round(time.process_time() - started, 1)
    return {"method": name, "seed": seed, "seconds": seconds, "processor": describe("cpu")} | curves


def read_result(path: Path) -> dict[int, Curves]:
    """Curves on numerals-web by seed, from a stored result."""
    lineages = load_result(path).tasks[TASK].lineages
    return {
        lineage.seed: {
            entry: [float(g.profile[entry] or 0.0) for g in lineage.generations]
            for entry in (*DISTANCES, *AT_LAST)
        }
        for lineage in lineages
    }


def read_controls() -> dict[str, dict[int, Curves]]:
    """The computed lineages of the controls, by name and seed."""
    found: dict[str, dict[int, Curves]] = {}
    lines = LINEAGES.read_text("utf-8").splitlines() if LINEAGES.exists() else []
    for line in map(json.loads, lines):
        found.setdefault(line["method"], {})[line["seed"]] = line
    return found


def gather_methods() -> dict[str, dict[int, Curves]]:
    """All that is known: references, stored results, controls."""
    found = {name: read_result(frozen_file("small", name)) for name in REFERENCES}
    stored = {name: RESULTS / f"{name}.json" for name in BASELINES}
    found |= {name: read_result(path) for name, path in stored.items() if path.exists()}
    # A stored result of the suite has more seeds than a control of the same method.
    controls = {k: v for k, v in read_controls().items() if k.strip("`") not in found}
    return found | controls


def write_rows(methods: dict[str, dict[int, Curves]]) -> Iterable[str]:
    """Rows of the table, those that recover most first; `nothing` and `clean` among them."""
    low, high = methods["nothing"], methods["clean"]
    rows = []
    for name, seeds in methods.items():
        cells, score = [], 0.0
        for entry in DISTANCES:
            found = [recovery(c[entry], low[s][entry], high[s][entry]) for s, c in seeds.items()]
            mean, cell = float(np.mean(found)), f"{np.mean(found):z.2f}"
            if len(found) > 1 and name not in REFERENCES:
                ends = intervals(np.array(found)[None])
                cell += f" ({ends[0]:z.2f} to {ends[1]:z.2f})"
            score = mean if entry == DISTANCES[0] else score
            cells.append(cell)
        last = [float(np.mean([c[entry][-1] for c in seeds.values()])) for entry in AT_LAST]
        distance = float(np.mean([c[DISTANCES[0]][-1] for c in seeds.values()]))
        agreement, numbers, recall, nats = last
        cells += [f"{distance:.2f}", f"{agreement:.2f}", f"{numbers:.0f}", f"{recall:.2f}"]
        title = name if name in CONTROLS else f"`{name}`"
        rows.append((score, f"| {title} | {len(seeds)} | {' | '.join(cells)} | {nats:.2f} |"))
    return [row for _, row in sorted(rows, key=lambda row: -row[0])]


def write_table(methods: dict[str, dict[int, Curves]]) -> str:
    """The table in Markdown."""
    heads = ["training", "seeds", "joint", "pictures", "captions", "log joint distance"]
    heads += ["agreement", "numbers", "recall", "nats a word"]
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *write_rows(methods)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=(0, 1, 2))
    parser.add_argument("--methods", nargs="*", default=list(CONTROLS))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as cache:
        for seed in options.seeds:
            for name in options.methods:
                if seed in read_controls().get(name, {}):
                    continue
                add_line(LINEAGES, compute(name, seed, Path(cache)))
    table = write_table(gather_methods())
    PAGE.write_text(fill_page(PAGE.read_text("utf-8"), table, LINEAGES.name), "utf-8")


if __name__ == "__main__":
    main()
