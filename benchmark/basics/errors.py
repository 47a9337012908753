"""Everything that can go wrong in a way a user can mend: one sentence, no traceback."""

from __future__ import annotations

import os
from pathlib import Path


class AutophagyError(Exception):
    """Base class; the command line prints its sentence and exits with `status`."""

    status = 1


class Interrupted(AutophagyError):
    """The user pressed Ctrl-C; finished generations are kept."""

    status = 130


class InputError(AutophagyError):
    """A name, option, file or folder given by the user cannot be used."""


class DoesNotLoad(InputError):
    """A method's file does not import, or defines no class that can be used."""


class WorkerLost(AutophagyError):
    """A process that ran a lineage was killed, or its GPU was full or failed; finished generations
    are kept."""


class CorruptFile(AutophagyError):
    """A file written earlier (result, checkpoint, asset) no longer holds what was written."""


class MethodError(AutophagyError):
    """A mitigation broke the contract of the interface; recorded as the lineage's failure."""


class AccessError(MethodError):
    """A mitigation touched information that its `access` does not declare."""


class BudgetError(MethodError):
    """A mitigation asked for more auxiliary work than the task allows per generation."""


class Inapplicable(AutophagyError):
    """A mitigation has nothing to do in the task's modality: neither a failure nor a score. It is
    the harness that says so; a hook that raises it has failed."""


class Breach(MethodError):
    """What a hook did or returned, as the end of a sentence that begins with the hook's name."""


class Diverged(AutophagyError):
    """Training or sampling produced NaN or infinity: a result, scored as a failure."""


class Unprinted(Exception):
    """Standard output does not take what is printed; the cause is the system's error."""


def cannot_use_file(error: OSError) -> InputError | None:
    """What is said of a file or folder that the system does not let this process use; None where
    the error is of no file: a defect."""
    if not isinstance(error.filename, str | bytes | os.PathLike):
        return None
    return InputError(
        f"cannot use {os.fsdecode(error.filename)}: {error.strerror}; see that it is there and "
        f"that you may read and write it, or give another"
    )


def cannot_write(
    path: Path,
    error: Exception,
    what: str = "",
    remedy: str = "choose another folder or make room",
) -> InputError:
    """What is said of a file or folder that cannot be written.

    Args:
        error: the system's, or what a library says of an ending it does not know.
        what: the file is, such as "the figure".
        remedy: what to do about it.
    """
    named = f"{what} {path}".lstrip()
    return InputError(
        f"cannot write {named}: {getattr(error, 'strerror', None) or error}; {remedy}"
    )
