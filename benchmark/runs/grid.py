"""Runs methods on a suite: a grid of independent lineages, one single-threaded process each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from benchmark.basics import machine
from benchmark.basics.errors import (
    AutophagyError,
    DoesNotLoad,
    InputError,
    Interrupted,
    MethodError,
)
from benchmark.basics.files import alone_in, write_bytes
from benchmark.basics.spelling import ask_nearest
from benchmark.hub.copies import check_reachable
from benchmark.hub.repos import list_repos
from benchmark.interface.find import Method, find_method
from benchmark.interface.mitigation import Mitigation
from benchmark.interface.names import REFERENCES
from benchmark.results.references import find_frozen
from benchmark.results.schema import MOST_SEED, Origin, Result
from benchmark.runs import backends, worker
from benchmark.runs.collect import collect_result, store_result
from benchmark.runs.jobs import Job, Outcome, Work, all_finished, plan
from benchmark.runs.sandbox import isolate_method
from benchmark.tasks.suites import Suite, load_suite
from benchmark.tasks.task import check_data

DEVICES = ("cpu", "cuda")
ON_A_GPU = 4  # lineages at a time on one GPU, if its memory allows
RESERVED = 14_000_000_000  # bytes of it that a process needs at most: 13.3 GB, and CUDA's own
LINEAGE = 1_200_000_000  # bytes that a process needs at most: 1.05 GB measured, suite small
SANDBOX = 500_000_000  # and its sandbox: 0.17 GB with a method loaded, besides what hooks compute

Backend = Callable[[Sequence[Job], Work], Iterable[Outcome]]


def run(
    method: str | Path | type[Mitigation] | Sequence[str | Path | type[Mitigation]],
    suite: str = "quick",
    tasks: str | None = None,
    seeds: Iterable[int] | None = None,
    workers: int | None = None,
    out: str | Path = "runs",
    own_references: bool = False,
    backend: str = "local",
    address: str | None = None,
    device: str = "cpu",
    gpus_per_lineage: float | None = None,
    ranks: int = 1,
    isolated: bool = False,
    shard: tuple[int, int] | None = None,
    watch: Callable[[list[Job]], AbstractContextManager[object]] = lambda jobs: nullcontext(),
) -> dict[str, Result]:
    """Run one or several mitigations and the references they are scored against.

    Finished generations found under `out` are not computed again, so an interrupted run goes on
    where it stopped and a finished one does no work.

    Args:
        method: a baseline's name, a file (`my_method.py` or `my_method.py:Class`), a class, or a
            list of these.
        suite: its name, such as "quick" or "small".
        tasks: a glob over task names; all without it.
        seeds: seeds to run; the suite's own without it.
        workers: processes at a time; without it one a core that this process may use, fewer where
            memory is short; on a GPU 4, or as many as 14 GB fit into its memory. A Ray cluster
            decides itself.
        out: folder for results (`OUT/SUITE/METHOD.json`), lineages and the shared cache. On a
            cluster a path that every node sees.
        own_references: run `nothing` and `clean` here instead of using the ones that come with
            the benchmark. They are run, too, if the latter do not cover the tasks and seeds, and
            those found finished under `out` are used.
        backend: "local", processes of this machine, or "ray", tasks of a Ray cluster.
        address: of the Ray cluster; without it one is started on this machine.
        device: where generators compute, "cpu" or "cuda". A GPU's numbers differ in their last
            digits, so everything of it lies apart, in `OUT/cuda`, with its own references.
        gpus_per_lineage: share of a GPU that Ray sets aside for a lineage; without it 1/4 on cuda.
        ranks: processes, on cuda each with a GPU of its own, that train one lineage together: for
            suite large. The numbers are the same up to rounding.
        isolated: hooks run in a sandbox that sees neither real data nor files; for files and
            baselines by name, on Linux with bubblewrap. The numbers are the same.
        shard: (i, k): only the i-th of k parts of the grid (from 1) is computed here, the others
            elsewhere under the same `out`; a method whose lineages are not all there yet has no
            result.
        watch: makes, from the list of jobs, the context in which they run (progress display).

    Returns:
        Results by method name, `nothing` and `clean` among them. A lineage in which the method
        failed is in its result with status "failed" and the message.

    Raises:
        InputError: an unknown method, suite, task or seed, two methods of one name, a folder that
            cannot be written, or data that are neither on this machine nor to be had from the Hub.
        DoesNotLoad: a method's file does not import. Those of the others are computed first.
        CorruptFile: a file of an earlier run is damaged. What is finished is kept.
        WorkerLost: a process that ran a lineage was killed, or its GPU was full or failed. What
            is finished is kept.
        MethodError: a method failed in a lineage of this part, and others have still to be computed
            before it has a result that says so.
        Interrupted: Ctrl-C. What is finished is kept.
    """
    check_shard(shard)
    execution = _backend(backend, workers, address, device, gpus_per_lineage, ranks, isolated)
    chosen = load_suite(suite)
    picked = chosen.choose(tasks)
    wanted = check_seeds(chosen, seeds)
    if ranks > 1 and not all(getattr(task.generator, "shared", False) for task in picked):
        raise InputError(f"suite {suite!r} trains a lineage in one process: --ranks is for large")
    given = [method] if isinstance(method, str | Path | type) else list(method)
    methods, unloaded = _load(given, isolated)
    folder = Path(out).absolute() if backend == "ray" else Path(out)
    folder = folder if device == "cpu" else folder / device
    absent = [find_method(name) for name in REFERENCES if name not in methods]
    hashes = {task.name: task.hash for task in picked}
    kept = find_frozen(suite, hashes, wanted) if device == "cpu" else {}
    if own_references or not kept or all_finished(plan(absent, suite, picked, wanted, folder)):
        methods |= {m.name: m for m in absent}
    check_reachable(list_repos(picked), suite)
    check_data(picked)
    jobs = plan(methods.values(), suite, picked, wanted, folder, device, ranks)
    with alone_in(folder / suite):  # fails now rather than after the first hour
        write_bytes(folder / suite / ".writable", b"")
        (folder / suite / ".writable").unlink(missing_ok=True)

    mine, others = split_jobs(jobs, shard)
    try:
        with watch(mine):
            outcomes = execute(mine, execution)
    except KeyboardInterrupt as stop:
        raise Interrupted("interrupted; the same command goes on where it stopped") from stop

    outcomes += map(worker.read, others)
    lineages = {o.job: o for o in outcomes if o.lineage is not None}
    used: dict[str, Origin] = {name: "own" if name in methods else "frozen" for name in REFERENCES}
    results: dict[str, Result] = {}
    for m in methods.values():
        done = [lineages[job] for job in jobs if job.method.name == m.name and job in lineages]
        if len(done) == len(picked) * len(wanted):
            results[m.name] = collect_result(m, suite, done, used, device)
    results |= {name: kept[name] for name, origin in used.items() if origin == "frozen"}
    with alone_in(folder / suite):
        results = {
            name: store_result(folder / suite / f"{name}.json", result)
            for name, result in results.items()
        }
    errors = [*unloaded, *(o.error for o in outcomes if o.error is not None)]
    # A failure is in its method's result; where other parts have still to compute that, it is said.
    for m in (m for m in methods.values() if m.name not in results):
        done = [lineages[job] for job in mine if job.method.name == m.name and job in lineages]
        if done:
            errors += map(MethodError, collect_result(m, suite, done, used, device).failures)
    if errors:
        # All that could be computed is; the first error's kind decides the exit status.
        raise type(errors[0])("\n".join(dict.fromkeys(map(str, errors))))
    return results


def _load(
    given: Sequence[str | Path | type[Mitigation]], isolated: bool
) -> tuple[dict[str, Method], list[AutophagyError]]:
    """The methods by name, and what is wrong with the files that cannot be loaded.

    Raises:
        InputError: there is no such method, two are called alike, or none can be loaded.
    """
    methods: dict[str, Method] = {}
    called: dict[str, str | Path | type[Mitigation]] = {}  # name -> as it was given
    unloaded: list[AutophagyError] = []
    for each in given:
        try:
            method = find_method(each, isolate_method if isolated else None)
        except (DoesNotLoad, MethodError) as error:  # one that broke a bound of the sandbox, too
            unloaded.append(error)
            continue
        name, other = method.name, methods.setdefault(method.name, method)
        first = called.setdefault(name, each)
        if (other.source, other.given) != (method.source, method.given):
            raise InputError(f"{first} and {each} are both called {name!r}: rename one")
    if unloaded and not methods:
        raise type(unloaded[0])("\n".join(map(str, unloaded)))
    return methods, unloaded


def check_seeds(suite: Suite, seeds: Iterable[int] | None) -> tuple[int, ...]:
    """The seeds to run, each once and in order.

    Raises:
        InputError: none, a negative or a huge one.
    """
    wanted = suite.seeds if seeds is None else tuple(sorted(set(seeds)))
    if not wanted or min(wanted) < 0 or max(wanted) > MOST_SEED:
        raise InputError(
            f"seeds must be numbers from 0 to 2^63 - 1, such as 0,1,2; got {list(wanted)}"
        )
    return wanted


def check_shard(shard: tuple[int, int] | None) -> None:
    """Raises InputError if there is no such part."""
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise InputError(
            f"a shard is one of its parts, such as 1/4 to 4/4; got {shard[0]}/{shard[1]}"
        )


def split_jobs(jobs: Sequence[Job], shard: tuple[int, int] | None) -> tuple[list[Job], list[Job]]:
    """Those of a part, every k-th one, and those of the other parts."""
    part, count = shard or (1, 1)
    others = [job for k, job in enumerate(jobs) if k % count != part - 1]
    return list(jobs[part - 1 :: count]), others


def _backend(
    name: str,
    workers: int | None,
    address: str | None,
    device: str,
    gpus: float | None,
    ranks: int,
    isolated: bool,
) -> Backend:
    if device not in DEVICES:
        near = ask_nearest(device, DEVICES)
        raise InputError(f"there is no device {device!r}{near}: choose one of {', '.join(DEVICES)}")
    if name == "ray":
        share = ranks if ranks > 1 else 1 / ON_A_GPU
        share = gpus if gpus is not None else share * (device == "cuda")
        return partial(backends.on_ray, address=address, gpus=share, processors=ranks)
    if name != "local":
        near, known = ask_nearest(name, backends.NAMES), ", ".join(backends.NAMES)
        raise InputError(f"there is no backend {name!r}{near}: choose one of {known}")
    if address is not None or gpus is not None:
        raise InputError("--address and --gpus-per-lineage are for --backend ray")
    if device != "cpu":
        from benchmark.basics.device import check, count_gpus

        check(device)
        if ranks > count_gpus():
            raise InputError(
                f"--ranks {ranks} needs {ranks} GPUs, one for each process: {count_gpus()} can be "
                f"used here"
            )
    if workers is not None and workers < 1:
        raise InputError(f"--workers must be at least 1, got {workers}")
    return partial(backends.local, workers=workers or _count_workers(device, ranks, isolated))


def _count_workers(device: str, ranks: int, isolated: bool) -> int:
    """Processes at a time where the user does not say."""
    if ranks > 1:
        return 1
    if device == "cpu":
        return machine.workers(LINEAGE + SANDBOX * isolated)
    from benchmark.basics.device import memory

    return max(1, min(ON_A_GPU, memory() // RESERVED))


def execute(jobs: Sequence[Job], backend: Backend, work: Work = worker.work) -> list[Outcome]:
    """The outcomes of all jobs, in their order; `backend` does the `work` that is not finished."""
    outcomes = [worker.read(job) for job in jobs]
    left = [o.job for o in outcomes if o.lineage is None and o.error is None]
    if left:
        outcomes += backend(left, work)
    settled = {o.job: o for o in outcomes if o.lineage is not None or o.error is not None}
    return [settled[job] for job in jobs]
