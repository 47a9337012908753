"""Entries as records of Every Eval Ever (schema 0.3.0), the exchange format of evaluations.

It is made for models; here a *method* stands in the place of the model, and a task in that of the
evaluation. The suite score is left out: it is the mean of what is there, and a reader would count
it twice.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import uuid
from statistics import fmean, stdev
from typing import Any

from benchmark.metrics.meanings import find_title
from benchmark.results.statistics import intervals
from benchmark.results.style import OWN_MARK
from benchmark.submission.trust import TRUSTED
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task
from leaderboard.board.entries import Entry

SCHEMA = "0.3.0"
BENCHMARK = "autophagy-bench"
MAINTAINERS = "Autophagy Bench maintainers"


def make_record(entry: Entry, now: datetime.datetime) -> dict[str, Any]:
    """One entry on its suite.

    Args:
        now: when the record is made.
    """
    developer, name = find_developer(entry), entry.name.removesuffix(OWN_MARK)
    moment = datetime.datetime.fromisoformat(entry.created)
    if moment.tzinfo is None:  # else the record's name would depend on who writes it where
        moment = moment.replace(tzinfo=datetime.UTC)
    epoch = str(int(moment.timestamp()))
    tasks = {task.name: task for task in load_suite(entry.suite).tasks}
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{BENCHMARK}-{entry.suite}/{developer}/{name}/{epoch}",
        "evaluation_timestamp": entry.created,
        "retrieved_timestamp": str(int(now.timestamp())),
        "source_metadata": {
            "source_name": "Autophagy Bench",
            "source_type": "evaluation_run",
            "source_organization_name": MAINTAINERS,
            "evaluator_relationship": _find_relationship(entry, developer),
            "additional_details": _drop_empty(
                {
                    "trust": entry.state.name,
                    "trust_since": entry.state.date,
                    "checked_by": entry.state.by,
                    "checked_with": entry.state.commit,
                }
            ),
        },
        "eval_library": {
            "name": BENCHMARK,
            "version": entry.version,
            "additional_details": {"hardware": "; ".join(entry.machines)},
        },
        "model_info": {
            "name": name,
            "id": f"{developer}/{name}",
            "developer": developer,
            "additional_details": _describe_method(entry),
        },
        "evaluation_results": [
            _make_result(entry, tasks[name], values)
            for name, values in entry.recoveries.items()
            if values
        ],
    }


def name_record(record: dict[str, Any]) -> str:
    """Where a record belongs in the datastore: the same record, the same name."""
    digest = hashlib.sha256(record["evaluation_id"].encode()).digest()
    developer, name = record["model_info"]["id"].split("/")
    return f"data/{BENCHMARK}/{developer}/{name}/{uuid.UUID(bytes=digest[:16], version=4)}.json"


def write_record(record: dict[str, Any]) -> bytes:
    """The stored form."""
    return (json.dumps(record, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def find_developer(entry: Entry) -> str:
    """Whose method it is, as the name of an organisation: the benchmark's own, or the first author
    on the card."""
    if entry.card is None:
        return BENCHMARK if entry.reference else "unknown"
    plain = re.sub(r"[^a-z0-9]+", "-", entry.card.authors[0].casefold()).strip("-")
    return plain or "unknown"


def _find_relationship(entry: Entry, developer: str) -> str:
    """Who evaluated whose method: the maintainers checked it, or only its own author ran it."""
    if developer == BENCHMARK or entry.state.name not in TRUSTED:
        return "first_party"
    return "third_party"


def _describe_method(entry: Entry) -> dict[str, str]:
    """All values are texts, as the schema wants them."""
    card = entry.card
    return _drop_empty(
        {
            "deployment_type": "self_deployed",
            "model_availability": "unknown",
            "kind": "a mitigation of model collapse: how generations of models are trained",
            "summary": entry.summary,
            "access": entry.access_tier,
            "source_sha256": entry.source,
            "authors": ", ".join(card.authors) if card else "",
            "paper": (card.paper if card else None) or "",
            "code": (card.code if card else None) or "",
            "licence": card.licence if card else "",
        }
    )


def _make_result(entry: Entry, task: Task, values: list[float]) -> dict[str, Any]:
    primary = task.evaluation.primary
    return {
        "evaluation_result_id": f"{entry.suite}/{task.name}/recovery",
        "evaluation_name": task.name,
        "source_data": {
            "dataset_name": task.name,
            "source_type": "other",
            "additional_details": {"description": task.description, "task_hash": task.hash},
        },
        "evaluation_timestamp": entry.created,
        "metric_config": {
            "evaluation_description": (
                "share of the avoidable degradation over generations that the method avoided: 0 is "
                "no mitigation, 1 is training on real data only"
            ),
            "metric_id": f"{BENCHMARK}.recovery",
            "metric_name": "Recovery",
            "metric_kind": "normalised_gap",
            "metric_unit": "proportion",
            "metric_parameters": {
                "suite": entry.suite,
                "task_hash": entry.hashes[task.name],
                "primary": find_title(primary),
                "generations": task.generations,
                "items_per_generation": task.n,
                "references": entry.references,
            },
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": "-Infinity",
            "max_score": "Infinity",
        },
        "score_details": {
            "score": fmean(values),
            "details": {"seeds": " ".join(map(str, entry.seeds)),
                        "failed_lineages": str(entry.failed[task.name])},
            "uncertainty": _find_uncertainty(values),
        },
    }  # fmt: skip


def _find_uncertainty(values: list[float]) -> dict[str, Any]:
    """Over seeds; of one seed only their number is known."""
    if len(values) < 2:
        return {"num_samples": len(values)}
    low, high = (float(end) for end in intervals([values]))
    spread = stdev(values)
    return {
        "standard_deviation": spread,
        "standard_error": {"value": spread / len(values) ** 0.5, "method": "analytic"},
        "confidence_interval": {
            "lower": low, "upper": high, "confidence_level": 0.95, "method": "t over seeds",
        },
        "num_samples": len(values),
    }  # fmt: skip


def _drop_empty(details: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in details.items() if value}
