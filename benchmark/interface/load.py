"""Loads a mitigation's class from its file: what was read is what is imported."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from importlib.abc import SourceLoader
from pathlib import Path
from types import ModuleType

from benchmark.basics.containment import Containment, contain, describe_error
from benchmark.basics.errors import DoesNotLoad, MethodError
from benchmark.basics.spelling import ask_nearest
from benchmark.basics.surroundings import kept_random
from benchmark.interface.mitigation import Mitigation


def read_content(file: Path) -> bytes:
    """The bytes of a method's file. Raises DoesNotLoad if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise DoesNotLoad(f"cannot read {file}: {error.strerror}; make it readable") from error


def load_class(
    file: Path, class_name: str | None, content: bytes | None = None
) -> type[Mitigation]:
    """The mitigation class in `file`: the one called `class_name`, or the only one.

    Args:
        content: of the file, where it was read before.

    Raises:
        DoesNotLoad: the file cannot be read or does not import, has no such class, or none or
            several without a name.
    """
    content = read_content(file) if content is None else content
    # The content is part of the name, so that an edited file is a new module.
    digest = hashlib.sha256(os.fsencode(file.resolve()) + content).hexdigest()
    module_name = f"_method_{file.stem}_{digest[:12]}"
    module = sys.modules.get(module_name)
    if module is None:
        module = _import(file, content, module_name)
    try:
        classes = contain(_list_classes, f"{file}: a name in it")(module)
    except MethodError as error:
        raise DoesNotLoad(str(error)) from error
    if class_name is not None:
        if class_name not in classes:
            found = ", ".join(classes) or "none"
            near = ask_nearest(class_name, classes)
            raise DoesNotLoad(
                f"{file} has no Mitigation class {class_name!r}{near} (found: {found})"
            )
        return classes[class_name]
    if len(classes) != 1:
        if not classes:
            raise DoesNotLoad(f"{file} defines no subclass of benchmark.Mitigation")
        raise DoesNotLoad(
            f"{file} defines several Mitigation classes ({', '.join(classes)}): "
            f"choose one as {file}:ClassName"
        )
    return next(iter(classes.values()))


def _list_classes(module: ModuleType) -> dict[str, type[Mitigation]]:
    """The mitigation classes that are written in a module. Not by `isinstance`, which asks what
    only stands for an object, such as settings that are read when they are needed."""
    return {
        name: value
        for name, value in vars(module).items()
        if issubclass(type(value), type)
        and issubclass(value, Mitigation)
        and value.__module__ == module.__name__
    }


class _ReadBefore(SourceLoader):
    """Imports the bytes that were read of a file, not what the file holds by now."""

    def __init__(self, file: Path, content: bytes) -> None:
        self._file, self._content = str(file.absolute()), content

    def get_filename(self, fullname: str) -> str:
        return self._file

    def get_data(self, path: str) -> bytes:
        return self._content


def _import(file: Path, content: bytes, name: str) -> ModuleType:
    """The module `name` of the `content` of `file`; its code leaves nothing changed and ends
    nothing.

    Raises:
        DoesNotLoad: it raises.
    """
    loader = _ReadBefore(file, content)
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with kept_random(), Containment(str(file)) as containment:
        try:
            spec.loader.exec_module(module)
        except BaseException as error:  # SystemExit, too: a script may read a command line
            sys.modules.pop(name, None)
            if containment.interrupted:
                raise
            said = f"{file}{_line_of(error, file)} does not import: {describe_error(error)}"
            if isinstance(error, SystemExit):
                said += "; a method's file must not end the process that imports it"
            raise DoesNotLoad(said) from error
    return module


def _line_of(error: BaseException, file: Path) -> str:
    if isinstance(error, SyntaxError) and Path(error.filename or "").name == file.name:
        return f", line {error.lineno},"
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == file.absolute():
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f", line {lines[-1]}," if lines else ""
