"""Imports a method's file."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.interface.mitigation import Mitigation


def load_class(file: Path, class_name: str | None) -> type[Mitigation]:
    """The mitigation class in `file`: the one called `class_name`, or the only one.

    Raises:
        InputError: the file does not import, has no such class, or none or several without a name.
    """
    # The content is part of the name, so that an edited file is a new module.
    digest = hashlib.sha256(os.fsencode(file.resolve()) + file.read_bytes()).hexdigest()
    module_name = f"_method_{file.stem}_{digest[:12]}"
    module = sys.modules.get(module_name)
    if module is None:
        spec = importlib.util.spec_from_file_location(module_name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            line = _line_of(error, file)
            raise InputError(
                f"{file}{line} does not import: {type(error).__name__}: {error}"
            ) from error
    classes = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Mitigation)
        and value.__module__ == module_name
    }
    if class_name is not None:
        if class_name not in classes:
            found = ", ".join(classes) or "none"
            raise InputError(f"{file} has no Mitigation class {class_name!r} (found: {found})")
        return classes[class_name]
    if len(classes) != 1:
        if not classes:
            raise InputError(f"{file} defines no subclass of benchmark.Mitigation")
        raise InputError(
            f"{file} defines several Mitigation classes ({', '.join(classes)}): "
            f"choose one as {file}:ClassName"
        )
    return next(iter(classes.values()))


def _line_of(error: Exception, file: Path) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno},"
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f", line {lines[-1]}," if lines else ""
