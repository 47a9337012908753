"""Finds a mitigation by name, by file, or as a class."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmark.basics.containment import Containment, contain, describe_error
from benchmark.basics.errors import Breach, DoesNotLoad, InputError, MethodError
from benchmark.basics.spelling import ask_nearest, ask_nearest_path
from benchmark.basics.surroundings import kept_random
from benchmark.interface.access import Access
from benchmark.interface.clean import Clean
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.names import NAME, REFERENCES, find_baselines, find_registry

# Gives the class in a file (the one called so, or the only one) until the context ends.
Opener = Callable[[Path, str | None], AbstractContextManager[type[Mitigation]]]


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
        """The class itself."""
        if self.given is not None:
            return self.given
        assert self.file is not None
        return load_class(self.file, self.class_name)


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
    name, load = _name_of(file), isolate or _load
    with load(file, class_name) as cls:
        access, summary = check_class(cls)
    if class_name is not None and not _is_alone(file, load):
        name = f"{name}.{class_name}"
    return Method(
        _check_name(name), _file_source(file), access, summary, file.resolve(), class_name,
        isolated=isolate is not None,
    )  # fmt: skip


def _is_alone(file: Path, load: Opener) -> bool:
    """Whether a file that loads has one mitigation class only."""
    try:
        with load(file, None):
            return True
    except DoesNotLoad:
        return False


def _load(file: Path, class_name: str | None) -> AbstractContextManager[type[Mitigation]]:
    return nullcontext(load_class(file, class_name))


def _name_of(file: Path) -> str:
    """A submission's `method.py` is named by its folder, any other file by itself."""
    submitted = file.name == "method.py" and (file.parent / "card.yaml").is_file()
    return file.resolve().parent.name if submitted else file.stem


def _located(text: str) -> tuple[Path, str | None]:
    """File and class name of a baseline's name, `file.py` or `file.py:Class`."""
    known = find_baselines()
    if text in known:
        return known[text], None
    path, _, class_name = text.partition(":")
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
    if not isinstance(access, frozenset | set) or not all(isinstance(a, Access) for a in access):
        raise Breach("must be a frozenset of Access members, such as frozenset({Access.RESERVE})")
    summary = (inspect.getdoc(cls) or "").split("\n")[0] if "__doc__" in vars(cls) else ""
    return frozenset(access), summary


def _file_source(file: Path) -> str:
    """SHA-256 of a method's file and, for a baseline, of the `baselines._*` modules it imports: a
    copy elsewhere comes with a version of the benchmark, which says what those are."""
    text, registry = file.read_bytes(), find_registry().resolve()
    sha = hashlib.sha256(text)
    if file.resolve().parent == registry:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("baselines._"):
                shared = registry / f"{str(node.module).removeprefix('baselines.')}.py"
                sha.update(_file_source(shared).encode())
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


def load_class(file: Path, class_name: str | None) -> type[Mitigation]:
    """The mitigation class in `file`: the one called `class_name`, or the only one.

    Raises:
        DoesNotLoad: the file cannot be read or does not import, has no such class, or none or
            several without a name.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DoesNotLoad(f"cannot read {file}: {error.strerror}; make it readable") from error
    # The content is part of the name, so that an edited file is a new module.
    digest = hashlib.sha256(os.fsencode(file.resolve()) + content).hexdigest()
    module_name = f"_method_{file.stem}_{digest[:12]}"
    module = sys.modules.get(module_name)
    if module is None:
        module = _import(file, module_name)
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


def _import(file: Path, name: str) -> ModuleType:
    """The module `name` in `file`; its code leaves nothing changed and ends nothing.

    Raises:
        DoesNotLoad: it raises.
    """
    spec = importlib.util.spec_from_file_location(name, file)
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
        if Path(trace.tb_frame.f_code.co_filename) == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f", line {lines[-1]}," if lines else ""
