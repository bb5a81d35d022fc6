"""A protocol's targets in a run's folder: what ns-eval judges by, long after the data set may be gone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.errors import UNREADABLE, RunError
from neoverse_ns.evaluation.judges.views.task import Target
from neoverse_ns.evaluation.protocol.protocol import Cameras
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.render.writers import write_png

FOLDER = "targets"
"""Subfolder of a run's scene."""

_TABLE = "targets.json"


@dataclass(frozen=True)
class Truth:
    """What a target's camera saw, at the size that is judged.

    Attributes:
        rgb: Its picture.
        mask: Pixels that count; None where the protocol counts all.
    """

    rgb: UInt8[Tensor, "h w 3"]
    mask: Bool[Tensor, "h w"] | None = None


@dataclass(frozen=True)
class RunTargets:
    """What a run is judged by.

    Attributes:
        alias: Of the protocol.
        id: Its full id, with who found the cameras, and the scene.
        note: What a reader must know of it.
        placing: How targets' cameras are placed.
        mask: Which pixels count, by the protocol's word.
        metrics: Ids, in order.
        scene: Of the data set.
        inputs: Names of the frames that trained.
        targets: What is judged, without pictures.
        skipped: Why frames that the protocol names are not among them.
        input_cameras: Which camera took each input.
        cameras: True cameras of the inputs, in the set's world; None where it does not tell.
        joint: Cameras that the solver found of inputs and targets together; None where the protocol does not ask.
        joint_inputs: Places of the inputs among them.
        joint_targets: Places of the targets among them.
        folder: Where pictures lie.
    """

    alias: str
    id: str
    note: str
    placing: Cameras
    mask: str
    metrics: tuple[str, ...]
    scene: str
    inputs: tuple[str, ...]
    targets: tuple[Target, ...]
    skipped: tuple[str, ...] = ()
    input_cameras: tuple[str, ...] = ()
    cameras: PinholeCameras | None = None
    joint: PinholeCameras | None = None
    joint_inputs: tuple[int, ...] = ()
    joint_targets: tuple[int, ...] = ()
    folder: Path = field(default=Path())

    def picture_file(self, index: int) -> Path:
        """The picture of a target."""
        return self.folder / f"{index:05d}.png"

    def mask_file(self, index: int) -> Path:
        """The pixels of a target that count; not there where all do, or where nobody knows which."""
        return self.folder / f"{index:05d}_mask.png"

    def truth(self, index: int) -> Truth:
        """What a target's camera saw.

        Raises:
            RunError: A file is missing or damaged; names it.
        """
        rgb = _read(self.picture_file(index), cv2.IMREAD_COLOR)[..., ::-1]
        mask_file = self.mask_file(index)
        mask = torch.from_numpy(_read(mask_file, cv2.IMREAD_GRAYSCALE) > 0) if mask_file.is_file() else None
        return Truth(torch.from_numpy(np.ascontiguousarray(rgb)), mask)


def save_targets(targets: RunTargets, folder: Path, read: Callable[[int], Truth]) -> RunTargets:
    """Write targets and their pictures below `folder`; the table comes last, so that half a folder is none.

    Args:
        targets: To be written.
        folder: Created; one that lies there is replaced.
        read: Gives the truth of a target by its position; called once for each.

    Raises:
        OSError: The disk is full or the place is not writable.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    placed = replace(targets, folder=folder)
    for index in range(len(targets.targets)):
        truth = read(index)
        write_png(placed.picture_file(index), np.ascontiguousarray(truth.rgb.numpy()[..., ::-1]))
        if truth.mask is not None:
            write_png(placed.mask_file(index), truth.mask.numpy().astype(np.uint8) * 255)
    (folder / _TABLE).write_text(json.dumps(_plain(placed), indent=1), "utf8")
    return placed


def are_saved_targets(folder: Path) -> bool:
    """Whether a whole set of targets lies in `folder`."""
    return (folder / _TABLE).is_file()


def load_targets(folder: Path) -> RunTargets:
    """Read what :func:`save_targets` wrote; pictures are read when they are asked for.

    Raises:
        RunError: It is missing or damaged.
    """
    try:
        content: dict[str, Any] = json.loads((folder / _TABLE).read_text("utf8"))
        targets = tuple(
            Target(**one | {name: _matrix(one[name]) for name in ("true_c2w", "true_K")}) for one in content["targets"]
        )
        lists = {name: tuple(value) for name, value in content.items() if isinstance(value, list)}
        cameras = {name: _cameras(content[name]) for name in ("cameras", "joint")}
        content |= lists | cameras | {"targets": targets, "folder": folder}
        return RunTargets(**content)
    except UNREADABLE as error:
        raise RunError(f"the targets in {folder} are missing a part or damaged ({error}): train again") from error


def _plain(targets: RunTargets) -> dict[str, Any]:
    rows = [
        vars(one) | {name: None if (m := getattr(one, name)) is None else m.tolist() for name in ("true_c2w", "true_K")}
        for one in targets.targets
    ]
    content = {name: value for name, value in vars(targets).items() if name != "folder"}
    for name in ("cameras", "joint"):
        one: PinholeCameras | None = content[name]
        content[name] = None if one is None else vars(one) | {"c2w": one.c2w.tolist(), "K": one.K.tolist()}
    return content | {"targets": rows}


def _matrix(rows: list[list[float]] | None) -> Tensor | None:
    return None if rows is None else torch.tensor(rows, dtype=torch.float64)


def _cameras(content: dict[str, Any] | None) -> PinholeCameras | None:
    if content is None:
        return None
    c2w, K = (torch.tensor(content[name], dtype=torch.float64) for name in ("c2w", "K"))
    return PinholeCameras(c2w, K, content["width"], content["height"])


def _read(file: Path, how: int) -> np.ndarray:
    found = cv2.imread(str(file), how)
    if found is None:
        raise RunError(f"{file} is missing or damaged: train again")
    return np.asarray(found)
