"""Finds a mitigation by name, by file, or as a class."""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmark.basics.containment import contain
from benchmark.basics.errors import Breach, DoesNotLoad, InputError, MethodError
from benchmark.basics.plain import clean_line
from benchmark.basics.spelling import ask_nearest, ask_nearest_path
from benchmark.interface.access import Access
from benchmark.interface.clean import Clean
from benchmark.interface.load import load_class, read_content
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.names import NAME, REFERENCES, find_baselines, find_registry

MODALITIES = ("image", "text", "pair")  # of suites; each analytic task has its own


class Opener(Protocol):
    """Gives the class in a file's `content` (the one called so, or the only one) until the context
    ends."""

    def __call__(
        self, file: Path, class_name: str | None, *, content: bytes
    ) -> AbstractContextManager[type[Mitigation]]: ...


@dataclass(frozen=True)
class Method:
    """A mitigation that can be sent to a worker process.

    Attributes:
        name: what results are filed under: the file's name, followed by that of the class if
            others stand in the file, too (`my_method.First`); it tells them apart.
        source: SHA-256 of the file (or of the class's source) it comes from.
        file: the file it is loaded from, or None for a class that was handed over.
        class_name: the class inside `file`, or None for the only one.
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
        """The class itself. Raises as `read` and `load_class`."""
        if self.given is not None:
            return self.given
        assert self.file is not None
        return load_class(self.file, self.class_name, self.read())

    def read(self) -> bytes:
        """The content of `file`, which is the one that `source` is of: whoever loads it later than
        it was found must not take another method for this one.

        Raises:
            InputError: the file was changed since, or cannot be read.
        """
        assert self.file is not None
        try:
            content = self.file.read_bytes()
            same = _hash_source(self.file, content) == self.source
        except (OSError, SyntaxError, ValueError):  # gone, or half written
            same = False
        if not same:
            raise InputError(
                f"{self.file} changed since the run began (or is not there): restore it, or run "
                f"the same command again for the new one"
            )
        return content


def find_method(method: str | Path | type[Mitigation], isolate: Opener | None = None) -> Method:
    """The mitigation called `method`, in file `method` (`file.py` or `file.py:Class`), or itself.

    Args:
        isolate: opens the file elsewhere, so that it is never imported in this process.

    Raises:
        InputError: no such name or file, or a baseline has its name; or a class is to be isolated,
            or there is no sandbox.
        DoesNotLoad: the file does not import, or defines no or several mitigation classes, or the
            class's `access` is not a set of `Access`.
    """
    if method == "clean":
        method, isolate = Clean, None  # the harness's own
    if isinstance(method, type):
        if isolate:
            raise InputError(
                f"{method.__name__} is a class of this process, so it cannot be isolated from it: "
                f"give its file"
            )
        if not issubclass(method, Mitigation):
            raise InputError(f"{method.__name__} is not a subclass of benchmark.Mitigation")
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", method.__name__).lower()
        if method is not Clean and name in (*REFERENCES, *find_baselines()):
            raise InputError(
                f"class {method.__name__} has the name of a baseline or reference: rename the class"
            )
        access, summary = check_class(method)
        return Method(_check_name(name), _class_source(method), access, summary, given=method)
    file, class_name = _located(str(method))
    # Read once: what is loaded is what is hashed, even while somebody edits the file.
    name, load, content = _name_of(file), isolate or _load, read_content(file)
    with load(file, class_name, content=content) as cls:
        access, summary = check_class(cls)
    if class_name is not None and not _is_alone(file, content, load):
        name = f"{name}.{class_name}"
    return Method(
        _check_name(name), _hash_source(file, content), access, summary, file.resolve(), class_name,
        isolated=isolate is not None,
    )  # fmt: skip


def _is_alone(file: Path, content: bytes, load: Opener) -> bool:
    """Whether a file that loads has one mitigation class only."""
    try:
        with load(file, None, content=content):
            return True
    except DoesNotLoad:
        return False


def _load(
    file: Path, class_name: str | None, *, content: bytes
) -> AbstractContextManager[type[Mitigation]]:
    return nullcontext(load_class(file, class_name, content))


def _name_of(file: Path) -> str:
    """A submission's `method.py` is named by its folder, any other file by itself."""
    submitted = file.name == "method.py" and (file.parent / "card.yaml").is_file()
    return file.resolve().parent.name if submitted else file.stem


