"""The generators that the lineage does not control: trained once, on real data, no mitigation."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from benchmark.basics.seeds import seed_global
from benchmark.interface.generator import Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.interface.mitigation import Mitigation, list_overridden
from benchmark.interface.round import Ledger
from benchmark.lineage.granted import Grants
from benchmark.lineage.hooks import Hooks
from benchmark.lineage.marks import write_marked
from benchmark.lineage.workshop import AFTER_TRAINING, Workshop, copy_state
from benchmark.tasks.parts import World
from benchmark.tasks.schedules import Web


class ForeignModels:
    """The foreign generators of one lineage. Model i is released at t = i `every`, trained on the
    real items of that era, and publishes for later crawls.

    Only under adoption does anything of the lineage reach them: its watermark, as under a common
    standard.

    Args:
        first: gives the lineage's model of generation 0, once that is finished.
    """

    def __init__(
        self,
        workshop: Workshop,
        world: World,
        grants: Grants,
        method: type[Mitigation],
        first: Callable[[], nn.Module],
    ) -> None:
        self._workshop, self._world, self._first = workshop, world, first
        self._grants, self._method = grants, method
        self._marks: Sampling | None = None

    def publish(self, t: int, count: int) -> Items:
        """`count` new items for crawl `t`, as many of each model released before it.

        A share `task.adoption` of each model's is sampled with the lineage's own mark.
        """
        self._marks = None  # anew: in a sandbox, they end with the instance that made them
        schedule, released = self._workshop.task.schedule, 0
        if isinstance(schedule, Web):
            released = min(len(self._workshop.task.foreign), 1 + (t - 1) // schedule.every)
        share, left = divmod(count, released)
        # The newest model publishes what cannot be shared out.
        counts = [share] * (released - 1) + [share + left]
        return Items.concat(self._written(i, t, size) for i, size in enumerate(counts))

    def _written(self, index: int, t: int, count: int) -> Items:
        workshop = self._workshop
        generator = workshop.task.foreign[index].build()

        def sample() -> dict[str, Tensor]:
            rng = workshop.rng(t, f"foreign {index}")
            return generator.sample(self._model(index), count, rng, Sampling()).columns

        key = workshop.key("foreign", index, t, count)
        items = Items(**workshop.cache.get("foreign-samples", key, sample).tensors)
        adopters = round(count * (workshop.task.adoption or 0))
        if not adopters or (marks := self._adopted_marks()) == Sampling():
            return items
        where = f"{self._method.__name__}.sampling at generation 0, adopted by others"
        written = write_marked(
            generator, self._model(index), adopters,
            lambda: workshop.rng(t, f"adopter {index}"), marks, where,
        )  # fmt: skip
        return Items.concat([written.published, items.take(slice(adopters, None))])

    def _model(self, index: int) -> nn.Module:
        """Model `index`, trained once for all lineages of this task and seed."""
        workshop = self._workshop
        schedule = workshop.task.schedule
        at = index * schedule.every if isinstance(schedule, Web) else 0
        generator = workshop.task.foreign[index].build()

        def train() -> dict[str, Tensor]:
            real, rng = self._world(at).real, workshop.rng(at, f"foreign {index}")
            return copy_state(generator.train(TrainingSet(real), rng))

        key = workshop.key("foreign", index)
        kept = workshop.cache.get("foreign-model", key, train)
        model = generator.blank()
        model.load_state_dict(kept.tensors)
        return model.eval()

    def _adopted_marks(self) -> Sampling:
        """The marks of the method's own sampling, which is asked for as at generation 0: of the
        same model, with the same random numbers and nothing that came later."""
        if "sampling" not in list_overridden(self._method):
            return Sampling()
        if self._marks is None:
            workshop, grants = self._workshop, self._grants
            trusted = self._world(0).trusted.take(slice(None))
            # In the order of a generation, since all of them may take of the global numbers: the
            # constructor, the model that is made anew, the hook.
            seed_global(workshop.rng(0, "global"))
            hooks = Hooks(self._method, 0, grants.access, grants.lent(trusted))
            seed_global(workshop.rng(0, AFTER_TRAINING))
            first, generator = self._first(), workshop.generator
            ledger = Ledger(items_trained=generator.steps * generator.batch)
            round_ = grants.open_round(0, trusted, first, ledger, trained=True)
            how = hooks.sampling(round_, first)
            self._marks = Sampling(logits=how.logits, pixels=how.pixels)
        return self._marks
