"""One round: views beside the input path are drawn, refined, kept on disk, and their holes filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress, say
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.generate.base import Conditions, Refiner
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.frame_bytes import bytes_of
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.generate.stage.seeds import HoleFiller
from neoverse_ns.generate.stage.training_frames import source_key
from neoverse_ns.generate.stage.views import RefinedViews, join, load_views, save_views
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.presets import end_pose


@dataclass(frozen=True)
class Round:
    """What a round adds to a scene.

    Attributes:
        views: Of all moves, in this package's world.
        inpainted: New Gaussians where the views showed holes; None where they showed none.
    """

    views: RefinedViews
    inpainted: DynamicGaussians | None


def views_beside(cameras: PinholeCameras, move: str, median_depth: float, config: StageConfig) -> PinholeCameras:
    """Every camera put to the end of a move that starts from it.

    Args:
        cameras: Of the input path.
        move: Name of a preset.
        median_depth: Of the scene, world units; lengths are relative to it.
        config: How far the moves go.
    """
    offset = end_pose(move, config.move_size(median_depth)).to(cameras.c2w)
    return PinholeCameras(cameras.c2w @ offset, cameras.K, cameras.width, cameras.height)


def make_round(
    source: SourceScene,
    config: StageConfig,
    prompt: str,
    median_depth: float,
    folder: Path,
    make_refiner: Callable[[], Refiner],
) -> Round:
    """Draw, refine and keep views of every move beside the source's cameras, at their times.

    Views that lie in `folder` already, made from exactly this source and these settings, are taken from there: a run
    that was stopped goes on where it was. The refiner is only built, and only learns, where a view is missing.

    Args:
        source: Training frames, their cameras, and the Gaussians that were seen.
        config: The stage's settings.
        prompt: For refiners that read.
        median_depth: Of the scene.
        folder: Where the views are kept, one folder per move.
        make_refiner: Builds the refiner.

    Raises:
        RefinementError: The refiner cannot run, or left something unusable.
        RunError: The folder cannot be written.
    """
    key = source_key(source, config.view_settings() | {"prompt": prompt, "median_depth": median_depth})
    chosen = list(range(0, len(source), config.every))
    filler = HoleFiller(config.hole_opacity, config.max_inpainted)
    refiner = None
    parts = []
    for move in config.moves:
        cameras = views_beside(source.cameras[chosen], move, median_depth, config)
        conditions = _conditions(source, cameras, source.times[chosen], move, config)
        views = load_views(folder / move, f"{key}-{move}")
        if views is None:
            if refiner is None:
                refiner = make_refiner()
                refiner.adapt(source, config.seed)
            refined = refiner.refine(conditions, prompt, config.seed)
            frames = bytes_of(refined, conditions.height, conditions.width, len(conditions))
            views = RefinedViews(
                frames, ~conditions.mask.cpu(), conditions.c2w.cpu(), conditions.K.cpu(), conditions.times.cpu()
            )
            save_views(views, folder / move, f"{key}-{move}")
        else:
            say(f"{move}: {len(views)} refined frames taken from {folder / move}")
        filler.add(views.frames, conditions)
        parts.append(views)
    return Round(join(parts), filler.gaussians())


def load_round(folder: Path, config: StageConfig) -> RefinedViews | None:
    """The views of a round that the scene has seen already; None where any move's are missing."""
    parts = [load_views(folder / move) for move in config.moves]
    found = [part for part in parts if part is not None]
    return join(found) if found and len(found) == len(parts) else None


def _conditions(
    source: SourceScene, cameras: PinholeCameras, times: Float[Tensor, " n"], move: str, config: StageConfig
) -> Conditions:
    # The far field is left out: what a refiner closes a hole with shall come from what was seen.
    settings = ConditionSettings(mask_threshold=config.mask_threshold, far_field=False)
    with progress(f"drawing {len(cameras)} views beside the path ({move})", len(cameras)) as steps:
        return draw_conditions(source.gaussians, cameras, times, settings, steps.advance)
