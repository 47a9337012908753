"""One job's work, in whichever process a backend runs it."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

import torch.multiprocessing as mp
from torch import distributed as dist

from benchmark.basics.cache import Cache, FolderCache
from benchmark.basics.errors import (
    AutophagyError,
    DoesNotLoad,
    InputError,
    MethodError,
    WorkerLost,
    cannot_use_file,
)
from benchmark.basics.files import alone_in
from benchmark.interface.find import Method
from benchmark.interface.mitigation import Mitigation
from benchmark.lineage.shared import SharedCache, SharedStore
from benchmark.lineage.store import LineageFolder, LineageStore, finished_records
from benchmark.results.schema import GenerationResult, LineageResult
from benchmark.runs.jobs import COMPILED, Job, Outcome, Work
from benchmark.runs.sandbox import find_clock, isolate_method

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue


def read(job: Job) -> Outcome:
    """The outcome of a job that an earlier run finished; neither lineage nor error otherwise."""
    return _outcome(job, lambda: finished_records(LineageFolder(job.folder), job.task.generations))


def work(job: Job) -> Outcome:
    """Run or continue one lineage in this process, with one thread, or in `job.ranks` processes.

    Of two processes that are given the same lineage, one waits for the other and reads.
    """
    if job.ranks > 1:
        return launch_ranks(together, job)
    return _outcome(job, lambda: _run(job, LineageFolder(job.folder), FolderCache(job.cache)))


def end(job: Job, message: str) -> Outcome:
    """The outcome of a job whose method ended its process: its lineage ends there."""
    from benchmark.lineage.loop import end_lineage

    return _outcome(job, lambda: end_lineage(LineageFolder(job.folder), message))


def together(job: Job) -> Outcome:
    """The part of one of several ranks in `work`."""

    def run() -> list[dict[str, Any]]:
        store = SharedStore(LineageFolder(job.folder))
        return _run(job, store, SharedCache(FolderCache(job.cache)))

    return _outcome(job, run)


def launch_ranks(work: Work, job: Job) -> Outcome:
    """`work(job)` in `job.ranks` processes, each with the next GPU; rank 0's error, if it has one.

    When one of them dies, the others are ended.
    """
    try:
        from accelerate.utils.other import get_free_port
    except ImportError as error:
        raise InputError(
            "--ranks above 1 needs accelerate: pip install 'autophagy-bench[large]'"
        ) from error
    # It would say which processes it ends; the sentence below is for that.
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    errors: SimpleQueue[AutophagyError] = mp.get_context("spawn").SimpleQueue()
    try:
        mp.start_processes(
            _rank, (work, job, get_free_port(), errors), nprocs=job.ranks, start_method="spawn"
        )
    except (mp.ProcessExitedException, mp.ProcessRaisedException) as died:
        if not errors.empty():
            return Outcome(job, None, errors.get())
        first = next(iter(str(died).strip().splitlines()[::-1]), "")
        return Outcome(job, None, WorkerLost(
            f"{job.title}: one of its {job.ranks} "
            f"processes died ({first}); finished generations are kept, the same command goes on"
        ))  # fmt: skip
    return read(job)


def _rank(rank: int, work: Work, job: Job, port: int, errors: SimpleQueue[AutophagyError]) -> None:
    from accelerate import PartialState

    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(job.ranks),
        "LOCAL_WORLD_SIZE": str(job.ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    PartialState(cpu=job.device == "cpu")
    outcome = work(job)
    if outcome.error is not None:
        if rank == 0:
            errors.put(outcome.error)
        os._exit(1)  # the others wait for this one
    dist.barrier()
    dist.destroy_process_group()


def _outcome(job: Job, records_of: Callable[[], list[dict[str, Any]] | None]) -> Outcome:
    """Errors of the harness come back as sentences: one damaged file does not stop the others."""
    try:
        records = records_of()
        if records is None:
            return Outcome(job, None)
        generations = [GenerationResult.of_record(record, job.folder) for record in records]
        return Outcome(job, LineageResult(seed=job.seed, generations=generations))
    except AutophagyError as error:
        return Outcome(job, None, error)
    except OSError as error:
        refused = cannot_use_file(error)
        if refused is None:
            raise
        return Outcome(job, None, refused)


def _run(job: Job, store: LineageStore, cache: Cache) -> list[dict[str, Any]]:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import transformers
    from diffusers.utils import logging as diffusers_logging

    from benchmark.basics.device import computing_on, is_trouble
    from benchmark.basics.processor import release, settle
    from benchmark.basics.ranks import rank
    from benchmark.lineage.loop import end_lineage, run_lineage
    from benchmark.tasks.training.graphs import forget_recordings

    settle()
    if job.device == "cuda":  # compiled code is kept with the run, for all its processes
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(job.cache.absolute() / COMPILED))
    transformers.logging.set_verbosity_error()
    diffusers_logging.set_verbosity_error()
    if not job.cache.parent.is_dir():
        raise InputError(
            f"{job.cache.parent} is not there: --out must stay during a run, and on a cluster be "
            f"a folder that every node sees"
        )
    alone = nullcontext() if rank() > 0 else alone_in(job.folder)
    with computing_on(job.device), alone, ExitStack() as opened:
        try:
            method = opened.enter_context(open_method(job.method))
        except (DoesNotLoad, MethodError) as error:  # it did load when the run began
            return end_lineage(store, str(error))
        try:
            return run_lineage(job.task, method, job.seed, store, cache, find_clock(method))
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if is_trouble(error):
                lost = _describe_trouble(job, error)
            elif not job.method.isolated:
                raise
            else:
                # Whatever it handed over must not end the whole run.
                raise MethodError(
                    f"{job.title}: what it returned "
                    f"cannot be used ({type(error).__name__}: {_first_line(error)})"
                ) from error
        finally:
            if job.device == "cuda":
                forget_recordings()
            release()  # before the next lineage, whose tensors are of other sizes
    raise WorkerLost(lost)  # not `from error`, which would keep what lies on the GPU


def _describe_trouble(job: Job, error: Exception) -> str:
    """What is said of a GPU that was full or failed; no fault of the method's, and no result."""
    from benchmark.basics.device import list_causes

    where = f"{job.method.name} on {job.task.name}, seed {job.seed}"
    # A recording that is broken off says so and no more.
    said = " ".join(map(str, [*list_causes(error), error.__context__]))
    if re.search("out of memory|ALLOC_FAILED", said, re.IGNORECASE):
        return (
            f"{where}: the GPU's memory was full; run the same command again with fewer --workers, "
            f"or with nothing else on the GPU (finished generations are kept)"
        )
    return (
        f"{where}: the GPU failed, and with it all that its process had left to do "
        f"({_first_line(error)}); run the same command again (finished generations are kept), and "
        f"if it fails there again, look for an index out of range in the method"
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def open_method(method: Method) -> AbstractContextManager[type[Mitigation]]:
    """The class itself, or one whose hooks run in a sandbox until the context ends.

    Raises:
        InputError: its file is another one than when it was found, or not there.
    """
    if not method.isolated:
        return nullcontext(method.load())
    assert method.file is not None
    content = method.read()
    return isolate_method(method.file, method.class_name, access=method.access, content=content)
