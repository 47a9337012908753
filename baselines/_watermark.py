"""What the watermark baselines share: the image pattern, and what is done with the scores."""

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark import Items, Round, TrainingSet

STRENGTH = 2  # of the pattern, in levels of 255: the least whole number that is found every time
THRESHOLD = 2.33  # standard deviations of the reserve's scores


def unmarked(crawl: Items, round: Round, scores: Tensor, trusted: Tensor) -> TrainingSet:
    """The crawl's items whose score (N,) is not above what trusted items' scores (R,) allow.

    The threshold lies 2.33 standard deviations above the trusted mean: a nominal false-positive
    rate of 1%, where a quantile of 100 scores would be the largest of them. If less than half a
    crawl is left (in `replace` nothing is real) the reserve joins, then marked items at random:
    fewer items than that are learnt by heart, which costs more than marked ones do. Not the least
    marked, which are not a fair sample: on images they are those with little background.
    """
    passed = scores <= trusted.mean() + THRESHOLD * trusted.std()
    clean, enough = crawl.take(passed), round.n // 2
    if len(clean) >= enough:
        return TrainingSet(clean)
    missing = max(0, enough - len(clean) - len(round.reserve))
    filler = crawl.take(~passed).draw(missing, round.rng)
    return TrainingSet(Items.concat([clean, round.reserve, filler]))


def mark_pixels(images: Tensor, key: int) -> Tensor:
    """Additive spread-spectrum mark (Cox et al. 1997): one keyed pattern on every image."""
    marked = images + STRENGTH * _pattern(key, images)
    return marked.clamp(0, 255).to(torch.uint8)


def pixel_scores(images: Tensor, key: int) -> Tensor:
    """(N,) correlations of the pattern with the images less their local means, clipped to the
    pattern's strength: a stroke's edge weighs no more than a marked pixel."""
    local = F.avg_pool2d(images.float(), 5, stride=1, padding=2, count_include_pad=False)
    rest = (images - local).clamp(-STRENGTH, STRENGTH)
    return F.cosine_similarity(rest.flatten(1), _pattern(key, images).flatten()[None])


def _pattern(key: int, images: Tensor) -> Tensor:
    """+1 or -1 for every pixel, (1, H, W)."""
    rng = torch.Generator().manual_seed(key)
    return torch.randint(2, images.shape[1:], generator=rng) * 2.0 - 1
