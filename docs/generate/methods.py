"""The baselines, each with what its file says of it."""

from __future__ import annotations

import inspect
from pathlib import Path

from benchmark.interface.access import tier
from benchmark.interface.clean import Clean
from benchmark.interface.find import find_method
from benchmark.interface.mitigation import HOOKS, Mitigation
from benchmark.interface.names import find_baselines, read_summary
from benchmark.submission.card import parse_card
from docs.generate.prose import (
    ROOT,
    escape_prose,
    link_source,
    read_docstring,
    write_value,
)

CARDS = ROOT / "leaderboard" / "submissions"


def write_methods() -> str:
    """A section for every tier of access, with the methods that need it."""
    tiers: dict[str, list[str]] = {}
    for name in find_baselines():
        access = find_method(name).access
        tiers.setdefault(tier(access), []).append(name)
    parts = [_references()]
    for words in sorted(tiers, key=lambda words: (words != "blind", words.count("+"), words)):
        parts.append(f"## Access: {words}")
        parts += [_method(name) for name in tiers[words] if name != "nothing"]
    return "\n\n".join(parts)


def _references() -> str:
    nothing = find_method("nothing").load()
    said = [
        f"### `{n}`\n\n{read_docstring(c)[0]}" for n, c in (("nothing", nothing), ("clean", Clean))
    ]
    return "## References\n\n" + "\n\n".join(said)


def _method(name: str) -> str:
    file = find_baselines()[name]
    found = find_method(name).load()
    summary, _ = read_summary(file)
    facts = {
        "access": ", ".join(f"`{access.name}`" for access in sorted(found.access)) or "none",
        "hooks": ", ".join(f"`{hook}`" for hook in _hooks(found)),
        "for": ", ".join(sorted(found.modalities)) or "all modalities",
        **_read_card(CARDS / name / "card.yaml"),
        "code": link_source(f"baselines/{file.name}"),
    }
    listed = "\n".join(f"- **{fact}**: {said}" for fact, said in facts.items())
    said = (f"### `{name}`", escape_prose(summary), read_docstring(found)[0], listed)
    return "\n\n".join(said)


def _hooks(found: type[Mitigation]) -> list[str]:
    """Those that it has of its own, or from a class of several methods."""
    return [
        hook for hook in HOOKS if inspect.getattr_static(found, hook) is not vars(Mitigation)[hook]
    ]


def _read_card(file: Path) -> dict[str, str]:
    """What the card on the leaderboard adds, if there is one."""
    if not file.exists():
        return {}
    card = parse_card(file.read_bytes())
    facts = {"paper": f"<{card.paper}>"} if card.paper else {}
    if card.hyper_parameters:
        numbers = (f"`{k}` {write_value(v)}" for k, v in card.hyper_parameters.items())
        facts["hyper-parameters"] = ", ".join(numbers)
    return facts
