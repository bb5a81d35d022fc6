"""Scenes worn as by the released program: what it keeps, and where it puts it, Gaussian by Gaussian."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from neoverse_ns.gaussians.layers import FRAMES
from neoverse_ns.generate.degradation.average_filter import average_filter
from neoverse_ns.generate.degradation.choices import Choices
from neoverse_ns.generate.degradation.geometry import context_depths, degrade
from neoverse_ns.generate.degradation.settings import DegradationSettings, published
from neoverse_ns.generate.degradation.views import draw_depth
from neoverse_ns.training.control.config import ControlTrainingConfig
from tests.generate.layered import layered_source

SOURCE = layered_source()
PER_FRAME = SOURCE.cameras.width * SOURCE.cameras.height
SMEARED = Choices(side="right", distance=0.1, kernel=11)


def test_the_control_branch_is_trained_on_scenes_worn_as_published() -> None:
    assert ControlTrainingConfig().degradation == published()
    assert published() != DegradationSettings()


def test_every_gaussian_is_kept_and_moved_as_published() -> None:
    result = degrade(SOURCE, SMEARED, published())
    scale, kept_before = context_depths(SOURCE).scale, 0
    before, after = SOURCE.gaussians.frames, result.gaussians.frames
    for number in range(len(SOURCE.keyframes)):
        rows = slice(number * PER_FRAME, (number + 1) * PER_FRAME)
        c2w, K = result.moved.c2w[number], result.moved.K[number]
        view = draw_depth(before, rows, c2w, K, SOURCE.cameras.width, SOURCE.cameras.height)
        smooth, drawn = (value.double().numpy() for value in (average_filter(view.depth, 11), view.depth))
        pose, lens = c2w.double().numpy(), K.double().numpy()
        seen = (before.means[rows].double().numpy() - pose[:3, 3]) @ pose[:3, :3]
        pixels = seen @ lens.T
        pixels = pixels[:, :2] / pixels[:, 2:]
        column, row = np.rint(pixels).clip(0, [SOURCE.cameras.width - 1, SOURCE.cameras.height - 1]).astype(int).T
        # What lies at least its whole extent outside the picture is not there; what only reaches into it is.
        assert view.reaching is not None
        reaching = view.reaching.numpy()
        beyond = np.maximum(-pixels, pixels - [SOURCE.cameras.width, SOURCE.cameras.height]).max(axis=1)
        assert reaching[beyond < 0].all()
        assert not reaching[beyond > 4].any()
        assert reaching[beyond > 0].any()
        expected = reaching & (seen[:, 2] > 0) & (seen[:, 2] < drawn[row, column] + 0.1 * scale)
        margin = np.abs(seen[:, 2] - drawn[row, column] - 0.1 * scale)
        half = np.abs(np.abs(pixels - np.rint(pixels)) - 0.5).min(axis=1)
        sure = (margin > 1e-5) & (half > 1e-4)
        assert sure.mean() > 0.95
        kept = result.kept[FRAMES][rows].numpy()
        np.testing.assert_array_equal(kept[sure], expected[sure])
        assert 0.01 < 1 - kept.mean() < 0.5
        place = np.stack([column, row, np.ones_like(row)], axis=-1) @ np.linalg.inv(lens).T
        place = smooth[row, column][:, None] * place @ pose[:3, :3].T + pose[:3, 3]
        moved = after.means[kept_before : kept_before + int(kept.sum())].numpy()
        np.testing.assert_allclose(moved[sure[kept]], place[kept & sure], atol=1e-4)
        kept_before += int(kept.sum())
    assert torch.equal(after.log_scales, before.log_scales[result.kept[FRAMES]])


@pytest.mark.parametrize(("unit", "expected"), [(0.25, 0.4), (None, None)])
def test_distances_are_the_networks_where_it_found_the_scene(unit: float | None, expected: float | None) -> None:
    source = dataclasses.replace(SOURCE, unit=unit)
    scale = context_depths(SOURCE).scale
    for settings, step in ((published(), expected or 0.1 * scale), (DegradationSettings(), 0.1 * scale)):
        moved = degrade(source, dataclasses.replace(SMEARED, kernel=None), settings).moved
        steps = moved.c2w[:, :3, 3] - source.cameras.c2w[source.keyframes, :3, 3]
        assert steps.norm(dim=-1).tolist() == pytest.approx([step] * len(steps), rel=1e-5)
