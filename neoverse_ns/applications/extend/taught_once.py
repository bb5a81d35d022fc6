"""A refiner that learns from a clip once, however many views of it are finished."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, Refiner
from neoverse_ns.generate.source_scene import SourceScene


class TaughtOnce(Refiner):
    """Passes everything on but a second :meth:`adapt`: what was invented meanwhile is nothing to learn from.

    Args:
        refiner: Who does the work.
    """

    def __init__(self, refiner: Refiner) -> None:
        self._refiner, self._taught = refiner, False

    def check(self) -> None:
        self._refiner.check()

    def adapt(self, source: SourceScene, seed: int = 0) -> None:
        if not self._taught:
            self._refiner.adapt(source, seed)
            self._taught = True

    def refine(self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0) -> Float[Tensor, "n h w 3"]:
        return self._refiner.refine(conditions, prompt, seed)
