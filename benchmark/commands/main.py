"""The command `autophagy`."""

from __future__ import annotations

import errno
import os
import sys

import typer

from benchmark.basics.errors import AutophagyError
from benchmark.basics.machine import ensure_home
from benchmark.commands.board import board, preview
from benchmark.commands.cache import cache
from benchmark.commands.deploy import deploy
from benchmark.commands.list import list_
from benchmark.commands.new import new
from benchmark.commands.prefetch import prefetch
from benchmark.commands.report import report
from benchmark.commands.rescore import rescore
from benchmark.commands.run import run
from benchmark.commands.samples import samples
from benchmark.commands.score import score
from benchmark.commands.submit import submit
from benchmark.commands.terminal import prepare
from benchmark.commands.theory import theory
from benchmark.commands.transfer import transfer
from benchmark.commands.validate import validate
from benchmark.commands.verify import verify

app = typer.Typer(
    help="Benchmark of strategies that mitigate model collapse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("list")(list_)
app.command("prefetch")(prefetch)
app.command("report")(report)
app.command("run")(run)
app.command("samples")(samples)
app.command("score")(score)
app.command("theory")(theory)
app.command("transfer")(transfer)
app.command("new")(new)
app.command("validate")(validate)
app.command("submit")(submit)
app.command("rescore")(rescore)
app.command("verify")(verify)
app.command("board")(board)
app.command("preview")(preview)
app.command("deploy")(deploy)
app.add_typer(cache, name="cache")


def main() -> None:
    """Entry point: every AutophagyError becomes one sentence and a non-zero exit status."""
    prepare()
    ensure_home()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # what cannot be written is noticed here, not when Python ends
    except AutophagyError as error:
        print(f"autophagy: {error}", file=sys.stderr)
        sys.exit(error.status)
    except OSError as error:
        if error.filename is not None:  # of a file, not of what is printed
            raise
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        if error.errno != errno.EPIPE:  # nobody reads any more: not worth a word
            print(f"autophagy: cannot print the answer: {error.strerror}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
