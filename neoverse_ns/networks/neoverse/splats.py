"""From predictions to the Gaussians of each keyframe."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, Real
from torch import Tensor

from neoverse_ns.networks.neoverse.pixel_splats import PixelSplats, pixel_splats
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.splat_settings import SplatSettings
from neoverse_ns.networks.neoverse.static_splats import constant_splats
from neoverse_ns.networks.neoverse.voxel_merging import voxel_groups, weighted_means

CONSTANT_TIMESTAMP = -1
"""`timestamp` of Gaussians that exist at all times."""


@dataclass(frozen=True)
class KeyframeSplats:
    """Gaussians of one keyframe, or all constant ones of a clip; names and values are the release's.

    Attributes:
        means: Centres in the world.
        harmonics: Degree-0 spherical harmonics.
        opacity_logits: Opacity before the sigmoid.
        log_scales: Natural logarithm of the standard deviations.
        rotations: Quaternions wxyz, unit length.
        confidences: Above 1.
        keyframe: Position of the frame each one comes from; the earliest one of merged Gaussians.
        timestamp: Time of the keyframe; CONSTANT_TIMESTAMP for constant ones.
        life_span_logits: Life span before the sigmoid; None for constant ones.
        life_span_gamma: Decay rate of opacity; 0 for constant ones.
        forward_timestamp: Time of the next keyframe; None at the end.
        forward_vel: Displacement until then, world axes; None without motion.
        forward_rotations: Axis-angle until then.
        backward_timestamp: Time of the previous keyframe; None at the start.
        backward_vel: Displacement back to then, world axes.
        backward_rotations: Axis-angle back to then.
    """

    means: Float[Tensor, "n 3"]
    harmonics: Float[Tensor, "n 1 3"]
    opacity_logits: Float[Tensor, " n"]
    log_scales: Float[Tensor, "n 3"]
    rotations: Float[Tensor, "n 4"]
    confidences: Float[Tensor, " n"]
    keyframe: Int64[Tensor, " n"]
    timestamp: int | float
    life_span_logits: Float[Tensor, " n"] | None = None
    life_span_gamma: float = 0.0
    forward_timestamp: int | float | None = None
    forward_vel: Float[Tensor, "n 3"] | None = None
    forward_rotations: Float[Tensor, "n 3"] | None = None
    backward_timestamp: int | float | None = None
    backward_vel: Float[Tensor, "n 3"] | None = None
    backward_rotations: Float[Tensor, "n 3"] | None = None

    def __len__(self) -> int:
        return len(self.means)

    @property
    def is_constant(self) -> bool:
        """Whether these exist at all times, unchanged."""
        return self.life_span_logits is None

    @property
    def opacities(self) -> Float[Tensor, " n"]:
        return self.opacity_logits.sigmoid()

    @property
    def scales(self) -> Float[Tensor, "n 3"]:
        return self.log_scales.exp()

    @property
    def life_span(self) -> Float[Tensor, " n"] | float:
        """Life span tau in (0, 1), or 1 for constant ones."""
        return 1.0 if self.life_span_logits is None else self.life_span_logits.sigmoid()


def keyframe_splats(
    predictions: NetworkPredictions,
    images: Float[Tensor, "b s 3 h w"],
    timestamps: Real[Tensor, "b s"],
    is_static: bool = False,
    settings: SplatSettings | None = None,
) -> list[list[KeyframeSplats]]:
    """Gaussians of every clip of the batch: those of its keyframes in order, then the constant ones if any.

    Args:
        predictions: Of the frames `images`, with the Gaussian and, for motion, the motion heads' outputs.
        images: In [0, 1].
        timestamps: Times of the frames, ascending, in any unit.
        is_static: As the network was told: all Gaussians are constant, and those in one voxel become one.
        settings: Thresholds; the release's by default.

    Raises:
        SettingsError: A threshold is out of range.
        ValueError: The predictions have no Gaussians.
    """
    settings = settings or SplatSettings()
    settings.validate()
    clips = []
    for clip, times in enumerate(timestamps.tolist()):
        pixels = pixel_splats(predictions, images, clip)
        if is_static:
            clips.append([merged_splats(pixels, settings.voxel_size)])
            continue
        assert predictions.gs_depth is not None
        K = predictions.K[clip]
        if predictions.pixel_centres:
            K = K.clone()
            K[:, :2, 2] -= 0.5
        constant = constant_splats(
            pixels.means,
            pixels.speeds(),
            predictions.gs_depth[clip],
            predictions.c2w[clip],
            K,
            settings,
        )
        clips.append(_sorted_by_kind(pixels, constant, times, settings.life_span_gamma))
    return clips


def _sorted_by_kind(
    pixels: PixelSplats, constant: Bool[Tensor, "s n"], times: list[int | float], gamma: float
) -> list[KeyframeSplats]:
    splats = []
    for frame in range(len(times)):
        if not bool(constant[frame].all()):
            splats.append(_moving(pixels, frame, ~constant[frame], times, gamma))
    if bool(constant.any()):
        frame = constant.nonzero()[:, 0]
        splats.append(
            KeyframeSplats(
                means=pixels.means[constant],
                harmonics=pixels.sh[constant],
                opacity_logits=pixels.opacity_logits[constant],
                log_scales=pixels.log_scales[constant],
                rotations=pixels.quats[constant],
                confidences=pixels.confidences[constant],
                keyframe=frame,
                timestamp=CONSTANT_TIMESTAMP,
            )
        )
    return splats


def _moving(
    pixels: PixelSplats, frame: int, rows: Bool[Tensor, " n"], times: list[int | float], gamma: float
) -> KeyframeSplats:
    """The dynamic Gaussians of one keyframe."""
    first, last = frame == 0, frame == len(times) - 1
    # Nothing is copied in the usual case that all of them are dynamic.
    chosen: Tensor | slice = slice(None) if bool(rows.all()) else rows

    def of(table: Tensor | None, absent: bool, row: int) -> Tensor | None:
        return None if table is None or absent else table[row][chosen]

    means = pixels.means[frame][chosen]
    return KeyframeSplats(
        means=means,
        harmonics=pixels.sh[frame][chosen],
        opacity_logits=pixels.opacity_logits[frame][chosen],
        log_scales=pixels.log_scales[frame][chosen],
        rotations=pixels.quats[frame][chosen],
        confidences=pixels.confidences[frame][chosen],
        keyframe=torch.full((len(means),), frame, dtype=torch.int64, device=means.device),
        timestamp=times[frame],
        life_span_logits=pixels.weight_logits[frame][chosen],
        life_span_gamma=gamma,
        forward_timestamp=None if last else times[frame + 1],
        forward_vel=of(pixels.velocity_fwd, last, frame),
        forward_rotations=of(pixels.angular_fwd, last, frame),
        backward_timestamp=None if first else times[frame - 1],
        backward_vel=of(pixels.velocity_bwd, first, frame - 1),
        backward_rotations=of(pixels.angular_bwd, first, frame - 1),
    )


def merged_splats(pixels: PixelSplats, voxel_size: float) -> KeyframeSplats:
    """All Gaussians of a static clip, those of one voxel averaged with the merging weights; differentiable."""
    means = pixels.means.flatten(0, 1)
    group, groups = voxel_groups(means, voxel_size)
    tables = {
        "means": means,
        "quats": pixels.quats.flatten(0, 1),
        "scales": pixels.log_scales.flatten(0, 1).exp(),
        "opacities": pixels.opacity_logits.flatten()[:, None].sigmoid(),
        "sh": pixels.sh.flatten(0, 1)[:, 0],
        "confidences": pixels.confidences.flatten()[:, None],
    }
    averaged = weighted_means(
        torch.cat(list(tables.values()), dim=-1), pixels.weight_logits.flatten().sigmoid(), group, groups
    )
    parts = dict(zip(tables, averaged.split([table.shape[1] for table in tables.values()], dim=-1), strict=True))
    frames = torch.arange(pixels.means.shape[0], device=means.device).repeat_interleave(pixels.means.shape[1])
    earliest = frames.new_full((groups,), len(pixels.means)).scatter_reduce_(0, group, frames, "amin")
    return KeyframeSplats(
        means=parts["means"],
        harmonics=parts["sh"][:, None],
        # Sums of shares may exceed one by round-off, where the logit has no value.
        opacity_logits=torch.logit(parts["opacities"][:, 0], eps=1e-7),
        log_scales=parts["scales"].log(),
        rotations=torch.nn.functional.normalize(parts["quats"], dim=-1, eps=1e-8),
        confidences=parts["confidences"][:, 0],
        keyframe=earliest,
        timestamp=CONSTANT_TIMESTAMP,
    )
