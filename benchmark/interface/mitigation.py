"""The interface: a mitigation is one class in one file, and every hook has a default."""

from __future__ import annotations

import inspect

from torch import Tensor, nn

from benchmark.interface.access import Access
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.round import Round


class Mitigation:
    """A strategy against model collapse. Subclass it and override what you need.

    The harness makes a new instance for every generation: what should be remembered is declared
    with `Access.ARCHIVE` and read from `round.archive`. Generation 0 is trained on the real crawl
    as it is, the same for every method; `curate`, `loss` and `adjust` act from generation 1 on,
    `sampling` on everything the lineage publishes.

    A method that has nothing to do in some modality names those it is for in `modalities`: on a
    task of another one it is recorded as not applicable, where it would be measured as no
    mitigation at all. Without names it is for all.
    """

    access: frozenset[Access] = frozenset()
    modalities: frozenset[str] = frozenset()

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        """What this generation is trained on. The crawl must not be changed in place."""
        return TrainingSet(crawl)

    def loss(self, per_element: Tensor, outputs: Tensor) -> Tensor:
        """Change the loss: return a tensor shaped like `per_element`; the trainer averages it.

        Args:
            per_element: text: nats of every token (B, L); images: squared error (B, latent), of
                pictures that are trained as pixels or maps of them (B, channels, H, W).
            outputs: text: logits (B, L, V), float32; images: what is predicted, shaped like
                `per_element`: velocity (noise on Imagenette).

        Both lie on `outputs.device`: a GPU with --device cuda, but the CPU in a sandbox.

        Pairs: it is called for both models of a step, with the painter's squared error (B, latents)
        and velocity, and with the writer's nats (B, L) and logits (B, L, V): what `outputs.dim()`
        says. Nats after the end of a caption are 0 and do not count.
        """
        return per_element

    def adjust(self, model: nn.Module, round: Round) -> nn.Module:
        """Change the trained model, for example extrapolate its weights; return the result."""
        return model

    def sampling(self, round: Round) -> Sampling:
        """How this generation's model writes what it publishes."""
        return Sampling()


# The hooks in the order of a generation, and what each is handed.
HOOKS = {
    hook.__name__: tuple(inspect.signature(hook).parameters)[1:]
    for hook in (Mitigation.curate, Mitigation.loss, Mitigation.adjust, Mitigation.sampling)
}


def list_overridden(method: type[Mitigation]) -> list[str]:
    """The hooks that a method overrides, in the order of a generation."""
    return [hook for hook in HOOKS if getattr(method, hook) is not getattr(Mitigation, hook)]
