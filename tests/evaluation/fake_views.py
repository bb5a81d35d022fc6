"""A data set of two cameras that needs no files, and a method whose values are known beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.methods.method_text import parse_method
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult

FRAMES = 60


class FakeScene(BenchmarkScene):
    """Frames without pictures."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.folder = name, folder / name
        self.frames = tuple(
            BenchmarkFrame(f"{camera}/{time:05d}.png", camera, time, time / 30, 64, 48)
            for camera in ("0", "1")
            for time in range(FRAMES)
        )

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        raise AssertionError("nobody needs a picture here")


class FakeData(BenchmarkData):
    """Its scenes are the folders that are there."""

    name = "fake"
    title, origin, licence = "Fake", "made up", "none"

    def find(self, folder: Path) -> list[str]:
        return sorted(place.name for place in folder.iterdir() if place.is_dir())

    def open(self, folder: Path, scene: str) -> BenchmarkScene:
        return FakeScene(folder, scene)


class FakeMethod:
    """Knows how good it is by its settings."""

    solver = "none"

    def __init__(self, text: str) -> None:
        self.name, self.text = text, text
        _, self._settings = parse_method(text)

    def settings(self) -> dict[str, Any]:
        return dict(self._settings)

    @property
    def score(self) -> float:
        """20 dB, and what each setting is worth."""
        worth = {"opacity": -1.0, "motion": -0.5, "refiner": 3.0, "degradation": -0.25}
        return 20.0 + sum(worth.get(name, 0.0) for name in self._settings)


def make(text: str) -> FakeMethod:
    """A method by its text."""
    return FakeMethod(text)


def judge(protocol: Protocol, scene: BenchmarkScene, choice: Choice, method: FakeMethod, **rest: Any) -> SceneResult:
    """Scenes differ by their numbers, and by a tenth of it where settings take quality away; gaps cost by length."""
    number = int(scene.name[-1])
    lost = method.score - 20.0
    gap = choice.inputs[1].time - choice.inputs[0].time
    value = method.score + number + 0.1 * number * (lost < 0) - 0.5 * gap
    values = {"psnr": {frame.name: value for frame in choice.targets}}
    return SceneResult(
        scene.name,
        method.name,
        [frame.name for frame in choice.inputs],
        values,
        dict.fromkeys(protocol.metrics, len(choice.targets)),
        seconds={"flow": 1.0, "cameras": 2.0, "depth": 3.0, "optimise": 4.0, "refining": 5.0, "load": 99.0},
    )
