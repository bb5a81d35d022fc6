"""From a protocol's choice of frames to what a method is given."""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import default_side
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene
from neoverse_ns.evaluation.judges.views.guard import GuardedScene, check_apart
from neoverse_ns.evaluation.judges.views.sizes import framed_mask, framed_picture, framing_for
from neoverse_ns.evaluation.judges.views.task import Peek, Target, ViewTask
from neoverse_ns.evaluation.placing.place import looks_at_targets
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.geometry.cameras import PinholeCameras


def view_task(
    protocol: Protocol,
    scene: BenchmarkScene,
    choice: Choice,
    work: Path,
    *,
    seed: int = 0,
    longest: int | None = None,
    device: str = "cpu",
) -> ViewTask:
    """Read the inputs, and nothing else but names and cameras of the targets.

    Args:
        protocol: What is measured.
        scene: Where.
        choice: Which frames.
        work: Folder that the method may write to.
        seed: Of everything random.
        longest: Longer side in pixels of the pictures that the method works on; by default what is usual on the device.
            Judged pictures may be larger.
        device: Where the method will work.

    Raises:
        LeakError: A frame is both given and judged by.
        ClipError: Inputs differ in size, or show one time twice; a picture cannot be read.
    """
    check_apart(scene, choice)
    inputs = sorted(choice.inputs, key=lambda frame: (frame.seconds, frame.camera))
    clip = _clip(protocol, scene, inputs, work, longest or default_side(device))
    return ViewTask(
        scene=scene.name,
        clip=clip,
        names=tuple(frame.name for frame in inputs),
        cameras=_cameras(protocol, inputs, clip),
        targets=tuple(_target(protocol, frame, inputs, clip) for frame in choice.targets),
        work=work,
        seed=seed,
        placing=protocol.cameras,
        tto=protocol.tto,
        peek=_peek(protocol, scene, choice) if looks_at_targets(protocol.cameras, protocol.tto) else None,
        input_cameras=tuple(frame.camera for frame in inputs),
    )


def _clip(protocol: Protocol, scene: BenchmarkScene, inputs: list[BenchmarkFrame], work: Path, longest: int) -> Clip:
    """The inputs as a clip that says nothing of where they lie."""
    reader = GuardedScene(scene, (frame.name for frame in inputs), "a method's inputs")
    sizes = {(frame.width, frame.height) for frame in inputs}
    if len(sizes) != 1:
        raise ClipError(f"{scene.name}: inputs differ in size ({', '.join(f'{w}x{h}' for w, h in sorted(sizes))})")
    seconds = torch.tensor([frame.seconds for frame in inputs], dtype=torch.float64)
    if bool((seconds.diff() <= 0).any()):
        twice = inputs[int((seconds.diff() <= 0).nonzero()[0])]
        raise ClipError(
            f"{scene.name}: another input shows the time of {twice.name}: a method is given one view a time"
        )
    framing = framing_for(protocol.size, *sizes.pop(), longest)
    pictures, hidden = [], []
    for frame in inputs:
        pixels = reader.read(frame, "rgb", "valid")
        if pixels.rgb is None:
            raise ClipError(f"{scene.name}: {frame.name} has no picture")
        pictures.append(framed_picture(framing, pixels.rgb))
        valid = pixels.masks.get("valid")
        hidden.append(torch.zeros(pictures[-1].shape[:2]).bool() if valid is None else ~framed_mask(framing, valid))
    ignored = torch.stack(hidden)
    return Clip(
        frames=torch.stack(pictures),
        frame_indices=torch.arange(len(inputs)),
        seconds=seconds - seconds[0],
        source=work / "inputs",
        ignored=ignored if bool(ignored.any()) else None,
    )


def _cameras(protocol: Protocol, inputs: list[BenchmarkFrame], clip: Clip) -> PinholeCameras | None:
    if any(frame.c2w is None or frame.K is None for frame in inputs):
        return None
    framing = framing_for(protocol.size, inputs[0].width, inputs[0].height, max(clip.width, clip.height))
    c2w = torch.stack([frame.c2w for frame in inputs if frame.c2w is not None])
    K = torch.stack([framing.intrinsics(frame.K, frame.width, frame.height) for frame in inputs if frame.K is not None])
    return PinholeCameras(c2w, K, clip.width, clip.height)


def _target(protocol: Protocol, frame: BenchmarkFrame, inputs: list[BenchmarkFrame], clip: Clip) -> Target:
    framing = framing_for(protocol.size, frame.width, frame.height)
    span = float(clip.seconds[-1]) or 1.0
    K: Float64[Tensor, "3 3"] | None = None
    if frame.K is not None:
        K = framing.intrinsics(frame.K, frame.width, frame.height)
    beside = [number for number, one in enumerate(inputs) if one.time == frame.time and one.camera != frame.camera]
    return Target(
        name=frame.name,
        time=(frame.seconds - inputs[0].seconds) / span,
        true_c2w=frame.c2w,
        true_K=K,
        width=framing.size[0],
        height=framing.size[1],
        beside=beside[0] if beside else None,
        camera=frame.camera,
    )


def _peek(protocol: Protocol, scene: BenchmarkScene, choice: Choice) -> Peek:
    """Reads targets for the camera solver, which the protocol's id says."""
    frames = {frame.name: frame for frame in choice.targets}
    reader = GuardedScene(scene, frames, "the camera solver")

    def peek(target: Target) -> Tensor:
        frame = frames[target.name]
        picture = reader.read(frame, "rgb").rgb
        if picture is None:
            raise ClipError(f"{scene.name}: {frame.name} has no picture")
        return framed_picture(framing_for(protocol.size, frame.width, frame.height), picture)

    return peek
