"""A data set of plain pictures, a protocol and a judge, small enough to follow by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import torch

from neoverse_ns.errors import ClipError, LeakError, ReconstructionError, SettingsError
from neoverse_ns.evaluation import kinds
from neoverse_ns.evaluation.data import registry
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.protocol import aliases
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.results.scene_result import SceneResult

ASKED: list[tuple[str, str]] = []
"""Methods and scenes that the judge was asked about."""


class GreyScene(BenchmarkScene):
    """Frames whose files are empty; even times go in, odd ones are judged."""

    def __init__(self, folder: Path) -> None:
        self.name, self.folder = folder.name, folder
        files = sorted(folder.glob("*.txt"))
        self.frames = tuple(
            BenchmarkFrame(file.name, "0", int(file.stem), int(file.stem) / 8, 64, 48) for file in files
        )

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        return BenchmarkPixels(torch.full((48, 64, 3), frame.time, dtype=torch.uint8))


class GreyData(BenchmarkData):
    """A folder of folders of numbered files."""

    name: ClassVar[str] = "grey"
    title: ClassVar[str] = "Grey pictures"
    origin: ClassVar[str] = "Made by the tests."
    licence: ClassVar[str] = "None."

    def find(self, folder: Path) -> list[str]:
        found = sorted(child.name for child in folder.iterdir() if child.is_dir())
        if not found:
            raise ClipError(f"{folder}: no folder with numbered files")
        return found

    def open(self, folder: Path, scene: str) -> BenchmarkScene:
        return GreyScene(folder / scene)

    def missing(self, folder: Path, scene: str) -> list[str]:
        return [] if (folder / scene / "3.txt").is_file() else ["3.txt is missing, which is judged"]


def even_to_odd(scene: BenchmarkScene) -> Choice:
    """Refuses scenes with fewer than three frames."""
    if len(scene.frames) < 3:
        raise ClipError(f"{scene.folder}: {len(scene.frames)} frames, 3 are needed")
    inputs = tuple(frame for frame in scene.frames if frame.time % 2 == 0)
    return Choice(inputs, tuple(frame for frame in scene.frames if frame.time % 2 == 1))


GREY = Protocol(
    alias="grey@1",
    kind="views",
    data="grey",
    label="grey-2",
    scenes=("one", "two"),
    frames="t0:4:2>t1:4:2",
    rule=even_to_odd,
    cameras="predict-all",
    metrics=("psnr", "lpips-vgg"),
    size="64x48",
    note="Of no meaning.",
)
PUBLISHED = (
    Published("grey@1", "Somebody", {"psnr": 12.5}, "their table 1"),
    Published("", "Somebody else", {"psnr": 30.0}, "their table 2", near="grey@1"),
)


class Guess:
    """Answers 20 dB for the first frame and one more for each that follows; `bad` fails on scene two, where `bad-spy`
    looks at what it is judged by."""

    def __init__(self, text: str) -> None:
        if not text.startswith(("good", "bad")):
            raise SettingsError(f"no method named '{text}'")
        self.name, self.solver = text, "guess"

    def settings(self) -> dict[str, Any]:
        return {"length": len(self.name)}


def judge(
    protocol: Protocol,
    scene: BenchmarkScene,
    choice: Choice,
    method: Guess,
    *,
    work: Path,
    seed: int,
    keep: Path | None = None,
) -> SceneResult:
    """What :data:`KINDS` calls."""
    if keep is not None:
        write_grey(keep.parent, **{keep.name: 1})
    ASKED.append((method.name, scene.name))
    if method.name == "bad-spy" and scene.name == "two":
        raise LeakError("two was looked at")
    if method.name == "bad" and scene.name == "two":
        raise ReconstructionError("two shows nothing")
    values = {frame.name: 20.0 + place for place, frame in enumerate(choice.targets)}
    return SceneResult(
        scene.name,
        method.name,
        [frame.name for frame in choice.inputs],
        {"psnr": values},
        {"psnr": len(values), "lpips-vgg": len(values)},
        seconds={"all": 1.0},
    )


def write_grey(folder: Path, **frames: int) -> Path:
    """Scenes by name, with so many frames."""
    for scene, count in frames.items():
        (folder / scene).mkdir(parents=True)
        for number in range(count):
            (folder / scene / f"{number}.txt").write_text("")
    return folder


@contextmanager
def grey_world(protocol: Protocol = GREY, shows: bool = False) -> Iterator[None]:
    """The layout, the protocol, what was published under it, and its judge are known while the block runs."""
    here = __name__
    kind = kinds.KindOfProtocol(f"{here}:Guess", f"{here}:judge", "good", shows=shows)
    ASKED.clear()
    with (
        patch.dict(registry.BENCHMARK_DATA, {"grey": f"{here}:GreyData"}),
        patch.dict(kinds.KINDS, {protocol.kind: kind}),
        patch.object(aliases, "_modules", lambda: [_Module(protocol)]),
    ):
        _forget()
        try:
            yield
        finally:
            _forget()


def _forget() -> None:
    aliases.protocols.cache_clear()
    aliases.published.cache_clear()


class _Module:
    def __init__(self, protocol: Protocol) -> None:
        self.PROTOCOLS, self.PUBLISHED = (protocol,), PUBLISHED
