"""The state that all code of a process shares, and that a method's code may leave changed.

`SETTINGS` is the list: each entry reads one part of it and puts it back. What cannot be listed is
what a method replaces inside other modules (`torch.randperm = ...`): only a process of its own, the
sandbox, keeps that from others.

The states of the global random generators are not here, because a hook that draws from them must
go on drawing: the harness draws from generators of its own and seeds the global ones anew before
each generation. `kept_random` is for what must not be noticed at all.
"""

from __future__ import annotations

import gc
import locale
import logging
import multiprocessing
import os
import random
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmark.basics.arithmetic import ARITHMETIC, COMPUTING, NUMPY, Setting, attribute
from benchmark.basics.errors import Breach


def read_settings(settings: tuple[Setting, ...]) -> list[Any]:
    """What `put_back` takes: these settings as they are now."""
    return [setting.read() for setting in settings]


def put_back(settings: tuple[Setting, ...], before: list[Any]) -> None:
    """Put back what is no longer as it was when `read_settings` gave `before`.

    Raises:
        Breach: something was changed for good, which keeps nothing else from being put back.
    """
    lasting: list[tuple[str, Exception]] = []
    for setting, was in zip(settings, before, strict=True):
        try:
            if setting.read() != was:
                setting.write(was)
        except Exception as error:  # what is left may be a method's code
            lasting.append((setting.name, error))
    if lasting:
        name, why = lasting[0]
        raise Breach(f"changed for good: {name} ({why})") from why


@contextmanager
def kept_random() -> Iterator[None]:
    """Afterwards the global generators of torch, numpy and Python go on as if nothing was drawn."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    generator = NUMPY.get_bit_generator()
    try:
        yield
    finally:
        NUMPY.set_bit_generator(generator)
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


# --- Python and the process ----------------------------------------------------------------------


def _write_filters(was: tuple[Any, ...]) -> None:
    filters, warnings.showwarning, warnings.formatwarning = was
    warnings.filters[:] = filters  # type: ignore[index]
    with warnings.catch_warnings():
        pass  # tells the modules' registries that the filters changed


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None


def _write_folder(was: str | None) -> None:
    if was is not None:
        os.chdir(was)


def _write_environment(was: dict[str, str]) -> None:
    zone = os.environ.get("TZ")
    for name in set(os.environ) - set(was):
        del os.environ[name]
    os.environ.update({name: value for name, value in was.items() if os.environ.get(name) != value})
    if os.environ.get("TZ") != zone:
        time.tzset()


_SIGNALS = sorted(set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)


def _handlers() -> tuple[Any, ...]:
    return tuple(map(signal.getsignal, _SIGNALS))


def _write_handlers(was: tuple[Any, ...]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler, now in zip(_SIGNALS, was, _handlers(), strict=True):
            if handler is not now and handler is not None:
                signal.signal(number, handler)


def _write_timers(was: tuple[bool, ...]) -> None:
    for timer, ran in zip(_TIMERS, was, strict=True):
        if not ran:  # one that ran before counts down by itself
            signal.setitimer(timer, 0)


def _umask() -> int:
    was = os.umask(0o077)  # the only way to read it
    os.umask(was)
    return was


_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


def _limits() -> tuple[tuple[int, int], ...]:
    return tuple(map(resource.getrlimit, _LIMITS))


def _write_limits(was: tuple[tuple[int, int], ...]) -> None:
    for limit, pair in zip(_LIMITS, was, strict=True):
        if resource.getrlimit(limit) != pair:
            resource.setrlimit(limit, pair)


_STREAMS = ("stdin", "stdout", "stderr")


def _streams() -> tuple[Any, ...]:
    streams = [getattr(sys, name) for name in _STREAMS]
    return tuple((stream, getattr(stream, "closed", False)) for stream in streams)


def _write_streams(was: tuple[Any, ...]) -> None:
    for number, (name, (stream, closed)) in enumerate(zip(_STREAMS, was, strict=True)):
        if not closed and getattr(stream, "closed", False):  # closed for good: another like it
            how, encoding = "r" if number == 0 else "w", getattr(stream, "encoding", None)
            stream = open(number, how, closefd=False, encoding=encoding)  # noqa: SIM115
        setattr(sys, name, stream)


def _list(holder: Any, name: str, called: str) -> Setting:
    """A list that others hold, too, so that itself and its content are put back."""

    def write(was: tuple[list[Any], tuple[Any, ...]]) -> None:
        values, content = was
        values[:] = content
        setattr(holder, name, values)

    return Setting(called, lambda: (getattr(holder, name), tuple(getattr(holder, name))), write)


def _logging() -> tuple[Any, ...]:
    root = logging.root
    return root.level, root.disabled, root.manager.disable, logging.raiseExceptions


def _write_logging(was: tuple[Any, ...]) -> None:
    level, logging.root.disabled, off, logging.raiseExceptions = was
    logging.root.setLevel(level)
    logging.disable(off)


_locale = partial(locale.setlocale, locale.LC_ALL)  # without a name it reads

# What decides what may go wrong while the others are put back.
_FIRST: tuple[Setting, ...] = (
    Setting(
        "warnings filters",
        lambda: (tuple(warnings.filters), warnings.showwarning, warnings.formatwarning),
        _write_filters,
    ),
    Setting("trace function", sys.gettrace, sys.settrace),
    Setting("profile function", sys.getprofile, sys.setprofile),
)

_PROCESS: tuple[Setting, ...] = (
    Setting("working folder", _folder, _write_folder),
    Setting("environment", lambda: dict(os.environ), _write_environment),
    Setting("signal handlers", _handlers, _write_handlers),
    Setting(
        "blocked signals",
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        lambda was: signal.pthread_sigmask(signal.SIG_SETMASK, was),
    ),
    Setting(
        "timers", lambda: tuple(signal.getitimer(t)[0] > 0 for t in _TIMERS), _write_timers
    ),
    Setting("umask", _umask, os.umask),
    Setting("resource limits", _limits, _write_limits),
    Setting("socket timeout", socket.getdefaulttimeout, socket.setdefaulttimeout),
    Setting("locale", _locale, _locale),
    Setting("standard streams", _streams, _write_streams),
    *(attribute(sys, name) for name in ("excepthook", "displayhook", "unraisablehook")),
    attribute(threading, "excepthook"),
    attribute(tempfile, "tempdir"),
    _list(sys, "path", "sys.path"),
    _list(sys, "argv", "sys.argv"),
    Setting("switch interval", sys.getswitchinterval, sys.setswitchinterval),
    Setting("digits of integers", sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    Setting("logging", _logging, _write_logging),
    _list(logging.root, "handlers", "log handlers"),
    Setting("garbage collection", gc.isenabled, lambda was: gc.enable() if was else gc.disable()),
    Setting("garbage collection's pace", gc.get_threshold, lambda was: gc.set_threshold(*was)),
    Setting(
        "start method",
        lambda: multiprocessing.get_start_method(allow_none=True),
        lambda was: multiprocessing.set_start_method(was, force=True),
    ),
    *(
        [Setting("processors", lambda: os.sched_getaffinity(0),
                 lambda was: os.sched_setaffinity(0, was))]
        if hasattr(os, "sched_getaffinity")
        else []
    ),
)  # fmt: skip

SETTINGS = (*_FIRST, *COMPUTING, *ARITHMETIC, *_PROCESS)
