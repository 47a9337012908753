"""Inside the sandbox: one instance of the method, its hooks called as the harness says."""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Protocol

import torch
from torch import Tensor, nn

from benchmark.basics import errors
from benchmark.basics.containment import Containment, describe_error
from benchmark.basics.errors import Breach, InputError, MethodError
from benchmark.interface.find import check_class
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.load import load_class
from benchmark.interface.mitigation import Mitigation, list_overridden
from benchmark.interface.plain_model import plain_model, plain_sampling
from benchmark.interface.plain_numbers import plain_loss
from benchmark.runs.sandbox import models, randomness
from benchmark.runs.sandbox.remote import RemoteRound
from benchmark.runs.sandbox.values import pack_value, unpack_value
from benchmark.runs.sandbox.wire import Message


class Pipe(Protocol):
    """The way out."""

    def send(self, message: Message) -> None: ...
    def receive(self) -> Message: ...


class Server:
    """The class in `file`, its one instance and what the instance handed out."""

    def __init__(self, channel: Pipe, file: Path, class_name: str | None) -> None:
        self._channel, self._file, self._class_name = channel, file, class_name
        self._class: type[Mitigation] = Mitigation
        self._instance = Mitigation()
        self._round: RemoteRound | None = None
        self._callables: list[Callable[..., Any]] = []
        self._graph: tuple[Tensor, list[Tensor]] | None = None
        self._like: nn.Module | None = None  # what models are like that were handed out

    def serve(self) -> NoReturn:
        """Load the class, say what it is, and serve calls until the harness ends the process."""
        self._reply(self._describe)
        while True:
            self._serve(self._channel.receive())

    def _serve(self, message: Message) -> None:
        self._reply(lambda: self._called(message))

    def _reply(self, make: Callable[[], Any]) -> None:
        tensors: list[Tensor] = []
        try:
            with Containment("what was called"):
                said = {"done": pack_value(make(), tensors, self)}
            self._send(said, tensors)
        except BaseException as error:  # SystemExit, too, is a method's failure
            # As it is said in process, whatever the method's class makes of its name and words.
            name, _, words = describe_error(error).partition(": ")
            family = name if issubclass(type(error), MethodError | InputError) else ""
            self._send({"raised": [name, words, family]}, [])

    def _send(self, said: dict[str, Any], tensors: list[Tensor]) -> None:
        rng = None if self._round is None else self._round.rng
        said["random"] = randomness.capture_states(rng, tensors)
        self._channel.send(Message(said, tensors))

    def _describe(self) -> list[Any]:
        try:
            self._class = load_class(self._file, self._class_name)
            access, summary = check_class(self._class)
        except InputError as error:
            raise type(error)(str(error).replace(str(self._file), self._file.name)) from error
        hooks = list_overridden(self._class)
        accesses, modalities = sorted(a.name for a in access), sorted(self._class.modalities)
        return [self._class.__name__, summary, accesses, modalities, hooks]

    # --- calls -----------------------------------------------------------------------------

    def _called(self, message: Message) -> Any:
        header = message.header
        args = self._take(message, header["args"], header.get("round"))
        what = header["call"]
        if what == "instance":
            self._instance = self._class()
            if not isinstance(self._instance, Mitigation):
                raise Breach(f"made a {type(self._instance).__name__}, which is no Mitigation")
            return None
        if what == "curate":
            return self._curate(*args)
        if what == "loss":
            return self._loss(*args)
        if what == "gradients":
            return self._gradients(*args)
        if what == "callable":
            return self._callables[header["number"]](*args)
        assert self._round is not None
        self._round.renew(args[0] if what == "adjust" else None)
        result = getattr(self._instance, what)(*args, self._round)
        self._check_lent()
        return plain_sampling(result, self._like) if isinstance(result, Sampling) else result

    def _take(self, message: Message, packed: list[Any], facts: Any = None) -> list[Any]:
        """Arguments first: to build a model draws numbers that the method must not miss."""
        args = [unpack_value(a, message.tensors, self) for a in packed]
        if facts is not None:
            if self._round is None:
                self._round = RemoteRound(self._ask)
            self._round.begin(facts)
        rng = None
        if self._round is not None:
            rng = self._round.rng
            self._round.charge(message.header["ledger"])
        randomness.restore_states(message.header["random"], rng, message.tensors)
        return args

    def _curate(self, crawl: Items) -> Any:
        assert self._round is not None
        self._round.lend(crawl)
        result = self._instance.curate(crawl, self._round)
        self._check_lent()
        return replace(result) if isinstance(result, TrainingSet) else result  # checked anew

    def _check_lent(self) -> None:
        if self._round is not None and self._round.lent_changed():
            raise Breach("changed the items it was handed in place: work on a copy")

    def _loss(self, per_element: Tensor, outputs: Tensor) -> Any:
        leaves = [x.requires_grad_() for x in (per_element, outputs)]
        with torch.enable_grad():
            # Copies, because a hook may change its arguments and leaves cannot be.
            value = self._instance.loss(*(x.clone() for x in leaves))
        value = plain_loss(value, per_element)
        self._graph = (value, leaves)
        self._check_lent()
        return value

    def _gradients(self, given: Tensor) -> list[Tensor | None]:
        if self._graph is None:
            raise MethodError("has no loss whose gradient could be taken")
        (value, leaves), self._graph = self._graph, None
        return list(torch.autograd.grad(value, leaves, given, allow_unused=True))

    # --- questions -------------------------------------------------------------------------

    def _ask(self, what: str, *args: Any) -> Any:
        """What the real round answers; calls that come meanwhile are served."""
        tensors: list[Tensor] = []
        said = {"ask": what, "args": [pack_value(a, tensors, self) for a in args]}
        self._send(said, tensors)
        message = self._channel.receive()
        while "call" in message.header:
            self._serve(message)
            message = self._channel.receive()
        answer = self._take(message, [message.header.get("answer")])
        if "error" in message.header:
            kind, text = message.header["error"]
            raise (getattr(errors, kind, None) or _builtin(kind))(text)
        return answer[0]

    # --- items, models and callables (see `values.Side`) ---------------------------------------

    def pack_items(self, items: Items) -> None:
        """Whatever it is, the harness looks at it."""

    def pack_model(self, model: nn.Module, tensors: list[Tensor]) -> Any:
        if self._like is None:
            return None
        return {"state": models.pack_state(plain_model(model, self._like), tensors)}

    def unpack_model(self, packed: Any, tensors: list[Tensor]) -> nn.Module:
        self._like = models.load_state(models.build_model(packed), packed["state"], tensors)
        return copy.deepcopy(self._like)

    def pack_callable(self, function: Callable[..., Any]) -> int:
        self._callables.append(function)
        return len(self._callables) - 1

    def unpack_callable(self, number: int) -> Callable[..., Any]:
        return self._callables[number]


def _builtin(name: str) -> type[Exception]:
    """The built-in exception called `name`, RuntimeError if there is none."""
    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return found
    return RuntimeError
