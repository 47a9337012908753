"""Every baseline has a card that says what its class says."""

import ast
import re
import sys
from pathlib import Path

import pytest

from benchmark.interface.access import Access
from benchmark.interface.find import find_method
from benchmark.interface.names import find_baselines
from benchmark.submission.card import parse_card

ROOT = Path(__file__).parents[2]
CARDS = ROOT / "leaderboard" / "submissions"


def settings(file, cls):
    """The module's own upper-case constants and the class's attributes, where they are numbers."""
    stored = [
        node.id
        for statement in ast.parse(file.read_text()).body
        if isinstance(statement, ast.Assign)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    module = vars(sys.modules[cls.__module__])
    found = {name: module[name] for name in stored if name.isupper()} | vars(cls)
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, int | float) and not name.startswith("_")
    }


@pytest.mark.parametrize("name", find_baselines())
def test_the_card_says_what_the_class_says(name):
    file, method = find_baselines()[name], find_method(name)
    assert [path.name for path in (CARDS / name).iterdir()] == ["card.yaml"]
    card = parse_card((CARDS / name / "card.yaml").read_bytes())
    assert (card.name, card.summary) == (name, method.summary)
    assert card.access == [access.name for access in Access if access in method.access]
    assert card.hyper_parameters == pytest.approx(settings(file, method.load()), rel=1e-3)
    assert (card.authors, card.licence) == (["Autophagy Bench"], "Apache-2.0")


def test_papers_are_those_that_the_methods_name():
    elsewhere = named(*ROOT.glob("baselines/*.py"), *ROOT.glob("submissions/*/method.py"))
    for name, file in find_baselines().items():
        paper = parse_card((CARDS / name / "card.yaml").read_bytes()).paper
        own = named(file)
        assert paper is not None or not own
        if paper is not None:
            assert re.sub("https://(arxiv.org/abs|doi.org)/", "", paper) in (own or elsewhere)


def named(*files):
    """The arXiv identifiers and DOIs in files, also where a line breaks before one."""
    text = " ".join(" ".join(file.read_text() for file in files).split())
    return set(re.findall(r"(?:arXiv|doi) (\d{4}\.\d{5}|10\.[\w./-]*\w)", text))
