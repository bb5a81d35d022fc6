"""What exported files show in programs that read them, against the layers they were made of and against the clip."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from _benchmark.export_readers import (
    moved,
    read_fourdgs,
    read_glb,
    read_npz,
    read_ply,
    read_spz,
    read_usd,
)
from neoverse_ns.export.axes import TURNS
from neoverse_ns.export.instant import around, middle_depth
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.metrics.image import psnr
from neoverse_ns.plugin.run import OpenRun, open_run
from neoverse_ns.plugin.run_source import export_scene
from neoverse_ns.rasterize.drawing import draw_instant
from neoverse_ns.rasterize.layers import draw_layers, over

ASIDE = 8.0
"""Degrees to every side of the clip's own camera, around the middle of what it sees."""
MOST = 100.0
"""Decibels that pictures count for which agree better or exactly."""

Show = Callable[[float], list[GaussiansAtTime]]
"""Layers (mostly one) that a file shows at a normalised time, in this package's world."""


@dataclass(frozen=True)
class Instants:
    """When a run is looked at.

    Attributes:
        frames: Sampled frames.
        between: Normalised times half-way between two frames.
    """

    frames: list[int]
    between: list[float]


def choose_instants(times: Float[Tensor, " n"], held_out: list[int], most: int) -> Instants:
    """First and last frame, all held-out ones and others up to `most` in all, and as many times between less one."""
    last = len(times) - 1
    spread = [round(place) for place in np.linspace(0, last, most)]
    wanted = list(dict.fromkeys([0, last, *held_out, *spread]))[: max(most, 2 + len(held_out))]
    gaps = sorted({int(place) for place in np.linspace(0, last - 1, most - 1)}) if last and most > 1 else []
    return Instants(sorted(wanted), [0.5 * float(times[gap] + times[gap + 1]) for gap in gaps])


@dataclass(frozen=True)
class Remembering(ExportScene):
    """Decides once what an instant shows, however many formats write it; `spent` says what that took."""

    known: dict[tuple[float, bool], GaussiansAtTime] = field(default_factory=dict)
    spent: dict[bool, list[float]] = field(default_factory=lambda: defaultdict(list))

    def instant(self, time: float, most: int | None = None, quick: bool = False) -> GaussiansAtTime:
        if (time, quick) not in self.known:
            started = _now()
            self.known[time, quick] = super().instant(time, most, quick)
            self.spent[quick].append(_now() - started)
        return self.known[time, quick]


@dataclass(frozen=True)
class ExportedRun:
    """A run whose exports are measured; loaded when it is first needed, and then kept.

    Attributes:
        config: Its config.yml.
        most: Frames to look at; see :func:`choose_instants`.
        work: Where files go.
    """

    config: Path
    most: int
    work: Path

    @cached_property
    def run(self) -> OpenRun:
        return open_run(self.config)

    @cached_property
    def scene(self) -> Remembering:
        scene = export_scene(*self.run.loaded())
        return Remembering(**vars(scene))

    @cached_property
    def instants(self) -> Instants:
        return choose_instants(self.scene.times, self.run.split.held_out, self.most)

    @torch.no_grad()
    def measure(self, name: str) -> dict[str, Any]:
        """One format, written, read back and drawn.

        Returns:
            Under the format's name `own`, `between`, `aside`: dB against the layers (`mean`, `worst`); `truth` and
            `layers`: dB of what the file and the layers show against held-out frames; `megabytes`; `write`, `choose`:
            CPU seconds to write, and to decide what shows, of an instant or of the whole clip.

        Raises:
            RunError, PackageError: The run cannot be loaded, or a package is missing.
        """
        export_format(name).check(ExportOptions())
        scene, kind = self.scene, KINDS[name]
        files = Files(scene, name, self.work / name)
        values: dict[str, list[float]] = defaultdict(list)
        for frame in self.instants.frames:
            moment = float(scene.times[frame])
            layers, own = self._agreement(files.show(moment), moment, values, "own")
            if frame in self.run.split.held_out:
                truth = self.run.clip.frames[frame].float() / 255
                model = self.run.loaded()[0]
                for what, picture in (("layers", layers), ("truth", own)):
                    exposed = model.optimisation.exposure.apply_to(picture, frame)
                    values[what].append(psnr(exposed.clamp(0, 1), truth))
        if kind.between:
            for moment in self.instants.between:
                self._agreement(files.show(moment), moment, values, "between")
        table: dict[str, Any] = {
            what: {"mean": statistics.fmean(numbers), "worst": min(numbers)} for what, numbers in values.items()
        }
        if "truth" in table:
            table["lost"] = table["layers"]["mean"] - table["truth"]["mean"]
        chosen = scene.spent[kind.quick]
        count = len(scene.times) if kind.moves else 1
        table |= {"megabytes": files.megabytes, "write": statistics.fmean(files.seconds)}
        table["choose"] = count * statistics.fmean(chosen) if kind.flat and chosen else 0.0
        return {name: table}

    def _agreement(
        self, shown: list[GaussiansAtTime], moment: float, values: dict[str, list[float]], where: str
    ) -> tuple[Tensor, Tensor]:
        """Add dB against the layers; returns the clip's own view of the layers and of the file."""
        scene = self.scene
        own = camera_at(scene.cameras, scene.times, moment)
        depth = middle_depth(draw_layers(scene.gaussians, moment, *_view(own), scene.options))
        views = around(own, depth, ASIDE)
        expected = draw_layers(scene.gaussians, moment, *_view(views), scene.options).rgb
        drawn, *others = (draw_instant(layer, *_view(views), scene.options.rasterize_mode) for layer in shown)
        for behind in others:
            drawn = over(drawn, behind)
        for i, (a, b) in enumerate(zip(drawn.rgb, expected, strict=True)):
            values[where if i == 0 else "aside"].append(min(psnr(a.clamp(0, 1), b.clamp(0, 1)), MOST))
        return expected[0], drawn.rgb[0]


