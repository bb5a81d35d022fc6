"""The embedded refiner as callers use it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refiners.internal.refiner import InternalRefiner
from neoverse_ns.generate.refiners.internal.settings import InternalSettings
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.generate.source_scene import SourceScene
from tests.generate.layered import layered_source

SETTINGS = InternalSettings(widths=(8, 8, 8), steps=10, batch=2, crop=40, rounds=1, pairs=4)


def holed(source: SourceScene, frame: int) -> Conditions:
    """One frame as drawn, with a hole in the wall."""
    frames = slice(frame, frame + 1)
    drawn = draw_conditions(source.gaussians, source.cameras[frames], source.times[frames], ConditionSettings())
    hole = torch.zeros_like(drawn.mask)
    hole[:, 4:12, 4:20] = True
    return replace(
        drawn,
        rgb=torch.where(hole[..., None], 0.0, drawn.rgb),
        depth=torch.where(hole, 0.0, drawn.depth),
        alpha=torch.where(hole, 0.0, drawn.alpha),
        mask=drawn.mask & ~hole,
    )


def test_a_hole_is_filled_with_what_was_there(tmp_path: Path) -> None:
    source = layered_source(count=5, step=(0.02, 0.0, 0.0))
    # The frame to be refined is not among those learned from.
    learned = [0, 1, 3, 4]
    known = SourceScene(
        source.frames[learned], source.cameras[learned], source.times[learned], [0, 3], source.gaussians
    )
    conditions, truth = holed(source, 2), source.frames[2:3] / 255
    refiner = InternalRefiner(SETTINGS, tmp_path)
    refiner.adapt(known, seed=1)
    refined = refiner.refine(conditions)
    hole = conditions.alpha < 0.5
    assert float((refined - truth)[hole].abs().mean()) < 0.1
    assert float((conditions.rgb - truth)[hole].abs().mean()) > 0.3
    # Deterministic, and kept: a second refiner takes the file and gives the same frames.
    again = InternalRefiner(SETTINGS)
    again.adapt(known, seed=1)
    assert torch.equal(again.refine(conditions), refined)
    kept = InternalRefiner(SETTINGS, tmp_path)
    kept.adapt(known, seed=1)
    assert torch.equal(kept.refine(conditions), refined)


def test_a_given_first_frame_stays() -> None:
    source = layered_source(count=3)
    refiner = get_refiner(RefinerConfig(refiner="internal", internal=replace(SETTINGS, steps=1)))
    drawn = draw_conditions(source.gaussians, source.cameras, source.times, ConditionSettings())
    given = replace(drawn, rgb=drawn.rgb.clone(), first_frame=True)
    given.rgb[0] = 0.123
    with pytest.raises(RefinementError, match="adapt"):
        refiner.refine(given)
    refiner.adapt(source)
    refined = refiner.refine(given)
    assert refined.shape == given.rgb.shape
    assert torch.equal(refined[0], given.rgb[0])
    assert float(refined.min()) >= 0
    assert float(refined.max()) <= 1
