"""Benchmark clips on disk: frames through the library's own loader, truth brought to the clip's size and frames.

A clip folder holds `clip.mp4` or `images/`, and optionally `cameras.npz` (frame_index, c2w in OpenCV axes, and K in
pixels or fx_over_width and fy_over_height; right_c2w, right_K), `right_images/`, and `depth/` (16-bit PNG, with
`depth_scale` in about.json), and `truth.npz` (dynamic: pixels of every frame that move on their own;
things and right_things: number of the moving thing at every pixel, 0 where nothing moves).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, Shaped, UInt8
from numpy.typing import NDArray
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.image_file import image_size
from neoverse_ns.clip.images import images_in
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.resize import fit
from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.evaluation.data.clips.windows import ClipWindow, choose_images
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import interpolate_c2w


@dataclass(frozen=True)
class BenchmarkClip:
    """The frames one measurement uses, with the truth known about them.

    Attributes:
        name: The folder's name.
        source: What `load_clip` and `ns-train` read: a video, or a folder with the chosen images alone.
        config: How they read it.
        clip: The sampled frames; `frame_indices` count in the original video or image folder.
        cameras: True cameras of the frames at the clip's size, arbitrary world and scale; None where unknown.
        depth: True z-depth of the frames, 0 where unknown; None where there is none.
        dynamic: Pixels of the frames that truly move on their own; None where unknown.
        right_cameras: A second camera at the same times; None where there is none.
        right_frames: What it saw, RGB.
        things: Number of the moving thing at every pixel of the frames, 0 where nothing moves; None where unknown.
        right_things: The same of the second camera's.
    """

    name: str
    source: Path
    config: ClipConfig
    clip: Clip
    cameras: PinholeCameras | None
    depth: Float[Tensor, "n h w"] | None
    dynamic: Bool[Tensor, "n h w"] | None
    right_cameras: PinholeCameras | None
    right_frames: UInt8[Tensor, "n h w 3"] | None
    things: UInt8[Tensor, "n h w"] | None = None
    right_things: UInt8[Tensor, "n h w"] | None = None


def find_clips(root: Path, only: list[str] | None = None) -> list[Path]:
    """Clip folders directly inside `root`, sorted by name.

    Raises:
        ClipError: There are none, or one asked for is missing.
    """
    if not root.is_dir():
        raise ClipError(f"{root}: no such folder of clips")
    found = [f for f in sorted(root.iterdir()) if (f / "clip.mp4").is_file() or (f / "images").is_dir()]
    if only is not None:
        missing = sorted(set(only) - {folder.name for folder in found})
        if missing:
            raise ClipError(f"{root}: no clip named {', '.join(missing)}; there are {', '.join(f.name for f in found)}")
        found = [folder for folder in found if folder.name in only]
    if not found:
        raise ClipError(f"{root}: no folder inside has a clip.mp4 or images/")
    return found


def load_benchmark_clip(folder: Path, protocol: ClipWindow, work: Path, width: int | None = None) -> BenchmarkClip:
    """Read one clip folder.

    Args:
        folder: See the module's description.
        protocol: Which frames to use; of images, :func:`choose_images` decides.
        work: Where links to the chosen images may be put.
        width: Of the sampled frames; None takes the library's default.

    Raises:
        ClipError: The folder cannot be used.
    """
    video = folder / "clip.mp4"
    if video.is_file():
        start, duration = protocol.window(_length(video))
        source, source_size = video, video_size(video)
        config = ClipConfig(start=start, duration=duration, num_frames=protocol.num_frames, width=width)
        clip = load_clip(source, config)
    else:
        images = images_in(folder / "images")
        chosen = choose_images(folder.name, len(images), protocol)
        source, source_size = _link(images, chosen, work / "images" / folder.name), image_size(images[0])
        # Numbers may have holes: the duration is longer than any that they can mean.
        config = ClipConfig(num_frames=len(chosen), duration=1e6, width=width, image_rate=30.0)
        clip = load_clip(source, config)
        clip = replace(clip, frame_indices=torch.tensor(chosen)[clip.frame_indices])
    cameras, right_cameras = true_cameras(folder, clip.frame_indices, source_size, (clip.width, clip.height))
    right = None
    if right_cameras is not None and (folder / "right_images").is_dir():
        right = _right_frames(folder / "right_images", clip)
    depth = _true_depth(folder, clip) if (folder / "depth").is_dir() else None
    truth = pixel_truth(folder)
    dynamic, things, right_things = (_true_maps(truth, key, clip) for key in ("dynamic", "things", "right_things"))
    return BenchmarkClip(
        folder.name, source, config, clip, cameras, depth, dynamic, right_cameras, right, things, right_things
    )


def scale_intrinsics(
    K: Float[Tensor, "n 3 3"], source: tuple[int, int], target: tuple[int, int]
) -> Float[Tensor, "n 3 3"]:
    """Intrinsics after what the clip loader does: scale an image until it covers `target`, cut the overhang evenly."""
    scale = max(target[0] / source[0], target[1] / source[1])
    cover = max(round(source[0] * scale), target[0]), max(round(source[1] * scale), target[1])
    scaled = K.clone()
    for axis in (0, 1):
        scaled[:, axis] *= cover[axis] / source[axis]
        scaled[:, axis, 2] -= (cover[axis] - target[axis]) // 2
    return scaled


def true_cameras(
    folder: Path, frames: Int64[Tensor, " n"], source_size: tuple[int, int], size: tuple[int, int]
) -> tuple[PinholeCameras | None, PinholeCameras | None]:
    """Cameras of a clip's frames and of the second camera, interpolated between annotated frames; None where unknown.

    Args:
        folder: Of the clip.
        frames: Their numbers in its video or image folder.
        source_size: Width and height of these.
        size: Width and height of the pictures that the cameras are for, cut and scaled as the loader does.
    """
    file = folder / "cameras.npz"
    if not file.is_file():
        return None, None
    return cameras_at(_stored_cameras(file), frames, source_size, size)


def cameras_at(
    stored: Mapping[str, NDArray[np.float64]],
    frames: Int64[Tensor, " n"],
    source_size: tuple[int, int],
    size: tuple[int, int],
) -> tuple[PinholeCameras, PinholeCameras | None]:
    """See :func:`true_cameras`, of what a cameras.npz holds, by the names of its arrays."""
    order = np.interp(frames.numpy(), stored["frame_index"], np.arange(len(stored["frame_index"])))
    at = torch.from_numpy(order)
    if "K" in stored:
        K = torch.from_numpy(stored["K"])
    else:
        K = torch.eye(3, dtype=torch.float64).repeat(len(stored["c2w"]), 1, 1)
        K[:, 0, 0] = torch.from_numpy(stored["fx_over_width"]) * source_size[0]
        K[:, 1, 1] = torch.from_numpy(stored["fy_over_height"]) * source_size[1]
        K[:, 0, 2], K[:, 1, 2] = source_size[0] / 2, source_size[1] / 2

    def at_frames(c2w: NDArray[np.float64], K: Tensor) -> PinholeCameras:
        # Intrinsics are constant or drift slowly: those of the nearest annotated frame will do.
        near = scale_intrinsics(K[at.round().long()], source_size, size)
        return PinholeCameras(interpolate_c2w(torch.from_numpy(c2w), at), near, *size)

    right = at_frames(stored["right_c2w"], torch.from_numpy(stored["right_K"])) if "right_c2w" in stored else None
    return at_frames(stored["c2w"], K), right


def _right_frames(folder: Path, clip: Clip) -> UInt8[Tensor, "n h w 3"]:
    frames = []
    for index in clip.frame_indices.tolist():
        path = _numbered(folder, index)
        image = cv2.imread(str(path))
        if image is None:
            raise ClipError(f"{path}: cannot be read as an image")
        frames.append(fit(image[:, :, ::-1].copy(), (image.shape[1], image.shape[0]), (clip.width, clip.height)))
    return torch.from_numpy(np.stack(frames))


def _stored_cameras(file: Path) -> dict[str, NDArray[np.float64]]:
    """What cameras.npz holds.

    Raises:
        ClipError: It is damaged, or lacks something.
    """
    try:
        with np.load(file, allow_pickle=False) as data:
            stored = {name: data[name].astype(np.float64) for name in data.files}
    except UNREADABLE as error:
        raise ClipError(f"{file}: cannot be read ({error})") from error
    wanted = ["frame_index", "c2w", *([] if "K" in stored else ["fx_over_width", "fy_over_height"])]
    wanted += ["right_K"] if "right_c2w" in stored else []
    if lacking := [name for name in wanted if name not in stored]:
        raise ClipError(f"{file}: has no array '{lacking[0]}'")
    return stored


def depth_picture(folder: Path, index: int) -> Float[Tensor, "sh sw"]:
    """True z-depth of a frame of a clip folder, 0 where unknown.

    Raises:
        ClipError: about.json does not tell its unit, or the picture is missing or damaged.
    """
    about = folder / "about.json"
    try:
        scale = float(json.loads(about.read_text("utf8"))["depth_scale"])
    except UNREADABLE as error:
        raise ClipError(f"{about}: does not tell depth_scale ({error})") from error
    path = _numbered(folder / "depth", index)
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if raw is None:
        raise ClipError(f"{path}: cannot be read as a depth image")
    return torch.from_numpy(raw.astype(np.float32) / np.float32(scale))


def _numbered(folder: Path, index: int) -> Path:
    """The image of a frame's number."""
    files = images_in(folder)
    if index >= len(files):
        raise ClipError(f"{folder}: has {len(files)} images, and none of frame {index}")
    return files[index]


