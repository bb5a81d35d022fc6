"""Pictures of a protocol's frames as files, for programs that read nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns import __version__
from neoverse_ns.console import progress
from neoverse_ns.errors import ClipError, RunError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene
from neoverse_ns.evaluation.judges.views.sizes import framed_mask, framed_picture, framing_for
from neoverse_ns.plugin.benchmark.opened import OpenedBenchmark
from neoverse_ns.render.writers import write_png
from neoverse_ns.user_files import cache_root

_DONE = "done.json"


@dataclass(frozen=True)
class WrittenFrames:
    """Frames as files, and their cameras.

    Attributes:
        pictures: Straight, at the protocol's size.
        masks: Pixels that show anything, white; None where all pictures are whole.
        c2w: In the data set's world, OpenCV axes.
        K: In pixels of the pictures.
        times: 0 at the first input, 1 at the last; targets may lie outside.
        sizes: Width and height.
    """

    pictures: list[Path]
    masks: list[Path] | None
    c2w: Float64[Tensor, "n 4 4"]
    K: Float64[Tensor, "n 3 3"]
    times: Float64[Tensor, " n"]
    sizes: list[tuple[int, int]]


@dataclass(frozen=True)
class WrittenSplits:
    """Both splits of a protocol's scene."""

    inputs: WrittenFrames
    targets: WrittenFrames


def write_frames(opened: OpenedBenchmark, cache_dir: Path | None = None) -> WrittenSplits:
    """Write both splits below the cache, unless they lie there already.

    Args:
        opened: Protocol and frames.
        cache_dir: The cache; None takes the usual one.

    Raises:
        ClipError: The data set does not tell a frame's camera, or a picture cannot be read.
        RunError: The cache cannot be written.
    """
    choice = opened.choice
    unknown = [frame.name for frame in (*choice.inputs, *choice.targets) if frame.c2w is None or frame.K is None]
    if unknown:
        raise ClipError(
            f"{opened.scene.folder}: the data set does not say where {unknown[0]} and {len(unknown) - 1} others were "
            "taken from; a method that needs cameras cannot use it"
        )
    folder = cache_root(cache_dir) / "benchmarks" / _key(opened)
    if not (folder / _DONE).is_file():
        _write(opened, folder)
    masked = json.loads((folder / _DONE).read_text("utf8"))
    start, end = choice.inputs[0].seconds, choice.inputs[-1].seconds
    size = opened.protocol.size
    return WrittenSplits(
        *(
            _described(frames, folder / split, masked[split], (start, end), size)
            for split, frames in (("inputs", choice.inputs), ("targets", choice.targets))
        )
    )


def _key(opened: OpenedBenchmark) -> str:
    """Equal for equal files and protocols; contents are told by size and time of change."""
    frames = (*opened.choice.inputs, *opened.choice.targets)
    facts = [(frame.name, *_stat(opened.scene.folder / frame.name)) for frame in frames]
    material = [__version__, opened.protocol.alias, opened.protocol.revision, str(opened.scene.folder), facts]
    return hashlib.sha256(json.dumps(material).encode()).hexdigest()[:24]


def _stat(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        # Frames of a video or made by a program have no files of their own.
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _write(opened: OpenedBenchmark, folder: Path) -> None:
    """Everything beside the place where it goes first, so that half of it is never found."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            splits = {"inputs": opened.choice.inputs, "targets": opened.choice.targets}
            masked = {
                split: _write_split(opened.scene, frames, opened.protocol.size, draft / split)
                for split, frames in splits.items()
            }
            (draft / _DONE).write_text(json.dumps(masked), "utf8")
            if not folder.exists():
                os.replace(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise RunError(f"{folder}: pictures cannot be written ({error.strerror or error}); set --cache-dir") from error


def _write_split(scene: BenchmarkScene, frames: Sequence[BenchmarkFrame], size: str, folder: Path) -> bool:
    """Write a split; whether any picture has pixels that show nothing."""
    folder.mkdir()
    masks: list[np.ndarray] = []
    with progress(f"writing {folder.name}", len(frames)) as steps:
        for place, frame in enumerate(frames):
            framing = framing_for(size, frame.width, frame.height)
            pixels = scene.read(frame, "rgb", "valid")
            if pixels.rgb is None:
                raise ClipError(f"{scene.folder / frame.name}: there is no picture")
            write_png(folder / f"{place:05d}.png", framed_picture(framing, pixels.rgb).numpy()[..., ::-1])
            valid = pixels.masks.get("valid")
            whole = torch.ones(frame.height, frame.width, dtype=torch.bool)
            masks.append(framed_mask(framing, whole if valid is None else valid).numpy())
            steps.advance()
    masked = any(not mask.all() for mask in masks)
    if masked:
        for place, mask in enumerate(masks):
            write_png(folder / f"{place:05d}_mask.png", mask.astype(np.uint8) * 255)
    return masked


def _described(
    frames: Sequence[BenchmarkFrame], folder: Path, masked: bool, span: tuple[float, float], size: str
) -> WrittenFrames:
    framings = [framing_for(size, frame.width, frame.height) for frame in frames]
    seconds = torch.tensor([frame.seconds for frame in frames], dtype=torch.float64)
    length = span[1] - span[0]
    places = range(len(frames))
    return WrittenFrames(
        pictures=[folder / f"{place:05d}.png" for place in places],
        masks=[folder / f"{place:05d}_mask.png" for place in places] if masked else None,
        c2w=torch.stack([frame.c2w for frame in frames if frame.c2w is not None]),
        K=torch.stack(
            [
                framing.intrinsics(frame.K, frame.width, frame.height)
                for framing, frame in zip(framings, frames, strict=True)
                if frame.K is not None
            ]
        ),
        times=(seconds - span[0]) / length if length > 0 else torch.zeros_like(seconds),
        sizes=[framing.size for framing in framings],
    )
