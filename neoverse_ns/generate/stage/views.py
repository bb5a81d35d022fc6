"""Refined views, in memory and in a run folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neoverse_ns.errors import UNREADABLE, RunError

_ARRAYS, _META = "views.npz", "views.json"


@dataclass(frozen=True)
class RefinedViews:
    """Finished frames beside the input path, with their cameras in this package's world.

    Attributes:
        frames: RGB as the refiner left them, in bytes: a resumed run trains on exactly what the first one did.
        repainted: Pixels that needed refinement.
        c2w: Camera-to-world, OpenCV axes.
        K: Intrinsics in pixels.
        times: Normalised time of the scene.
    """

    frames: UInt8[Tensor, "n h w 3"]
    repainted: Bool[Tensor, "n h w"]
    c2w: Float[Tensor, "n 4 4"]
    K: Float[Tensor, "n 3 3"]
    times: Float[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.frames)


def join(parts: list[RefinedViews]) -> RefinedViews:
    """Several sets of views as one, in order."""
    return RefinedViews(**{f.name: torch.cat([getattr(part, f.name) for part in parts]) for f in fields(RefinedViews)})


def save_views(views: RefinedViews, folder: Path, key: str) -> None:
    """Write frames as PNG and the rest beside them; `folder` is replaced as a whole, or stays as it was.

    Args:
        views: What to write.
        folder: Its parent must be writable.
        key: Stands for everything the views were made from.

    Raises:
        RunError: The disk is full or the place is not writable.
    """
    draft = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        for number, frame in enumerate(views.frames.numpy()):
            done, data = cv2.imencode(".png", frame[:, :, ::-1])
            assert done
            (draft / _frame_name(number)).write_bytes(data.tobytes())
        np.savez(
            draft / _ARRAYS,
            repainted=np.packbits(views.repainted.numpy(), axis=-1),
            c2w=views.c2w.numpy(),
            K=views.K.numpy(),
            times=views.times.numpy(),
        )
        count, height, width = views.repainted.shape
        meta = {"key": key, "count": count, "height": height, "width": width}
        (draft / _META).write_text(json.dumps(meta, indent=1), "utf8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
    except OSError as error:
        raise RunError(
            f"cannot write refined frames to {folder} ({error.strerror or error}): free space, or choose another "
            "--output-dir"
        ) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def load_views(folder: Path, key: str | None = None) -> RefinedViews | None:
    """Read views back; None where there are none whole, or where they were made from something else.

    Args:
        folder: As :func:`save_views` wrote it.
        key: What they must have been made from; None takes any.
    """
    try:
        meta = json.loads((folder / _META).read_text("utf8"))
        if key is not None and meta["key"] != key:
            return None
        frames = [cv2.imread(str(folder / _frame_name(number))) for number in range(meta["count"])]
        if any(frame is None or frame.shape != (meta["height"], meta["width"], 3) for frame in frames):
            return None
        with np.load(folder / _ARRAYS) as arrays:
            repainted = np.unpackbits(arrays["repainted"], axis=-1, count=meta["width"]).astype(bool)
            cameras = {name: torch.from_numpy(arrays[name]) for name in ("c2w", "K", "times")}
    except UNREADABLE:
        return None
    stacked = np.stack([frame[:, :, ::-1] for frame in frames if frame is not None])
    return RefinedViews(torch.from_numpy(stacked), torch.from_numpy(repainted), **cameras)


def _frame_name(number: int) -> str:
    return f"{number:05d}.png"
