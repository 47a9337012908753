"""The state that all code of a process shares, and that a method's code may leave changed.

`SETTINGS` is the list: each entry reads one part of it and puts it back; `COMPUTING` are those that
decide how torch computes. What cannot be listed is what a method replaces inside other modules
(`torch.randperm = ...`): only a process of its own, the sandbox, keeps that from others.

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
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.modules import module as torch_modules
from torch.optim import optimizer as torch_optimizers

from benchmark.basics.errors import Breach


class Setting(NamedTuple):
    """One part of the shared state: what it is called, how it is read and how it is put back."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]


def read_settings(settings: tuple[Setting, ...]) -> list[Any]:
    """What `put_back` takes: these settings as they are now."""
    return [setting.read() for setting in settings]


def put_back(settings: tuple[Setting, ...], before: list[Any]) -> None:
    """Put back what is no longer as it was when `read_settings` gave `before`.

    Raises:
        Breach: something was changed for good.
    """
    for setting, was in zip(settings, before, strict=True):
        try:
            if setting.read() != was:
                setting.write(was)
        except (RuntimeError, ValueError, OSError, TypeError, AttributeError) as error:
            raise Breach(f"changed for good: {setting.name} ({error})") from error


@contextmanager
def kept_random() -> Iterator[None]:
    """Afterwards the global generators of torch, numpy and Python go on as if nothing was drawn."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    generator = _NUMPY.get_bit_generator()
    try:
        yield
    finally:
        _NUMPY.set_bit_generator(generator)
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


# --- how torch computes --------------------------------------------------------------------------

_B: Any = torch.backends
_C: Any = torch._C
_NUMPY: Any = np.random
_SMALLEST = 5e-324  # to a processor that flushes such numbers it is zero
_LEFT: list[Any] = []  # what undoes an inference mode must live as long as the process
_DEVICES = ("cpu", "cuda")
_HOOKS = [
    value
    for where in (torch_modules, torch_optimizers)
    for name, value in vars(where).items()
    if name.startswith("_global_") and isinstance(value, dict)
]


def _held(holder: Any, name: str, called: str = "") -> Setting:
    """The attribute `name` of `holder`."""
    called = called or f"{getattr(holder, '__name__', '')}.{name}"
    return Setting(called, lambda: getattr(holder, name), lambda was: setattr(holder, name, was))


def _write_device(was: torch.device) -> None:
    torch.set_default_device(None if was.type == "cpu" else was)


def _autocast() -> tuple[Any, ...]:
    each = [(torch.is_autocast_enabled(d), torch.get_autocast_dtype(d)) for d in _DEVICES]
    return (*each, torch.is_autocast_cache_enabled())


def _write_autocast(was: tuple[Any, ...]) -> None:
    *each, cache = was
    for device, (enabled, dtype) in zip(_DEVICES, each, strict=True):
        torch.set_autocast_enabled(device, enabled)
        torch.set_autocast_dtype(device, dtype)
    torch.set_autocast_cache_enabled(cache)


def _matmul_precision() -> str:
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:  # the backends' own precisions contradict it
        return ""


def _deterministic() -> tuple[bool, bool]:
    algorithms = torch.are_deterministic_algorithms_enabled()
    return algorithms, torch.is_deterministic_algorithms_warn_only_enabled()


def _write_hooks(was: tuple[tuple[Any, ...], ...]) -> None:
    for hooks, entries in zip(_HOOKS, was, strict=True):
        hooks.clear()
        hooks.update(entries)


def _write_modes(was: tuple[int, int]) -> None:
    """Modes that were entered and never left, such as `torch.device("meta").__enter__()`."""
    while _C._len_torch_function_stack() > was[0]:
        _C._pop_torch_function_stack()
    while _C._len_torch_dispatch_stack() > was[1]:
        _C._pop_torch_dispatch_stack(None)


# A few dozen calls of a hook in one second: these are put back after each of them.
COMPUTING: tuple[Setting, ...] = (
    Setting("default device", torch.get_default_device, _write_device),
    Setting(
        "torch modes",
        lambda: (_C._len_torch_function_stack(), _C._len_torch_dispatch_stack()),
        _write_modes,
    ),
    Setting(
        "inference mode",
        torch.is_inference_mode_enabled,
        lambda was: _LEFT.append(_C._InferenceMode(was)),
    ),
    Setting("grad mode", torch.is_grad_enabled, _C._set_grad_enabled),
    Setting("default dtype", torch.get_default_dtype, torch.set_default_dtype),
    Setting("autocast", _autocast, _write_autocast),
    Setting("threads", torch.get_num_threads, torch.set_num_threads),
    Setting(
        "denormal numbers",
        lambda: _SMALLEST > 0.0,
        lambda was: torch.set_flush_denormal(not was),
    ),
    Setting(
        "deterministic algorithms",
        _deterministic,
        lambda was: torch.use_deterministic_algorithms(was[0], warn_only=was[1]),
    ),
    Setting("mkldnn.enabled", _C._get_mkldnn_enabled, _C._set_mkldnn_enabled),
    Setting("cudnn.enabled", _C._get_cudnn_enabled, _C._set_cudnn_enabled),
)

_SWITCHES: tuple[tuple[Any, str, str], ...] = (  # a precision that others inherit comes first
    (_B, "", "fp32_precision"),
    (_B.cuda.matmul, "cuda.matmul", "fp32_precision"),
    (_B.cudnn, "cudnn", "fp32_precision benchmark deterministic"),
    (_B.cudnn.conv, "cudnn.conv", "fp32_precision"),
    (_B.cudnn.rnn, "cudnn.rnn", "fp32_precision"),
    (_B.mkldnn, "mkldnn", "fp32_precision deterministic"),
    (_B.mkldnn.matmul, "mkldnn.matmul", "fp32_precision"),
    (_B.mkldnn.conv, "mkldnn.conv", "fp32_precision"),
    (_B.mkldnn.rnn, "mkldnn.rnn", "fp32_precision"),
    (_B.opt_einsum, "opt_einsum", "enabled strategy"),
    (_B.quantized, "quantized", "engine"),
    (torch.utils.deterministic, "deterministic", "fill_uninitialized_memory"),
)

_TORCH: tuple[Setting, ...] = (
    Setting(
        "anomaly detection",
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda was: torch.autograd.set_detect_anomaly(was[0], check_nan=was[1]),
    ),
    Setting(
        "threads of the backward pass",
        _C._is_multithreading_enabled,
        _C._set_multithreading_enabled,
    ),
    Setting("warn always", torch.is_warn_always_enabled, torch.set_warn_always),
    Setting(
        "global hooks of modules", lambda: tuple(tuple(h.items()) for h in _HOOKS), _write_hooks
    ),
    Setting(
        "attention kernels",
        lambda: (
            _B.cuda.flash_sdp_enabled(),
            _B.cuda.mem_efficient_sdp_enabled(),
            _B.cuda.math_sdp_enabled(),
        ),
        lambda was: (
            _B.cuda.enable_flash_sdp(was[0]),
            _B.cuda.enable_mem_efficient_sdp(was[1]),
            _B.cuda.enable_math_sdp(was[2]),
        ),
    ),
    Setting("attention's fast path", _B.mha.get_fastpath_enabled, _B.mha.set_fastpath_enabled),
    Setting(  # writes those of the backends
        "float32 matmul precision",
        _matmul_precision,
        lambda was: torch.set_float32_matmul_precision(was) if was else None,
    ),
    *(
        _held(holder, name, f"{called}.{name}".lstrip("."))
        for holder, called, names in _SWITCHES
        for name in names.split()
    ),
    Setting("numpy errors", np.geterr, lambda was: np.seterr(**was)),
    Setting("numpy error handler", np.geterrcall, np.seterrcall),
    Setting("numpy's global generator", _NUMPY.get_bit_generator, _NUMPY.set_bit_generator),
)


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


_STREAMS = ("stdin", "stdout", "stderr")


def _streams() -> tuple[Any, ...]:
    streams = [getattr(sys, name) for name in _STREAMS]
    return tuple((stream, getattr(stream, "closed", False)) for stream in streams)


def _write_streams(was: tuple[Any, ...]) -> None:
    for number, (name, (stream, closed)) in enumerate(zip(_STREAMS, was, strict=True)):
        if not closed and getattr(stream, "closed", False):  # closed for good: another like it
            stream = open(number, "r" if number == 0 else "w", closefd=False)  # noqa: SIM115
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
    Setting("recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
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
    Setting("locale", _locale, _locale),
    Setting("standard streams", _streams, _write_streams),
    *(_held(sys, name) for name in ("excepthook", "displayhook", "unraisablehook")),
    _held(threading, "excepthook"),
    _held(tempfile, "tempdir"),
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

SETTINGS = (*_FIRST, *COMPUTING, *_TORCH, *_PROCESS)
