"""Where pictures go, one by one: a video file or a folder of PNGs, which is there whole or not at all.

By mediapy, whose writer takes one frame at a time and hands it to an ffmpeg program.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16
from torch import Tensor

from neoverse_ns.clip.x264 import steady_params
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.folders import check_folder, make_folder

VIDEOS = (".mp4", ".mkv", ".mov", ".avi")
"""Endings of names that are written as videos; a name without ending is a folder."""
BT709 = "-vf scale=out_color_matrix=bt709:out_range=tv -color_range tv -colorspace bt709 -color_primaries bt709"
"""How colours are coded, and that they are: players otherwise guess by the picture's height."""


@runtime_checkable
class PictureWriter(Protocol):
    """Takes pictures in their order."""

    def add(self, picture: UInt8[Tensor, "h w 3"]) -> None:
        """Write the next one."""
        ...


def open_writer(
    path: Path, width: int, height: int, fps: float, lossless: bool = False, crf: int = 16
) -> AbstractContextManager[PictureWriter]:
    """A writer that puts all its pictures at `path` when its block ends without an error, and nothing otherwise.

    Args:
        path: A video, or a folder of PNGs where the name has no ending; see :func:`check_place`.
        width: Of the pictures, pixels.
        height: Of the pictures, pixels.
        fps: Frames per second of a video.
        lossless: Keep every value of a video, in colours that few players show (H.264 of RGB).
        crf: Quality of a video that is not: the lower, the better and larger; 0 to 51.

    Raises:
        RunError: It cannot be written.
    """
    if path.suffix == "":
        return _folder(path)
    return _video(path, width, height, fps, lossless, crf)


def check_place(path: Path) -> None:
    """Make sure that pictures can be written there, before minutes of work are spent on them.

    Raises:
        SettingsError: The name ends in what is no kind of video.
        RunError: There is no ffmpeg program, the folder cannot be written, or holds something else already.
    """
    if path.suffix and path.suffix.lower() not in VIDEOS:
        raise SettingsError(f"--output {path} must end in one of {', '.join(VIDEOS)}, or in nothing for a folder")
    if path.suffix:
        import mediapy

        if not mediapy.video_is_available():
            raise RunError("a video needs an ffmpeg program: pip install imageio-ffmpeg, or write a folder of frames")
        if path.is_dir():
            raise RunError(f"--output {path} is a folder: give the name of a video")
    elif path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(f"--output {path} is not an empty folder: empty it, or choose another")
    with told(path):
        check_folder(path.parent)


@contextmanager
def _video(path: Path, width: int, height: int, fps: float, lossless: bool, crf: int) -> Iterator[PictureWriter]:
    import mediapy

    with told(path):
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    draft = Path(name)
    if lossless:
        how = {"codec": "libx264rgb", "encoded_format": "rgb24", "qp": 0}
    else:
        steady = steady_params()
        how = {
            "codec": "h264",
            "crf": crf,
            "ffmpeg_args": BT709 if steady is None else f"{BT709} -x264-params {steady}",
        }
    try:
        with told(path):
            writer = mediapy.VideoWriter(draft, (height, width), fps=fps, **how).__enter__()
        try:
            yield _VideoWriter(writer, path)
        except BaseException:
            # What ffmpeg has to say of half a video is nobody's concern.
            with suppress(OSError, RuntimeError):
                writer.close()
            raise
        with told(path):
            writer.close()
            draft.chmod(0o644)
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


class _VideoWriter:
    def __init__(self, writer: Any, path: Path) -> None:
        self._writer, self._path = writer, path

    def add(self, picture: UInt8[Tensor, "h w 3"]) -> None:
        """Write the next one."""
        with told(self._path):
            self._writer.add_image(picture.numpy())


@contextmanager
def _folder(path: Path) -> Iterator[PictureWriter]:
    with whole_folder(path) as draft:
        yield _FolderWriter(draft)


class _FolderWriter:
    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def add(self, picture: UInt8[Tensor, "h w 3"]) -> None:
        """Write the next one."""
        write_png(self._folder / picture_name(self._count), picture.numpy()[..., ::-1])
        self._count += 1


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new folder to fill, which becomes `path` when the block ends without an error.

    Raises:
        RunError: It cannot be written.
    """
    with told(path):
        make_folder(path.parent)
        draft = Path(tempfile.mkdtemp(prefix=".writing-", dir=path.parent))
    try:
        yield draft
        with told(path):
            draft.chmod(0o755)
            # An empty folder of that name gives way.
            os.replace(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def picture_name(number: int) -> str:
    """File name of a frame in a folder, counted from 0."""
    return f"{number:05d}.png"


def write_png(
    path: Path, picture: UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]
) -> None:
    """Write one picture, of one channel or of three in OpenCV's order.

    Raises:
        RunError: It cannot be written.
    """
    done, data = cv2.imencode(".png", picture)
    with told(path):
        if not done:
            raise OSError("this picture cannot be coded")
        path.write_bytes(data.tobytes())


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What goes wrong on disk or in ffmpeg, as an error that says what to do."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise RunError(f"cannot write {path} ({error}): free space, or choose another --output") from error
