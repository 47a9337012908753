"""Where lineages run: in processes of this machine, or as tasks of a Ray cluster.

A backend takes jobs and what to do with one, and gives outcomes as they come, in any order. All
of them keep what is finished: a job that is begun again continues from its lineage's records.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from benchmark.basics.errors import InputError, WorkerLost
from benchmark.runs.jobs import Job, Outcome, Work

NAMES = ("local", "ray")
RETRIES = 3  # of a Ray task whose worker or node dies


def local(jobs: Sequence[Job], work: Work, workers: int) -> Iterator[Outcome]:
    """Single-threaded processes, `workers` at a time. With one, this process does the work.

    A worker that is killed takes the pool with it: the jobs that are left come back as errors.
    """
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    # Two threads fighting for a core are far slower than one.
    with parallel_config("loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=min(workers, len(jobs)), return_as="generator_unordered")
    left = dict.fromkeys(jobs)
    # joblib replaces a worker that grew by 300 MB, as the first text after images makes it.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    try:
        for outcome in pool(delayed(_attended)(work, job, os.getpid()) for job in jobs):
            del left[outcome.job]
            yield outcome
    except TerminatedWorkerError:
        lost = WorkerLost(
            "a worker process was killed, most likely for want of memory: run the same command "
            "again with fewer --workers (finished generations are kept)"
        )
        yield from (Outcome(job, None, lost) for job in left)


def _attended(work: Work, job: Job, parent: int) -> Outcome:
    """`work(job)` in a process that ends with `parent`, the one that started the run: a killed
    run would otherwise leave workers that go on unseen."""
    if os.getpid() != parent:
        _end_with(parent)
    return work(job)


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
        InputError: Ray is not installed, or there is no cluster at `address`.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError("the backend ray needs Ray: pip install 'autophagy-bench[ray]'") from error

    mine = not ray.is_initialized()
    if mine:
        _connect(ray, address)
    try:
        task = ray.remote(num_cpus=processors, num_gpus=gpus, max_retries=RETRIES)(work)
        left = {task.remote(job): job for job in jobs}
        while left:
            (ready,), _ = ray.wait(list(left))
            job = left.pop(ready)
            try:
                yield replace(ray.get(ready), job=job)
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
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


def _lost(job: Job, error: Exception) -> WorkerLost:
    kind = type(error).__name__
    return WorkerLost(
        f"{job.method.name} on {job.task.name}, seed {job.seed}: its worker died {RETRIES + 1} "
        f"times ({kind}); finished generations are kept, the same command goes on"
    )
