"""Boards made of the small results: perturbed copies, a hostile entry, a refused file."""

import base64
import io
from pathlib import Path

import pandas as pd
import yaml
from PIL import Image

from benchmark.results.gallery import Gallery, Shown
from benchmark.results.references import frozen_file
from benchmark.results.schema import load_result

STORED = Path(__file__).parents[2] / "leaderboard" / "results"
ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SUMMARY = f"{ATTACK} [link](javascript:alert(3)) =1+1"
EXCERPT = f"We the people {ATTACK} **bold**"
LINK = "https://example.org/a_(b)[c]?q=**x**"
ACCESS = {"anchor": ["RESERVE"], "hostile": ["MODEL"], "twin": ["RESERVE"]}


def write(root: Path) -> Path:
    """A folder of results: `small` with a tie and a hostile entry, `quick` with one method."""
    perturbed(root, "small", "accumulate_subsample", 0.0)
    perturbed(root, "small", "anchor", 0.0)
    perturbed(root, "small", "anchor", 0.004, name="twin")
    perturbed(root, "small", "verifier_filter", 0.0, name="hostile", summary=SUMMARY)
    perturbed(root, "quick", "nothing", -0.05, name="archivist", access=["ARCHIVE"])
    card(root, "hostile", authors=[ATTACK, "=cmd|' /C calc'!A0"], paper=LINK)
    card(root, "anchor", authors=["Ada Lovelace"], paper=None)
    gallery(root, "hostile")
    (root / "results" / "small" / "<b onclick=alert(4)>.json").write_text("{}")
    return root


def perturbed(root, suite, stored, shift, name=None, summary=None, access=None):
    """A stored result under another name, its primary metrics shifted, other for each seed."""
    file = STORED / suite / f"{stored}.json"
    result = load_result(file if file.exists() else frozen_file(suite, stored))
    for task in result.tasks.values():
        for lineage in task.lineages:
            for generation in lineage.generations[1:]:
                moved = generation.profile[task.primary] + shift * (lineage.seed - 1)
                generation.profile[task.primary] = moved
    name = name or stored
    method = {"name": name, "summary": summary or result.method.summary}
    method["access"] = access if access is not None else ACCESS.get(name, result.method.access)
    result = result.model_copy(update={"method": result.method.model_copy(update=method)})
    out = root / "results" / suite / f"{name}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(result.to_json())


def card(root, name, authors, paper):
    """The card of an entry."""
    words = {
        "name": name,
        "summary": "Says something on one line.",
        "authors": authors,
        "access": ACCESS[name],
        "hyper_parameters": {"text": ATTACK},
        "licence": "MIT",
    }
    file = root / "submissions" / name / "card.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump(words | ({"paper": paper} if paper else {})))


def gallery(root, name):
    """A picture and a hostile excerpt."""
    content = io.BytesIO()
    Image.new("L", (280, 56), 128).save(content, "PNG")
    png = base64.b64encode(content.getvalue()).decode()
    tasks = {
        "digits-replace": Shown(seed=0, generations=[0, 10], png=png),
        "speeches-replace": Shown(seed=0, texts={0: EXCERPT}),
    }
    file = root / "gallery" / "small" / f"{name}.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(Gallery(tasks=tasks).to_json())


def large(table: pd.DataFrame, methods: int) -> pd.DataFrame:
    """The same table with many rows more."""
    some = table[table["method"] == "accumulate_subsample"]
    names = [f"method_{i}" for i in range(methods)]
    return pd.concat([table, pd.concat([some] * methods).assign(method=names)], ignore_index=True)