def _true_depth(folder: Path, clip: Clip) -> Float[Tensor, "n h w"]:
    """Depth at the clip's pixels, nearest neighbour so that no depth is made up at edges."""
    maps = (depth_picture(folder, index) for index in clip.frame_indices.tolist())
    return torch.stack([_fit_nearest(depth, clip.width, clip.height) for depth in maps])


def pixel_truth(folder: Path) -> dict[str, np.ndarray]:
    """What truth.npz says of the pixels of every frame (`dynamic`, `things`, `right_things`); empty without the file.

    Raises:
        ClipError: It is damaged.
    """
    file = folder / "truth.npz"
    if not file.is_file():
        return {}
    try:
        with np.load(file, allow_pickle=False) as data:
            return {key: data[key] for key in ("dynamic", "things", "right_things") if key in data.files}
    except UNREADABLE as error:
        raise ClipError(f"{file}: cannot be read ({error})") from error


def _true_maps(truth: dict[str, np.ndarray], key: str, clip: Clip) -> Shaped[Tensor, "n h w"] | None:
    """Of :func:`pixel_truth` at the clip's frames and size; None where it does not tell."""
    if key not in truth:
        return None
    maps = torch.from_numpy(truth[key])[clip.frame_indices]
    return torch.stack([_fit_nearest(values, clip.width, clip.height) for values in maps])


