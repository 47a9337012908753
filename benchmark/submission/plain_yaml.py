"""YAML without its surprises: no tags, no aliases, no dates, no field given twice."""

from __future__ import annotations

from typing import Any

from benchmark.basics.errors import InputError

LARGEST = 16_384  # bytes
DEEPEST = 8  # lists and maps inside each other


def read_yaml(content: bytes, name: str) -> Any:
    """The plain maps, lists, numbers and texts in a small YAML file.

    Aliases would let a small file describe a huge one, and tags name types of Python: both are
    refused. Dates stay text.

    Raises:
        InputError: it is too large, not UTF-8, or not such YAML.
    """
    import yaml

    if len(content) > LARGEST:
        raise InputError(f"{name} has {len(content):,} bytes: {LARGEST:,} is the most")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from error
    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:  # reading on would take time that grows with the square of it
                raise InputError(f"{name} is nested too deeply: fields hold lists or maps at most")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise InputError(f"{name} uses an anchor or alias (& or *): write the value out")
            if getattr(event, "tag", None):
                raise InputError(f"{name} uses a tag (!): write the value alone")
        return yaml.load(text, _loader())
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{name}{where} is not YAML: {_short(error.problem)}") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise InputError(f"{name} is not YAML: {_short(error)}") from error


def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            mapping = super().construct_mapping(node, deep=True)
            if len(mapping) < len(node.value):
                raise yaml.constructor.ConstructorError(
                    None, None, "a field is given twice", node.start_mark
                )
            return mapping

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _short(problem: object) -> str:
    return (" ".join(str(problem).split()) or "it cannot be read")[:120]
