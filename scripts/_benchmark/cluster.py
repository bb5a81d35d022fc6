"""What a training of the paper's size takes, disk, decoding and days: arithmetic of a few numbers that are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neoverse_ns.training.data.plan import BatchPlan, PlanConfig

DAY = 86_400


@dataclass(frozen=True)
class Cluster:
    """Machines and what was measured or estimated of them.

    Attributes:
        name: Of the accelerator.
        nodes: How many machines.
        gpus: In each.
        step_seconds: Of the reconstructor with 8 keyframes on each accelerator, once forward and backward.
        generator_seconds: Of the control branch, a step of one clip of 81 frames.
    """

    name: str
    nodes: int = 4
    gpus: int = 8
    step_seconds: float = 2.0
    generator_seconds: float = 27.0

    @property
    def processes(self) -> int:
        return self.nodes * self.gpus


@dataclass(frozen=True)
class Data:
    """Sizes of clips, and what it costs to read them.

    Attributes:
        clips: Of the reconstructor's sets.
        frames: Of each, on average.
        frame_bytes: Picture, depth and what motion is made of.
        frame_seconds: Of one core, to read a frame of a sample and bring it to its size.
        videos: Of the generator.
        video_bytes: Of each.
        video_frames: That have to be decoded for 81 of them.
        video_frame_seconds: Of one core, to decode one of 720p.
    """

    clips: int = 37_000
    frames: int = 100
    frame_bytes: float = 1e6
    frame_seconds: float = 0.05
    videos: int = 1_000_000
    video_bytes: float = 4e6
    video_frames: int = 401
    video_frame_seconds: float = 0.0025


PARAMETERS = 1_510e6
"""Of the released network."""


def reconstructor_lines(cluster: Cluster, data: Data, steps: int = 150_000) -> Iterator[tuple[str, str]]:
    """Training the reconstructor, line by line."""
    keyframes, clips = _batch_sizes()
    # No batch has more keyframes than the step that was timed, and each is charged as that one.
    rate = cluster.processes / cluster.step_seconds
    frames = float((clips * (2 * keyframes - 1)).mean()) * rate
    samples = float(clips.mean()) * rate
    total = BatchPlan(PlanConfig(), 0, cluster.processes).samples_before(steps)
    cores = frames * data.frame_seconds
    yield "clips of a step and accelerator, on average", f"{clips.mean():.2f}"
    often = f"every clip of {data.clips // 1000} K comes {total / data.clips:.0f} times"
    yield "samples in all", f"{total / 1e6:.1f} M: {often}"
    yield "samples and frames a second", f"{samples:.0f} and {frames:.0f}"
    yield "cores that read them", f"{cores:.0f}, or {cores / cluster.processes:.1f} an accelerator"
    megabytes = frames * data.frame_bytes / 1e6
    yield "read from disk", f"{megabytes:.0f} MB/s, or {megabytes / cluster.nodes:.0f} a node"
    yield "clips on disk", f"{data.clips * data.frames * data.frame_bytes / 1e12:.1f} TB"
    yield f"{steps // 1000} K steps", f"{steps * cluster.step_seconds / DAY:.1f} days"
    yield "a checkpoint (weights; with AdamW's state)", f"{PARAMETERS * 4 / 1e9:.0f} GB; {PARAMETERS * 12 / 1e9:.0f} GB"


def generator_lines(cluster: Cluster, data: Data, steps: int = 50_000) -> Iterator[tuple[str, str]]:
    """Training the control branch, line by line."""
    rate = cluster.processes / cluster.generator_seconds
    cores = rate * data.video_frames * data.video_frame_seconds
    total = steps * cluster.processes
    often = f"every video of {data.videos / 1e6:.1f} M comes {total / data.videos:.1f} times"
    yield "pairs in all", f"{total / 1e6:.1f} M: {often}"
    yield "clips a second", f"{rate:.1f}"
    yield "cores that decode them", f"{cores:.1f}, or {cores / cluster.processes:.2f} an accelerator"
    yield "read from disk", f"{rate * data.video_bytes / 1e6:.1f} MB/s"
    gigabytes = data.videos * data.video_bytes / 1e9
    yield "videos on disk", f"{gigabytes / 1e3:.0f} TB in {gigabytes:.0f} shards of 1 GB"
    yield f"{steps // 1000} K steps", f"{steps * cluster.generator_seconds / DAY:.1f} days"


def _batch_sizes() -> tuple[np.ndarray, np.ndarray]:
    """Keyframes that a step may have, each as likely as the others, and the clips that go with them."""
    config = PlanConfig()
    keyframes = np.arange(config.keyframes[0], config.keyframes[1] + 1)
    return keyframes, np.maximum(config.frames_per_gpu // keyframes, 1)
