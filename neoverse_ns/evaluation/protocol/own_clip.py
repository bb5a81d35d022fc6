"""The id of what `ns-eval` measures on a user's own clip."""

from __future__ import annotations

from neoverse_ns.reconstruct.given_world import cameras_given
from neoverse_ns.reconstruct.scene import Scene

METRICS = "psnr+ssim-tm+lpips-alex"


def own_clip_id(scene: Scene, name: str) -> str:
    """Full id of a run's figures, of the form that every protocol's has.

    The first part is the clip by its pixels and times, so that equal ids mean equal frames; `predict-all` because the
    cameras of held-out frames are solved together with the others.

    Args:
        scene: What the run was trained on.
        name: Of the protocol, as `interleaved-time-m1` or `same-frames`.
    """
    clip, held = scene.clip, len(scene.split.held_out)
    first, last = float(clip.seconds[0]), float(clip.seconds[-1])
    frames = f"{len(clip)}@s{first:.3g}-{last:.3g}:{name}" + (f":{held}" if held else "")
    solver = scene.geometry.report.get("reconstructor", "bundle")
    cameras = "given" if cameras_given(scene.geometry.report) else f"predict-all({solver})"
    mask = "plain" if clip.ignored is None else "own"
    parts = (f"clip-{clip.digest()[:8]}", frames, cameras, mask, f"{clip.width}x{clip.height}", METRICS, "r1")
    return "/".join(parts).lower()
