"""The class that the harness sees: its hooks are those that the method overrides, run inside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import Tensor
from torch.autograd import Function

from benchmark.basics.errors import Breach, MethodError
from benchmark.interface.access import Access
from benchmark.interface.mitigation import HOOKS, Mitigation
from benchmark.runs.sandbox.session import Session
from benchmark.runs.sandbox.values import clean_identifier, clean_text


class Isolated(Mitigation):
    """An instance is a sandbox of its own."""

    session: Session

    def __init__(self) -> None:
        self.session.instance()


def _loss(self: Isolated, per_element: Tensor, outputs: Tensor) -> Any:
    value = self.session.call("loss", per_element, outputs)
    if not isinstance(value, Tensor):
        return value
    value = value.to(per_element.device)
    return _Loss.apply(self, [value], per_element, outputs)


def _forward(hook: str) -> Any:
    """A hook that is handed a round, its last argument: what it asks of it is answered here."""

    def call(self: Isolated, *args: Any) -> Any:
        *handed, round = args
        self.session.round = round
        facts = {
            "generation": round.generation,
            "n": round.n,
            "modality": round.modality,
            "vocabulary": round.vocabulary,
            "limits": asdict(round.limits),
        }
        return self.session.call(hook, *handed, round=facts)

    return call


BODIES = {hook: _forward(hook) if "round" in takes else _loss for hook, takes in HOOKS.items()}


class _Loss(Function):
    """A value that was computed inside, where its gradient is computed, too."""

    @staticmethod
    def forward(
        ctx: Any, strategy: Isolated, value: list[Tensor], per_element: Tensor, outputs: Tensor
    ) -> Tensor:
        ctx.strategy = strategy
        ctx.inputs = [(x.shape, x.dtype, x.device) for x in (per_element, outputs)]
        return value[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        found = ctx.strategy.session.call("gradients", gradients[0])
        if not isinstance(found, list) or len(found) != 2:
            raise Breach("did not return two tensors")
        moved: list[Tensor | None] = []
        for gradient, (shape, dtype, device) in zip(found, ctx.inputs, strict=True):
            if isinstance(gradient, Tensor) and (gradient.shape, gradient.dtype) == (shape, dtype):
                moved.append(gradient.to(device))
            elif gradient is None:
                moved.append(None)
            else:
                raise Breach("has a gradient of another shape than its input")
        return None, None, *moved


def make_class(session: Session, said: Any) -> type[Mitigation]:
    """The class of which the sandbox says [name, summary, access, modalities, overridden hooks].

    Raises:
        MethodError: it says something else.
    """
    words = said if isinstance(said, list) and len(said) == 5 else [None] * 5
    name, summary, access, modalities, hooks = words
    known = {a.name: a for a in Access}
    if not (
        isinstance(name, str)
        and isinstance(summary, str)
        and isinstance(access, list)
        and isinstance(modalities, list)
        and isinstance(hooks, list)
        and all(isinstance(a, str) and a in known for a in access)
        and all(isinstance(m, str) for m in modalities)
        and all(isinstance(h, str) and h in BODIES for h in hooks)
    ):
        raise MethodError("the sandbox does not say what class it loaded")
    body: dict[str, Any] = {
        "access": frozenset(known[a] for a in access),
        "modalities": frozenset(clean_identifier(m) for m in modalities),
        "session": session,
        "__doc__": clean_text(summary.split("\n")[0], 300),
        "__module__": __name__,
    }
    return type(clean_identifier(name), (Isolated,), body | {h: BODIES[h] for h in hooks})
