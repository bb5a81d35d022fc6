"""Whom the protocols of our own clips measure: the methods that users train, and what needs no scene."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neoverse_ns.errors import ReconstructionError, SettingsError
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.data.clips.windows import HELD_OUT_EVERY, TRACKING
from neoverse_ns.evaluation.judges.runs.second_view import score_shift
from neoverse_ns.evaluation.methods.baselines import score_baselines
from neoverse_ns.evaluation.methods.method_text import parse_method
from neoverse_ns.evaluation.methods.train_run import TrainSettings, train_and_evaluate
from neoverse_ns.evaluation.protocol.clip_rules import Judged
from neoverse_ns.reconstruct.cache import cached_scene
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.registry import RECONSTRUCTORS, choose_reconstructor

TRAINED = ("neoverse", "neoverse-feedforward", "neoverse-quick", "neoverse-hq")
"""Registered with nerfstudio."""
BASELINES = {"repeat": "repeat_previous", "flow": "flow_interpolation", "shift": "shift"}
"""Held-out frames by repeating the frame before, or along optical flow between both neighbours; a second camera by the
best constant shift of the first one's frame."""

_EACH = {"psnr": "psnr", "ssim-tm": "ssim", "psnr-dynamic": "psnr_dynamic", "psnr-static": "psnr_static"}
_OF_IMAGE = _EACH | {"lpips-alex": "lpips"}


@dataclass(frozen=True)
class RunTask:
    """A clip, and what is judged of it.

    Attributes:
        sample: All frames of the window.
        judged: Held-out frames, the frames themselves, or a second camera's.
        beside: The second camera stands beside each solved one, in the stead of where the whole path has it.
        tracking: Which frames between are followed, by its name.
        work: Folder for runs.
        seed: Of training.
        alexnet: Weights for LPIPS.
    """

    sample: BenchmarkClip
    judged: Judged
    beside: bool
    tracking: str
    work: Path
    seed: int
    alexnet: Path | None = None


@dataclass
class RunAnswer:
    """What was measured, by metric and frame; values may be NaN or None."""

    values: dict[str, dict[str, Any]]
    seconds: dict[str, float] = field(default_factory=dict)
    peak_gb: float | None = None
    report: dict[str, Any] = field(default_factory=dict)


class RunMethod(ABC):
    """Who is measured.

    Attributes:
        name: As typed.
        solver: In ids.
    """

    name: str
    solver: str

    @abstractmethod
    def measure(self, task: RunTask) -> RunAnswer:
        """Make what is asked for and measure it.

        Raises:
            NeoVerseError: It cannot be made.
        """

    def settings(self) -> dict[str, Any]:
        """What the answer depends on besides the task."""
        return {}


class TrainedRun(RunMethod):
    """`ns-train` and `ns-eval`, as users run them."""

    def __init__(self, text: str) -> None:
        self.name = text
        self._method, self._flags = parse_method(text)
        steps = self._flags.pop("steps", None)
        if steps is not None and not steps.isdecimal():
            raise SettingsError(f"method '{text}': steps must be a whole number, got '{steps}'")
        self._steps = None if steps is None else int(steps)
        asked = self._flags.get("reconstructor", "auto")
        if asked not in ("auto", *RECONSTRUCTORS):
            raise SettingsError(f"method '{text}': reconstructor must be auto, {', '.join(RECONSTRUCTORS)}")
        config = SceneConfig(reconstructor=asked)  # pyright: ignore[reportArgumentType]
        self.solver = choose_reconstructor(config).name

    def settings(self) -> dict[str, Any]:
        return {"method": self._method, "steps": self._steps, **self._flags}

    def measure(self, task: RunTask) -> RunAnswer:
        flags = dict(self._flags)
        if task.alexnet is not None:
            flags["pipeline.model.lpips-weights"] = str(task.alexnet.absolute())
        every = 0 if task.judged == "same-frames" else HELD_OUT_EVERY
        tracking = TRACKING[task.tracking]
        settings = TrainSettings(self._method, task.seed, task.work / "runs", tracking, self._steps, every, flags)
        found, scene = train_and_evaluate(task.sample, settings)
        if task.judged == "right":
            values = _each(found["right_beside" if task.beside else "right_aligned"], _indices(task.sample))
        else:
            values = {
                metric: {str(image["frame_index"]): image.get(key) for image in found["per_image"]}
                for metric, key in _OF_IMAGE.items()
            }
        keyframes = [str(int(scene.clip.frame_indices[frame])) for frame in scene.geometry.keyframes]
        values["keyframe-psnr"] = dict(zip(keyframes, found["keyframes"]["psnr_each"], strict=True))
        report = {key: value for key, value in found.items() if key not in ("per_image", "keyframes")}
        return RunAnswer(values, {"ns-train": found["train_seconds"]}, found["train_peak_gb"], report)


class Baseline(RunMethod):
    """What needs no scene, on the frames, division and motion masks that a run has."""

    solver = "none"

    def __init__(self, text: str) -> None:
        self.name = text

    def measure(self, task: RunTask) -> RunAnswer:
        right = task.judged == "right"
        if (self.name == "shift") != right or task.judged == "same-frames":
            raise ReconstructionError(f"{self.name} does not answer this: {_APPLIES[self.name]}")
        if right:
            return RunAnswer(_each(score_shift(task.sample), _indices(task.sample)))
        scene = _as_reconstructed(task)
        moving = scene.held_out_dynamic
        scores = score_baselines(scene.clip, scene.split, moving)[BASELINES[self.name]]
        held_out = [str(int(scene.clip.frame_indices[frame])) for frame in scene.split.held_out]
        return RunAnswer(_each(scores, held_out))


_APPLIES = {
    "repeat": "it repeats the frame before a held-out one",
    "flow": "it interpolates between the frames around a held-out one",
    "shift": "it shifts frames sideways to resemble a second camera's",
}


def run_method(text: str) -> RunMethod:
    """`neoverse` and its kin, with flags of `ns-train` behind a colon (`neoverse:steps=100`), or a baseline.

    Raises:
        SettingsError: There is none of that name.
    """
    name, settings = parse_method(text)
    if name in TRAINED:
        return TrainedRun(text)
    if name not in BASELINES or settings:
        raise SettingsError(f"no method '{text}' on our clips; there are {', '.join((*TRAINED, *BASELINES))}")
    return Baseline(name)


def _as_reconstructed(task: RunTask) -> Any:
    """The scene that a run of this package starts from: its frames, division and motion masks."""
    sample = task.sample
    config = SceneConfig(
        clip=replace(sample.config, width=sample.clip.width),
        held_out_every=HELD_OUT_EVERY,
        tracking=TRACKING[task.tracking].flag,  # pyright: ignore[reportArgumentType]
        cache_dir=task.work.parent / "cache",
    )
    return cached_scene(sample.source, config)


def _each(scores: dict[str, Any], names: list[str]) -> dict[str, dict[str, Any]]:
    found = {metric: scores.get(f"{key}_each") for metric, key in _EACH.items()}
    return {metric: dict(zip(names, values, strict=True)) for metric, values in found.items() if values is not None}


def _indices(sample: BenchmarkClip) -> list[str]:
    return [str(index) for index in sample.clip.frame_indices.tolist()]
