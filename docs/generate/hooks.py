"""What mkdocs calls while it builds the site.

A page says `<!-- site: tasks -->` where a table of the code belongs, which GitHub does not show.
Links that leave `docs/` lead to the repository, and to a file that exists.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from docs.generate.methods import write_methods
from docs.generate.metrics import write_definitions, write_metrics
from docs.generate.prose import find_address
from docs.generate.reference import write_directive, write_offers, write_reference
from docs.generate.tasks import SUITES, list_pages, write_task_list, write_task_page

PLACE = re.compile(r"^<!-- site: (\w+) ?([\w.]*) -->$", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(\.\./[^)\s#]+)(?=[)#])")
WRITERS: dict[str, Callable[..., str]] = {
    "tasks": write_task_list,
    "methods": write_methods,
    "metrics": write_metrics,
    "definitions": write_definitions,
    "offers": write_offers,
    "reference": write_directive,
}


def on_config(config: Any) -> Any:
    """A page a task in the navigation, by suite."""
    pages = list_pages()
    (tasks,) = (part["Tasks"] for part in config.nav if "Tasks" in part)
    for suite in SUITES:
        tasks.append({suite: [f"tasks/{n}.md" for n, (of, _) in pages.items() if of.name == suite]})
    return config


def on_files(files: Any, config: Any) -> Any:
    """The pages that nobody wrote."""
    made: dict[str, str | bytes] = {**write_reference()}
    for name, (suite, task) in list_pages().items():
        page, pictures = write_task_page(suite, task)
        made |= {f"tasks/{file}": content for file, content in pictures.items()}
        made[f"tasks/{name}.md"] = page
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Fill in what is made of the code, and lead links out of `docs/` to the repository."""
    return lead_out(fill_places(markdown), page.file.src_uri)


def fill_places(markdown: str) -> str:
    """`markdown` with every mark replaced by what it stands for.

    Raises:
        PluginError: a mark of no known kind.
    """

    def written(found: re.Match[str]) -> str:
        kind, words = found.groups()
        if kind not in WRITERS:
            raise PluginError(f"<!-- site: {kind} --> is none of {', '.join(WRITERS)}")
        return WRITERS[kind](*words.split())

    return PLACE.sub(written, markdown)


def lead_out(markdown: str, page: str) -> str:
    """`markdown` of `page` (from `docs/`) whose links to files above `docs/` are addresses.

    Raises:
        PluginError: there is no such file.
    """

    def led(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), found[1]))
        if target.startswith("docs/"):
            return found[1]
        try:
            return find_address(target)
        except FileNotFoundError as error:
            raise PluginError(f"docs/{page} links to {found[1]}, but {error}") from error

    return LINK.sub(led, markdown)
