"""What methods are called, told without importing one: neither torch nor their code is loaded."""

from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path

from benchmark.interface.access import Access, tier

NAME = r"\w[\w.+-]{0,63}"  # methods, suites and tasks name files and folders
REFERENCES = ("nothing", "clean")  # between these every method is scored


def find_registry() -> Path:
    """Where the baselines lie: the folder is the registry."""
    return Path(str(resources.files("baselines")))


def find_baselines() -> dict[str, Path]:
    """Name -> file of every baseline."""
    files = sorted(find_registry().glob("*.py"))
    return {f.stem: f for f in files if not f.stem.startswith("_")}


def read_summary(file: Path) -> tuple[str, str]:
    """(summary, tier) of a method file, read without running or importing it."""
    module = ast.parse(file.read_text("utf-8"))
    names = {
        node.attr
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Access"
    }
    access = frozenset(access for access in Access if access.name in names)
    return (ast.get_docstring(module) or "").split("\n")[0], tier(access)
