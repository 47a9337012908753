"""The command `autophagy`: a file of this folder each, imported when it is called."""

from __future__ import annotations

import ast
import errno
import importlib
import os
import re
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from benchmark.basics.errors import AutophagyError, InputError, Unprinted, cannot_use_file
from benchmark.basics.machine import ensure_home
from benchmark.basics.plain import clean_terminal
from benchmark.commands.terminal import Printed, prepare_output

COMMANDS = (
    "list", "prefetch", "report", "run", "samples", "score", "theory", "transfer", "new",
    "validate", "submit", "queue", "rescore", "verify", "board", "preview", "export",
    "deploy", "cache",
)  # fmt: skip


class LazyCommands(TyperGroup):
    """The commands by name. Help needs their first sentences only, which are read, not run."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how | {"commands": {name: _described(name) for name in COMMANDS}})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was called, with all that it imports."""
        if args[0] in COMMANDS:
            # Before torch is loaded here or in a worker: one thread a process.
            os.environ["OMP_NUM_THREADS"] = "1"
            # Figures are files, whatever window a notebook or a profile asks for.
            os.environ.pop("MPLBACKEND", None)
            # Processes are handed what cloudpickle makes, whatever other programs need.
            os.environ.pop("LOKY_PICKLER", None)
            self.add_command(_imported(args[0]), args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """The command's answer. Typer ends the process without a word where any pipe is closed;
        that of standard output is none of those (see `Printed`)."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise RuntimeError("a process that this one wrote to has ended") from error


def _described(name: str) -> TyperCommand:
    """A command that can only be listed."""
    tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text("utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return TyperCommand(name, help=ast.get_docstring(functions[_function(name)]))


def _imported(name: str) -> Any:
    """The command itself; a file with commands of its own holds them as `app`.

    Raises:
        InputError: a package is not installed that only the leaderboard needs.
    """
    try:
        module = importlib.import_module(f"benchmark.commands.{name}")
    except ModuleNotFoundError as error:
        if name not in ("board", "preview", "export", "deploy"):
            raise
        raise InputError(
            f"the leaderboard needs {error.name}: pip install 'autophagy-bench[board]'"
        ) from error
    found = getattr(module, "app", None)
    if found is None:
        found = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        found.command(name)(getattr(module, _function(name)))
    return typer.main.get_command(found)


def _function(name: str) -> str:
    return "list_" if name == "list" else name  # `list` is Python's


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _autophagy() -> None:
    """Benchmark of strategies that mitigate model collapse."""


def main() -> None:
    """Entry point: what a user can mend becomes one sentence and a non-zero exit status, which is
    every AutophagyError, and a file or folder that the system does not let this process use."""
    prepare_output()
    ensure_home()
    _check_folders()
    if not re.fullmatch("[2-9][0-9]|[1-9][0-9]{2,4}", os.environ.get("COLUMNS", "")):
        os.environ.pop("COLUMNS", None)  # not the width of a terminal
    try:
        with redirect_stdout(Printed(sys.stdout)):
            try:
                app()
            finally:
                sys.stdout.flush()  # what cannot be written is noticed here, not when Python ends
    except AutophagyError as error:
        _stop(str(error), error.status)
    except Unprinted as unprinted:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        why = unprinted.__cause__
        assert isinstance(why, OSError)
        if why.errno == errno.EPIPE:  # nobody reads any more: not worth a word
            sys.exit(1)
        _stop(f"cannot print the answer: {why.strerror}")
    except OSError as error:
        refused = cannot_use_file(error)
        if refused is None:
            raise
        _stop(str(refused))
    except ValueError as error:
        variable = _find_unread_variable(error)
        if variable is None:  # a defect
            raise
        _stop(
            f"the environment variable {variable} is {os.environ[variable]!r}, of which a library "
            f"makes no number: unset it, or set it to one"
        )


def _find_unread_variable(error: ValueError) -> str | None:
    """The variable of which Python's int or float could not make a number, as libraries try when
    they are imported; None where the text at fault is that of none."""
    if not str(error).startswith(("invalid literal for int", "could not convert string to float")):
        return None
    named = (name for name, value in os.environ.items() if str(error).endswith(f": {value!r}"))
    return next(named, None)


def _check_folders() -> None:
    """The working folder is there and a temporary one can be written, or one sentence: libraries
    that need either say so in words of their own, or end the process."""
    try:
        os.getcwd()
    except OSError:
        _stop("the working folder is not there any more: change to one that is")
    try:
        tempfile.gettempdir()
    except OSError:
        _stop("no folder for temporary files can be written: make room on the disk, or set TMPDIR")


def _stop(sentence: str, status: int = 1) -> NoReturn:
    print(f"autophagy: {clean_terminal(sentence)}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
