"""A protocol: everything that a figure depends on besides the method, under one id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene

Kind = Literal["views", "cameras", "depth", "tracks", "video", "runs"]
"""What is asked: pictures of frames that were not given, the given frames' cameras, their depth, tracks of points, a
video by itself, or what this package's own commands make of a clip and measure of it."""

Cameras = Literal["given", "sim3-context", "beside", "predict-all", "predict-all-signed", "requested", "none"]
"""How judged frames' cameras are placed; "requested" where a video's own are compared with those that were asked for,
"none" where there are none to place."""


@dataclass(frozen=True)
class Choice:
    """What a protocol takes of one scene.

    Attributes:
        inputs: What the method sees, by time.
        targets: What it is judged by; no picture of them reaches a reconstruction.
        skipped: Why frames that the protocol names are not among them, a sentence each, with their names.
    """

    inputs: tuple[BenchmarkFrame, ...]
    targets: tuple[BenchmarkFrame, ...]
    skipped: tuple[str, ...] = ()


FrameRule = Callable[[BenchmarkScene], Choice]
"""Chooses frames by cameras and times alone.

Raises:
    ClipError: The scene has not the frames that the protocol needs; says which.
"""


@dataclass(frozen=True)
class Protocol:
    """What is measured on which frames, and how.

    Attributes:
        alias: Short name with its version, as `dycheck-neoverse@1`; stands for :meth:`full_id`.
        kind: What is asked.
        data: Layout that its frames come from, as `benchmark_data` knows it.
        label: Data and number of scenes in the id, as `dycheck-5`.
        scenes: Their folders' names; None takes all that a folder has.
        frames: The rule in the id, as `c0t0:64:2>c1t0:64`.
        rule: The rule itself.
        cameras: How judged frames' cameras are placed.
        tto: Most steps in which a judged frame's camera is improved by its own picture; 0 for none.
        mask: Which pixels count, in the id: `plain`, `covis`, `alpha`, `dyn`, `own`.
        size: Of judged pictures, in the id: `560x336` fits into it, `224c` covers and cuts the middle, `1x`, `2x` are
            as on disk.
        metrics: Ids of what is measured, in order.
        revision: Grows whenever something changes that the other parts do not tell.
        note: What a reader must know: what is not published and was chosen here.
        tables: Means are over frames of a scene, then over scenes, unless this says otherwise.
    """

    alias: str
    kind: Kind
    data: str
    label: str
    scenes: tuple[str, ...] | None
    frames: str
    rule: FrameRule
    cameras: Cameras
    metrics: tuple[str, ...]
    tto: int = 0
    mask: str = "plain"
    size: str = "1x"
    revision: int = 1
    note: str = ""
    tables: str = "frames, then scenes"

    def full_id(self, solver: str, scenes: Sequence[str] | None = None) -> str:
        """The id that every file, row and line carries.

        Args:
            solver: Who found cameras, as `bundle`; of no meaning where none were looked for.
            scenes: Those that were measured, where they are not all of them.
        """
        label = self.label if scenes is None else f"{self.label}[{'+'.join(sorted(scenes))}]"
        cameras = self.cameras if self.cameras in ("given", "none") else f"{self.cameras}({solver})"
        if self.tto:
            cameras += f"+tto-{self.tto}({solver})"
        parts = (label, self.frames, cameras, self.mask, self.size, "+".join(self.metrics), f"r{self.revision}")
        return "/".join(parts).lower()
