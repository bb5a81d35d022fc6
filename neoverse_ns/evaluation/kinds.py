"""What is done for each kind of protocol: who can be measured, and who judges."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.metric_files import MetricFiles
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult


@dataclass(frozen=True)
class KindOfProtocol:
    """Who answers, and who judges.

    Attributes:
        method: Module and function that make a method of what was typed.
        judge: Module and function that measure it on a scene: takes protocol, scene, its frames and the method, and by
            name `work` and `seed`.
        default: Whom to measure where nobody is named.
        needs_weights: The judge also takes `alexnet` and `vgg16`, files of weights.
        seed: Where none is given; of runs that of `ns-train`.
        shows: The judge also takes `keep`, a folder for the pictures that methods show.
    """

    method: str
    judge: str
    default: str
    needs_weights: bool = False
    seed: int = 0
    shows: bool = False

    def make(self, text: str) -> Any:
        """The method that was typed: has `name` and `solver`, and may have `settings()`, `weights()` and `check()`.

        Raises:
            SettingsError: There is none.
        """
        return _loaded(self.method)(text)

    def checked(self, text: str) -> Any:
        """The method that was typed, which has found everything that it will need.

        Raises:
            SettingsError: There is none, or a setting of it cannot be used.
            NeoVerseError: It lacks something that it needs here.
        """
        method = self.make(text)
        if hasattr(method, "check"):
            method.check()
        return method


@dataclass(frozen=True)
class Judging:
    """What is the same for every scene that a method is measured on.

    Attributes:
        protocol: Under which.
        kind: Of it.
        work: Folder of the method.
        seed: Of everything random.
        weights: Of metrics.
        keep: Folder for the pictures that the method shows, by scene; None keeps none.
    """

    protocol: Protocol
    kind: KindOfProtocol
    work: Path
    seed: int
    weights: MetricFiles
    keep: Path | None = None

    def measure(self, scene: BenchmarkScene, choice: Choice, method: Any) -> SceneResult:
        """Measure one scene.

        Raises:
            NeoVerseError: It cannot be measured; the message says why.
        """
        files = {"alexnet": self.weights.alexnet, "vgg16": self.weights.vgg16} if self.kind.needs_weights else {}
        kept = {} if self.keep is None else {"keep": self.keep / scene.name}
        judge = _loaded(self.kind.judge)
        return judge(self.protocol, scene, choice, method, work=self.work, seed=self.seed, **files, **kept)


_ROOT = "neoverse_ns.evaluation"
KINDS: dict[str, KindOfProtocol] = {
    "views": KindOfProtocol(
        f"{_ROOT}.methods.registry:view_method", f"{_ROOT}.judges.views.judge:judge_views", "ours", True, shows=True
    ),
    "cameras": KindOfProtocol(
        f"{_ROOT}.methods.camera_methods:camera_method", f"{_ROOT}.judges.cameras.judge:judge_cameras", "bundle"
    ),
    "depth": KindOfProtocol(
        f"{_ROOT}.methods.camera_methods:camera_method", f"{_ROOT}.judges.depth:judge_depth", "bundle"
    ),
    "tracks": KindOfProtocol(
        f"{_ROOT}.methods.track_methods:track_method", f"{_ROOT}.judges.tracks:judge_tracks", "ours"
    ),
    "runs": KindOfProtocol(
        f"{_ROOT}.methods.run_methods:run_method", f"{_ROOT}.judges.runs.judge:judge_runs", "neoverse", True, 42
    ),
    "video": KindOfProtocol(
        f"{_ROOT}.methods.video_methods:video_method", f"{_ROOT}.judges.video.judge:judge_video", "as-is"
    ),
}
"""By `Protocol.kind`."""
VIDEO_CAMERAS = KindOfProtocol(
    f"{_ROOT}.methods.camera_methods:camera_method", f"{_ROOT}.judges.video.cameras:judge_video_cameras", "bundle"
)
"""Of protocols that ask how well a video follows a path: whoever finds its cameras is named."""


def kind_of(protocol: Protocol) -> KindOfProtocol:
    """Who answers and who judges under a protocol."""
    return VIDEO_CAMERAS if protocol.cameras == "requested" else KINDS[protocol.kind]


def _loaded(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
