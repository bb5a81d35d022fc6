"""Pipeline: nerfstudio's own, with honest evaluation on top."""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nerfstudio.data.datamanagers.base_datamanager import DataManagerConfig
from nerfstudio.engine.callbacks import TrainingCallback, TrainingCallbackAttributes
from nerfstudio.models.base_model import ModelConfig
from nerfstudio.pipelines.base_pipeline import VanillaPipeline, VanillaPipelineConfig

from neoverse_ns.console import say
from neoverse_ns.evaluation.protocol.own_clip import own_clip_id
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.gaussians.transition import alive_at
from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.plugin.camera_path_check import check_camera_path
from neoverse_ns.plugin.datamanager import NeoVerseDataManager, NeoVerseDataManagerConfig
from neoverse_ns.plugin.evaluation import summarise
from neoverse_ns.plugin.generation_stage import RefinementStage
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.model_config import NeoVerseModelConfig
from neoverse_ns.plugin.script_calls import camera_path_asked_for
from neoverse_ns.plugin.user_errors import exit_on_user_error
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.tracking_guard import USES, tracking_of

TRAINING_RECORD = "training.json"
"""File in the run folder with what only training knows: seconds, steps, seed."""

HELD_OUT_NOTE = "frames held out evenly in time: their cameras are estimated, their pixels never train the scene"
"""What a protocol's name stands for that begins with interleaved-time; what it ends with says :data:`USES`."""

SAME_FRAMES_NOTE = "no frames were held out: these are the training frames"
"""What the protocol's name same-frames stands for."""

IGNORED_NOTE = "; pixels that are no part of the world (bars, overlays, masks) are counted nowhere"
"""What is added where there are such."""


@dataclass
class NeoVersePipelineConfig(VanillaPipelineConfig):
    """A clip's frames and its 4D Gaussians."""

    _target: type = field(default_factory=lambda: NeoVersePipeline)
    datamanager: DataManagerConfig = field(default_factory=NeoVerseDataManagerConfig)
    """The clip."""
    model: ModelConfig = field(default_factory=NeoVerseModelConfig)
    """The Gaussians."""
    refiner: StageConfig = field(default_factory=StageConfig)
    """Refined views beside the input path, as further training views."""


