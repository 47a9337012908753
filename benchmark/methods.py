"""Finds a mitigation by name, by file, or as a class."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from benchmark.errors import InputError
from benchmark.mitigation import Access, Mitigation
from benchmark.results import NAME

REFERENCES = ("nothing", "oracle")


@dataclass(frozen=True)
class Method:
    """A mitigation that can be sent to a worker process.

    Attributes:
        name: what results are filed under.
        source: SHA-256 of the file (or of the class's source) it comes from.
        file: the file it is loaded from, or None for a class that was handed over.
        class_name: the class inside `file`.
    """

    name: str
    source: str
    access: frozenset[Access]
    summary: str
    file: Path | None = None
    class_name: str | None = None
    given: type[Mitigation] | None = None

    def load(self) -> type[Mitigation]:
        """The class itself."""
        if self.given is not None:
            return self.given
        assert self.file is not None
        return _load_class(self.file, self.class_name)


def baselines() -> dict[str, Path]:
    """Name -> file of every baseline: the folder is the registry."""
    folder = Path(str(resources.files("baselines")))
    return {f.stem: f for f in sorted(folder.glob("*.py")) if not f.stem.startswith("_")}


def describe(file: Path) -> tuple[str, str]:
    """(summary, tier) of a method file, read without running or importing it."""
    module = ast.parse(file.read_text())
    names = [
        node.attr
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Access"
    ]
    tier = " + ".join(access.value for access in Access if access.name in names) or "blind"
    return (ast.get_docstring(module) or "").split("\n")[0], tier


def find_method(method: str | Path | type[Mitigation]) -> Method:
    """The mitigation called `method`, in file `method` (`file.py` or `file.py:Class`), or itself.

    Raises:
        InputError: no such name or file, or the file does not import, or defines no or several
            mitigation classes, or the class's `access` is not a set of `Access`.
    """
    if isinstance(method, type):
        if not issubclass(method, Mitigation):
            raise InputError(f"{method.__name__} is not a subclass of benchmark.Mitigation")
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", method.__name__).lower()
        return _method(name, method, _class_source(method), given=method)
    text, known = str(method), baselines()
    if text in known:
        file, class_name = known[text], None
    else:
        path, _, class_name = text.partition(":")
        file = Path(path)
        if file.suffix != ".py":
            raise InputError(
                f"there is no method {text!r}: give a baseline ({', '.join(known)}) or a file such "
                f"as my_method.py or my_method.py:ClassName"
            )
        if not file.is_file():
            raise InputError(f"there is no file {file}")
        if file.stem in known and file.resolve() != known[file.stem].resolve():
            raise InputError(f"{file} has the name of a baseline: rename the file")
    cls = _load_class(file, class_name or None)
    source = _file_source(file)
    return _method(file.stem, cls, source, file=file.resolve(), class_name=cls.__name__)


def _method(
    name: str,
    cls: type[Mitigation],
    source: str,
    file: Path | None = None,
    class_name: str | None = None,
    given: type[Mitigation] | None = None,
) -> Method:
    if not re.fullmatch(NAME, name):
        raise InputError(
            f"{name!r} cannot name a method: use letters, digits, '_', '-', '+' and '.', at most 64"
        )
    access = cls.access
    if not isinstance(access, frozenset | set) or not all(isinstance(a, Access) for a in access):
        raise InputError(
            f"{cls.__name__}.access must be a frozenset of Access members, such as "
            f"frozenset({{Access.RESERVE}})"
        )
    summary = (inspect.getdoc(cls) or "").split("\n")[0] if "__doc__" in vars(cls) else ""
    return Method(name, source, frozenset(access), summary, file, class_name, given)


def _file_source(file: Path) -> str:
    """SHA-256 of a method's file and, for a baseline, of the `baselines._*` modules it imports."""
    text = file.read_bytes()
    sha = hashlib.sha256(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("baselines._"):
            shared = importlib.util.find_spec(str(node.module))
            assert shared is not None
            assert shared.origin is not None
            sha.update(_file_source(Path(shared.origin)).encode())
    return sha.hexdigest()


def _class_source(cls: type[Mitigation]) -> str:
    try:
        text = inspect.getsource(sys.modules[cls.__module__])
    except (OSError, TypeError, KeyError):
        try:
            text = inspect.getsource(cls)
        except (OSError, TypeError) as error:
            raise InputError(
                f"the source of class {cls.__name__} cannot be read, so its results could not be "
                f"told apart: put it into a file"
            ) from error
    return hashlib.sha256(f"{cls.__qualname__}\n{text}".encode()).hexdigest()


def _load_class(file: Path, class_name: str | None) -> type[Mitigation]:
    # The content is part of the name, so that an edited file is a new module.
    digest = hashlib.sha256(str(file.resolve()).encode() + file.read_bytes()).hexdigest()
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
