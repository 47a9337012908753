"""Inside the sandbox: the round as a method sees it, answered by the harness."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmark.basics.files import tensor_digest
from benchmark.interface.items import Items
from benchmark.interface.round import ROUND, Ledger, Limits, Round


class RemoteRound(Round):
    """Like `Round`; what it gives and does is asked of the harness, which counts and refuses.

    All of `ROUND` is replaced by its questions, below.
    """

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask
        self.rng = torch.Generator()
        self.ledger = Ledger()
        self._kept: dict[str, Any] = {}
        self._model_was = ""  # digest of the model that was handed out
        self._lent: list[Items] = []

    def begin(self, facts: dict[str, Any]) -> None:
        """A hook begins; `facts` are the public ones."""
        self.generation, self.n = facts["generation"], facts["n"]
        self.modality, self.vocabulary = facts["modality"], facts["vocabulary"]
        self.limits = Limits(**facts["limits"])

    def charge(self, ledger: dict[str, int]) -> None:
        """The harness's count so far."""
        for entry, amount in ledger.items():
            setattr(self.ledger, entry, amount)

    def renew(self, model: nn.Module | None) -> None:
        """The newest model is another one, `model` if it came along."""
        self._kept.pop("model", None)
        if model is not None:
            # As in process, what `adjust` is handed and `round.model` are two copies.
            self._kept["model"], self._model_was = copy.deepcopy(model), _digest(model)

    def lend(self, *lent: Items) -> None:
        """Remember what these items are like."""
        for items in lent:
            items.watch()
        self._lent += lent

    def lent_changed(self) -> bool:
        """Whether any of the lent items is no longer what it was."""
        return any(items.changed() for items in self._lent)

    def _read(self, what: str) -> Any:
        """An attribute, asked for once."""
        if what == "model":
            self._read("steps")  # raises without access, before a model in hand is given
        if what not in self._kept:
            value = self._ask(what)
            if isinstance(value, nn.Module):
                self.renew(value)
            else:
                self._kept[what] = tuple(value) if isinstance(value, list) else value
            parts = value if isinstance(value, list) else [value]
            self.lend(*(part for part in parts if isinstance(part, Items)))
        return self._kept[what]

    def _sent(self, model: nn.Module | None) -> nn.Module | None:
        """What must be sent for `model`: nothing if it is the newest one, as it was handed out."""
        newest = self._kept.get("model")
        if model is None or model is not newest:
            return model
        return None if _digest(newest) == self._model_was else newest


def _asks(what: str) -> Any:
    """The attribute or method `what` of a round, as a question to the harness."""
    offered = getattr(Round, what)
    if isinstance(offered, property):
        return property(lambda self: self._read(what))
    signature = inspect.signature(offered)

    def ask(self: RemoteRound, *args: Any, **named: Any) -> Any:
        bound = signature.bind(self, *args, **named)
        bound.apply_defaults()
        given = bound.arguments
        if "model" in given:
            given["model"] = self._sent(given["model"])
        numbers = {k: v.item() for k, v in given.items() if isinstance(v, np.generic)}
        return self._ask(what, *list((given | numbers).values())[1:])

    return ask


for _what in ROUND:
    setattr(RemoteRound, _what, _asks(_what))


def _digest(model: nn.Module) -> str:
    return tensor_digest(model.state_dict())
