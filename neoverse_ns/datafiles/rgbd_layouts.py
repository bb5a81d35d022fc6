"""Three ways to lay out recordings of an RGB-D camera: 7-Scenes', TUM's and ScanNet's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from neoverse_ns.datafiles.intrinsics import pinhole
from neoverse_ns.datafiles.reading import image_size, read_matrix, read_table, read_text
from neoverse_ns.datafiles.rgbd_sequence import Lens, RgbdSequence, lens_file
from neoverse_ns.datafiles.tum_lists import TOLERANCE, associate, read_list, read_trajectory
from neoverse_ns.errors import ClipError

SEVEN_SCENES = ("frame-000000.color.png",)
TUM = ("rgb.txt", "depth.txt", "groundtruth.txt")
SCAN_NET = ("color", "depth", "pose")
"""What each of them is known by."""

_KINECT = (640, 480)
# Half a pixel more than published: these calibrations count whole numbers at pixel centres.
_TUM_DEFAULT = pinhole(525.0, 525.0, 320.0, 240.0)
_TUM_LENSES = {
    "freiburg3": pinhole(535.4, 539.2, 320.6, 248.1),
    "rgbd_bonn": pinhole(542.822841, 542.57687, 316.09352, 238.256098),
}
_MOVING = re.compile(r"walking|sitting|person|rgbd_bonn_(?!static)")
_LENS_FILES = ("camera-intrinsics.txt", "intrinsics.txt", "intrinsic.txt")


def read_sequence(folder: Path) -> RgbdSequence:
    """A recording in any of the three layouts.

    Raises:
        ClipError: It is in none of them, or lacks something.
    """
    reader = layout_of(folder)
    if reader is None:
        raise ClipError(f"{folder}: is no recording as 7-Scenes, TUM or ScanNet lay them out")
    return reader(folder)


def layout_of(folder: Path) -> Callable[[Path], RgbdSequence] | None:
    """What reads a recording, by the files that are there; None for what is none."""
    for marks, reader in ((TUM, tum), (SEVEN_SCENES, seven_scenes), (SCAN_NET, scan_net)):
        if all((folder / mark).exists() for mark in marks):
            return reader
    return None


def seven_scenes(folder: Path) -> RgbdSequence:
    """`frame-%06d.{color.png,depth.png,pose.txt}`, depth in mm, 65535 where unknown; 3DMatch's is the same.

    The set gives no intrinsics but those of the depth camera (585, 585, 320, 240 at 640x480), and does not register the
    two cameras. Where others have done so, `frame-%06d.depth.proj.png` are depth pictures of the colour camera, whose
    focal length is 525. A file `camera-intrinsics.txt` in the folder or above it replaces both lenses. `TestSplit.txt`
    above it names the recordings kept for validation.

    Raises:
        ClipError: The files are not numbered from 0 on.
    """
    count = len(list(folder.glob("frame-*.color.png")))
    colour = [folder / f"frame-{i:06d}.color.png" for i in range(count)]
    registered = (folder / "frame-000000.depth.proj.png").is_file()
    depth = [folder / f"frame-{i:06d}.depth{'.proj' if registered else ''}.png" for i in range(count)]
    focal = 525.0 if registered else 585.0
    lens = _own_lens((folder, folder.parent), colour[0])
    return RgbdSequence(
        colour,
        depth,
        lambda index: read_matrix(folder / f"frame-{index:06d}.pose.txt"),
        units=1000.0,
        unknown=(65535,),
        lens=lens or Lens(pinhole(focal, focal, 320.0, 240.0), _KINECT),
        lens_of=_lens_of(lens, "the set's depth camera" if not registered else "the set's colour camera"),
        split="val" if _kept_for_test(folder) else "train",
    )


def tum(folder: Path) -> RgbdSequence:
    """`rgb.txt`, `depth.txt` and `groundtruth.txt` with times; depth in 1/5000 m, registered to the colour camera.

    Frames are the colour pictures that have a depth picture and a pose within 0.02 s, each used once, the nearest
    first. Without a file `intrinsics.txt` the lens is the driver's, which TUM recommends for Freiburg 1 and 2, whose
    pictures keep some distortion; Freiburg 3 and Bonn's recordings have their own.

    Raises:
        ClipError: A list cannot be read, or nothing belongs together.
    """
    colour_times, colour = read_list(folder, "rgb.txt")
    depth_times, depth = read_list(folder, "depth.txt")
    pose_times, poses = read_trajectory(folder / "groundtruth.txt")
    with_depth, with_pose = associate(colour_times, depth_times), associate(colour_times, pose_times)
    frames = sorted(with_depth.keys() & with_pose.keys(), key=lambda frame: colour_times[frame])
    if not frames:
        raise ClipError(f"{folder}: no picture of rgb.txt has a depth picture and a pose within {TOLERANCE} s")
    c2w = poses[[with_pose[frame] for frame in frames]]
    gaps = np.diff([colour_times[frame] for frame in frames])
    lens, lens_of = tum_lens(folder, colour[frames[0]])
    return RgbdSequence(
        [colour[frame] for frame in frames],
        [depth[with_depth[frame]] for frame in frames],
        lambda index: c2w[index],
        units=5000.0,
        lens=lens,
        lens_of=lens_of,
        fps=float(1 / np.median(gaps)) if len(gaps) and np.median(gaps) > 0 else 30.0,
        static=_MOVING.search(folder.resolve().name) is None,
    )


def tum_lens(folder: Path, picture: Path) -> tuple[Lens, str]:
    """The lens of one of TUM's or Bonn's recordings, and where it is from, in words.

    Args:
        folder: Of the recording; its name tells the camera, if no file in it tells the lens.
        picture: One of its pictures, for whose size a file is.

    Raises:
        ClipError: There is a file that cannot be read.
    """
    lens, name = _own_lens((folder,), picture), folder.resolve().name
    own = next((K for part, K in _TUM_LENSES.items() if part in name), _TUM_DEFAULT)
    words = _lens_of(lens, "the camera's driver" if own is _TUM_DEFAULT else "the set's calibration")
    return lens or Lens(own, _KINECT), words


def scan_net(folder: Path) -> RgbdSequence:
    """`color/N.jpg`, `depth/N.png` in mm, `pose/N.txt` and `intrinsic/intrinsic_{color,depth}.txt`.

    Depth and colour may have different sizes and lenses; ScanNet's two cameras stand in one place as far as it says.
    The pose of a frame whose numbers are infinite was lost, and is unknown.

    Raises:
        ClipError: Frames or intrinsics are missing.
    """
    colour = _numbered(folder / "color", ".jpg", ".png")
    depth = _numbered(folder / "depth", ".png")
    poses = _numbered(folder / "pose", ".txt")
    numbers = sorted(colour)
    lacking = [number for number in numbers if number not in depth or number not in poses]
    if not numbers or lacking:
        raise ClipError(f"{folder}: frame {lacking[0] if lacking else 0} lacks a picture, depth or pose")
    lens, depth_lens = _scan_net_lenses(folder, colour[numbers[0]], depth[numbers[0]])
    files = [poses[number] for number in numbers]
    return RgbdSequence(
        [colour[number] for number in numbers],
        [depth[number] for number in numbers],
        lambda index: None if _lost(files[index]) else read_matrix(files[index]),
        units=1000.0,
        lens=lens,
        depth_lens=depth_lens,
    )


def _numbered(folder: Path, *suffixes: str) -> dict[int, Path]:
    files = [path for path in folder.iterdir() if path.suffix.lower() in suffixes] if folder.is_dir() else []
    return {int(path.stem): path for path in files if path.stem.isdigit()}


def _own_lens(folders: Sequence[Path], picture: Path) -> Lens | None:
    """Of the first file of intrinsics in the folders."""
    for file in (folder / name for folder in folders for name in _LENS_FILES):
        if file.is_file():
            return lens_file(file, image_size(picture))
    return None


def _lens_of(found: Lens | None, otherwise: str) -> str:
    return f"{otherwise}, for want of a file {_LENS_FILES[0]}" if found is None else "a file of the recording"


def _scan_net_lenses(folder: Path, colour: Path, depth: Path) -> tuple[Lens, Lens]:
    for place in (folder / "intrinsic", folder):
        files = {kind: place / f"intrinsic_{kind}.txt" for kind in ("color", "depth")}
        there = [file for file in files.values() if file.is_file()]
        if there:
            one = files["color"] if files["color"].is_file() else there[0]
            other = files["depth"] if files["depth"].is_file() else there[0]
            return _fitting(one, colour, depth), _fitting(other, depth, colour)
    lens = _own_lens((folder / "intrinsic", folder), colour)
    if lens is None:
        raise ClipError(f"{folder}: has no intrinsic/intrinsic_color.txt")
    return lens, lens


def _fitting(file: Path, picture: Path, other: Path) -> Lens:
    """The lens of a picture. Where only the other picture's file is there, and they differ in size, it is scaled."""
    named = picture if file.stem.endswith(picture.parent.name) else other
    return lens_file(file, image_size(named))


def _lost(path: Path) -> bool:
    return not np.isfinite(read_table(path, 4)).any()


def _kept_for_test(folder: Path) -> bool:
    """Whether the scene's list of test recordings has this one: `seq-03` as `sequence3`."""
    file, number = folder.parent / "TestSplit.txt", re.search(r"(\d+)$", folder.name)
    if number is None or not file.is_file():
        return False
    return int(number[1]) in {int(found) for found in re.findall(r"(\d+)\s*$", read_text(file), re.MULTILINE)}
