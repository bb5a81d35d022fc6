"""Keeping a clip inside a run folder, so that the run needs neither the source nor any cache again."""

from __future__ import annotations

import json
import os
import shutil
import uuid
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.focal.hint import FocalHint
from neoverse_ns.console import progress
from neoverse_ns.errors import RunError

_DESCRIPTION = "clip.json"
_IGNORED = "ignored.npz"
_VERSION = 1


def save_clip(clip: Clip, folder: Path) -> None:
    """Write the frames as lossless PNGs, named by their position in the source, and `clip.json` beside them.

    Everything is written next to `folder` first and moved there in one step: whoever looks finds all of it or none. A
    clip saved there before is replaced.

    Raises:
        RunError: `folder` holds something else, or cannot be written.
    """
    if folder.exists() and not (folder / _DESCRIPTION).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder}: holds something other than a saved clip; choose an empty or new folder")
    name = f".{folder.name}.{uuid.uuid4().hex}"
    fresh, old = folder.with_name(name + ".new"), folder.with_name(name + ".old")
    try:
        fresh.mkdir(parents=True)
        _write(clip, fresh)
        if folder.exists():
            os.replace(folder, old)
        os.replace(fresh, folder)
    except OSError as error:
        raise RunError(f"{folder}: the clip cannot be saved ({error.strerror or error})") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def load_saved_clip(folder: Path) -> Clip:
    """Read back what :func:`save_clip` wrote, bit for bit.

    Raises:
        RunError: There is no saved clip, or it is damaged; names what is missing or wrong.
    """
    description = _read_description(folder / _DESCRIPTION)
    try:
        indices = [int(value) for value in description["frame_indices"]]
        seconds = [float(value) for value in description["seconds"]]
        if len(indices) != len(seconds) or not indices:
            raise ValueError(f"{len(indices)} frames and {len(seconds)} times")
        size = description["source_size"]
        clip = Clip(
            frames=_read_frames([folder / frame_name(index) for index in indices]),
            frame_indices=torch.tensor(indices, dtype=torch.int64),
            seconds=torch.tensor(seconds, dtype=torch.float64),
            source=Path(description["source"]),
            notes=tuple(str(note) for note in description["notes"]),
            source_size=None if size is None else (int(size[0]), int(size[1])),
            ignored=_read_ignored(folder / _IGNORED) if description.get("ignored") else None,
            crop=_box(description.get("crop")),
            focal_hint=_focal_hint(description.get("focal_hint")),
        )
        intact = clip.digest() == description["digest"]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RunError(f"{folder / _DESCRIPTION}: is damaged ({error!r}); train again or restore it") from error
    if not intact:
        raise RunError(f"{folder}: its frames are not the ones that were saved; train again or restore them")
    return clip


def _write(clip: Clip, folder: Path) -> None:
    frames = clip.frames.cpu().numpy()
    with progress("saving the clip", len(clip)) as steps:
        for pixels, index in zip(frames, clip.frame_indices.tolist(), strict=True):
            Image.fromarray(np.ascontiguousarray(pixels)).save(folder / frame_name(index), compress_level=1)
            steps.advance()
    if clip.ignored is not None:
        np.savez_compressed(folder / _IGNORED, ignored=clip.ignored.cpu().numpy())
    description = {
        "version": _VERSION,
        "source": str(clip.source),
        "source_size": clip.source_size,
        "frame_indices": clip.frame_indices.tolist(),
        "seconds": clip.seconds.tolist(),
        "notes": list(clip.notes),
        "ignored": clip.ignored is not None,
        "crop": clip.crop,
        "focal_hint": None if clip.focal_hint is None else asdict(clip.focal_hint),
        "digest": clip.digest(),
    }
    (folder / _DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def _focal_hint(stored: dict[str, Any] | None) -> FocalHint | None:
    if stored is None:
        return None
    return FocalHint(float(stored["focal"]), float(stored["uncertainty"]), str(stored["origin"]))


def frame_name(index: int) -> str:
    """File name of the frame at position `index` of the source."""
    return f"frame_{index:05d}.png"


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path.parent}: no saved clip here ({path.name} is missing)") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error})") from error
    version = description.get("version") if isinstance(description, dict) else None
    if version != _VERSION:
        raise RunError(
            f"{path}: has version {version}, this program reads version {_VERSION}; use the one that wrote it"
        )
    return description


def _box(values: list[int] | None) -> tuple[int, int, int, int] | None:
    """A crop as it was saved; older clips have none."""
    if values is None:
        return None
    x, y, width, height = (int(value) for value in values)
    return x, y, width, height


def _read_ignored(path: Path) -> Bool[Tensor, "n h w"]:
    try:
        with np.load(path) as archive:
            return torch.from_numpy(archive["ignored"])
    except FileNotFoundError as error:
        raise RunError(f"{path}: the saved clip's ignored pixels are missing; train again or restore them") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise RunError(f"{path}: the saved clip's ignored pixels are damaged ({error})") from error


def _read_frames(paths: list[Path]) -> UInt8[Tensor, "n h w 3"]:
    frames = []
    for path in paths:
        try:
            with Image.open(path) as image:
                frames.append(np.array(image.convert("RGB")))
        except FileNotFoundError as error:
            raise RunError(f"{path}: this frame of the saved clip is missing") from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise RunError(f"{path}: this frame of the saved clip is damaged ({error})") from error
    if len({frame.shape for frame in frames}) != 1:
        raise RunError(f"{paths[0].parent}: frames of the saved clip differ in size")
    return torch.from_numpy(np.stack(frames))
