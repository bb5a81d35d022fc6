"""Edited frames: the clip's own where nothing was changed, the scene elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.applications.edit.apply import EditedScene, Tint
from neoverse_ns.applications.edit.behind import Found
from neoverse_ns.applications.edit.config import CompositeConfig
from neoverse_ns.applications.edit.layers_shown import Shown, shown_of, surfaces_and_all
from neoverse_ns.applications.edit.own_pixels import from_own_frame
from neoverse_ns.console import progress
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.rasterize.drawing import DrawOptions

Fill = Callable[[int, Float[Tensor, "h w 3"], Float[Tensor, "h w"], Float[Tensor, "h w"]], Found]
"""Takes a frame's number, what is drawn behind, its depth and where it is wanted; gives better colours for it."""

_NOTICED = 0.1
"""Share of a pixel from which on what is gone was seen there."""
_COVERED = 0.5
_REFERENCE_SIDE = 384


@dataclass(frozen=True)
class Vacated:
    """Where something was that is not there any more.

    Attributes:
        masks: 1 where it was seen, falling to 0 around it.
        depth: Of the unedited scene; 0 where it has no surface.
    """

    masks: Float[Tensor, "f h w"]
    depth: Float[Tensor, "f h w"]


@dataclass(frozen=True)
class EditedFrames:
    """The clip's frames with the edits in them.

    Attributes:
        rgb: In [0, 1]; where nobody knows what lies behind, the far field.
        open: The same over black there.
        alpha: Opacity of what is known: 1 outside the edits.
        depth: Of the edited scene, drawn; 0 where it has no surface.
        base: The clip's frames, recoloured where that was asked for: what stays outside the edits.
        weight: How much of each pixel was edited: 0 is the frame itself.
        arrived: How much of each pixel shows what was put there.
    """

    rgb: Float[Tensor, "f h w 3"]
    open: Float[Tensor, "f h w 3"]
    alpha: Float[Tensor, "f h w"]
    depth: Float[Tensor, "f h w"]
    base: Float[Tensor, "f h w 3"]
    weight: Float[Tensor, "f h w"]
    arrived: Float[Tensor, "f h w"]

    def merge(self, finished: Float[Tensor, "f h w 3"]) -> Float[Tensor, "f h w 3"]:
        """Finished frames where something was edited, the clip's own elsewhere."""
        return torch.lerp(self.base, finished.to(self.base), self.weight[..., None])


def composite(
    scene: ExportScene,
    images: Float[Tensor, "f h w 3"],
    edited: EditedScene,
    vacated: Vacated,
    config: CompositeConfig,
    fill: Fill | None = None,
) -> EditedFrames:
    """Lay the edits over the clip's frames.

    Where something was, `edited.behind` is drawn; where something was put, it is laid over that by how much of each
    pixel it covers; all else is the frame.

    Args:
        scene: Before the edits.
        images: Its frames in [0, 1].
        edited: After them.
        vacated: Where something was; see :func:`vacated_masks`.
        config: See :class:`CompositeConfig`.
        fill: Finds better colours for what lies behind.
    """
    feather = config.feather * _per_pixel(scene)
    rows: dict[str, list[Tensor]] = {name: [] for name in EditedFrames.__dataclass_fields__}
    with progress("drawing the edits", len(images)) as steps:
        for i, image in enumerate(images):
            camera, time = scene.cameras[[i]], float(scene.times[i])
            base, gone = _tinted(scene, image, edited.tints, i), vacated.masks[i]
            behind, everything = surfaces_and_all(edited.behind, camera, time, scene.options)
            known, filled = behind.alpha[0].clamp(0, 1), behind.rgb[0].clamp(0, 1)
            far = (everything.rgb[0] - behind.rgb[0]).clamp_min(0)
            if fill is not None and bool((gone > 0).any()):
                depth = behind.depth[0, ..., 0] * (known[..., 0] > _COVERED)
                found = fill(i, filled, depth, gone)
                filled, known, far = found.rgb, torch.maximum(known, found.known), far * ~found.known.bool()
            over = _arrivals(scene, images[i], edited, i, vacated.depth[i], config.from_frames)
            part, seen = gone[..., None], over.share[..., None]
            rows["open"].append((torch.lerp(base, filled, part) * (1 - seen) + over.rgb).clamp(0, 1))
            rows["rgb"].append((torch.lerp(base, filled + far, part) * (1 - seen) + over.rgb).clamp(0, 1))
            rows["alpha"].append((torch.lerp(torch.ones_like(known), known, part) * (1 - seen) + seen)[..., 0])
            rows["depth"].append(over.depth)
            rows["base"].append(base)
            rows["arrived"].append(over.share)
            rows["weight"].append(torch.maximum(gone, grown(over.share, 0.02, feather, feather)))
            steps.advance()
    return EditedFrames(**{name: torch.stack(values) for name, values in rows.items()})