@dataclass(frozen=True)
class Kind:
    """How a format is measured.

    Attributes:
        moves: One file, or folder, holds the whole clip.
        between: It shows what lies between sampled frames.
        flat: What shows without layers had to be decided for it.
        quick: In the quick way.
    """

    moves: bool = False
    between: bool = True
    flat: bool = True
    quick: bool = False


KINDS = {
    "ply": Kind(),
    "glb": Kind(),
    "spz": Kind(),
    "ply-sequence": Kind(moves=True, between=False, quick=True),
    "usd": Kind(moves=True, between=False, quick=True),
    "4dgs": Kind(moves=True, quick=True),
    "npz": Kind(moves=True, flat=False),
}
"""Formats measured here."""


class Files:
    """A format's files of a scene: written once where they hold the clip, else for every instant."""

    def __init__(self, scene: Remembering, name: str, folder: Path) -> None:
        self._scene, self._name, self._folder = scene, name, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.seconds: list[float] = []
        self.megabytes = 0.0
        self._clip: Show | None = None

    def show(self, moment: float) -> list[GaussiansAtTime]:
        """What the file shows at a normalised time."""
        if not KINDS[self._name].moves:
            (path,) = self._write(ExportOptions(time=moment), [moment])
            return [_instant(self._name, path)]
        if self._clip is None:
            files = self._write(ExportOptions(), self._scene.times.tolist())
            self._clip = _clip(self._name, files, self._scene)
        return self._clip(moment)

    def _write(self, options: ExportOptions, moments: list[float]) -> list[Path]:
        kind = KINDS[self._name]
        for moment in moments if kind.flat else []:
            self._scene.instant(moment, quick=kind.quick)
        started = _now()
        files = export_format(self._name).write(self._scene, options, self._folder)
        self.seconds.append(_now() - started)
        self.megabytes = sum(file.stat().st_size for file in files) / 1e6
        return files


def _instant(name: str, path: Path) -> GaussiansAtTime:
    if name == "ply":
        return read_ply(path)
    return _back(read_glb(path)[0] if name == "glb" else read_spz(path), "y")


def _clip(name: str, files: list[Path], scene: ExportScene) -> Show:
    start = scene.second_at(0.0)
    if name == "ply-sequence":
        known = dict(zip(scene.times.tolist(), files, strict=True))
        return lambda moment: [read_ply(known[moment])]
    if name == "usd":
        height = scene.cameras.height
        return lambda moment: [_back(read_usd(files[0], scene.second_at(moment) - start, height)[0], "y")]
    if name == "npz":
        layers = read_npz(files[0])
        return lambda moment: [layer for layer in layers(moment) if len(layer.index)]
    state = read_fourdgs(files[0])
    return lambda moment: [_back(state(scene.second_at(moment) - start), "y")]


def _back(now: GaussiansAtTime, up: Literal["y", "z"]) -> GaussiansAtTime:
    """From a world with an axis up to this package's."""
    matrix = torch.eye(4)
    matrix[:3, :3] = TURNS[up].T
    return moved(now, matrix)


def _view(camera: PinholeCameras) -> tuple[Tensor, Tensor, int, int]:
    return camera.viewmats, camera.K, camera.width, camera.height


def _now() -> float:
    """Of all cores together, so that other programs do not count."""
    return time.process_time()