def _located(text: str) -> tuple[Path, str | None]:
    """File and class name of a baseline's name, `file.py` or `file.py:Class`."""
    known = find_baselines()
    if text in known:
        return known[text], None
    split = re.fullmatch(r"(.+\.py):([^/:]*)", text, re.DOTALL)  # a folder may have a colon, too
    path, class_name = split.groups() if split else (text, "")
    file = Path(path)
    if file.suffix != ".py":
        near = ask_nearest(text, (*known, *REFERENCES))
        which = "which autophagy list shows" if near else ", ".join(known)
        raise InputError(
            f"there is no method {text!r}{near}: give a baseline ({which}) or a file such as "
            f"my_method.py or my_method.py:ClassName"
        )
    try:
        there = file.is_file()
    except OSError as error:  # too long a name, or a folder that may not be entered
        raise InputError(f"there can be no file {file} ({error.strerror}): correct it") from error
    if not there and file.exists():
        raise InputError(f"{file} is not an ordinary file: give one that holds a method's class")
    if not there:
        raise InputError(f"there is no file {file}{ask_nearest_path(file)}")
    name = _name_of(file)
    taken = known.get(name)
    if name in (*REFERENCES, *known) and (not taken or file.resolve() != taken.resolve()):
        raise InputError(f"{file} has the name of a baseline or reference: rename the file")
    return file, class_name or None


def _check_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise InputError(
            f"{name!r} cannot name a method: use letters, digits, '_', '-', '+' and '.', at most 64"
        )
    return name


def check_class(cls: type[Mitigation]) -> tuple[frozenset[Access], str]:
    """The access that a class declares and its summary, the first line of its own docstring.

    Raises:
        DoesNotLoad: `access` is not a set of `Access`, or `modalities` not one of names.
    """
    try:
        return contain(_described, f"{cls.__name__}.access")(cls)
    except MethodError as error:
        raise DoesNotLoad(str(error)) from error


def _described(cls: type[Mitigation]) -> tuple[frozenset[Access], str]:
    access, modalities = cls.access, cls.modalities
    if not isinstance(modalities, frozenset | set) or not all(
        isinstance(modality, str) for modality in modalities
    ):
        raise Breach('has modalities that are not a frozenset of names, such as {"text"}')
    for name in sorted(modalities):
        if name not in MODALITIES and (near := ask_nearest(name, MODALITIES)):
            raise Breach(f"has the modality {clean_line(name, 40)!r}{near}")
    if not isinstance(access, frozenset | set) or not all(isinstance(a, Access) for a in access):
        raise Breach("must be a frozenset of Access members, such as frozenset({Access.RESERVE})")
    # Its own: `inspect.getdoc` of a class without words gives those of the class above.
    summary = inspect.cleandoc(vars(cls).get("__doc__") or "").split("\n")[0]
    return frozenset(access), summary


def _hash_source(file: Path, content: bytes) -> str:
    """SHA-256 of a method's file and, for a baseline, of the `baselines._*` modules it imports: a
    copy elsewhere comes with a version of the benchmark, which says what those are."""
    registry, sha = find_registry().resolve(), hashlib.sha256(content)
    if file.resolve().parent == registry:
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("baselines._"):
                shared = registry / f"{str(node.module).removeprefix('baselines.')}.py"
                sha.update(_hash_source(shared, shared.read_bytes()).encode())
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
