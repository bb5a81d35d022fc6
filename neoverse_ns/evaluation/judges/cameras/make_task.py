"""Camera tasks of benchmark scenes, and what their answers are compared with."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from neoverse_ns.clip.load import load_clip
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.data.clips.windows import ClipWindow
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene
from neoverse_ns.evaluation.judges.cameras.frames_clip import frames_clip, write_numbered, write_pictures
from neoverse_ns.evaluation.judges.cameras.geometry import sample_notes
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CameraTask
from neoverse_ns.evaluation.protocol.protocol import Choice
from neoverse_ns.geometry.cameras import PinholeCameras

EXHAUSTIVE_UP_TO = 24
"""Image folders of at most so many images are matched exhaustively by solvers that match; others along the sequence."""


@runtime_checkable
class SampledScene(Protocol):
    """A scene whose frames the library's own loader samples, as it does for users."""

    def window(self, frames: Sequence[BenchmarkFrame]) -> ClipWindow:
        """What some of its frames were sampled by."""
        ...

    def sample(self, frames: Sequence[BenchmarkFrame], work: Path, width: int | None = None) -> BenchmarkClip:
        """These frames as loaded, with all that is known of them."""
        ...


@dataclass(frozen=True)
class JudgedCameras:
    """A task and its truth.

    Attributes:
        task: For the solver.
        truth: True cameras of the task's clip; None where unknown.
        sample: The same with depth and motion, of our own clips.
        notes: What a reader must know of the frames and the truth.
    """

    task: CameraTask
    truth: PinholeCameras | None
    sample: BenchmarkClip | None
    notes: tuple[str, ...]


def judged_cameras(
    scene: BenchmarkScene, choice: Choice, method: CameraMethod, work: Path, seed: int = 0
) -> JudgedCameras:
    """What a solver is asked of a scene's inputs.

    Args:
        scene: Whose frames they are.
        choice: Which.
        method: The solver; told the true intrinsics of the first frame where it wants to be.
        work: Folder that solvers share a folder for the scene in.
        seed: Of everything random.

    Raises:
        ClipError: A frame cannot be read.
    """
    folder = work / scene.name
    if isinstance(scene, SampledScene):
        sample = scene.sample(choice.inputs, work)
        notes = tuple(sample_notes(sample, scene.window(choice.inputs)))
        task, truth = sample_task(sample, folder, seed), sample.cameras
    else:
        sample, notes = None, ()
        task, truth = scene_task(scene, choice.inputs, folder, seed)
    return JudgedCameras(told(task, method, truth), truth, sample, notes)


def scene_task(
    scene: BenchmarkScene, frames: Sequence[BenchmarkFrame], work: Path, seed: int = 0, every_depth: bool = False
) -> tuple[CameraTask, PinholeCameras | None]:
    """The task of some frames of a scene that follow each other, and their true cameras, where all are known.

    Args:
        scene: Whose frames they are.
        frames: By time.
        work: Folder of this task.
        seed: Of everything random.
        every_depth: Depth of every frame is asked for, too.

    Raises:
        ClipError: A frame cannot be read.
    """
    clip, truth = frames_clip(scene, frames)

    def write(folder: Path) -> Path:
        return write_pictures(scene, frames, folder)

    return CameraTask(scene.name, clip, write, False, work, seed, every_depth=every_depth), truth


def told(task: CameraTask, method: CameraMethod, cameras: PinholeCameras | None) -> CameraTask:
    """The task with the intrinsics of the first camera, for a method that wants to be told them, where they are known.

    Args:
        task: Without them.
        method: Whose task it is.
        cameras: Of the task's frames, at its clip's size.
    """
    if not method.focal_given or cameras is None or not bool(cameras.K[0].isfinite().all()):
        return task
    return replace(task, known_K=cameras.K[0].double())


def sample_task(sample: BenchmarkClip, work: Path, seed: int = 0) -> CameraTask:
    """The task of one of our own clips.

    Args:
        sample: Its frames.
        work: Folder of this clip.
        seed: Of everything random.
    """
    whole = sample.source.is_dir() and len(sample.clip) <= EXHAUSTIVE_UP_TO
    return CameraTask(sample.name, sample.clip, lambda folder: write_frames(sample, folder), whole, work, seed)


def write_frames(sample: BenchmarkClip, folder: Path) -> Path:
    """A folder with the sample's frames at source resolution: an image folder's own files, a video's as PNG.

    Frames of a video pass through the loader, so that they are surely the same; it cuts their sides to multiples of 16.
    """
    if sample.source.is_dir():
        # Copies, as COLMAP names images after what links point to.
        return Path(shutil.copytree(sample.source, folder))
    size = sample.clip.source_size
    assert size is not None
    clip = load_clip(sample.source, replace(sample.config, width=size[0]))
    assert torch.equal(clip.frame_indices, sample.clip.frame_indices)
    return write_numbered(clip.frames, folder)
