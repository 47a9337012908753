"""The settings by which torch and numpy compute, each with how it is read and put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.modules import module as torch_modules
from torch.optim import optimizer as torch_optimizers


class Setting(NamedTuple):
    """One part of the shared state: what it is called, how it is read and how it is put back."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]


def attribute(holder: Any, name: str, called: str = "") -> Setting:
    """The attribute `name` of `holder`."""
    called = called or f"{getattr(holder, '__name__', '')}.{name}"
    return Setting(called, lambda: getattr(holder, name), lambda was: setattr(holder, name, was))


_B: Any = torch.backends
_C: Any = torch._C
NUMPY: Any = np.random
_SMALLEST = 5e-324  # to a processor that flushes such numbers it is zero
_LEFT: list[Any] = []  # what undoes an inference mode must live as long as the process
_DEVICES = ("cpu", "cuda")
_HOOKS = [
    value
    for where in (torch_modules, torch_optimizers)
    for name, value in vars(where).items()
    if name.startswith("_global_") and isinstance(value, dict)
]


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


def _saved_hooks() -> Any:
    return _C._autograd._top_saved_tensors_default_hooks(True)


def _write_saved_hooks(was: Any) -> None:
    """Contexts such as `saved_tensors_hooks` that were entered and never left."""
    while _saved_hooks() not in (was, None):
        _C._autograd._pop_saved_tensors_default_hooks()


# A few dozen calls of a hook in one second: these are put back after each of them.
COMPUTING: tuple[Setting, ...] = (
    Setting(  # first, for one that is left on sees, and may break, what the others ask torch
        "torch modes",
        lambda: (_C._len_torch_function_stack(), _C._len_torch_dispatch_stack()),
        _write_modes,
    ),
    Setting("default device", torch.get_default_device, _write_device),
    Setting(
        "inference mode",
        torch.is_inference_mode_enabled,
        lambda was: _LEFT.append(_C._InferenceMode(was)),
    ),
    Setting("saved tensors' hooks", _saved_hooks, _write_saved_hooks),
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
    (
        _B.cuda.matmul,
        "cuda.matmul",
        "fp32_precision allow_fp16_accumulation allow_fp16_reduced_precision_reduction "
        "allow_bf16_reduced_precision_reduction",
    ),
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

ARITHMETIC: tuple[Setting, ...] = (
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
            _B.cuda.cudnn_sdp_enabled(),
        ),
        lambda was: (
            _B.cuda.enable_flash_sdp(was[0]),
            _B.cuda.enable_mem_efficient_sdp(was[1]),
            _B.cuda.enable_math_sdp(was[2]),
            _B.cuda.enable_cudnn_sdp(was[3]),
        ),
    ),
    Setting("attention's fast path", _B.mha.get_fastpath_enabled, _B.mha.set_fastpath_enabled),
    Setting(  # writes those of the backends
        "float32 matmul precision",
        _matmul_precision,
        lambda was: torch.set_float32_matmul_precision(was) if was else None,
    ),
    *(
        attribute(holder, name, f"{called}.{name}".lstrip("."))
        for holder, called, names in _SWITCHES
        for name in names.split()
    ),
    Setting("numpy errors", np.geterr, lambda was: np.seterr(**was)),
    Setting("numpy error handler", np.geterrcall, np.seterrcall),
    Setting("numpy's global generator", NUMPY.get_bit_generator, NUMPY.set_bit_generator),
)
