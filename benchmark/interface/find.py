"""Finds a mitigation by name, by file, or as a class."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.interface.access import Access
from benchmark.interface.loading import load_class
from benchmark.interface.mitigation import Mitigation

REFERENCES = ("nothing", "oracle")


@dataclass(frozen=True)
class Method:
    """A mitigation that can be sent to a worker process.

    Attributes:
        name: what results are filed under.
        source: SHA-256 of the file (or of the class's source) it comes from.
        file: the file it is loaded from, or None for a class that was handed over.
        class_name: the class inside `file`.
        isolated: `file` is never imported in this process or a worker's.
    """

    name: str
    source: str
    access: frozenset[Access]
    summary: str
    file: Path | None = None
    class_name: str | None = None
    given: type[Mitigation] | None = None
    isolated: bool = False

    def load(self) -> type[Mitigation]:
        """The class itself."""
        if self.given is not None:
            return self.given
        assert self.file is not None
        return load_class(self.file, self.class_name)

    @contextmanager
    def opened(self) -> Iterator[type[Mitigation]]:
        """The class itself, or one whose hooks run in a sandbox until the context ends."""
        if self.isolated:
            from benchmark.run.sandbox import isolated

            assert self.file is not None
            with isolated(self.file, self.class_name) as cls:
                yield cls
        else:
            yield self.load()


def baselines() -> dict[str, Path]:
    """Name -> file of every baseline: the folder is the registry."""
    folder = Path(str(resources.files("baselines")))
    return {f.stem: f for f in sorted(folder.glob("*.py")) if not f.stem.startswith("_")}


def describe(file: Path) -> tuple[str, str]:
    """(summary, tier) of a method file, read without running or importing it."""
    module = ast.parse(file.read_text("utf-8"))
    names = [
        node.attr
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Access"
    ]
    tier = " + ".join(access.value for access in Access if access.name in names) or "blind"
    return (ast.get_docstring(module) or "").split("\n")[0], tier


def find_method(method: str | Path | type[Mitigation], isolated: bool = False) -> Method:
    """The mitigation called `method`, in file `method` (`file.py` or `file.py:Class`), or itself.

    Args:
        isolated: what the file says of itself is read in a sandbox, where its hooks will run.

    Raises:
        InputError: no such name or file, or the file does not import, or defines no or several
            mitigation classes, or the class's `access` is not a set of `Access`; or a class is
            to be isolated, or there is no sandbox.
    """
    if isinstance(method, type):
        if isolated:
            raise InputError(
                f"{method.__name__} is a class of this process, so it cannot be isolated from it: "
                f"give its file"
            )
        if not issubclass(method, Mitigation):
            raise InputError(f"{method.__name__} is not a subclass of benchmark.Mitigation")
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", method.__name__).lower()
        return _method(name, method, _class_source(method), given=method)
    file, class_name = _located(str(method))
    found = Method(_name_of(file), "", frozenset(), "", file, class_name, isolated=isolated)
    with found.opened() as cls:
        name, source = cls.__name__, _file_source(file)
        return _method(found.name, cls, source, file.resolve(), name, isolated=isolated)


def _name_of(file: Path) -> str:
    """A submission's `method.py` is named by its folder, any other file by itself."""
    submitted = file.name == "method.py" and (file.parent / "card.yaml").is_file()
    return file.resolve().parent.name if submitted else file.stem


def _located(text: str) -> tuple[Path, str | None]:
    """File and class name of a baseline's name, `file.py` or `file.py:Class`."""
    known = baselines()
    if text in known:
        return known[text], None
    path, _, class_name = text.partition(":")
    file = Path(path)
    if file.suffix != ".py":
        raise InputError(
            f"there is no method {text!r}: give a baseline ({', '.join(known)}) or a file such "
            f"as my_method.py or my_method.py:ClassName"
        )
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    if _name_of(file) in known and file.resolve() != known[_name_of(file)].resolve():
        raise InputError(f"{file} has the name of a baseline: rename the file")
    return file, class_name or None


def _method(
    name: str,
    cls: type[Mitigation],
    source: str,
    file: Path | None = None,
    class_name: str | None = None,
    given: type[Mitigation] | None = None,
    isolated: bool = False,
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
    return Method(name, source, frozenset(access), summary, file, class_name, given, isolated)


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


NAME = r"\w[\w.+-]{0,63}"  # methods, suites and tasks name files and folders
