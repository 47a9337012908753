"""Live progress of a grid, read from the records that its processes write."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from benchmark.basics.errors import CorruptFile, Unprinted
from benchmark.basics.files import read_record
from benchmark.commands.terminal import Terminal
from benchmark.interface.names import REFERENCES
from benchmark.runs.jobs import Job

LOOK = 0.5  # seconds between two looks at the folders
SAY = 15.0  # seconds between two lines of a log that say what is being computed
SHOWN = 4  # lineages that are named at a time


class Watcher:
    """A context manager: while inside, a bar a method counts finished generations, and the
    lineages that are being computed are named.

    Progress is read from the lineages' folders, so it is the same for every backend. Without a
    terminal lines are printed instead: one at the start, one for every finished lineage, and now
    and then one that says what is being computed.

    A look must cost next to nothing: while this thread computes, that of the lineage waits. So
    lineages are known by their place (the hash of a job is that of its whole task), and of each
    only the next file is looked for.
    """

    def __init__(self, jobs: list[Job], console: Terminal) -> None:
        self.jobs, self.console = jobs, console
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._counts = [0] * len(jobs)
        self._left = set(range(len(jobs)))  # that did not end
        self._said = (time.monotonic(), "")

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
        self._look()
        # Nobody catches what a thread raises. The run goes on, and its own next word meets it.
        with suppress(Unprinted):
            if self.console.moving:
                self._draw()
            else:
                self._write()

    def _draw(self) -> None:
        bars = Progress(
            TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(),
            TimeElapsedColumn(), console=self.console, expand=True,
        )  # fmt: skip
        names = dict.fromkeys(job.method.name for job in self.jobs)
        ids = {name: bars.add_task(_label(name), total=self._total(name)) for name in names}
        with Live(console=self.console, auto_refresh=False) as live:  # else in another thread
            while True:
                stopping = self._stop.wait(LOOK)
                self._look()
                for name, task in ids.items():
                    bars.update(task, completed=self._total(name) - self._count_left(name))
                now = "" if stopping else "\n".join(f"  {line}" for line in self._now())
                live.update(Group(bars, Text(now)) if now else bars, refresh=True)
                if stopping:
                    return

    def _write(self) -> None:
        names = dict.fromkeys(job.method.name for job in self.jobs)
        left = sum(map(self._count_left, names))
        if left:
            total = sum(map(self._total, names))
            self.console.print(
                f"Computing {left} of {total} generations in {len(self.jobs)} lineages of "
                f"{', '.join(map(_label, names))}",
                soft_wrap=True,
            )
        while True:
            stopping = self._stop.wait(LOOK)
            for job in self._look():
                self.console.print(
                    f"{len(self.jobs) - len(self._left)}/{len(self.jobs)} lineages: {job.title}",
                    soft_wrap=True,
                )
            if stopping:
                return
            when, before = self._said
            if time.monotonic() - when >= SAY:
                now = "; ".join(self._now())
                if now != before:
                    self.console.print(f"Now: {now}", soft_wrap=True)
                self._said = (time.monotonic(), now)

    def _look(self) -> list[Job]:
        """The jobs that ended since the last look."""
        ended = []
        for place in sorted(self._left):
            job, before = self.jobs[place], self._counts[place]
            self._counts[place] = count = job.finished(before)
            if count > before and (count > job.task.generations or _failed(job, count)):
                self._left.remove(place)
                ended.append(job)
        return ended

    def _now(self) -> list[str]:
        """What is being computed, a line each."""
        left = [(self.jobs[place], self._counts[place]) for place in sorted(self._left)]
        begun = [(job, count) for job, count in left if job.folder.is_dir()]
        lines = [
            f"{_label(job.method.name)} on {job.task.name}, seed {job.seed}: generation "
            f"{count} of {job.task.generations}"
            for job, count in begun[:SHOWN]
        ]
        if len(begun) > SHOWN:
            lines.append(f"and {len(begun) - SHOWN} lineages more")
        return lines or ["starting processes"]

    def _total(self, name: str) -> int:
        return sum(job.task.generations + 1 for job in self.jobs if job.method.name == name)

    def _count_left(self, name: str) -> int:
        """Generations that are to be computed: none of a lineage that failed."""
        return sum(
            self.jobs[place].task.generations + 1 - self._counts[place]
            for place in self._left
            if self.jobs[place].method.name == name
        )


def _label(name: str) -> str:
    return f"{name} (reference)" if name in REFERENCES else name


def _failed(job: Job, count: int) -> bool:
    """Whether the newest of `count` generations is the last because it failed."""
    if count == 0:
        return False
    try:
        return bool(read_record(job.record_file(count - 1))["status"] != "ok")
    except CorruptFile:  # the run itself says so
        return False
