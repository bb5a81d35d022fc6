"""Finished runs, loaded from their folders and drawn from any camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml
from jaxtyping import Float, UInt8
from nerfstudio.engine.trainer import TrainerConfig
from nerfstudio.utils.eval_utils import eval_setup
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import RunError
from neoverse_ns.evaluation.judges.runs.keyframes import KeyframeDrawings
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.datamanager import NeoVerseDataManager
from neoverse_ns.plugin.dataparser import NeoVerseDataParser
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.run_source import refined_cameras
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import FrameSplit

CONFIG = "config.yml"
_FIRST = b"!!python/object:"
"""How every config that nerfstudio's trainer wrote begins."""


@dataclass(frozen=True)
class OpenRun:
    """A trained scene.

    Attributes:
        clip: The sampled frames.
        split: Which of them trained it.
        cameras: Refined cameras of all sampled frames, OpenCV axes, in nerfstudio's world.
        drawings: Draws the scene from cameras of that world, each at its time; the results lie on the CPU.
        model: What draws it; None where it does not come from a run folder.
        scene: What it was trained on; None likewise.
    """

    clip: Clip
    split: FrameSplit
    cameras: PinholeCameras
    drawings: Callable[[PinholeCameras, Float[Tensor, " n"]], list[Drawing]]
    model: NeoVerseModel | None = None
    scene: Scene | None = None

    def loaded(self) -> tuple[NeoVerseModel, Scene]:
        """The model and what it was trained on.

        Raises:
            RunError: This is no run from a folder.
        """
        if self.model is None or self.scene is None:
            raise RunError("this scene was not loaded from a run folder")
        return self.model, self.scene

    def drawn_keyframes(self) -> KeyframeDrawings:
        """What the run shows from the keyframes' own refined cameras.

        Raises:
            RunError: This is no run from a folder.
        """
        from neoverse_ns.plugin.keyframe_drawings import draw_keyframes

        return draw_keyframes(self)

    def draw(self, views: PinholeCameras, times: Float[Tensor, " n"]) -> UInt8[Tensor, "n h w 3"]:
        """Colours alone, as bytes."""
        return torch.cat([to_bytes(drawing.rgb) for drawing in self.drawings(views, times)])


def open_run(config: Path) -> OpenRun:
    """Load a finished run of a neoverse method from its folder or its config.yml.

    Raises:
        RunError: It is missing, something else, or another method's.
    """
    config = config_of(config)
    _check_config(config)
    _, pipeline, _, _ = eval_setup(config, test_mode="test")
    model, manager = pipeline.model, pipeline.datamanager
    if not isinstance(model, NeoVerseModel) or not isinstance(manager, NeoVerseDataManager):
        raise RunError(f"{config} is not a run of a neoverse method")
    parser = manager.dataparser
    assert isinstance(parser, NeoVerseDataParser)
    scene = parser.scene
    refined = refined_cameras(model, scene)

    @torch.no_grad()
    def drawings(views: PinholeCameras, times: Float[Tensor, " n"]) -> list[Drawing]:
        drawn = []
        for i, moment in enumerate(times.tolist()):
            view = views[i : i + 1]
            drawing = model.optimisation.draw(
                moment, view.viewmats.to(model.device), view.K.to(model.device), view.width, view.height
            )
            drawn.append(drawing.cpu())
        return drawn

    return OpenRun(scene.clip, scene.split, refined, drawings, model, scene)


def config_of(run: Path) -> Path:
    """The config.yml of a run that is named by its folder or by that file."""
    return run / CONFIG if run.is_dir() else run


def _check_config(config: Path) -> None:
    """Tell what nerfstudio's loader would stumble over."""
    if not config.is_file():
        raise RunError(f"no such run: {config}; give the folder or the config.yml that ns-train wrote")
    with config.open("rb") as file:
        start = file.read(len(_FIRST))
    if start != _FIRST:
        raise RunError(
            f"{config} is not the config.yml of a run; a clip becomes one by ns-train neoverse --data {config.name}"
        )
    try:
        found = yaml.load(config.read_text("utf8"), Loader=yaml.Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise RunError(f"{config} cannot be read as a run's config.yml: {reason}") from error
    if not isinstance(found, TrainerConfig):
        raise RunError(f"{config} is not the config.yml of a run: it holds a {type(found).__name__}")


def to_bytes(rgb: Float[Tensor, "*shape 3"]) -> UInt8[Tensor, "*shape 3"]:
    """Colours of 0 to 1, cut at both ends, as bytes."""
    return (rgb.clamp(0, 1) * 255).round().to(torch.uint8)
