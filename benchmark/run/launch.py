"""Starts the processes that train one lineage together."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import torch.multiprocessing as mp
from torch import distributed as dist

from benchmark.basics.errors import AutophagyError, InputError, WorkerLost
from benchmark.run.jobs import Job, Outcome, Work

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue


def launch(work: Work, job: Job) -> Outcome:
    """`work(job)` in `job.ranks` processes, each with the next GPU; rank 0's error, if it has one.

    When one of them dies, the others are ended.
    """
    try:
        from accelerate.utils.other import get_free_port
    except ImportError as error:
        raise InputError(
            "--ranks above 1 needs accelerate: pip install 'autophagy-bench[large]'"
        ) from error
    from benchmark.run import worker

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
            f"{job.method.name} on {job.task.name}, seed {job.seed}: one of its {job.ranks} "
            f"processes died ({first}); finished generations are kept, the same command goes on"
        ))  # fmt: skip
    return worker.read(job)


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
