"""Where a lineage keeps its generations: a folder, or memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.basics.files import (
    cannot_use,
    read_record,
    read_tensors,
    write_record,
    write_tensors,
)
from benchmark.interface.items import Items
from benchmark.lineage.marks import Written


class LineageStore(Protocol):
    """Where one lineage keeps its generations."""

    def record(self, t: int) -> dict[str, Any] | None:
        """The record of generation `t`, or None if it is not finished."""
        ...

    def samples(self, t: int) -> Items:
        """What generation `t` published."""
        ...

    def model(self, t: int) -> dict[str, Tensor]:
        """The weights of generation `t`'s model."""
        ...

    def save(
        self, t: int, record: dict[str, Any], written: Written, state: dict[str, Tensor]
    ) -> None:
        """Keep a finished generation; afterwards `record(t)` is not None."""
        ...

    def end(self, t: int, record: dict[str, Any]) -> None:
        """Keep the record of the generation at which the lineage failed."""
        ...


def finished_records(store: LineageStore, generations: int) -> list[dict[str, Any]] | None:
    """All records of a lineage that needs no more work, or None."""
    records = []
    for t in range(generations + 1):
        record = store.record(t)
        if record is None:
            return None
        records.append(record)
        if record["status"] != "ok":
            break
    return records


def name_record(folder: Path, t: int) -> Path:
    """The file of generation `t`'s record in a lineage's folder."""
    return folder / f"gen-{t:02d}.json"


class LineageFolder:
    """A lineage on disk: `gen-TT.json`, `samples-TT.safetensors` (what was published),
    `scored-TT.safetensors` where that carries a mark, and `model-TT.safetensors`, without which
    nobody can recompute the profile.

    The record is written last: a generation without one is not finished.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def record(self, t: int) -> dict[str, Any] | None:
        path = name_record(self.folder, t)
        if not path.exists():
            return None
        record = read_record(path, self.folder)
        if not isinstance(record.get("status"), str):
            raise cannot_use(path, "it is no record of a generation", self.folder)
        return record

    def samples(self, t: int) -> Items:
        return Items(**self._tensors(f"samples-{t:02d}"))

    def kept_samples(self, t: int) -> bool:
        """Whether the samples of generation `t` are still there: pruning takes them."""
        return (self.folder / f"samples-{t:02d}.safetensors").exists()

    def scored(self, t: int) -> Items:
        """What the profile of generation `t` is of: its samples without a mark."""
        marked = (self.folder / f"scored-{t:02d}.safetensors").exists()
        return Items(**self._tensors(f"scored-{t:02d}")) if marked else self.samples(t)

    def model(self, t: int) -> dict[str, Tensor]:
        return self._tensors(f"model-{t:02d}")

    def _tensors(self, name: str) -> dict[str, Tensor]:
        return read_tensors(self.folder / f"{name}.safetensors", self.folder)

    def save(
        self, t: int, record: dict[str, Any], written: Written, state: dict[str, Tensor]
    ) -> None:
        self._check(t)
        write_tensors(self.folder / f"samples-{t:02d}.safetensors", written.published.columns)
        if written.scored is not written.published:
            write_tensors(self.folder / f"scored-{t:02d}.safetensors", written.scored.columns)
        write_tensors(self.folder / f"model-{t:02d}.safetensors", state)
        self.end(t, record)

    def end(self, t: int, record: dict[str, Any]) -> None:
        self._check(t)
        write_record(name_record(self.folder, t), record)

    def _check(self, t: int) -> None:
        """Raises InputError if the folder was emptied meanwhile: the rest alone is no lineage."""
        if t > 0 and not name_record(self.folder, t - 1).exists():
            raise InputError(
                f"{self.folder} was deleted during the run: run the same command again"
            )


class LineageMemory:
    """A lineage in memory, every generation's model kept: for analytic tasks and notebooks."""

    def __init__(self) -> None:
        self.records: dict[int, dict[str, Any]] = {}
        self.published: dict[int, Items] = {}
        self.models: dict[int, dict[str, Tensor]] = {}

    def record(self, t: int) -> dict[str, Any] | None:
        return self.records.get(t)

    def samples(self, t: int) -> Items:
        return self.published[t]

    def model(self, t: int) -> dict[str, Tensor]:
        return self.models[t]

    def save(
        self, t: int, record: dict[str, Any], written: Written, state: dict[str, Tensor]
    ) -> None:
        self.published[t], self.models[t] = written.published, state
        self.end(t, record)

    def end(self, t: int, record: dict[str, Any]) -> None:
        self.records[t] = record
