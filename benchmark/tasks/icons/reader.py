"""The frozen reader of icons: pictures and names in one space."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.tasks import assets
from benchmark.tasks.images.networks import in_parts

OTHERS = 99  # names besides its own among which a picture's is looked for


class IconReader(nn.Module):
    """Says how like pictures and names are (Radford et al. 2021, arXiv 2103.00020), whatever the
    order of a name's words.

    Args:
        words: number of words; 0 ends a name.
        width: numbers of a picture, and of a name.
        narrow: channels of the first convolution.
    """

    def __init__(self, words: int, width: int = 128, narrow: int = 24) -> None:
        super().__init__()
        self.words = words
        self.see = nn.Sequential(
            nn.Conv2d(1, narrow, 3, 2, 1), nn.GELU(),
            nn.Conv2d(narrow, 2 * narrow, 3, 2, 1), nn.BatchNorm2d(2 * narrow), nn.GELU(),
            nn.Conv2d(2 * narrow, width, 3, 2, 1), nn.BatchNorm2d(width), nn.GELU(),
            nn.Conv2d(width, width, 3, 1, 1), nn.GELU(),
            nn.Flatten(), nn.Linear(16 * width, width),
        )  # fmt: skip
        self.word = nn.Embedding(words, width, padding_idx=0)
        self.mix = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.scale = nn.Parameter(torch.tensor(2.5))

    def look(self, images: Tensor) -> Tensor:
        """(N, width) what uint8 pictures (N, 1, 32, 32) show."""
        return self.see(images.float() / 255)

    def read(self, names: Tensor) -> Tensor:
        """(N, width) what names (N, L) say: of the words up to the first 0."""
        counted = ((names == 0).cumsum(1) == 0)[:, :, None]
        h = (self.word(names) * counted).sum(1) / counted.sum(1).clamp(min=1) ** 0.5
        return h + self.mix(h)

    def forward(self, images: Tensor, names: Tensor) -> Tensor:
        """(N, M) cosines of pictures and names."""
        return F.normalize(self.look(images), dim=1) @ F.normalize(self.read(names), dim=1).T


def load_reader(name: str) -> IconReader:
    """A frozen reader by its file."""
    return assets.load_network(name, IconReader)


def look_at(reader: IconReader, images: Tensor) -> Tensor:
    """(N, width) what pictures show, some at a time."""
    return in_parts(reader.look, images)


@torch.no_grad()
def find_named(reader: IconReader, seen: Tensor, names: Tensor, others: Tensor) -> Tensor:
    """(N,) whether what each picture shows, `seen` by the reader, is liker to what its own name
    says, of `names` (N, L), than to every one of `others` (M, L) that is another name."""
    pictures = F.normalize(seen, dim=1)
    own = (pictures * F.normalize(reader.read(names), dim=1)).sum(1, keepdim=True)
    likeness = pictures @ F.normalize(reader.read(others), dim=1).T
    same = (names[:, None] == others[None]).all(2)
    return (same | (likeness < own)).all(1)
