"""Does the generator of icons learn, and what does their ruler say of real ones?

    python -m tests.findings.icons --out icons        # icons.jsonl and icons.png
    python -m tests.findings.icons --out ruler --ruler
    python -m tests.findings.icons --out whole --whole --device cuda      # the task's own generator

A small generator learns on a processor from the real items of one era; pictures and names of the
era's held-out icons are given to writer and painter. The ruler is laid on real icons of another
era, as they are and with names swapped. docs/standard.md has what came out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from PIL import Image
from torch import nn

from benchmark import Sampling, TrainingSet
from benchmark.basics.device import computing_on
from benchmark.basics.seeds import stream
from benchmark.interface.generator import Generator
from benchmark.interface.items import Items
from benchmark.tasks.icons.evaluators import IconEvaluator
from benchmark.tasks.icons.generator import IconGenerator
from benchmark.tasks.icons.reader import find_named, load_reader, look_at
from benchmark.tasks.pairs.language import until_end
from benchmark.tasks.suites import load_task
from benchmark.tasks.task import Task
from tests.pairs import Silent
from tests.tiny import era_of

GUIDANCE = (0.0, 2.0)
SWAPPED = (0.0, 0.1, 0.5, 1.0)  # shares of names
PAINTED = 200  # pictures of each kind: on a processor they take longer than the training


def recognise(items: Items) -> float:
    """Share of pictures whose own name the frozen reader finds liker than 99 others."""
    reader = load_reader("icons-reader.safetensors")
    seen = look_at(reader, items["image"])
    return float(find_named(reader, seen, items["tokens"]).float().mean())


def measure(task: Task, note: Callable[..., None]) -> Items:
    """Trains the task's generator once and measures it; some painted pictures of held-out names
    after the real ones.

    Args:
        note: is told every number by name.
    """
    generator = task.generator.build()
    assert isinstance(generator, IconGenerator)
    era = era_of(task.data.build(), task.n, task.reserve, "icons")
    heldout, seen = era.heldout, era.real.take(slice(0, len(era.heldout)))
    known = recognise(heldout)
    note(trained_on=len(era.real), heldout=len(heldout), real_recognised=known)
    model = generator.train(TrainingSet(era.real), stream("icons", "train"))
    note(**generator.meter.take())
    for name, items in (("held out", heldout), ("trained on", seen)):
        words = int(until_end(items["tokens"]).sum())
        blind = -float(generator.log_prior(model, items).sum()) / words
        note(of=name, nats_a_word=generator.loss(model, items), blind=blind)
        for guidance in GUIDANCE:
            rng, how = stream("icons", "paint"), Sampling(guidance=guidance)
            painted = generator.paint(model, items["tokens"][:PAINTED], rng, how)
            note(of=name, guidance=guidance, painted_and_recognised=recognise(painted))
    tokens = heldout["tokens"][:20]
    painted = generator.paint(model, tokens, stream("icons", "shown"), Sampling(guidance=2.0))
    return Items.concat([heldout.take(slice(0, 20)), painted])


def measure_ruler(task: Task, note: Callable[..., None], eras: Sequence[int]) -> None:
    """Profiles of the real items of the era next to each of `eras`; in the first, also with the
    names of some swapped."""
    world = task.data.build().world(task.n, task.reserve, lambda t, what: stream("ruler", t, what))
    evaluator, silent = IconEvaluator(), cast(Generator, Silent())
    for t in eras:
        era, items = world(t), world(t + 1 if t < eras[-1] or not t else t - 1).real
        for share in SWAPPED if t == eras[0] else SWAPPED[:1]:
            rows = torch.arange(len(items))
            some = rows % 10 < round(10 * share)
            rows[some] = rows[some].roll(1)
            other = Items(image=items["image"], tokens=items["tokens"][rows])
            profile = evaluator.profile(silent, nn.Module(), other, era)
            note(task=task.name, era=t, swapped=share, **profile)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="NAME.jsonl and NAME.png")
    parser.add_argument("--ruler", action="store_true")
    parser.add_argument("--widths", type=int, nargs="*", default=[16, 32, 64])
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--whole", action="store_true", help="the task's generator as it is")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(1)

    def note(**numbers: Any) -> None:
        line = json.dumps(numbers)
        print(line, flush=True)
        with given.out.with_suffix(".jsonl").open("a") as file:
            file.write(line + "\n")

    task = load_task("icons-replace", "standard")
    if given.ruler:
        measure_ruler(task, note, (0,))
        measure_ruler(load_task("icons-web", "standard"), note, (0, 4, 8))
        return
    recipe: Any = task.generator
    small = {"widths": tuple(given.widths), "layers": given.layers, "steps": given.steps,
             "batch": given.batch, "lr": 1e-3, "writer_lr": 1e-3}  # fmt: skip
    recipe = recipe if given.whole else replace(recipe, **small)
    with computing_on(given.device):
        items = measure(replace(task, generator=recipe), note)
    rows = [torch.cat(list(half["image"][:, 0]), 1) for half in
            (items.take(slice(0, 20)), items.take(slice(20, 40)))]  # fmt: skip
    Image.fromarray((255 - torch.cat(rows, 0)).numpy()).save(given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
