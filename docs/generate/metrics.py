"""Metrics with their sentences, and definitions of collapse."""

from __future__ import annotations

from benchmark.metrics import definitions
from benchmark.metrics.definitions import Definition
from benchmark.metrics.meanings import METRICS, Metric
from docs.generate.prose import escape_prose, write_table


def write_metrics() -> str:
    """What each number of a generation means: those that a definition or a score reads first."""
    parts = []
    for title, central in (("Central", True), ("Further", False)):
        rows = [_row(metric) for metric in METRICS if metric.central is central]
        table = write_table(["metric", "meaning", "good"], rows)
        parts.append(f"### {title} metrics\n\n{table}")
    return "\n\n".join(parts)


def _row(metric: Metric) -> list[str]:
    said = escape_prose(metric.meaning)
    for modality, own in (("Text", metric.text), ("Pairs", metric.pair)):
        if own:
            said += f"<br>*{modality}:* {escape_prose(own)}"
    return [f"{metric.title}<br>`{metric.name}`", said, metric.good]


def write_definitions() -> str:
    """The definitions of collapse that the report and the board judge by."""
    found = [value for value in vars(definitions).values() if isinstance(value, Definition)]
    rows = [[one.name, escape_prose(one.sentence), escape_prose(one.criterion)] for one in found]
    return write_table(["definition", "sentence", "holds here if"], rows)
