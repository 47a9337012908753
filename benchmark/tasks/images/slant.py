"""Real images are handed out under a fresh small affine change each, so that no two are equal."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

TURN = 2.0  # degrees, either way
SCALE = 0.05  # share, either way
SHIFT = 0.7  # pixels, either way


def change_images(
    images: Tensor, slant: float | Tensor, rng: torch.Generator, edges: str = "zeros"
) -> Tensor:
    """uint8 (N, C, H, W) images, each turned, scaled and shifted a little, and slanted.

    Args:
        slant: degrees, positive to the right at the top of an image; of all, or (N,) of each.
        edges: what comes in there, as torch's `grid_sample` has it: "zeros" or "reflection".
    """
    n, size = len(images), images.shape[-1]
    turn = math.radians(TURN) * _either_way(n, rng)
    scale = 1 + SCALE * _either_way(n, rng)
    cosine, sine = turn.cos() * scale, turn.sin() * scale
    lean = torch.as_tensor(slant).deg2rad().tan()
    # Rows of the inverse map, from places of the new image to those of the old one.
    matrix = torch.zeros(n, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = cosine, cosine * lean - sine
    matrix[:, 1, 0], matrix[:, 1, 1] = sine, sine * lean + cosine
    matrix[:, :, 2] = 2 * SHIFT / size * torch.stack([_either_way(n, rng) for _ in range(2)], 1)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    changed = F.grid_sample(images.float(), grid, padding_mode=edges, align_corners=False)
    return changed.round().clamp(0, 255).to(torch.uint8)


def _either_way(n: int, rng: torch.Generator) -> Tensor:
    """(n,) uniform in [-1, 1)."""
    return 2 * torch.rand(n, generator=rng) - 1
