"""The result of one method on one suite: schema, reading and writing. Needs no torch.

A result may come from a stranger: every number in it is finite and bounded, every text is one plain
line, every name could name a file, nothing is coerced and no field is unknown.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.plain import MOST_COUNT, bound_metric, clean_line, is_plain, read_limited
from benchmark.interface.names import NAME

SCHEMA_VERSION = 1
LARGEST = 8_000_000  # bytes of a stored result: a suite of 6 tasks and 5 seeds has 600,000
LONGEST = 500  # characters of a message
LONGEST_LINE = 300  # of one that is no sentence, such as a summary
MOST_SEED = 2**63 - 1
INAPPLICABLE = "inapplicable"

Status = Literal["ok", "failed", "diverged", "inapplicable"]
Origin = Literal["own", "frozen"]


@lru_cache(maxsize=10_000)  # the same few thousand times in every result
def _name(text: str) -> str:
    # By Python's rule: that of pydantic lets characters through that do not show.
    if not re.fullmatch(NAME, text):
        raise ValueError("does not match the pattern of names: letters, digits, '_', '-', '+', '.'")
    return text


def _line(text: str) -> str:
    if not is_plain(text):
        raise ValueError("is not written plainly: it holds characters that do not show")
    return text


def _profile(profile: dict[str, float | None]) -> dict[str, float | None]:
    for name, value in profile.items():
        if value is not None and abs(value) > bound_metric(name):
            raise ValueError(f"{name} is beyond {bound_metric(name):,.0f}")
    return profile


def _whole_seed(seed: Any) -> Any:
    """A seed beyond what JSON keeps is stored as its digits."""
    if isinstance(seed, str) and re.fullmatch("[1-9][0-9]{15,18}", seed):
        return int(seed)
    return seed


def store_seed(seed: int) -> int | str:
    """A seed as it is stored: as digits where a reader of JSON might round the number."""
    return seed if seed <= MOST_COUNT else str(seed)


Name = Annotated[str, AfterValidator(_name)]
Line = Annotated[str, Field(max_length=LONGEST_LINE), AfterValidator(_line)]
Message = Annotated[str, Field(max_length=LONGEST), AfterValidator(_line)]
Count = Annotated[int, Field(ge=0, le=MOST_COUNT)]
Amount = Annotated[float, Field(ge=0, le=1e30)]  # seconds, shares, operations
Seed = Annotated[
    int, BeforeValidator(_whole_seed), Field(ge=0, le=MOST_SEED), PlainSerializer(store_seed)
]
Amounts = Annotated[dict[Name, Amount], Field(max_length=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)


class GenerationResult(_Strict):
    """One generation. `profile` holds null where a metric was not finite.

    `trained_on` and `kept` say by true source what a method made of its crawl: see
    `benchmark.lineage.provenance.Composition`. `training` is what the model's training took, where
    the generator measures it and it was not read from the cache: see
    `benchmark.tasks.training.meter`.
    `machine` is the one that computed it (see `benchmark.basics.processor.describe`), where a
    result was not computed by the one that its `hardware` names.
    Where the method does not apply to the task (guidance on text), the first generation that
    found it out is the last, with the status "inapplicable" and a message that says why.
    """

    generation: Annotated[int, Field(ge=0, le=10_000)]
    status: Status
    message: Message = ""
    profile: Annotated[
        dict[Name, float | None], Field(max_length=200), AfterValidator(_profile)
    ] = Field(default_factory=dict)
    ledger: Annotated[dict[Name, Count], Field(max_length=100)] = Field(default_factory=dict)
    training_set: Count = 0
    trained_on: Amounts = Field(default_factory=dict)
    kept: Amounts = Field(default_factory=dict)
    seconds: Amounts = Field(default_factory=dict)
    training: Amounts = Field(default_factory=dict)
    machine: Line = ""

    @classmethod
    def of_record(cls, record: dict[str, Any], belongs_to: Path) -> GenerationResult:
        """The generation of a record that a lineage keeps; what a method said becomes one line.

        Args:
            belongs_to: the lineage's folder, which is useless without the record.

        Raises:
            CorruptFile: it is no record of a generation.
        """
        said = {
            field: clean_line(str(record[field]), longest)
            for field, longest in (("message", LONGEST), ("machine", LONGEST_LINE))
            if field in record
        }
        try:
            return cls.model_validate(record | said)
        except ValidationError as error:
            raise CorruptFile(
                f"a stored generation is not valid ({_first(error)}): delete {belongs_to} and run "
                f"the method again"
            ) from error

    @model_serializer(mode="wrap")
    def _stored(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `training` and `machine` where there is none, as results were stored before they
        existed."""
        fields = handler(self)
        return {k: v for k, v in fields.items() if v or k not in ("training", "machine")}


def _begun(generations: list[GenerationResult]) -> list[GenerationResult]:
    if not generations:
        raise ValueError("its generations are not 0, 1, 2 and so on: there is none")
    return generations


