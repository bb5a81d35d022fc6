"""Trajectory files: the JSON form of NeoVerse, read and written, and its application to a clip's cameras."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.inside import inside
from neoverse_ns.trajectory.fields import (
    get_count,
    get_flag,
    get_list,
    get_matrix,
    get_number,
    get_object,
    get_text,
    read_json,
)
from neoverse_ns.trajectory.keyframes import parse_keyframes, through_poses
from neoverse_ns.trajectory.move_arrays import frame_matrices
from neoverse_ns.trajectory.moves.subject import PointPath, parse_subject
from neoverse_ns.trajectory.presets import MoveSize, preset
from neoverse_ns.trajectory.trajectory import Trajectory, between, cameras_between, zoom

_FIELDS = (
    "name",
    "description",
    "mode",
    "num_frames",
    "zoom_ratio",
    "zooms",
    "use_first_frame",
    "keyframes",
    "trajectory",
    "time",
    "fps",
    "unit",
)
DEFAULT_NUM_FRAMES = 81
RELEASED_ARRAYS = Path("examples/trajectories/custom.npz")
"""What the release's example of a trajectory names, relative to the working directory instead of its own folder."""
LONGEST = 100_000
"""More frames than this are taken for a mistake rather than allocated."""


@dataclass(frozen=True)
class CameraMove:
    """A motion that is not yet bound to a clip.

    Attributes:
        name: What it is called.
        c2w: One pose per frame, OpenCV axes: relative to the input camera of that frame, or in the world.
        mode: Which of the two.
        zoom_ratio: Focal length of the last frame over that of the first; it changes linearly in between.
        use_first_frame: Whether a refiner should keep the input's first frame as it is.
        description: Free text.
        time: Which moments of the clip it shows when, as :meth:`neoverse_ns.trajectory.time_curve.TimeCurve.parse`
            reads it; None plays the whole clip, in step with the motion.
        fps: Frames per second it is made for; None where it does not say.
        zoom: Factor on the clip's focal length per frame, instead of `zoom_ratio`; None where it has none.
        unit: What its lengths are in: the unit of NeoVerse's network, as the release's are, where that network found
            the scene, or the scene's own, which it is where another reconstructor did.
        subject: What the camera circles or keeps in view, in the same world and unit; only of global motions.
    """

    name: str
    c2w: Float64[Tensor, "n 4 4"]
    mode: Literal["relative", "global"] = "relative"
    zoom_ratio: float = 1.0
    use_first_frame: bool = False
    description: str = ""
    time: str | None = None
    fps: float | None = None
    zoom: Float64[Tensor, " n"] | None = None
    unit: Literal["network", "scene"] = "network"
    subject: PointPath | None = None

    def __repr__(self) -> str:
        return f"CameraMove({self.name}: {len(self)} frames, {self.mode})"

    def __len__(self) -> int:
        return self.c2w.shape[0]

    def resampled(self, count: int) -> CameraMove:
        """The same motion in `count` frames."""
        at = torch.linspace(0, len(self) - 1, count, dtype=torch.float64)
        zoom = None if self.zoom is None else between(self.zoom, at)
        return self if count == len(self) else replace(self, c2w=interpolate_c2w(self.c2w, at), zoom=zoom)

    def scaled(self, factor: float) -> CameraMove:
        """The same motion with all its lengths times `factor`."""
        if factor == 1.0:
            return self
        c2w = self.c2w.clone()
        c2w[:, :3, 3] *= factor
        subject = None if self.subject is None else replace(self.subject, points=factor * self.subject.points)
        return replace(self, c2w=c2w, subject=subject)

    def moved(self, sim3: Sim3) -> CameraMove:
        """A global motion in another world."""
        subject = None if self.subject is None else self.subject.moved(sim3)
        return replace(self, c2w=sim3.apply_c2w(self.c2w), subject=subject)

    def follow(
        self, cameras: PinholeCameras, times: Float[Tensor, " m"], at: Float[Tensor, " n"] | None = None
    ) -> Trajectory:
        """Bind the motion to a clip: relative ones start from its cameras, and all play it from start to end.

        Every frame has the intrinsics of the clip's camera at its place, times the zoom.

        Args:
            cameras: The clip's. Where their number differs from the motion's, cameras in between are interpolated.
            times: Their normalised times.
            at: Which of the clip's cameras each frame starts from, as a position among them; None runs through all.
        """
        at = torch.linspace(0, len(cameras) - 1, len(self), dtype=torch.float64) if at is None else at
        base = cameras_between(cameras, at)
        c2w = base.c2w @ self.c2w if self.mode == "relative" else self.c2w
        even = torch.linspace(1, self.zoom_ratio, len(self), dtype=torch.float64)
        K = zoom(base.K, even if self.zoom is None else self.zoom)
        moved = PinholeCameras(c2w, K, cameras.width, cameras.height)
        return Trajectory(moved, between(times.double(), at), self.use_first_frame, self.fps, self.subject)


