"""The frozen parts of the evaluator and the codecs, and what data other packages hold, checked
against their SHA-256 at load."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmark.basics.errors import CorruptFile

FOLDER = Path(__file__).parent


@lru_cache(maxsize=1)
def manifest() -> dict[str, dict[str, Any]]:
    """File name -> {"sha256": ..., "config": {...}} of every frozen part."""
    return json.loads((FOLDER / "manifest.json").read_text("utf-8"))


def path(name: str) -> Path:
    """The file of a frozen part, after checking its content.

    Raises:
        CorruptFile: the file is missing or not the one this version was frozen with.
    """
    file = FOLDER / name
    expected = manifest()[name]["sha256"]
    found = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "missing"
    if found != expected:
        raise CorruptFile(
            f"{file} is not the frozen part of this version (SHA-256 {found[:12]}, expected "
            f"{expected[:12]}): reinstall autophagy-bench"
        )
    return file


def check_installed(data: str, package: str, found: str, expected: str | None) -> None:
    """Compares SHA-256 of the `data` inside an installed package; None takes any.

    Raises:
        CorruptFile: they are not the ones the task was frozen with.
    """
    if expected is not None and found != expected:
        raise CorruptFile(
            f"the {data} inside the installed {package} have SHA-256 {found[:12]}..., the task "
            f"needs {expected[:12]}...: install the {package} pinned in constraints.txt"
        )


@lru_cache(maxsize=8)
def load_network(name: str, build: Callable[..., Any]) -> Any:
    """A frozen network in evaluation mode, float32; `build` makes it from its configuration."""
    import torch
    from safetensors.torch import load

    config = {key: value for key, value in manifest()[name]["config"].items() if key != "kind"}
    # Whether a network was loaded before must not show in what others draw.
    with torch.random.fork_rng(devices=[]):
        model = build(**config)
    model.load_state_dict(load(path(name).read_bytes()), strict=False)
    return model.float().eval().requires_grad_(False)
