"""A clip together with its reconstruction: what training, evaluation and export start from."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.repeats import seen_again
from neoverse_ns.clip.store import frame_name
from neoverse_ns.console import say, warn
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.reconstruct.base import Reconstructor, SceneGeometry
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.motion_masks import moving_pixels
from neoverse_ns.reconstruct.registry import get_reconstructor, settled
from neoverse_ns.reconstruct.split import FrameSplit, split_frames
from neoverse_ns.reconstruct.strays import without_strays
from neoverse_ns.reconstruct.tracking_guard import describe_tracking, tracking_note, usable_tracking

CLIP_FOLDER = "clip"
"""Subfolder of a stored scene that holds its frames."""


@dataclass(frozen=True)
class Scene:
    """Everything known about a clip before it is refined.

    Attributes:
        clip: The sampled frames; those between them, which were only needed to reconstruct, are gone.
        split: Training frames, keyframes, held-out frames.
        geometry: Cameras of all frames, depth of the keyframes.
        gaussians: As lifted; None where they were left out on purpose (a run folder, whose checkpoint has them).
        held_out_dynamic: Moving pixels of the held-out frames, in the order of `split.held_out`; only for measuring.
        folder: Where it lies on disk, with the frames as images; None where it could not be kept.
    """

    clip: Clip
    split: FrameSplit
    geometry: SceneGeometry
    gaussians: LayeredGaussians | None
    held_out_dynamic: Bool[Tensor, "m h w"]
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"Scene({self.clip!r}, {self.geometry!r}, {self.gaussians!r})"

    def frame_file(self, frame: int) -> Path:
        """Image file of a sampled frame; exists where `folder` is known."""
        return (self.folder or Path("scene")) / CLIP_FOLDER / frame_name(int(self.clip.frame_indices[frame]))


def build_scene(path: Path, config: SceneConfig, device: str = "cpu") -> Scene:
    """Decode a clip and reconstruct it, without looking at the cache.

    Args:
        path: Video file, image folder or image.
        config: See :class:`SceneConfig`.
        device: Where it will be trained; decides the default size and number of frames.

    Raises:
        ClipError: The clip cannot be read as asked.
        SettingsError: A setting is out of range.
        ReconstructionError: The clip cannot be reconstructed.
    """
    # Nerfstudio loads this module with every ns-* command, which must work where PyAV does not.
    from neoverse_ns.clip.load import load_clip

    config.validate()
    started = time.perf_counter()
    reconstructor = get_reconstructor(settled(config))
    clip = load_clip(path, config.clip, device, tracking=wants_tracking(reconstructor, config))
    decoded = time.perf_counter()
    scene = scene_of(clip, config, reconstructor)
    scene.geometry.report["seconds"]["decode"] = decoded - started
    say(
        f"{len(scene.clip)} frames ({len(scene.split.keyframes)} keyframes, {len(scene.split.held_out)} held out), "
        f"{scene.gaussians.count if scene.gaussians else 0:,} Gaussians in {time.perf_counter() - started:.1f} s"
    )
    return scene


def wants_tracking(reconstructor: Reconstructor, config: SceneConfig) -> bool:
    """Whether frames between the sampled ones are to be read."""
    return reconstructor.uses_tracking and config.tracking != "none"


def scene_of(clip: Clip, config: SceneConfig, reconstructor: Reconstructor) -> Scene:
    """Reconstruct a clip that is already in memory.

    Args:
        clip: With the frames between the sampled ones where :func:`wants_tracking` says so.
        config: Its `clip` is not looked at again.
        reconstructor: As `config` names it.

    Raises:
        ReconstructionError: The clip cannot be reconstructed.
    """
    started = time.perf_counter()
    clip = without_strays(clip)
    keyframes = reconstructor.keyframes_wanted(config.num_keyframes, len(clip))
    split = divide(clip, keyframes, config.held_out_every)
    read = clip.num_tracking
    clip = usable_tracking(clip, split, config.tracking)
    reconstruction = reconstructor.reconstruct(clip, split)
    report = reconstruction.report
    report["tracking"] = describe_tracking(read, clip.num_tracking, config.tracking)
    clip = replace(reconstruction.clip or clip, tracking=None)
    report.setdefault("seconds", {})["reconstruct_total"] = time.perf_counter() - started
    report["clip_notes"] = list(clip.notes)
    if clip.crop is not None:
        report["crop"] = list(clip.crop)
    if (note := tracking_note(report)) is not None:
        say(note)
    return Scene(
        clip=clip,
        split=split,
        geometry=reconstruction.geometry,
        gaussians=reconstruction.gaussians,
        held_out_dynamic=_held_out_dynamic(clip, split, reconstruction.geometry),
    )


def divide(clip: Clip, keyframes: int | None, held_out_every: int) -> FrameSplit:
    """Divide the frames such that no held-out one shows what a training frame shows to the last detail."""
    again = seen_again(clip.frames.numpy())
    split = split_frames(len(clip), keyframes, held_out_every, again)
    if again and not split.held_out and split_frames(len(clip), keyframes, held_out_every).held_out:
        warn("every frame shows the same picture as another: none is held out, so metrics measure memory alone")
    return split


def _held_out_dynamic(clip: Clip, split: FrameSplit, geometry: SceneGeometry) -> Bool[Tensor, "m h w"]:
    masks = [moving_pixels(clip, geometry, frame) for frame in split.held_out]
    if not masks:
        return torch.zeros(0, clip.height, clip.width, dtype=torch.bool)
    return torch.stack(masks)
