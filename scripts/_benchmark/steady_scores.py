"""How steady a stabilised clip is, and how well it shows what its cameras should see."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from _benchmark.picture_motion import picture_shake, wobble
from _benchmark.shaken import DEPTH, ShakenClip
from neoverse_ns.applications.stabilize.jitter import jitter_of
from neoverse_ns.applications.stabilize.steady import SteadyVideo
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.alignment import align_cameras
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import so3_log
from neoverse_ns.metrics.camera import ate
from neoverse_ns.metrics.image import psnr
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.render.pictures import to_bytes


def true_cameras(estimated: PinholeCameras, steady: PinholeCameras, clip: ShakenClip) -> PinholeCameras:
    """Where the steady cameras truly are: each as far from the true camera of its frame as from the estimated one.

    What the estimate has wrong in one frame and not in the next shakes the result, and counts here.

    Args:
        estimated: Of the clip's frames, in a world of their own.
        steady: In the same world.
        clip: The truth.
    """
    similarity = align_cameras(estimated.c2w.double(), clip.cameras.c2w)
    found, new = (similarity.apply_c2w(cameras.c2w.double()) for cameras in (estimated, steady))
    return PinholeCameras(
        clip.cameras.c2w @ torch.linalg.inv(found) @ new, steady.K.double(), steady.width, steady.height
    )


def aligned_cameras(estimated: PinholeCameras, steady: PinholeCameras, clip: ShakenClip) -> PinholeCameras:
    """The steady cameras in the true world by one similarity for all: a path as smooth there as it was made."""
    similarity = align_cameras(estimated.c2w.double(), clip.cameras.c2w)
    return PinholeCameras(similarity.apply_c2w(steady.c2w.double()), steady.K.double(), steady.width, steady.height)


def second_differences(c2w: Float[Tensor, "n 4 4"]) -> float:
    """Root mean square change of the turn from frame to frame, degrees."""
    R = c2w[:, :3, :3].double()
    turns = so3_log(R[:-1].mT @ R[1:])
    return float(torch.rad2deg(turns.diff(dim=0)).square().sum(dim=-1).mean().sqrt())


def score_shake(clip: ShakenClip, scene: ExportScene, video: SteadyVideo) -> dict[str, Any]:
    """Of the true cameras before and after: shake, and what is left of it in per cent."""
    true = true_cameras(scene.cameras, video.trajectory.cameras, clip)
    before = jitter_of(video.part.of(clip.cameras), clip.seconds, DEPTH)
    after, rails = jitter_of(true, clip.seconds, DEPTH), jitter_of(clip.rails, clip.seconds, DEPTH)
    left = {name: 100 * getattr(after, name) / getattr(before, name) for name in ("degrees", "percent", "pixels")}
    left["second"] = 100 * second_differences(true.c2w) / second_differences(clip.cameras.c2w)
    return {
        "before": vars(before),
        "after": vars(after),
        "rails": vars(rails),
        "left": left,
        "ate": ate(scene.cameras.c2w, clip.cameras.c2w).percent_of_path,
    }


def score_pictures(
    clip: ShakenClip, scene: ExportScene, videos: dict[str, UInt8[Tensor, "n h w 3"]], steady: PinholeCameras
) -> dict[str, Any]:
    """Of every video along the same steady cameras: PSNR against the truth there, and wobble of still and moving.

    Args:
        clip: The truth.
        scene: What was drawn; its drawings at the clip's own cameras are compared with its frames, as `plain`.
        videos: By name.
        steady: The cameras of all of them.
    """
    near = true_cameras(scene.cameras, steady, clip)
    truth = clip.seen(near)
    smooth = aligned_cameras(scene.cameras, steady, clip)
    calm, moving = clip.seen(smooth), clip.moving(smooth)
    result: dict[str, Any] = {"plain": {"psnr": _plain(scene)}}
    for name, frames in videos.items():
        result[name] = {
            "psnr": mean_psnr(frames, truth),
            "wobble_still": wobble(frames, calm, ~moving, clip.seconds),
            "wobble_moving": wobble(frames, calm, moving, clip.seconds),
        }
    result["shake"] = {"before": picture_shake(clip.frames, clip.seconds), "rails": picture_shake(calm, clip.seconds)}
    result["shake"]["after"] = picture_shake(next(iter(videos.values())), clip.seconds)
    return result


def mean_psnr(frames: UInt8[Tensor, "n h w 3"], truth: UInt8[Tensor, "n h w 3"]) -> float:
    """Mean over the frames, dB."""
    each = [psnr(a.float() / 255, b.float() / 255) for a, b in zip(frames, truth, strict=True)]
    return sum(each) / len(each)


def _plain(scene: ExportScene) -> float:
    """The drawing at the clip's own cameras against its frames."""
    assert scene.source is not None
    views = views_along(scene.gaussians, scene.cameras, scene.times, scene.options)
    return mean_psnr(torch.stack([to_bytes(view.drawing.rgb[0]) for view in views]), scene.source.clip.frames)
