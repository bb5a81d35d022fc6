"""All that is known about a view's pixels before a network sees them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.refiners.internal.fill import depth_or_behind, push_pull
from neoverse_ns.generate.refiners.internal.reference_lookup import SLOTS, References, sample_references

CHANNELS = 3 + 3 * SLOTS + SLOTS + 1 + 1 + 1 + 6
"""Of :meth:`NetworkInputs.channels`."""

ALLOWED = 0.02
"""Largest change of a colour where a pixel is fully covered and the clip's neighbouring frames agree with it."""

ALLOWED_WORN = 0.5
"""The same where drawing and frames may be worn alike, so that their agreement means little."""

_GAIN = 3.0
"""How much more may change per difference between the drawing and what the neighbouring frames show."""

_UNKNOWN = 0.15
"""Difference assumed where no neighbouring frame sees the pixel."""


@dataclass(frozen=True)
class NetworkInputs:
    """Maps over a batch of views or crops of them; every value in [0, 1] unless said otherwise.

    Attributes:
        base: What was drawn, holes filled smoothly.
        colours: The same pixels in frames of the clip, one image per slot.
        trust: How surely each slot shows the same surface.
        alpha: Opacity of what was drawn.
        mask: 1 where the drawing was marked to be kept.
        depth: Logarithm of z-depth over the scene's typical one, without holes; of either sign.
        plucker: Rays, see :class:`neoverse_ns.generate.base.Conditions`.
    """

    base: Float[Tensor, "b 3 h w"]
    colours: Float[Tensor, "b _k h w"]
    trust: Float[Tensor, "b _s h w"]
    alpha: Float[Tensor, "b 1 h w"]
    mask: Float[Tensor, "b 1 h w"]
    depth: Float[Tensor, "b 1 h w"]
    plucker: Float[Tensor, "b 6 h w"]

    def channels(self) -> Float[Tensor, "b _c h w"]:
        """Everything as one image."""
        return torch.cat([getattr(self, f.name) for f in fields(self)], dim=1)

    def candidates(self) -> Float[Tensor, "b _n 3 h w"]:
        """The drawing, then the slots: the images that the result can be put together from."""
        both = torch.cat([self.base, self.colours], dim=1)
        return both.unflatten(1, (-1, 3))

    def allowed_change(self, least: float = ALLOWED) -> Float[Tensor, "b 1 h w"]:
        """How much of the drawing may change: next to nothing where it is covered and neighbouring frames agree.

        The difference is the larger one of both neighbouring frames, so that they cannot outvote each other, and the
        largest within one pixel around, so that an edge half a pixel off can be put right on both sides.

        Args:
            least: What is allowed where they agree.
        """
        apart = (self.candidates()[:, 1:3] - self.base[:, None]).abs().mean(2)
        trust = self.trust[:, :2]
        difference = (trust * apart).amax(1, keepdim=True)
        difference = difference + (1 - trust.amax(1, keepdim=True)) * _UNKNOWN
        difference = functional.max_pool2d(difference, 3, stride=1, padding=1)
        return least + _GAIN * difference + 2 * (1 - self.alpha)


def gather(
    conditions: Conditions, frame: int, references: References, scale: float, without: int | None = None
) -> NetworkInputs:
    """What is known about one frame of `conditions`, on the references' device.

    Args:
        conditions: What was drawn.
        frame: Its number among them.
        references: Frames of the clip.
        scale: Typical depth of the scene, world units.
        without: See :func:`neoverse_ns.generate.refiners.internal.reference_lookup.sample_references`.
    """
    here = conditions[frame : frame + 1].to(references.images.device)
    alpha = here.alpha[:, None].clamp(0, 1)
    # Colours were drawn over black: what is half open is half dark.
    rgb = (here.rgb.movedim(-1, 1) / alpha.clamp_min(1e-3)).clamp(0, 1)
    rgb = torch.where(alpha >= 1, here.rgb.movedim(-1, 1).clamp(0, 1), rgb)
    base = push_pull(rgb, alpha)
    depth = depth_or_behind(here.depth[:, None], alpha)
    seen = sample_references(references, depth[0], here.K[0], here.c2w[0], float(here.times[0]), without)
    return NetworkInputs(
        base=base,
        colours=seen.colours.flatten(0, 1)[None],
        trust=seen.trust.flatten(0, 1)[None],
        alpha=alpha,
        mask=here.mask[:, None].to(alpha.dtype),
        depth=(depth / scale).log().clamp(-4, 4),
        plucker=here.plucker,
    )


@dataclass(frozen=True)
class PackedInputs:
    """What is known about one whole view in a third of the memory: bytes, and rays computed again when they are needed.

    Attributes:
        bytes_: Base, colours, trust, alpha and mask, 0 to 255.
        depth: As in :class:`NetworkInputs`.
        K: Intrinsics in pixels.
        c2w: Camera-to-world.
    """

    bytes_: UInt8[Tensor, "c h w"]
    depth: Float[Tensor, "1 h w"]
    K: Float[Tensor, "3 3"]
    c2w: Float[Tensor, "4 4"]

    @staticmethod
    def of(inputs: NetworkInputs, K: Float[Tensor, "3 3"], c2w: Float[Tensor, "4 4"]) -> PackedInputs:
        parts = [inputs.base, inputs.colours, inputs.trust, inputs.alpha, inputs.mask]
        # Alpha is rounded down: what was not fully covered must not become so.
        whole = torch.cat(
            [(part * 255).round() for part in parts[:3]] + [(part * 255).floor() for part in parts[3:]], 1
        )
        return PackedInputs(whole[0].to(torch.uint8), inputs.depth[0].half(), K, c2w)

    def crop(self, top: int, left: int, height: int, width: int) -> NetworkInputs:
        """What is known about a rectangle of the view, pixels from its top left corner."""
        window = (slice(None), slice(top, top + height), slice(left, left + width))
        values = (self.bytes_[window][None].to(torch.float32)) / 255
        K = self.K.clone()
        K[0, 2] -= left
        K[1, 2] -= top
        rays = plucker_maps(self.c2w, K, height, width)[None].to(torch.float32)
        sizes = (3, 3 * SLOTS, SLOTS, 1, 1)
        base, colours, trust, alpha, mask = values.split(sizes, dim=1)
        return NetworkInputs(base, colours, trust, alpha, mask, self.depth[window][None].to(torch.float32), rays)


def stack(parts: list[NetworkInputs]) -> NetworkInputs:
    """One batch of inputs about crops of one size."""
    return NetworkInputs(**{f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(NetworkInputs)})
