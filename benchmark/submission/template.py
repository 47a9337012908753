"""A new submission, copied from the template with its name filled in."""

from __future__ import annotations

import keyword
import os
import re
import shutil
from pathlib import Path

import benchmark
from benchmark.basics.errors import InputError, cannot_write
from benchmark.interface.names import REFERENCES, find_baselines
from benchmark.submission.card import MEND, SUBMISSION_NAME

TEMPLATE = Path(__file__).with_name("blank")
RESERVED = "template"


def check_submission_name(name: str) -> None:
    """Refuse what cannot name a submission.

    Raises:
        InputError: not of the right form, or the name of a baseline or reference.
    """
    if not re.fullmatch(SUBMISSION_NAME, name):
        raise InputError(f"{name!r} cannot name a submission: {MEND['name']}")
    if name in (*REFERENCES, *find_baselines()):
        raise InputError(f"{name!r} is the name of a baseline or reference: choose another")


def refuse_template(name: str) -> None:
    """Raises InputError if the name is still that of the template."""
    if name == RESERVED:
        raise InputError(f"{RESERVED!r} is the name of the template: choose another")


def create_submission(name: str, to: Path | None = None) -> Path:
    """Copy the template to `submissions/NAME`, or to the folder `to`.

    Raises:
        InputError: a bad name, a folder of another name, one that is there already, or one that
            cannot be written.
    """
    check_submission_name(name)
    refuse_template(name)
    folder = to or Path("submissions") / name
    own = Path(os.path.realpath(folder)).name  # Path.resolve raises where links go round
    if own != name:
        raise InputError(
            f"the folder of a submission has its name: give --to {folder / name}, or the name "
            f"{own!r}"
        )
    class_name = "".join(part.capitalize() for part in re.split("[_-]", name))
    if keyword.iskeyword(class_name) or class_name in benchmark.__all__:  # the template's imports
        class_name += "Method"
    replaced = {
        "method.py": ("class Template(", f"class {class_name}("),
        "card.yaml": (f"name: {RESERVED}\n", f"name: {name}\n"),
        "README.md": (f"# {RESERVED}\n", f"# {name}\n"),
    }
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise InputError(f"{folder} is there already: choose another name or --to") from error
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        for file, (old, new) in replaced.items():
            text = (TEMPLATE / file).read_text("utf-8").replace(old, new)
            (folder / file).write_text(text, "utf-8")
    except BaseException as error:  # half of it would be in the way of the same command
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise cannot_write(folder, error) from error
        raise
    return folder
