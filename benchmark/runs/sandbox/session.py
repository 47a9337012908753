"""The harness's end of the pipe: calls hooks, and answers what they ask of their round.

Access, ledger and budget are those of the real `Round` here; nothing inside can change them.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import torch
from torch import Tensor, nn

from benchmark.basics import errors
from benchmark.basics.device import is_trouble
from benchmark.basics.errors import (
    AutophagyError,
    Diverged,
    DoesNotLoad,
    InputError,
    MethodError,
)
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.load import read_content
from benchmark.interface.round import ROUND, Round
from benchmark.runs.sandbox import models, randomness
from benchmark.runs.sandbox.command import METHOD
from benchmark.runs.sandbox.processes import Bounds
from benchmark.runs.sandbox.sandbox import Sandbox
from benchmark.runs.sandbox.values import (
    check_natural,
    clean_identifier,
    clean_text,
    pack_value,
    unpack_value,
)
from benchmark.runs.sandbox.wire import Message, WireError

START = 120.0  # seconds for Python, torch and the method's file to load
ALL = 10  # times the seconds of one call, for all calls of an instance
WORK = 60  # times the same, for all that the harness does for an instance
DEPTH = 6  # calls within calls: a watermark that samples with a watermark ...
FAMILIES = ("MethodError", "AccessError", "BudgetError", "Breach")
ASKS = 100_000  # of one hook call


class Session:
    """Talks to the sandboxes of one method, of which each serves one instance and ends with it."""

    def __init__(
        self, file: Path, class_name: str | None, bounds: Bounds, content: bytes | None = None
    ) -> None:
        self.source = read_content(file) if content is None else content
        self.file, self.class_name, self.bounds = file, class_name, bounds
        self.round: Round | None = None
        self._template: nn.Module | None = None
        self._kinds: set[Any] = set()  # what the columns that were handed out are like
        self._sandbox: Sandbox | None = None
        self._most_work = WORK * bounds.seconds
        self._depth, self._left, self._work = 0, 0.0, 0.0
        self._used = True  # whether the process inside has made its instance
        self._said: Any = None  # what the class was when it was loaded first
        self._loading, self._before = 0.0, 0.0  # see `measure_seconds`

    # --- processes -------------------------------------------------------------------------

    def begin(self) -> Any:
        """A new sandbox that has loaded the class; what it says of it, which stays true."""
        self._said = self._start()
        return self._said

    def _start(self) -> Any:
        self.close()
        seconds = max(START, self.bounds.seconds)
        deadline = time.monotonic() + seconds
        self._sandbox, self._used = Sandbox(self.source, self.bounds), False
        self._sandbox.allowed = seconds
        limits = [self.bounds.memory_mb, self.bounds.processes, self.bounds.disk_mb]
        said = {"threads": torch.get_num_threads(), "limits": limits, "file": str(METHOD)}
        self._sandbox.receive(deadline)  # it is ready, and of the method it has seen nothing
        self._loading = self._sandbox.measure_seconds()
        self._say(said | {"class": self.class_name}, [], deadline)
        try:
            return self._value(self._sandbox.receive(deadline))
        except InputError as error:
            raise type(error)(str(error).replace(METHOD.name, self.file.name)) from error

    def instance(self) -> None:
        """Make the method's instance, in a sandbox that has made none."""
        if self._used or self._sandbox is None or self._sandbox.failure:
            said = self._start()
            if said != self._said:
                raise MethodError(
                    "its class is another one than when it was first loaded: what it declares must "
                    "not depend on when or where it is loaded"
                )
        self._used, self.round = True, None
        self._left, self._work = ALL * self.bounds.seconds, self._most_work
        self._kinds.clear()
        self.call("instance")

    def close(self) -> None:
        if self._sandbox is not None:
            self._sandbox.close()
            self._before = self.measure_seconds()
            self._sandbox, self._loading = None, 0.0

    def measure_seconds(self) -> float:
        """The processor seconds that the method's code took inside so far, in all its sandboxes,
        the import of its file included; what these took to start, which runs in process need not,
        left out."""
        if self._sandbox is None:
            return self._before
        return self._before + self._sandbox.measure_seconds() - self._loading

    def _say(self, header: dict[str, Any], tensors: list[Tensor], deadline: float) -> None:
        assert self._sandbox is not None
        self._sandbox.send(Message(header, tensors), deadline)

    # --- calls -----------------------------------------------------------------------------

    def call(self, what: str, *args: Any, **facts: Any) -> Any:
        """What the hook (or callable) `what` returns.

        Raises:
            MethodError: the process ended, or a method's error of the interface.
            Exception: named like what the hook raised.
        """
        sandbox = self._sandbox
        if sandbox is None or sandbox.failure:
            raise sandbox.ended() if sandbox else MethodError("the isolated process was stopped")
        if self._depth >= DEPTH:
            raise MethodError(f"hooks call each other more than {DEPTH} deep")
        tensors: list[Tensor] = []
        packed = [pack_value(a, tensors, self) for a in args]
        header: dict[str, Any] = {"call": what, "args": packed}
        header |= facts | self._state(tensors)
        allowed = left = min(self.bounds.seconds, self._left)
        self._depth += 1
        try:
            for _ in range(ASKS):
                begun, sandbox.allowed = time.monotonic(), allowed
                self._say(header, tensors, begun + left)
                message = sandbox.receive(begun + left)
                took = time.monotonic() - begun
                left, self._left = left - took, self._left - took
                self._settle(message)
                if "ask" not in message.header:
                    return self._value(message)
                tensors, begun, before = [], time.monotonic(), self._ledger()
                header = self._answer(message, tensors)
                took = time.monotonic() - begun
                if self._ledger() == before:  # what no ledger bounds is of the method's own time
                    left, self._left = left - took, self._left - took
                self._work -= took
                if self._work < 0:
                    sandbox.stop(f"asked its round for more than {self._most_work:g} s of work")
                    raise sandbox.ended()
            sandbox.stop(f"asked its round more than {ASKS} times")
            raise sandbox.ended()
        finally:
            self._depth -= 1

    def _state(self, tensors: list[Tensor]) -> dict[str, Any]:
        rng = None if self.round is None else self.round.rng
        return {"ledger": self._ledger(), "random": randomness.capture_states(rng, tensors)}

    def _ledger(self) -> dict[str, int] | None:
        return None if self.round is None else self.round.ledger.as_dict()

    def _settle(self, message: Message) -> None:
        rng = None if self.round is None else self.round.rng
        self._strictly(lambda: randomness.restore_states(message.header.get("random"), rng,
                                                  message.tensors))  # fmt: skip

    def _value(self, message: Message) -> Any:
        header = message.header
        if "raised" in header:
            raise self._raised(header["raised"])
        if "done" not in header:
            raise self._broken("a message says neither what is done nor what is asked")
        return self._strictly(lambda: unpack_value(header["done"], message.tensors, self))

    def _raised(self, said: Any) -> Exception:
        """The error that was raised inside, as far as its name and words go."""
        if not isinstance(said, list) or len(said) != 3:
            return self._broken("an error came in another form")
        kind, text, family = said
        # That a file cannot be loaded is the user's to mend; what a hook raises never is.
        if family in FAMILIES or (family == "DoesNotLoad" and not self._used):
            return getattr(errors, family)(clean_text(text))
        if not self._used:  # what ends the import of a file in another way than by an error
            return DoesNotLoad(clean_text(f"{METHOD.name} does not load: {kind}: {text}"))
        return type(clean_identifier(kind), (Exception,), {})(clean_text(text))

    def _strictly(self, read: Callable[[], Any]) -> Any:
        """What `read` makes of a message, which ends the process if it is malformed: whatever is
        raised there is the message's fault."""
        try:
            return read()
        except Exception as error:
            if is_trouble(error):  # a model's weights go to the GPU
                raise
            raise self._broken(str(error)) from error

    def _broken(self, why: str) -> MethodError:
        assert self._sandbox is not None
        self._sandbox.stop(f"broke the protocol: {why}")
        return self._sandbox.ended()

    # --- what the method asks of its round ----------------------------------------------------

    def _answer(self, message: Message, tensors: list[Tensor]) -> dict[str, Any]:
        ask, args = message.header["ask"], message.header.get("args")
        args = self._strictly(lambda: [unpack_value(a, message.tensors, self) for a in _list(args)])
        try:
            self._check_kind(args)
            answer = {"answer": pack_value(ask_round(self.round, ask, args), tensors, self)}
        except (MethodError, Diverged) as error:
            answer = {"error": [type(error).__name__, str(error)]}
        except AutophagyError:  # the harness's own trouble
            raise
        except Exception as error:  # what any bad argument makes torch raise
            if is_trouble(error):
                raise
            answer = {"error": [type(error).__name__, str(error)]}
        return answer | self._state(tensors)

    def _check_kind(self, args: list[Any]) -> None:
        """Raises MethodError if items are asked about that are unlike those handed out: what they
        cost is known of those only."""
        for value in args:
            items = value.items if isinstance(value, TrainingSet) else value
            if isinstance(items, Items) and not _kinds_of(items) <= self._kinds:
                raise MethodError("its round was asked about items that are unlike the crawl's")

    # --- items, models and callables (see `values.Side`) ------------------------------------

    def pack_items(self, items: Items) -> None:
        self._kinds |= _kinds_of(items)

    def pack_model(self, model: nn.Module, tensors: list[Tensor]) -> Any:
        self._template = model
        return models.pack_architecture(model) | {"state": models.pack_state(model, tensors)}

    def unpack_model(self, packed: Any, tensors: list[Tensor]) -> nn.Module:
        if self._template is None or not isinstance(packed, dict):
            raise WireError("a model came though none was handed out")
        return models.load_state(copy.deepcopy(self._template), packed.get("state"), tensors)

    def pack_callable(self, function: Callable[..., Any]) -> int:
        raise WireError("a Sampling cannot be sent into the sandbox")

    def unpack_callable(self, number: int) -> Callable[..., Any]:
        def remote(*args: Tensor) -> Any:
            result = self.call("callable", *args, number=check_natural(number, 1 << 31))
            return result.to(args[-1].device) if isinstance(result, Tensor) else result

        return remote


def _kinds_of(items: Items) -> set[Any]:
    return {(name, column.dtype, column.shape[1:]) for name, column in items.columns.items()}


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > 4:
        raise WireError("a question's arguments are not a short list")
    return value


def ask_round(round: Round | None, ask: Any, args: list[Any]) -> Any:
    """What `round` answers when `ask`, one of what it offers, is asked with `args`.

    `ROUND` is the allow-list; what a method of a round takes is read from its signature.

    Raises:
        MethodError: access or budget forbids it, or a number makes no sense.
        TypeError: there is no such question.
    """
    if round is None:
        raise MethodError("no round has begun")
    if isinstance(ask, str) and ask in ROUND:
        offered = getattr(Round, ask)
        if isinstance(offered, property):
            if not args:
                return getattr(round, ask)
        else:
            kinds = get_type_hints(offered)
            kinds.pop("return")
            if len(args) == len(kinds) and all(map(_is_a, args, kinds.values())):
                return getattr(round, ask)(*args)
    raise TypeError(f"round.{clean_identifier(ask)} does not take what it was given")


def _is_a(value: Any, kind: Any) -> bool:
    """Whether `value` is of this kind; True and False are no numbers, a whole number is a float."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)
