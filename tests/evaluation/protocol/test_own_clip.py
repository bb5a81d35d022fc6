"""Ids of what ns-eval measures on a user's own clip."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.evaluation.protocol.own_clip import own_clip_id
from tests.plugin.tiny_scene import tiny_scene


def test_an_id_tells_clip_frames_and_what_counts() -> None:
    scene = tiny_scene()
    first = own_clip_id(scene, "interleaved-time-m1")
    label, frames, cameras, mask, size, metrics, revision = first.split("/")
    assert label == f"clip-{scene.clip.digest()[:8]}"
    assert frames.startswith(f"{len(scene.clip)}@s0-")
    assert frames.endswith(f":interleaved-time-m1:{len(scene.split.held_out)}")
    assert (cameras, mask, size) == ("predict-all(bundle)", "plain", f"{scene.clip.width}x{scene.clip.height}")
    assert (metrics, revision) == ("psnr+ssim-tm+lpips-alex", "r1")
    ignored = torch.zeros(scene.clip.frames.shape[:3], dtype=torch.bool)
    other = replace(scene, clip=replace(scene.clip, ignored=ignored))
    assert own_clip_id(other, "same-frames").split("/")[3] == "own"
    brighter = replace(scene, clip=replace(scene.clip, frames=scene.clip.frames + 1))
    assert own_clip_id(brighter, "interleaved-time-m1").split("/")[1:] == first.split("/")[1:]
    assert own_clip_id(brighter, "interleaved-time-m1") != first
