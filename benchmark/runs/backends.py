"""Where lineages run: in processes of this machine, or as tasks of a Ray cluster.

A backend takes jobs and what to do with one, and gives outcomes as they come, in any order. All
of them keep what is finished: a job that is begun again continues from its lineage's records.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.basics.errors import InputError, WorkerLost
from benchmark.runs.jobs import Job, Outcome, Work
from benchmark.runs.worker import end

NAMES = ("local", "ray")
AT_WORK = ".at-work"  # in a lineage's folder, while the process of the command computes it
RETRIES = 3  # of a Ray task whose worker or node dies
# What Ray raises then, after the last of them: of a worker, and of a node that is gone itself.
DEATHS = ("WorkerCrashedError", "OutOfMemoryError", "NodeDiedError", "LocalRayletDiedError")
# Deaths of a process that nobody causes from outside, as joblib names them.
ENDED = r"EXIT\(\d+\)|SIG(?:SEGV|ABRT|BUS|FPE|ILL|TRAP|SYS)\(-\d+\)"


def local(jobs: Sequence[Job], work: Work, workers: int) -> Iterator[Outcome]:
    """Single-threaded processes, `workers` at a time. With one, or where no process can be started,
    this one does the work.

    A process that dies costs no more than its own job. Those that were at work at that moment are
    begun again when the others are done, each alone. If it dies then, too, by an exit or a crash,
    that is the lineage's failure; killed, as for want of memory, it comes back as an error. If it
    was this process, the same command finds at what it died, and does that in another one.
    """
    from joblib import parallel
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    alone = parallel.mp is None or multiprocessing.current_process().daemon
    if alone or min(workers, len(jobs)) == 1:
        yield from _in_this_process(work, jobs, alone)
        return
    left, again = dict.fromkeys(jobs), list[Job]()
    while left:
        with tempfile.TemporaryDirectory(prefix="autophagy-at-work-") as folder:
            marks = {job: Path(folder, str(number)) for number, job in enumerate(left)}
            try:
                for outcome in _in_processes(work, marks, workers):
                    del left[outcome.job]
                    yield outcome
            except TerminatedWorkerError:
                lost = [job for job in left if marks[job].exists()] or list(left)
                again += lost
                left = dict.fromkeys(job for job in left if job not in lost)
    for job in again:
        yield from _in_another(work, job)


def _in_this_process(work: Work, jobs: Sequence[Job], alone: bool) -> Iterator[Outcome]:
    """Outcomes, one after the other, each job marked while it is worked at; `alone`: there can be
    no other process, not even for what an earlier one died at."""
    for job in jobs:
        mark = job.folder / AT_WORK
        if _is_of_the_dead(mark) and not alone:
            yield from _in_another(work, job)
            mark.unlink(missing_ok=True)
            continue
        with suppress(OSError):  # the work itself says what is wrong with its folder
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(str(os.getpid()), "utf-8")
        try:
            outcome = work(job)
        finally:
            with suppress(OSError):
                mark.unlink(missing_ok=True)
        yield outcome


def _is_of_the_dead(mark: Path) -> bool:
    """Whether the process that is named there died at its work."""
    try:
        number = int(mark.read_text("utf-8"))
        os.kill(number, 0)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        return not isinstance(error, PermissionError)  # of another user, and alive
    return number == os.getpid()  # as in a container, where every first process is called so


def _in_another(work: Work, job: Job) -> Iterator[Outcome]:
    """The outcome of a job, done in a process of its own, or what is said of it if that dies."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with tempfile.TemporaryDirectory(prefix="autophagy-at-work-") as folder:
        try:
            yield from _in_processes(work, {job: Path(folder, "0")}, 1)
        except TerminatedWorkerError as error:
            yield _ended(job, str(error))


