"""A pretrained vision transformer, as the evaluator and the verifier see it."""

from __future__ import annotations

import json

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.basics.device import current
from benchmark.hub.copies import fetch_file
from benchmark.hub.repos import HubRepo
from benchmark.tasks.training.pretrained import pretrained, reduced


class Vision:
    """A vision transformer; features (N, F) are its class token after the last norm.

    Images are resized to its input size and standardised with its processor's constants.
    """

    at_once = 500

    def __init__(self, repo: HubRepo) -> None:
        self.network = pretrained("AutoModel", repo)
        self.device = current()
        processor = json.loads(fetch_file(repo, "preprocessor_config.json").read_text("utf-8"))
        crop = processor.get("crop_size") or processor["size"]
        self.size = (crop["height"], crop["width"])
        constants = (processor["image_mean"], processor["image_std"])
        self.mean, self.std = (
            torch.tensor(x, device=self.device)[:, None, None] for x in constants
        )

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """uint8 images (N, 3, H, W) -> (N, F) on the CPU, float32; a GPU computes in bf16."""
        found = []
        for part in images.split(self.at_once):
            x = part.to(self.device).float() / 255
            x = F.interpolate(x, self.size, mode="bicubic", antialias=True).clamp(0, 1)
            with reduced(self.device):
                out = self.network(pixel_values=(x - self.mean) / self.std)
            found.append(out.last_hidden_state[:, 0].float().cpu())
        return torch.cat(found)
