"""Draw what degradation simulation does to a clip on one page: culled, smeared, masked, beside the frames themselves.

    python scripts/show_degradations.py clip.mp4 page.png --distance 0.1 --small 11 --large 51

A column is a keyframe. Holes are black; in the masks white is what may be trusted; in depth what is near is bright.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from show_geometry import check_output
from torch import Tensor

from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import NeoVerseError, SettingsError
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.depth import quantile
from neoverse_ns.generate.degradation.choices import Choices, Drops, draw_choices
from neoverse_ns.generate.degradation.geometry import degrade
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.degradation.simulate import TrainingPair, pair_of
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.reconstruct.cache import cached_scene
from neoverse_ns.reconstruct.config import SceneConfig


@dataclass
class ShowDegradations:
    """One page about a clip's training pairs."""

    source: tyro.conf.Positional[Path]
    """Video file, folder of images, or image."""
    output: tyro.conf.Positional[Path]
    """Picture to write; its suffix decides the format (png, jpg, pdf, svg)."""
    columns: int = 4
    """Keyframes shown."""
    distance: float = 0.1
    """How far context cameras are moved, in units of the scene's median depth."""
    small: int = 11
    """Side of the smaller box filter in pixels."""
    large: int = 51
    """Side of the larger one."""
    seed: int = 0
    """Of side, turn and colour threshold."""
    settings: Annotated[DegradationSettings, tyro.conf.arg(name="degradation")] = field(
        default_factory=DegradationSettings
    )
    """Margins and the range of the colour threshold; `distance`, `kernel` and the probabilities are not drawn here."""
    scene: Annotated[SceneConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=SceneConfig)
    """How the clip becomes a scene."""


def degraded_pairs(
    source: SourceScene, frames: list[int], options: ShowDegradations, settings: DegradationSettings
) -> dict[str, TrainingPair]:
    """One pair for each way of degrading, by its title."""
    drawn = draw_choices(settings, torch.Generator().manual_seed(options.seed))
    base = replace(drawn, distance=options.distance, drops=Drops())
    ways: dict[str, Choices] = {
        "culled": replace(base, kernel=None),
        f"box of {options.small} px": replace(base, kernel=options.small),
        f"box of {options.large} px": replace(base, kernel=options.large),
    }
    pairs = {}
    with progress("degrading the scene", len(ways)) as steps:
        for title, choices in ways.items():
            pairs[title] = pair_of(source, degrade(source, choices, settings), choices, settings, frames)
            steps.advance()
    return pairs


def checked(options: ShowDegradations) -> DegradationSettings:
    """The settings with the page's own distance and boxes.

    Raises:
        SettingsError: An option is out of range.
    """
    if options.columns < 1:
        raise SettingsError(f"columns must be at least 1, got {options.columns}")
    distance, kernel = (options.distance, options.distance), (options.small, options.large)
    settings = replace(options.settings, distance=distance, kernel=kernel)
    settings.validate()
    return settings


def depth_pictures(conditions: Conditions) -> Float[Tensor, "n h w 3"]:
    """Inverse depth over its 98th percentile: near is bright, and a far sky does not blacken the rest."""
    covered = conditions.alpha > 0.5
    inverse = torch.where(covered, 1 / conditions.depth.clamp_min(1e-9), 0.0)
    if bool(covered.any()):
        inverse = (inverse / quantile(inverse[covered], 0.98)).clamp(0, 1)
    return inverse[..., None].expand(*inverse.shape, 3)


def draw_page(source: SourceScene, options: ShowDegradations) -> Figure:
    """The whole page: frames, then colour, mask and depth of every way of degrading them."""
    settings = checked(options)
    keyframes = source.keyframes
    places = np.unique(np.linspace(0, len(keyframes) - 1, options.columns).round().astype(int))
    frames = [keyframes[place] for place in places]
    rows: list[tuple[str, Float[Tensor, "n h w 3"]]] = [("frame", source.frames[frames].float() / 255)]
    for title, pair in degraded_pairs(source, frames, options, settings).items():
        conditions = pair.conditions
        rows.append((title, conditions.rgb))
        rows.append((f"{title}:\nmask", conditions.mask[..., None].expand(*conditions.mask.shape, 3).float()))
        rows.append((f"{title}:\ndepth", depth_pictures(conditions)))
    aspect = source.frames.shape[1] / source.frames.shape[2]
    figure = Figure(figsize=(3 * len(frames), 3.1 * aspect * len(rows) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(rows), len(frames), squeeze=False)
    for row, (title, pictures) in enumerate(rows):
        for column, picture in enumerate(pictures):
            axes = grid[row, column]
            axes.imshow(picture.cpu().numpy())
            axes.set(xticks=[], yticks=[], ylabel=title if column == 0 else "")
            if row == 0:
                axes.set_title(f"keyframe {places[column]}, time {float(source.times[frames[column]]):.2f}", fontsize=9)
    return figure


def main() -> int:
    options = tyro.cli(ShowDegradations, description=__doc__)
    try:
        check_output(options.output)
        checked(options)
        page = draw_page(SourceScene.of(cached_scene(options.source, options.scene)), options)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        page.savefig(options.output, dpi=110)
    except NeoVerseError as error:
        warn(str(error))
        return 1
    except OSError as error:
        warn(f"{options.output} cannot be written: {error.strerror or error}")
        return 1
    say(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