def vacated_masks(scene: ExportScene, edited: EditedScene, config: CompositeConfig) -> Vacated:
    """Where frames show what is gone, by what was said of them and by the Gaussians that went, outlines included."""
    per_pixel = _per_pixel(scene)
    masks, depth = [], []
    with progress("finding where it was", len(scene.times)) as steps:
        for i, time in enumerate(scene.times.tolist()):
            shown = shown_of(scene.gaussians, edited.gone, scene.cameras[[i]], time, scene.options)
            seen = torch.maximum(shown.share, edited.masks[i])
            masks.append(grown(seen, _NOTICED, config.margin * per_pixel, config.feather * per_pixel))
            depth.append(shown.depth)
            steps.advance()
    return Vacated(torch.stack(masks), torch.stack(depth))


def grown(share: Float[Tensor, "h w"], least: float, margin: float, feather: float) -> Float[Tensor, "h w"]:
    """1 where a share is above `least` and `margin` pixels around it, falling to 0 over `feather` pixels more."""
    mask = (share > least).numpy().astype(np.uint8)
    if not mask.any():
        return torch.zeros_like(share)
    distance = torch.from_numpy(cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    return (1 - (distance - margin) / max(feather, 1e-6)).clamp(0, 1)


def _arrivals(
    scene: ExportScene,
    image: Float[Tensor, "h w 3"],
    edited: EditedScene,
    frame: int,
    depth: Float[Tensor, "h w"],
    from_frames: bool,
) -> Shown:
    """Everything that was put somewhere, as one camera of the clip sees it."""
    camera, time = scene.cameras[[frame]], float(scene.times[frame])
    all_shown = [shown_of(edited.gaussians, put.rows, camera, time, scene.options) for put in edited.put]
    if not all_shown:
        return shown_of(edited.gaussians, {}, camera, time, scene.options)
    rgb, share = torch.zeros_like(image), torch.zeros_like(depth)
    for put, shown in zip(edited.put, all_shown, strict=True):
        if from_frames:
            own = shown_of(scene.gaussians, put.source, camera, time, scene.options)
            shown = from_own_frame(put, shown, own, image, camera, time)
        rgb, share = rgb + shown.rgb, share + shown.share
    return replace(all_shown[0], rgb=rgb, share=share.clamp(0, 1))


def _per_pixel(scene: ExportScene) -> float:
    return max(scene.cameras.width, scene.cameras.height) / _REFERENCE_SIDE


def _tinted(scene: ExportScene, image: Float[Tensor, "h w 3"], tints: list[Tint], frame: int) -> Float[Tensor, "h w 3"]:
    options: DrawOptions = scene.options
    for one in tints:
        share = shown_of(scene.gaussians, one.rows, scene.cameras[[frame]], float(scene.times[frame]), options).share
        image = torch.lerp(image, (image @ one.colours.to(image).T).clamp(0, 1), share[..., None])
    return image