class LineageResult(_Strict):
    """The generations of one seed; `status` is that of the last one."""

    seed: Seed
    generations: Annotated[list[GenerationResult], Field(max_length=10_001), AfterValidator(_begun)]

    @property
    def status(self) -> Status:
        return self.generations[-1].status

    @property
    def message(self) -> str:
        return self.generations[-1].message

    @property
    def applicable(self) -> bool:
        """Whether the method applies. It is known from its first hooks on: who says so later has
        failed."""
        last = self.generations[-1]
        return last.status != INAPPLICABLE or last.generation > 1

    def curve(self, metric: str) -> list[float]:
        """Values of `metric` over the generations that have it."""
        values = (g.profile.get(metric) for g in self.generations if g.status == "ok")
        return [value for value in values if value is not None]


class TaskResult(_Strict):
    """All lineages of one task; `hash` is that of the resolved task."""

    hash: Line
    modality: Name
    primary: Name
    generations: Annotated[int, Field(ge=1, le=10_000)]
    lineages: Annotated[list[LineageResult], Field(max_length=1_000)]

    @property
    def applicable(self) -> bool:
        """Whether the method applies to the task: it does where it did with any seed."""
        return not self.lineages or any(lineage.applicable for lineage in self.lineages)


class MethodResult(_Strict):
    """What ran: `source` is the SHA-256 of the method's file."""

    name: Name
    summary: Line
    access: Annotated[list[Name], Field(max_length=20)]
    source: Line


class Result(_Strict):
    """One method on one suite, as stored in RUNS/SUITE/METHOD.json.

    `references` says of `nothing` and `clean` which were used: those that come with the
    benchmark ("frozen") or this machine's ("own"). `hardware` names the machines that computed
    the generations. `isolated`: the method ran in a sandbox.
    """

    schema_version: int = SCHEMA_VERSION
    benchmark_version: Line
    suite: Name
    method: MethodResult
    tasks: Annotated[dict[Name, TaskResult], Field(max_length=100)]
    versions: Annotated[dict[Name, Line], Field(max_length=100)]
    hardware: Line
    created: Line
    references: Annotated[dict[Name, Origin], Field(max_length=10)] = Field(default_factory=dict)
    isolated: bool = False

    @property
    def failures(self) -> list[str]:
        """One sentence for each lineage that did not reach its last generation."""
        return [
            f"{self.method.name} on {name}, seed {lineage.seed}: {lineage.message}"
            for name, task in self.tasks.items()
            for lineage in task.lineages
            if task.applicable and lineage.status != "ok"
        ]

    @property
    def inapplicable(self) -> dict[str, str]:
        """The tasks that the method does not apply to, and why."""
        return {n: t.lineages[0].message for n, t in self.tasks.items() if not t.applicable}

    @property
    def machines(self) -> list[str]:
        """What the generations say of the machines that computed them, or else `hardware`."""
        lineages = [lineage for task in self.tasks.values() for lineage in task.lineages]
        found = {g.machine for lineage in lineages for g in lineage.generations if g.machine}
        return sorted(found) or [self.hardware]

    def to_json(self) -> bytes:
        """The stored form: a generation is a line, since indents would be a quarter of the file."""
        document, lines = self.model_dump(), list[str]()
        for task in document["tasks"].values():
            for lineage in task["lineages"]:
                first = len(lines)
                lines += [json.dumps(of, sort_keys=True) for of in lineage["generations"]]
                lineage["generations"] = [f"@{i}" for i in range(first, len(lines))]
        # No other text stands at the beginning of a line as deep as a generation does.
        places = re.compile(r'^( {6})"@(\d+)"', re.MULTILINE)
        return places.sub(lambda at: at[1] + lines[int(at[2])], _indent(document)).encode()

    def is_written_as(self, content: bytes) -> bool:
        """Whether these bytes are the stored form, or the one before generations were lines."""
        return content == self.to_json() or content == _indent(self.model_dump()).encode()


def _indent(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def load_result(path: Path) -> Result:
    """Read a stored result.

    Raises:
        InputError: there is no such file, it is too large, or its schema is of another version.
        CorruptFile: it is not a result.
    """
    return parse_result(read_limited(path, LARGEST, "result"), path)


def parse_result(content: bytes, path: Path) -> Result:
    """The result in the bytes of the file `path`. Raises as `load_result`."""
    try:
        document = json.loads(
            content.decode(), object_pairs_hook=_once, parse_constant=_refuse_constant
        )
        version = document["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptFile(f"{path} is not a result of autophagy run: run it again") from error
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema version {clean_line(repr(version), 40)}, this version reads "
            f"{SCHEMA_VERSION}: run it again"
        )
    try:
        return Result.model_validate(document)
    except ValidationError as error:
        raise CorruptFile(f"{path} is not a valid result: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    """Where the first thing is wrong, and what; the words around it may be a stranger's."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] == "greater_than_equal":
        said = "is negative"  # no other bound from below is there
    return clean_line(f"{where}: {said}", 200)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is given twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