def preset_move(name: str, num_frames: int = DEFAULT_NUM_FRAMES, size: MoveSize | None = None) -> CameraMove:
    """One of the named moves of :mod:`neoverse_ns.trajectory.presets`, relative to the clip's cameras.

    As in the release it keeps the input's first frame, which a file must ask for.
    """
    return CameraMove(name, preset(name, num_frames, size), use_first_frame=True)


def load_move(path: Path) -> CameraMove:
    """Read a trajectory file.

    Raises:
        SettingsError: The file is missing, not JSON, or a field is wrong; the message names both.
    """
    document = read_json(path)
    try:
        return parse_move(document, path.parent, path.stem)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def load_arrays(path: Path) -> CameraMove:
    """Read the release's arrays by themselves: relative poses at some frames, the last of which ends the motion.

    Raises:
        SettingsError: The file cannot be read, or its arrays are no motion.
    """
    frames, poses = frame_matrices(path, "")
    name = f"{path}: frame_indices"
    numbers = [get_count(frame, f"{name}[{i}]", 0, LONGEST - 1) for i, frame in enumerate(frames)]
    if len(numbers) != len(poses):
        raise SettingsError(f"{path} has {len(numbers)} frame_indices but {len(poses)} frame_matrices")
    count = max(numbers, default=0) + 1
    stacked = torch.stack(poses) if poses else torch.zeros(0, 4, 4, dtype=torch.float64)
    return CameraMove(path.stem, through_poses(numbers, stacked, count, name))


def parse_move(document: dict[str, Any], folder: Path = Path(), default_name: str = "custom") -> CameraMove:
    """Read a trajectory from its JSON document.

    Args:
        document: Object with `name`, `description`, `mode`, `num_frames`, `zoom_ratio`, `use_first_frame`, `time`,
            `fps`, `unit`, `zooms` (per frame, instead of `zoom_ratio`), and either `keyframes` or `trajectory`; all but
            the last two may be left out.
        folder: Where `trajectory.file` starts, and must stay.
        default_name: Name of a nameless trajectory.

    Raises:
        SettingsError: A field is wrong; the message names it.
    """
    unknown = sorted(set(document) - set(_FIELDS))
    if unknown:
        warn(f"trajectory fields without a meaning are ignored: {', '.join(unknown)}")
    if ("keyframes" in document) == ("trajectory" in document):
        raise SettingsError("a trajectory needs either 'keyframes' or 'trajectory', not both and not none")
    count = get_count(document.get("num_frames", DEFAULT_NUM_FRAMES), "num_frames", 1, LONGEST)
    mode = get_text(document.get("mode", "relative"), "mode")
    if mode not in ("relative", "global"):
        raise SettingsError(f"'mode' must be 'relative' or 'global', found '{mode}'")
    unit = get_text(document.get("unit", "network"), "unit")
    if unit not in ("network", "scene"):
        raise SettingsError(f"'unit' must be 'network' or 'scene', found '{unit}'")
    if mode == "relative" and "subject" in document:
        raise SettingsError("'subject' is a place in the scene's world: it needs the mode 'global'")
    if "keyframes" in document:
        c2w = parse_keyframes(document["keyframes"], count)
    else:
        c2w = _parse_matrices(get_object(document["trajectory"], "trajectory"), count, folder)
    return CameraMove(
        name=get_text(document.get("name", default_name), "name"),
        c2w=c2w,
        mode="global" if mode == "global" else "relative",
        zoom_ratio=get_number(document.get("zoom_ratio", 1.0), "zoom_ratio", above=0.0),
        use_first_frame=get_flag(document.get("use_first_frame", False), "use_first_frame"),
        description=get_text(document.get("description", ""), "description"),
        unit="scene" if unit == "scene" else "network",
        time=read_time(document.get("time")),
        zoom=_parse_zooms(document["zooms"], count) if "zooms" in document else None,
        fps=None if document.get("fps") is None else get_number(document["fps"], "fps", above=0.0),
        subject=parse_subject(document["subject"]) if "subject" in document else None,
    )