def _in_processes(work: Work, marks: dict[Job, Path], workers: int) -> Iterator[Outcome]:
    """Outcomes of all jobs of `marks`, which says where a process marks that it is at work on one.

    Raises:
        TerminatedWorkerError: one died, and the pool with it.
    """
    from joblib import Parallel, delayed, parallel_config

    # Two threads fighting for a core are far slower than one.
    with parallel_config("loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=max(2, min(workers, len(marks))), return_as="generator_unordered")
    # joblib replaces a worker that grew by 300 MB, as the first text after images makes it.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    todo = (delayed(_attended)(work, job, os.getpid(), mark) for job, mark in marks.items())
    yield from pool(todo)


def _ended(job: Job, died: str) -> Outcome:
    """What is said of a process that died twice, the second time with no other at work: `died`."""
    how = re.search(ENDED, died)
    if how is not None:
        return end(
            job, f"{job.method.name} at generation {job.finished()} ended its process: {how[0]}"
        )
    return Outcome(job, None, WorkerLost(
        f"{job.title}: its worker process was killed "
        f"twice, most likely for want of memory: run the same command again with fewer --workers "
        f"(finished generations are kept)"
    ))  # fmt: skip


def _attended(work: Work, job: Job, parent: int, mark: Path) -> Outcome:
    """`work(job)`, marked as begun, in a process that ends with `parent`, the one that started the
    run: a killed run would otherwise leave workers that go on unseen."""
    _end_with(parent)
    mark.touch()
    try:
        return work(job)
    finally:
        mark.unlink(missing_ok=True)


@cache  # once a process
def _end_with(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def on_ray(
    jobs: Sequence[Job],
    work: Work,
    address: str | None = None,
    gpus: float = 0.0,
    processors: int = 1,
) -> Iterator[Outcome]:
    """Ray tasks of so many processors and GPUs each, on the cluster at `address`.

    Without an address, the cluster this process is connected to or one on this machine. The task
    of a worker or node that dies is begun again, `RETRIES` times.

    Raises:
        InputError: Ray is not installed, there is no cluster at `address`, or the one that is
            started here has not what a task needs.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError("the backend ray needs Ray: pip install 'autophagy-bench[ray]'") from error

    mine = not ray.is_initialized()
    if mine:
        _connect(ray, address)
    try:
        if mine and address is None:
            _check_resources(ray, {"CPU": processors, "GPU": gpus})
        task = ray.remote(num_cpus=processors, num_gpus=gpus, max_retries=RETRIES)(work)
        left = {task.remote(job): job for job in jobs}
        while left:
            (ready,), _ = ray.wait(list(left))
            job = left.pop(ready)
            try:
                yield replace(ray.get(ready), job=job)
            except tuple(getattr(ray.exceptions, name) for name in DEATHS) as error:
                yield Outcome(job, None, _lost(job, error))
    finally:
        if mine:
            ray.shutdown()


def _connect(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            ray.init(address="local", include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        said = str(error).strip().splitlines()[0]
        raise InputError(f"cannot use Ray at {address or 'this machine'}: {said}") from error


def _check_resources(ray: Any, needed: dict[str, float]) -> None:
    """Raises InputError unless a node has all that a task needs: Ray would wait for one for ever.
    Clusters elsewhere may yet grow."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(all(node.get(name, 0) >= count for name, count in needed.items()) for node in nodes):
        return
    most = {name: max((node.get(name, 0) for node in nodes), default=0) for name in needed}
    raise InputError(
        f"a task needs {needed['CPU']:g} processors and {needed['GPU']:g} GPUs, this machine has "
        f"{most['CPU']:g} and {most['GPU']:g}: ask for less by --ranks and --gpus-per-lineage, or "
        f"give a cluster by --address"
    )


def _lost(job: Job, error: Exception) -> WorkerLost:
    kind = type(error).__name__
    return WorkerLost(
        f"{job.title}: its worker died {RETRIES + 1} "
        f"times ({kind}); finished generations are kept, the same command goes on"
    )
