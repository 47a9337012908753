"""Does the generator of icons learn? A small one on a processor, on the real items of one era.

    python -m tests.findings.icons --out icons        # icons.jsonl and icons.png

Names and pictures of the era's held-out icons, which no network but the reader has seen, are given
to writer and painter. docs/standard.md has what came out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmark import Sampling, TrainingSet
from benchmark.basics.seeds import stream
from benchmark.interface.items import Items
from benchmark.tasks.icons.generator import IconGenerator
from benchmark.tasks.icons.reader import OTHERS, find_named, load_reader, look_at
from benchmark.tasks.pairs.language import until_end
from benchmark.tasks.suites import load_task
from benchmark.tasks.task import Task
from tests.tiny import era_of

GUIDANCE = (0.0, 1.0, 2.0)


def recognise(items: Items, heldout: Items) -> float:
    """Share of pictures whose own name the frozen reader finds liker than 99 held-out ones."""
    reader = load_reader("icons-reader.safetensors")
    seen, others = look_at(reader, items["image"]), heldout["tokens"][:OTHERS]
    return float(find_named(reader, seen, items["tokens"], others).float().mean())


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
    known = recognise(heldout, heldout)
    note(trained_on=len(era.real), heldout=len(heldout), real_recognised=known)
    model = generator.train(TrainingSet(era.real), stream("icons", "train"))
    note(**generator.meter.take())
    for name, items in (("held out", heldout), ("trained on", seen)):
        words = int(until_end(items["tokens"]).sum())
        blind = -float(generator.log_prior(model, items).sum()) / words
        note(of=name, nats_a_word=generator.loss(model, items), blind=blind)
        for guidance in GUIDANCE:
            rng, how = stream("icons", "paint"), Sampling(guidance=guidance)
            painted = generator.paint(model, items["tokens"], rng, how)
            note(of=name, guidance=guidance, painted_and_recognised=recognise(painted, heldout))
    tokens = heldout["tokens"][:20]
    painted = generator.paint(model, tokens, stream("icons", "shown"), Sampling(guidance=2.0))
    return Items.concat([heldout.take(slice(0, 20)), painted])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="NAME.jsonl and NAME.png")
    parser.add_argument("--widths", type=int, nargs="*", default=[32, 64, 96])
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()
    torch.set_num_threads(1)

    def note(**numbers: Any) -> None:
        line = json.dumps(numbers)
        print(line, flush=True)
        with given.out.with_suffix(".jsonl").open("a") as file:
            file.write(line + "\n")

    task = load_task("icons-replace", "standard")
    recipe: Any = task.generator
    small = {"widths": tuple(given.widths), "steps": given.steps, "batch": given.batch,
             "lr": 1e-3, "writer_lr": 1e-3}  # fmt: skip
    items = measure(replace(task, generator=replace(recipe, **small)), note)
    rows = [torch.cat(list(half["image"][:, 0]), 1) for half in
            (items.take(slice(0, 20)), items.take(slice(20, 40)))]  # fmt: skip
    Image.fromarray((255 - torch.cat(rows, 0)).numpy()).save(given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
