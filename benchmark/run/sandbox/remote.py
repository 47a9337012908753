"""Inside the sandbox: the round as a method sees it, answered by the harness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.basics.files import tensor_digest
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.ledger import Ledger
from benchmark.interface.round import Limits, Round


class RemoteRound(Round):
    """Like `Round`; what it gives and does is asked of the harness, which counts and refuses."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask
        self.rng = torch.Generator()
        self.ledger = Ledger()
        self._kept: dict[str, Any] = {}
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
            self._kept["model"] = (model, _digest(model))

    def lend(self, *lent: Items) -> None:
        """Remember what these items are like."""
        for items in lent:
            items.watch()
        self._lent += lent

    def lent_changed(self) -> bool:
        """Whether any of the lent items is no longer what it was."""
        return any(items.changed() for items in self._lent)

    def _once(self, what: str) -> Any:
        if what not in self._kept:
            self._kept[what] = self._ask(what)
        return self._kept[what]

    @property
    def archive(self) -> Sequence[Items]:
        if "archive" not in self._kept:
            self._kept["archive"] = tuple(self._ask("archive"))
            self.lend(*self._kept["archive"])
        return self._kept["archive"]

    @property
    def reserve(self) -> Items:
        if "reserve" not in self._kept:
            self._kept["reserve"] = self._ask("reserve")
            self.lend(self._kept["reserve"])
        return self._kept["reserve"]

    @property
    def provenance(self) -> Sequence[Tensor]:
        return tuple(self._once("provenance"))

    @property
    def model(self) -> nn.Module:
        granted = self._once("steps")  # raises without access, before a model in hand is given
        assert granted is not None
        if "model" not in self._kept:
            self.renew(self._ask("model"))
        return self._kept["model"][0]

    @property
    def steps(self) -> int:
        return self._once("steps")

    @property
    def key(self) -> int:
        return self._once("key")

    def log_prob(self, items: Items, model: nn.Module | None = None) -> Tensor:
        return self._ask("log_prob", items, self._own(model, ""))

    def logits(self, items: Items, model: nn.Module | None = None) -> Tensor:
        return self._ask("logits", items, self._own(model, ""))

    def features(self, items: Items, model: nn.Module | None = None) -> Tensor:
        return self._ask("features", items, self._own(model, ""))

    def sample(self, n: int, how: Sampling | None = None, model: nn.Module | None = None) -> Items:
        return self._ask("sample", n, how, self._own(model, ""))

    def finetune(
        self,
        items: Items | TrainingSet,
        steps: int,
        model: nn.Module | None = None,
        rate: float = 1.0,
    ) -> nn.Module:
        return self._ask("finetune", items, steps, self._own(model, ""), rate)

    def verify(self, items: Items) -> Tensor:
        return self._ask("verify", items)

    def _own(self, model: nn.Module | None, what: str) -> nn.Module | None:  # type: ignore[override]
        """What must be sent for `model`: nothing if it is the newest one, as it was handed out."""
        newest, before = self._kept.get("model", (None, ""))
        if newest is None or model not in (None, newest):
            return model
        return None if _digest(newest) == before else newest


def _digest(model: nn.Module) -> str:
    return tensor_digest(model.state_dict())
