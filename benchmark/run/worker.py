"""One job's work, in whichever process a backend runs it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from benchmark.basics.errors import AutophagyError, InputError, MethodError
from benchmark.basics.files import alone_in
from benchmark.lineage.cache import Cache, FolderCache
from benchmark.lineage.shared import SharedCache, SharedStore
from benchmark.lineage.store import LineageFolder, LineageStore, finished_records
from benchmark.results.schema import GenerationResult, LineageResult
from benchmark.run.jobs import Job, Outcome


def read(job: Job) -> Outcome:
    """The outcome of a job that an earlier run finished; neither lineage nor error otherwise."""
    return _outcome(job, lambda: finished_records(LineageFolder(job.folder), job.task.generations))


def work(job: Job) -> Outcome:
    """Run or continue one lineage in this process, with one thread, or in `job.ranks` processes.

    Of two processes that are given the same lineage, one waits for the other and reads.
    """
    if job.ranks > 1:
        from benchmark.run.launch import launch

        return launch(together, job)
    return _outcome(job, lambda: _run(job, LineageFolder(job.folder), FolderCache(job.cache)))


def together(job: Job) -> Outcome:
    """The part of one of several ranks in `work`."""

    def run() -> list[dict[str, Any]]:
        store = SharedStore(LineageFolder(job.folder))
        return _run(job, store, SharedCache(FolderCache(job.cache)))

    return _outcome(job, run)


def _outcome(job: Job, records_of: Callable[[], list[dict[str, Any]] | None]) -> Outcome:
    """Errors of the harness come back as sentences: one damaged file does not stop the others."""
    try:
        records = records_of()
        if records is None:
            return Outcome(job, None)
        generations = [GenerationResult.model_validate(record) for record in records]
        return Outcome(job, LineageResult(seed=job.seed, generations=generations))
    except AutophagyError as error:
        return Outcome(job, None, error)


def _run(job: Job, store: LineageStore, cache: Cache) -> list[dict[str, Any]]:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import transformers
    from diffusers.utils import logging as diffusers_logging

    from benchmark.basics.device import computing_on
    from benchmark.basics.processor import release, settle
    from benchmark.basics.ranks import rank
    from benchmark.lineage.loop import run_lineage

    settle()
    if job.device == "cuda":  # compiled code is kept with the run, for all its processes
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(job.cache.absolute() / "compiled"))
    transformers.logging.set_verbosity_error()
    diffusers_logging.set_verbosity_error()
    if not job.cache.parent.is_dir():
        raise InputError(
            f"{job.cache.parent} is not there: --out must stay during a run, and on a cluster be "
            f"a folder that every node sees"
        )
    alone = nullcontext() if rank() > 0 else alone_in(job.folder)
    with computing_on(job.device), alone, job.method.opened() as method:
        try:
            return run_lineage(job.task, method, job.seed, store, cache)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if not job.method.isolated:
                raise
            # Whatever it handed over must not end the whole run.
            first_line = next(iter(str(error).splitlines()), "")
            raise MethodError(
                f"{job.method.name} on {job.task.name}, seed {job.seed}: what it returned cannot "
                f"be used ({type(error).__name__}: {first_line})"
            ) from error
        finally:
            release()  # before the next lineage, whose tensors are of other sizes
