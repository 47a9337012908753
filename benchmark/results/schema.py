"""The result of one method on one suite: schema, reading and writing. Needs no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.interface.names import NAME

SCHEMA_VERSION = 1


LARGEST = 32_000_000  # bytes of a stored result


Name = Annotated[str, Field(pattern=f"^{NAME}$")]


Status = Literal["ok", "failed", "diverged"]


Origin = Literal["own", "frozen"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class GenerationResult(_Strict):
    """One generation. `profile` holds null where a metric was not finite.

    `trained_on` and `kept` say by true source what a method made of its crawl: see
    `benchmark.lineage.provenance.Composition`. `training` is what the model's training took, where
    the generator measures it and it was not read from the cache: see
    `benchmark.tasks.training.meter`.
    `machine` is the one that computed it: see `benchmark.basics.processor.describe`.
    """

    generation: int
    status: Status
    message: str = ""
    profile: dict[str, float | None] = Field(default_factory=dict)
    ledger: dict[str, int] = Field(default_factory=dict)
    training_set: int = 0
    trained_on: dict[str, float] = Field(default_factory=dict)
    kept: dict[str, float] = Field(default_factory=dict)
    seconds: dict[str, float] = Field(default_factory=dict)
    training: dict[str, float] = Field(default_factory=dict)
    machine: str = ""

    @model_serializer(mode="wrap")
    def _stored(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `training` and `machine` where there is none, as results were stored before they
        existed."""
        fields = handler(self)
        return {k: v for k, v in fields.items() if v or k not in ("training", "machine")}


class LineageResult(_Strict):
    """The generations of one seed; `status` is that of the last one."""

    seed: int
    generations: list[GenerationResult]

    @property
    def status(self) -> Status:
        return self.generations[-1].status

    @property
    def message(self) -> str:
        return self.generations[-1].message

    def curve(self, metric: str) -> list[float]:
        """Values of `metric` over the generations that have it."""
        values = (g.profile.get(metric) for g in self.generations if g.status == "ok")
        return [value for value in values if value is not None]


class TaskResult(_Strict):
    """All lineages of one task; `hash` is that of the resolved task."""

    hash: str
    modality: str
    primary: str
    generations: int
    lineages: list[LineageResult]


class MethodResult(_Strict):
    """What ran: `source` is the SHA-256 of the method's file."""

    name: Name
    summary: str
    access: list[str]
    source: str


class Result(_Strict):
    """One method on one suite, as stored in RUNS/SUITE/METHOD.json.

    `references` says of `nothing` and `clean` which were used: those that come with the
    benchmark ("frozen") or this machine's ("own"). `hardware` names the machines that computed
    the generations. `isolated`: the method ran in a sandbox.
    """

    schema_version: int = SCHEMA_VERSION
    benchmark_version: str
    suite: Name
    method: MethodResult
    tasks: dict[Name, TaskResult]
    versions: dict[str, str]
    hardware: str
    created: str
    references: dict[str, Origin] = Field(default_factory=dict)
    isolated: bool = False

    @property
    def failures(self) -> list[str]:
        """One sentence for each lineage that did not reach its last generation."""
        return [
            f"{self.method.name} on {name}, seed {lineage.seed}: {lineage.message}"
            for name, task in self.tasks.items()
            for lineage in task.lineages
            if lineage.status != "ok"
        ]

    def to_json(self) -> bytes:
        """The stored form."""
        return (json.dumps(self.model_dump(), indent=1, sort_keys=True) + "\n").encode()


def load_result(path: Path) -> Result:
    """Read a stored result.

    Raises:
        InputError: there is no such file, it is too large, or its schema is of another version.
        CorruptFile: it is not a result.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} has more than {LARGEST:,} bytes: it is no result of a suite")
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"cannot read the result {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CorruptFile(f"{path} is not a result of autophagy run: run it again") from error
    try:
        document = json.loads(text)
        version = document["schema_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptFile(f"{path} is not a result of autophagy run: run it again") from error
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema version {version}, this version reads {SCHEMA_VERSION}: "
            f"run it again"
        )
    try:
        return Result.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CorruptFile(f"{path} is not a valid result: {where}: {first['msg']}") from error
