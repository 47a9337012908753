"""The tasks of every suite. A task's name is the same at every scale; its hash is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatch
from typing import Any

from benchmark.basics.errors import InputError
from benchmark.basics.spelling import ask_nearest
from benchmark.tasks.icons.tasks import icons
from benchmark.tasks.images.recipes import ImageLaundering
from benchmark.tasks.images.tasks import cifar10, digits, imagenette
from benchmark.tasks.pairs.tasks import STATIC, numerals
from benchmark.tasks.parts import ReserveBias
from benchmark.tasks.schedules import Replace, Web
from benchmark.tasks.task import Task
from benchmark.tasks.text.recipes import TextLaundering
from benchmark.tasks.text.tasks import speeches, stories, wikitext


@dataclass(frozen=True)
class Suite:
    """A fixed list of tasks and seeds at one scale."""

    name: str
    description: str
    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]

    def choose(self, pattern: str | None) -> tuple[Task, ...]:
        """The tasks whose name matches the glob `pattern` (all without one).

        Raises:
            InputError: no task matches.
        """
        chosen = tuple(t for t in self.tasks if pattern is None or fnmatch(t.name, pattern))
        if not chosen:
            names = [task.name for task in self.tasks]
            near = ask_nearest(pattern or "", names)
            raise InputError(
                f"no task of suite {self.name!r} matches {pattern!r}{near}: it has "
                f"{', '.join(names)}"
            )
        return chosen


def _small() -> Suite:
    tasks = (digits(Web()), speeches(Web()), numerals(Web()))
    description = "the standard suite: a world that moves; 2 cores, minutes a method"
    return Suite("small", description, tasks, seeds=(0, 1, 2, 3, 4))


def _closed() -> Suite:
    tasks = (
        digits(Replace(), slant=0.0),
        speeches(Replace(), speed=0.0),
        numerals(Replace(), STATIC),
    )
    description = "the literature's laboratory loop: a closed, static world"
    return Suite("closed", description, tasks, seeds=(0, 1, 2))


def _quick() -> Suite:
    """One seed of `small` in three strides: the world moves as far, the crawl's real share falls as
    far and as many foreign models are released. With fewer items or steps instead, what narrows
    the data would pay, since the models would be poor (docs/regime.md)."""
    strides = 3
    # .6^(8/3), as digits: the last one of a power differs between machines, and it is hashed.
    schedule = Web(fading=0.2560963179232845, every=1)

    def hasten(task: Task) -> Task:
        short: Any = shorten_task(task, strides)
        speed = "speed" if task.modality == "text" else "slant"
        faster = getattr(short.data, speed) * (task.generations / strides)
        return replace(short, data=replace(short.data, **{speed: faster}), schedule=schedule)

    tasks = tuple(hasten(task) for task in _small().tasks)
    return Suite("quick", "one seed of small in three strides: a minute or two", tasks, (0,))


def _stress() -> Suite:
    def variant(task: Task, option: str, what: str, **changes: Any) -> Task:
        name, description = f"{task.name}-{option}", f"{task.description}; {what}"
        return replace(task, name=name, description=description, **changes)

    images, texts = digits(Web()), speeches(Web())
    tasks = []
    for task in (images, texts):
        what = "half of the foreign output carries the own watermark"
        tasks.append(variant(task, "adoption", what, adoption=0.5))
    what = "half of the own output is moved by up to a pixel each way and compressed"
    tasks.append(variant(images, "laundered", what, laundering=ImageLaundering()))
    what = "in half of the own output a fifth of the tokens is replaced"
    tasks.append(variant(texts, "laundered", what, laundering=TextLaundering()))
    what = "the reserve holds digits 0 to 4 only"
    tasks.append(variant(images, "biased-reserve", what, reserve_bias=ReserveBias(0, 4)))
    what = "the reserve is of the years 1890 to 1921 only, before the first era"
    tasks.append(variant(texts, "biased-reserve", what, reserve_bias=ReserveBias(1890, 1921)))
    pairs, still = numerals(Web()), numerals(Web(), STATIC)
    for task in (digits(Web(), slant=0.0), speeches(Web(), speed=0.0), still):
        tasks.append(variant(task, "static", "the world stands still"))
    for task in (digits(Web(), slant=6.0), speeches(Web(), speed=10.0)):
        tasks.append(variant(task, "fast", "the world moves twice as fast"))
    # Twice the slant is beyond what the reader knows, twice the wordings' way beyond a share of 0.
    faster = numerals(Web(), {"exponents": (1.1, 0.9)})
    what = "the law of the numbers moves, too: rare ones become less so"
    tasks.append(variant(faster, "fast", what))
    kept, *others = (
        replace(recipe, recaption=False)  # type: ignore[type-var]
        for recipe in (pairs.generator, *pairs.foreign)
    )
    what = "pictures are published with the captions that they were painted of"
    tasks.append(variant(pairs, "prompted", what, generator=kept, foreign=tuple(others)))
    description = (
        "what breaks a method: adoption, laundering, a biased reserve, kept prompts, other speeds"
    )
    return Suite("stress", description, tuple(tasks), seeds=(0, 1, 2))


def _standard() -> Suite:
    tasks = (
        cifar10(Replace(), slant=0.0, hue=0.0), cifar10(Web()),
        stories(Replace(), speech=None), stories(Web()),
        icons(Replace(), outlined=None), icons(Web()),
    )  # fmt: skip
    description = "papers' scale: one GPU, most data from the Hub; not measured yet"
    return Suite("standard", description, tasks, seeds=(0, 1, 2))


def _large() -> Suite:
    tasks = (
        imagenette(Replace(), slant=0.0, hue=0.0), imagenette(Web()),
        wikitext(Replace(), speech=None), wikitext(Web()),
    )  # fmt: skip
    description = "pretrained models, fine-tuned: several GPUs, from the Hub; not measured yet"
    return Suite("large", description, tasks, seeds=(0, 1, 2))


_SUITES: dict[str, Callable[[], Suite]] = {
    "quick": _quick, "small": _small, "closed": _closed, "stress": _stress,
    "standard": _standard, "large": _large,
}  # fmt: skip
SUITE_NAMES = tuple(_SUITES)


def load_suite(name: str) -> Suite:
    """The suite called `name`.

    Raises:
        InputError: there is no such suite.
    """
    if name not in _SUITES:
        raise InputError(
            f"there is no suite {name!r}{ask_nearest(name, _SUITES)}: choose one of "
            f"{', '.join(_SUITES)}"
        )
    return _SUITES[name]()


def load_task(name: str, suite: str = "small") -> Task:
    """The task called `name` at the scale of `suite`.

    Raises:
        InputError: there is no such task or suite.
    """
    tasks = load_suite(suite).tasks
    for task in tasks:
        if task.name == name:
            return task
    names = [task.name for task in tasks]
    raise InputError(
        f"suite {suite!r} has no task {name!r}{ask_nearest(name, names)}: choose one of "
        f"{', '.join(names)}"
    )


def shorten_task(task: Task, generations: int) -> Task:
    """`task` with another T, in whose middle the world is where it is in `task`'s."""
    data: Any = task.data
    moves = {f.name for f in fields(data)} & {"eras"}
    return replace(
        task,
        generations=generations,
        data=replace(data, eras=generations) if moves else data,
    )


def shrink_task(task: Task) -> Task:
    """The same data, generators and schedule with little of each: seconds become tenths."""

    def less(recipe: Any) -> Any:
        return replace(recipe, steps=4)

    task = shorten_task(task, 2)
    return replace(
        task,
        n=120,
        reserve=12,
        data=replace(task.data, heldout=40),  # type: ignore[type-var]
        generator=less(task.generator),
        foreign=tuple(map(less, task.foreign)),
    )