class NeoVersePipeline(VanillaPipeline):
    """Adds region metrics, counts, times, versions and the protocol's name to what ns-eval writes."""

    config: NeoVersePipelineConfig
    datamanager: NeoVerseDataManager

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with exit_on_user_error():
            path = camera_path_asked_for()
            if path is not None:
                check_camera_path(path)
            super().__init__(*args, **kwargs)
            self.config.refiner.validate()
        self._stage = RefinementStage(self.config.refiner, self._neoverse, self.datamanager)

    def get_training_callbacks(self, attributes: TrainingCallbackAttributes) -> list[TrainingCallback]:  # pyright: ignore
        """The model's own, then those of the refinement stage."""
        with exit_on_user_error():
            return [*super().get_training_callbacks(attributes), *self._stage.callbacks(attributes)]

    @property
    def planned_end(self) -> int | None:
        """First step that the refinement stage does not want taken; None where it has no say."""
        return None if self._stage.plan is None else self._stage.plan.end

    @property
    def _neoverse(self) -> NeoVerseModel:
        model = self.model
        assert isinstance(model, NeoVerseModel)
        return model

    def load_pipeline(self, loaded_state: dict[str, Any], step: int) -> None:
        """Load a checkpoint; one of another method ends the command with one line."""
        with exit_on_user_error():
            super().load_pipeline(loaded_state, step)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool | None = None) -> None:  # pyright: ignore
        """Load the model strictly; the data manager's part is rebuilt from the clip and not needed."""
        prefix = "_model."
        state = {key[len(prefix) :]: value for key, value in state_dict.items() if key.startswith(prefix)}
        self._neoverse.load_state_dict(state, strict=True)

    def get_average_eval_image_metrics(
        self, step: int | None = None, output_path: Path | None = None, get_std: bool = False
    ) -> dict[str, Any]:
        """Evaluate all held-out frames.

        In training (`step` given) only numbers come back, for the loggers; for ns-eval also texts, counts and the list
        of single images.
        """
        judge = self._neoverse._judge
        evaluator = self._neoverse._evaluator if judge is None else judge
        evaluator.records.clear()
        with exit_on_user_error():
            averages = super().get_average_eval_image_metrics(step, output_path, get_std)
        summary: dict[str, Any] = summarise(evaluator.records)
        speeds = {
            key: averages[key] for key in ("fps", "num_rays_per_sec") if math.isfinite(averages.get(key, math.nan))
        }
        if step is not None:
            return {key: value for key, value in (summary | speeds).items() if value is not None}
        if judge is None and "psnr" in summary and "lpips" not in summary:
            summary["lpips"] = None
            summary["lpips_note"] = (
                "missing: no AlexNet weights found; pass --pipeline.model.lpips-weights FILE to ns-train, "
                "or set pipeline.model.lpips_weights in config.yml"
            )
        facts = self._facts() if judge is None else self._run_facts() | judge.facts()
        say(f"protocol {facts['protocol']}: {facts.get('protocol_note') or facts['protocol_id']}")
        return summary | speeds | facts

    def _facts(self) -> dict[str, Any]:
        """What a reader needs to know to trust the numbers."""
        scene = self.datamanager.dataparser.scene  # pyright: ignore
        frames = scene.split.held_out or scene.split.train
        indices = scene.clip.frame_indices
        protocol, note = protocol_of(scene)
        return self._run_facts() | {
            "protocol": protocol,
            "protocol_id": own_clip_id(scene, protocol),
            "protocol_note": note,
            "tracking": tracking_of(scene.geometry.report),
            "num_held_out": len(scene.split.held_out),
            "per_image": [
                {"frame_index": int(indices[frame])} | _finite(values)
                for frame, values in zip(frames, self._neoverse._evaluator.records, strict=True)
            ],
        }

    def _run_facts(self) -> dict[str, Any]:
        """The same of the run, whatever it is judged by; of frames held out only who judges by them tells."""
        scene = self.datamanager.dataparser.scene  # pyright: ignore
        gaussians = self._neoverse.gaussians
        frames = scene.split.held_out or scene.split.train
        alive = [_alive(gaussians, float(t)) for t in scene.clip.times[frames]]
        record = self._training_record()
        seconds = {f"seconds_{name}": float(value) for name, value in scene.geometry.report.get("seconds", {}).items()}
        return (
            {
                "num_frames": len(scene.clip),
                "num_keyframes": len(scene.split.keyframes),
                "num_gaussians": gaussians.count,
                "num_gaussians_dynamic": int(gaussians.frames.dynamic.sum()),
                "num_gaussians_alive": sum(alive) / len(alive),
                "width": scene.clip.width,
                "height": scene.clip.height,
                "versions": _versions(),
            }
            | seconds
            | record
        )

    def _training_record(self) -> dict[str, Any]:
        scene_dir = self.datamanager.config.dataparser.scene_dir
        path = None if scene_dir is None else scene_dir.parent / TRAINING_RECORD
        if path is None or not path.is_file():
            return {}
        return json.loads(path.read_text("utf8"))


def protocol_of(scene: Scene) -> tuple[str, str]:
    """Name of the protocol under which a scene is measured, and what it stands for.

    Numbers of different names cannot be compared: with frames between the sampled ones a scene knows more.
    """
    ignored = "" if scene.clip.ignored is None else IGNORED_NOTE
    if not scene.split.held_out:
        return "same-frames", SAME_FRAMES_NOTE + ignored
    used = tracking_of(scene.geometry.report)["protocol"]
    return f"interleaved-time-{used}", f"{HELD_OUT_NOTE}; {USES[used]}{ignored}"


def _alive(gaussians: LayeredGaussians, time: float) -> int:
    return sum(int(alive_at(layer, time).sum()) for layer in gaussians.values())


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    return {key: value if math.isfinite(value) else None for key, value in values.items()}


def _versions() -> dict[str, str]:
    names = ("neoverse-ns", "nerfstudio", "torch", "gsplat", "numpy")
    return {name: importlib.metadata.version(name) for name in names} | {"python": platform.python_version()}