def _fit_nearest(values: Shaped[Tensor, "sh sw"], width: int, height: int) -> Shaped[Tensor, "h w"]:
    """The same scaling and cutting as for frames, taking the nearest pixel."""
    source = (values.shape[1], values.shape[0])
    K = scale_intrinsics(torch.eye(3, dtype=torch.float64)[None], source, (width, height))[0]
    x = ((torch.arange(width) + 0.5 - K[0, 2]) / K[0, 0]).long().clamp(0, source[0] - 1)
    y = ((torch.arange(height) + 0.5 - K[1, 2]) / K[1, 1]).long().clamp(0, source[1] - 1)
    return values[y[:, None], x[None, :]]


def _link(images: list[Path], chosen: Sequence[int], folder: Path) -> Path:
    """A folder with nothing but links to the chosen images, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for place, index in enumerate(chosen):
        (folder / f"{place:05d}{images[index].suffix}").symlink_to(images[index].resolve())
    return folder


def video_size(video: Path) -> tuple[int, int]:
    """Width and height that the container declares."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def _length(video: Path) -> float:
    """Seconds that the video lasts, from the container's index alone."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        if stream.duration is None or stream.time_base is None:
            raise ClipError(f"{video}: declares no duration")
        return float(stream.duration * stream.time_base)
