"""A method's class and its hooks' signatures, read without running the file."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from benchmark.basics.errors import InputError
from benchmark.basics.plain import clean_line
from benchmark.basics.spelling import find_nearest
from benchmark.interface.mitigation import HOOKS
from benchmark.results.schema import LONGEST_LINE

MOST_NODES = 20_000  # of the syntax tree: no method file comes near


@dataclass(frozen=True)
class Written:
    """What the file says of its class: its name, the first line of its docstring as results keep
    it, and its hooks."""

    class_name: str
    summary: str
    hooks: tuple[str, ...]


def read_class(content: bytes) -> Written:
    """The one mitigation class of a `method.py`.

    Raises:
        InputError: it does not parse, has no such class or several, or a hook cannot be called as
            the harness will.
    """
    try:
        module = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f"method.py, line {line}," if line else "method.py"
        raise InputError(f"{where} is not Python ({str(error)[:80]}): correct it") from error
    if sum(1 for _ in ast.walk(module)) > MOST_NODES:
        raise InputError("method.py is too long to be read: a method is a page or two")
    found, kinds = [], {"Mitigation"}
    for node in module.body:
        if isinstance(node, ast.ClassDef) and any(_is_of(base, kinds) for base in node.bases):
            found.append(node)
            kinds.add(node.name)
    if len(found) != 1:
        names = ", ".join(node.name for node in found) or "none"
        raise InputError(
            f"method.py must have one class that is written as class Name(Mitigation), and none "
            f"below it (found: {names}): keep one"
        )
    return Written(found[0].name, _summary(found[0]), _hooks(found[0]))


def _is_of(base: ast.expr, kinds: set[str]) -> bool:
    """Whether a base is Mitigation, or one of the file's own classes that are `kinds` of it."""
    return (isinstance(base, ast.Name) and base.id in kinds) or (
        isinstance(base, ast.Attribute) and base.attr == "Mitigation"
    )


def _summary(node: ast.ClassDef) -> str:
    return clean_line((ast.get_docstring(node) or "").split("\n")[0], LONGEST_LINE)


def _hooks(node: ast.ClassDef) -> tuple[str, ...]:
    for method in node.body:
        if isinstance(method, ast.AsyncFunctionDef) and method.name in HOOKS:
            raise InputError(f"method.py, line {method.lineno}: {method.name} is async: drop it")
    methods = [method for method in node.body if isinstance(method, ast.FunctionDef)]
    for method in methods:
        if method.name in HOOKS:
            _check_signature(method)
            continue
        near = find_nearest(method.name, HOOKS, 0.8)
        if near is not None:
            raise InputError(
                f"method.py, line {method.lineno}: {method.name} is nearly the hook {near}, but "
                f"is never called: correct the name or choose one that differs more"
            )
    hooks = tuple(method.name for method in methods if method.name in HOOKS)
    if not hooks:
        raise InputError(
            f"method.py: {node.name} writes none of the hooks {', '.join(HOOKS)}, so it does "
            f"nothing: write one"
        )
    return hooks


def _check_signature(method: ast.FunctionDef) -> None:
    wanted = ("self", *HOOKS[method.name])
    given = method.args
    plain = [argument.arg for argument in (*given.posonlyargs, *given.args)]
    required = len(plain) - len(given.defaults)
    takes = required <= len(wanted) and (len(plain) >= len(wanted) or given.vararg is not None)
    named = any(default is None for default in given.kw_defaults)
    decorated = bool(method.decorator_list)
    if takes and not named and not decorated:
        return
    raise InputError(
        f"method.py, line {method.lineno}: the hook {method.name} cannot be called by the harness: "
        f"write def {method.name}({', '.join(wanted)})" + (", undecorated" if decorated else "")
    )
