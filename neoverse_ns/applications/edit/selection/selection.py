"""`Selection`: the Gaussians meant, and the pixels that show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.applications.edit.selection.shares import region_shares
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene

MOSTLY = 0.5
"""Share of what a Gaussian shows that must lie in the region for it to belong to the thing."""
PARTLY = 0.2
"""Share from which on it shows some of it: its colour is mixed, and it goes when the thing goes."""
_SEEN = 0.05
"""Pixels, summed over frames, below which what a Gaussian shows says nothing about it."""


@dataclass(frozen=True)
class Selection:
    """Gaussians of all layers.

    Attributes:
        thing: Those that make up what was selected, by layer.
        touched: These, and those that show some of it and some of its surroundings.
        masks: 1 where a sampled frame was said to show it; zero for frames of which nothing was said.
    """

    thing: dict[str, Bool[Tensor, " n"]]
    touched: dict[str, Bool[Tensor, " n"]]
    masks: Float[Tensor, "f h w"]

    @property
    def count(self) -> int:
        """Gaussians that make it up."""
        return sum(int(rows.sum()) for rows in self.thing.values())


def select(scene: ExportScene, masks: Float[Tensor, "f h w"], frames: Sequence[int]) -> Selection:
    """The Gaussians of all keyframes that a region shows.

    Args:
        scene: What they belong to.
        masks: 1 inside the region, in [0, 1].
        frames: Sampled frames that the masks belong to.

    Raises:
        SettingsError: The region is empty, or shows no Gaussians.
    """
    chosen = [i for i, mask in enumerate(masks) if bool((mask > 0).any())]
    if not chosen:
        raise SettingsError("the region to edit is empty in every frame: nothing is selected")
    # Frames without the region count too: what they show of a Gaussian lies outside.
    thing, touched = {}, {}
    for name, share in region_shares(scene, masks, frames).items():
        known = share.total > _SEEN
        ratio = share.inside / share.total.clamp_min(1e-12)
        # What hardly shows is judged by where it lies: it would show when what hides it goes.
        hidden = ~known & (share.there > share.elsewhere)
        thing[name], touched[name] = known & (ratio > MOSTLY) | hidden, known & (ratio > PARTLY) | hidden
    if not any(bool(rows.any()) for rows in thing.values()):
        raise SettingsError("the region to edit shows nothing that the scene holds: choose it larger, or elsewhere")
    full = masks.new_zeros(len(scene.times), *masks.shape[1:])
    full[list(frames)] = masks
    return Selection(thing, touched, full)
