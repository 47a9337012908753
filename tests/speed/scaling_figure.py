"""Draws what `tests.speed.scaling` measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def draw(
    growth: Sequence[Any], size: Sequence[Any], grids: dict[tuple[int, int], float], out: Path
) -> None:
    """Four panels: time and memory of a lineage against generations (`growth`), time of
    one generation against items (`size`), and seconds of a grid by (methods, workers)."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(14, 3.2), layout="constrained")
    for task in dict.fromkeys(point.task for point in growth):
        mine = [point for point in growth if point.task == task]
        t = [point.generations for point in mine]
        axes[0].plot(t, [point.seconds for point in mine], "o-", label=task)
        axes[1].plot(t, [point.memory for point in mine], "o-", label=task)
        sized = [point for point in size if point.task == task]
        n = [point.items for point in sized]
        axes[2].plot(n, [point.seconds for point in sized], "o-", label=task)
    for workers in (1, 2):
        mine = sorted((m, s) for (m, w), s in grids.items() if w == workers)
        axes[3].plot(*zip(*mine, strict=True), "o-", label=f"{workers} at a time")
    labels = (
        ("generation", "processor seconds so far"),
        ("generation", "resident MB"),
        ("items (text: a quarter)", "processor seconds a generation"),
        ("methods (two lineages each)", "seconds of the grid"),
    )
    for axis, (x, y) in zip(axes, labels, strict=True):
        axis.set(xlabel=x, ylabel=y, ylim=(0, 1.3 * axis.get_ylim()[1]))  # the legend lies above
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend(frameon=False, loc="upper left")
        axis.spines[["top", "right"]].set_visible(False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None})
    plt.close(figure)
