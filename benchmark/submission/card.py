"""The card of a submission: who, what, under which licence. Read from YAML, trusted in nothing."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from benchmark.basics.errors import InputError
from benchmark.basics.plain import is_plain
from benchmark.interface.access import Access
from benchmark.submission.plain_yaml import read_yaml

LICENCE_ID = r"[A-Za-z0-9][A-Za-z0-9.+-]{0,39}"
LICENCE = rf"^{LICENCE_ID}( (AND|OR|WITH) {LICENCE_ID}){{0,4}}$"
SUBMISSION_NAME = r"^[a-z][a-z0-9_-]{1,39}$"

MEND = {
    "name": "use a lower-case letter, then letters, digits, '_' or '-', 2 to 40 in all",
    "summary": "write one sentence of 10 to 200 characters on one line",
    "authors": 'list 1 to 50 names, such as ["Ada Lovelace"]',
    "paper": "give an http(s) link of at most 300 characters, or leave the field out",
    "code": "give an http(s) link of at most 300 characters, or leave the field out",
    "access": f"list what the class declares: any of {', '.join(a.name for a in Access)}, or []",
    "hyper_parameters": "map at most 50 names to numbers, true/false or text of up to 200 letters",
    "licence": "give an SPDX identifier, such as Apache-2.0 or MIT",
    "contact": "give one line of at most 200 characters, or leave the field out",
}


def _line(text: str) -> str:
    """Refuses what would not print as one plain line: control, format and unassigned characters."""
    if text != text.strip() or not is_plain(text):
        raise ValueError("holds control characters, line breaks or spaces at its ends")
    return text


def _link(text: str) -> str:
    try:
        parts = urlsplit(text)
        plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        _ = parts.port
    except ValueError as error:
        raise ValueError("is not a link") from error
    if not plain or not re.fullmatch(r"[!-~]+", text) or set(text) & set("\"'<>`\\"):
        raise ValueError("is not a plain http(s) link")
    return text


def _known(name: str) -> str:
    if name not in Access.__members__:
        raise ValueError("is not an access of the interface")
    return name


def _once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("names an entry twice")
    return names


def _scalar(value: Any) -> bool | int | float | str:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not abs(value) <= 1e15:  # nor NaN; an integer may be too large to be made a float
            raise ValueError("is not a number of ordinary size")
        return value
    if isinstance(value, str) and len(value) <= 200:
        return _line(value)
    raise ValueError("is not a number, true/false or short text")


Line = Annotated[str, AfterValidator(_line)]
Link = Annotated[str, Field(max_length=300), AfterValidator(_link)]
AccessName = Annotated[str, AfterValidator(_known)]
Scalar = Annotated[Any, AfterValidator(_scalar)]
HyperName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]


class Card(BaseModel):
    """`card.yaml`. `access` repeats what the class declares, so that a reader needs no code."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[str, Field(pattern=SUBMISSION_NAME)]
    summary: Annotated[Line, Field(min_length=10, max_length=200)]
    authors: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=100)]],
        Field(min_length=1, max_length=50),
        AfterValidator(_once),
    ]
    paper: Link | None = None
    code: Link | None = None
    access: Annotated[list[AccessName], AfterValidator(_once)]
    hyper_parameters: Annotated[dict[HyperName, Scalar], Field(max_length=50)]
    licence: Annotated[str, Field(pattern=LICENCE)]
    contact: Annotated[Line, Field(min_length=1, max_length=200)] | None = None


def parse_card(content: bytes) -> Card:
    """The card in the bytes of a YAML file.

    Raises:
        InputError: the first thing wrong with it: field, problem, remedy.
    """
    document = read_yaml(content, "card.yaml")
    if not isinstance(document, dict):
        raise InputError(f"card.yaml is not a list of fields: write {', '.join(MEND)}, one a line")
    try:
        return Card.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = str((*first["loc"], "?")[0])  # a key that is no text has no place
        if field not in MEND:
            raise InputError(
                f"card.yaml has an unknown field {field[:40]!r}: it may have {', '.join(MEND)}"
            ) from error
        problem = "is missing" if first["type"] == "missing" else _problem(first["msg"])
        raise InputError(f"card.yaml, field {field!r} {problem}: {MEND[field]}") from error


def _problem(message: str) -> str:
    own = "Value error, "
    if message.startswith(own):
        return message.removeprefix(own)
    if "match pattern" in message:
        return "is not of the right form"
    return f"is not right ({message[0].lower()}{message[1:]})"
