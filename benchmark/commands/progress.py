"""Live progress of a grid, read from the records that its processes write."""

from __future__ import annotations

import threading
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmark.runs.jobs import Job


class Watcher:
    """A context manager: while inside, a bar a method counts finished generations.

    Progress is read from the lineages' folders, so it is the same for every backend. Without a
    terminal, a line is printed for every finished lineage instead.
    """

    def __init__(self, jobs: list[Job], console: Console) -> None:
        self.jobs, self.console = jobs, console
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._done: set[Job] = set()

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("generations  {task.fields[now]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bars:
            ids = {}
            for job in self.jobs:
                name = job.method.name
                total = sum(j.task.generations + 1 for j in self.jobs if j.method.name == name)
                if name not in ids:
                    ids[name] = bars.add_task(name, total=total, now="")
            self._finish(announce=False)  # what an earlier run left needs no announcement
            while True:
                stopping = self._stop.wait(0.5)
                counts = self._finish(announce=not self.console.is_terminal)
                for name, task in ids.items():
                    mine = {j: c for j, c in counts.items() if j.method.name == name}
                    now = [
                        f"{j.task.name} seed {j.seed}: {c}"
                        for j, c in mine.items()
                        if c > 0 and j not in self._done
                    ]
                    bars.update(task, completed=sum(mine.values()), now="; ".join(now[:2]))
                if stopping:
                    return

    def _finish(self, announce: bool) -> dict[Job, int]:
        counts = {job: job.finished() for job in self.jobs}
        for job, count in counts.items():
            if count == job.task.generations + 1 and job not in self._done:
                self._done.add(job)
                if announce:
                    self.console.print(
                        f"{len(self._done)}/{len(self.jobs)} lineages: "
                        f"{job.method.name} on {job.task.name}, seed {job.seed}"
                    )
        return counts
