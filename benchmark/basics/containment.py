"""What surrounds every call of a method's code: nothing of it reaches further than the call."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from benchmark.basics.arithmetic import Setting
from benchmark.basics.device import is_trouble
from benchmark.basics.errors import AccessError, Breach, BudgetError, MethodError, Unprinted
from benchmark.basics.plain import clean_line
from benchmark.basics.surroundings import SETTINGS, put_back, read_settings

LONGEST = 500  # characters of what an exception says

_exit = os._exit


class Unheard:
    """A standard stream that is not missed where nobody takes what is printed: that a reader left
    or a disk is full is no fault of the method that printed."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError, Unprinted):
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with suppress(OSError, Unprinted):
            self._stream.flush()


class Containment:
    """A context that puts back `settings` of the shared state and lets nothing leave.

    Inside, `os._exit` raises SystemExit in this thread, as `sys.exit` does, and the standard
    streams are `Unheard`. A KeyboardInterrupt is the user's only if the signal came, which
    `interrupted` says; the method may raise one, too.
    """

    interrupted = False

    def __init__(self, where: str, settings: tuple[Setting, ...] = SETTINGS) -> None:
        """`where` begins the sentence if something cannot be put back."""
        self._where, self._settings = where, settings

    def __enter__(self) -> Containment:
        self.depth = sys.getrecursionlimit()
        self._before = read_settings(self._settings)
        self._streams = {name: (stream, Unheard(stream)) for name in ("stdout", "stderr")
                         if (stream := getattr(sys, name)) is not None}  # fmt: skip
        for name, (_, unheard) in self._streams.items():
            setattr(sys, name, unheard)
        self._leave, self._here = os._exit, (os.getpid(), threading.get_ident())
        os._exit = self._stay
        self._handler: Any = None
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._handler = handler
                signal.signal(signal.SIGINT, self._noted)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        sys.setrecursionlimit(self.depth)  # first, and not by a function: it may leave no room
        os._exit = self._leave
        for name, (stream, unheard) in self._streams.items():
            if getattr(sys, name) is unheard:
                setattr(sys, name, stream)
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        try:
            put_back(self._settings, self._before)
        except Breach as breach:
            raise name_failure(breach, self._where) from error
        if self.interrupted and not isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt  # whatever the method made of it

    def _noted(self, *signal_and_frame: Any) -> Any:
        self.interrupted = True
        return self._handler(*signal_and_frame)

    def _stay(self, status: int) -> Any:
        if (os.getpid(), threading.get_ident()) != self._here:
            _exit(status)  # of a process that the method forked, or of the harness's own watcher
        raise SystemExit(f"os._exit({status})")


def contain(
    function: Callable[..., Any], where: str, settings: tuple[Setting, ...] = SETTINGS
) -> Callable[..., Any]:
    """`function`, contained, with whatever it raises turned into a MethodError that says where;
    only that the GPU is full or failed stays what it is."""

    def contained(*args: Any) -> Any:
        with Containment(where, settings) as containment:
            try:
                return function(*args)
            except BaseException as error:  # a method may raise anything
                sys.setrecursionlimit(containment.depth)
                if containment.interrupted or is_trouble(error):
                    raise
                # Words are made here: `__str__` is the method's code, too.
                failure, cause = name_failure(error, where), error
        raise failure from cause

    return contained


def name_failure(error: BaseException, where: str) -> MethodError:
    """The MethodError that says on one line where `error` was raised, and what it says."""
    if issubclass(type(error), Breach):
        return MethodError(f"{where} {words_of(error)}")
    for kind in (AccessError, BudgetError, MethodError):
        if issubclass(type(error), kind):  # or the method's own kind of it
            return kind(f"{where}: {words_of(error)}")
    return MethodError(f"{where} raised {describe_error(error)}")


def one_line(text: str, most: int = LONGEST) -> str:
    """`text` on one plain line of at most `most` characters; it may be gigabytes long."""
    return clean_line(text[: 4 * most], most)


def words_of(error: BaseException) -> str:
    """What an exception says on one line, whatever its `__str__` does."""
    try:
        return one_line(str(error))
    except BaseException as broken:  # it is a method's code
        return f"its message cannot be read: __str__ raises {_name_of(broken)}"


def describe_error(error: BaseException) -> str:
    """Name and words of an exception; of a group also those of the first in it."""
    said = f"{_name_of(error)}: {words_of(error) or 'no message'}"
    inside: BaseException = error
    while issubclass(type(inside), BaseExceptionGroup):
        inside = BaseExceptionGroup.exceptions.__get__(inside)[0]
    if inside is error:
        return said
    return f"{said}, the first is {_name_of(inside)}: {words_of(inside)}"


def _name_of(error: BaseException) -> str:
    name: str = vars(type)["__name__"].__get__(type(error))  # a metaclass may say otherwise
    return one_line(name, 64)