def _parse_zooms(value: Any, count: int) -> Float64[Tensor, "{count}"]:
    factors = [get_number(factor, f"zooms[{i}]", above=0.0) for i, factor in enumerate(get_list(value, "zooms"))]
    if len(factors) != count:
        raise SettingsError(f"'zooms' must have num_frames = {count} numbers, found {len(factors)}")
    return torch.tensor(factors, dtype=torch.float64)


def read_time(value: Any) -> str | None:
    """A curve as one text or as a list of its parts."""
    if value is None or isinstance(value, str):
        return value
    return ", ".join(get_text(part, f"time[{i}]") for i, part in enumerate(get_list(value, "time")))


def to_document(move: CameraMove) -> dict[str, Any]:
    """The JSON form of a motion, with one matrix per frame; :func:`parse_move` reads it back."""
    document = {
        "name": move.name,
        "description": move.description,
        "mode": move.mode,
        "num_frames": len(move),
        "zoom_ratio": move.zoom_ratio,
        "use_first_frame": move.use_first_frame,
        "unit": move.unit,
        "trajectory": {"frame_indices": list(range(len(move))), "frame_matrices": move.c2w.tolist()},
    }
    subject = None if move.subject is None else move.subject.to_document()
    optional = {"time": move.time, "fps": move.fps, "subject": subject}
    return document | {key: value for key, value in optional.items() if value is not None}


def _parse_matrices(value: dict[str, Any], count: int, folder: Path) -> Float64[Tensor, "{count} 4 4"]:
    """The `trajectory` form: poses at some frames, inline or in a file of arrays."""
    if "file" in value:
        frames, poses = frame_matrices(
            _array_file(get_text(value["file"], "trajectory.file"), folder), "'trajectory.file' "
        )
    else:
        frames = get_list(value.get("frame_indices"), "trajectory.frame_indices")
        matrices = get_list(value.get("frame_matrices"), "trajectory.frame_matrices")
        poses = [get_matrix(m, f"trajectory.frame_matrices[{i}]") for i, m in enumerate(matrices)]
    if len(frames) != len(poses):
        raise SettingsError(
            f"'trajectory' has {len(frames)} frame_indices but {len(poses)} frame_matrices; it needs one for each"
        )
    numbers = [get_count(f, f"trajectory.frame_indices[{i}]", 0, count - 1) for i, f in enumerate(frames)]
    stacked = torch.stack(poses) if poses else torch.zeros(0, 4, 4, dtype=torch.float64)
    return through_poses(numbers, stacked, count, "trajectory.frame_indices")


def _array_file(name: str, folder: Path) -> Path:
    """The file of arrays that a document names: in its own folder, however deep, but nowhere else.

    Raises:
        SettingsError: It lies elsewhere.
    """
    if Path(name) == RELEASED_ARRAYS and not (folder / name).is_file() and Path(name).is_file():
        folder = Path()
    try:
        return inside(folder, name)
    except ValueError as error:
        raise SettingsError(
            f"'trajectory.file' {error}: put that file beside the trajectory's, and give its name alone"
        ) from error
