"""What a network is shown, and how much it is allowed to change."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.refiners.internal.network_inputs import ALLOWED, CHANNELS, PackedInputs, gather
from neoverse_ns.generate.refiners.internal.reference_lookup import References
from tests.generate.layered import layered_source
from tests.generate.refiners.internal.inputs_of import random_inputs, settled_inputs


def test_hardly_anything_may_change_where_all_agree() -> None:
    allowed = settled_inputs().allowed_change()
    assert torch.allclose(allowed, torch.full_like(allowed, ALLOWED))


@pytest.mark.parametrize("reason", ["open", "unseen", "disagreeing"])
def test_more_may_change_where_something_is_open_unseen_or_disagreeing(reason: str) -> None:
    inputs = settled_inputs()
    if reason == "open":
        inputs.alpha[..., 8, 12] = 0.0
    elif reason == "unseen":
        inputs.trust[..., 8, 12] = 0.0
    else:
        # One neighbouring frame is enough.
        inputs.colours[:, 3:6, 8, 12] += 0.5
    allowed = inputs.allowed_change()[0, 0]
    assert float(allowed[8, 12]) > 10 * ALLOWED
    far = torch.ones_like(allowed, dtype=torch.bool)
    far[6:11, 10:15] = False
    assert torch.allclose(allowed[far], torch.tensor(ALLOWED))


def test_a_crop_of_packed_evidence_is_the_evidence_there() -> None:
    source = layered_source(count=3)
    drawn = draw_conditions(source.gaussians, source.cameras, source.times, ConditionSettings())
    whole = gather(drawn, 1, References.of(source), 1.0, without=1)
    assert whole.channels().shape[1] == CHANNELS
    crop = PackedInputs.of(whole, drawn.K[1], drawn.c2w[1]).crop(5, 11, 16, 24)
    for name, value in vars(whole).items():
        part = value[..., 5 : 5 + 16, 11 : 11 + 24]
        tolerance = {"depth": 1e-3, "plucker": 1e-5, "mask": 0.0}.get(name, 1 / 255)
        assert float((getattr(crop, name) - part).abs().max()) <= tolerance, name
    # Rounding must never make a pixel count as fully covered.
    assert not ((crop.alpha == 1) & (whole.alpha[..., 5:21, 11:35] < 1)).any()


def test_evidence_of_a_covered_frame_is_the_drawing_itself() -> None:
    source = layered_source(count=3)
    drawn = draw_conditions(source.gaussians, source.cameras, source.times, ConditionSettings())
    covered = replace(drawn, alpha=torch.ones_like(drawn.alpha))
    assert torch.equal(gather(covered, 0, References.of(source), 1.0).base, covered.rgb[:1].movedim(-1, 1))


def test_half_open_pixels_are_brightened_to_what_they_would_be_whole() -> None:
    source = layered_source(count=3)
    drawn = draw_conditions(source.gaussians, source.cameras, source.times, ConditionSettings())
    half = replace(drawn, rgb=torch.full_like(drawn.rgb, 0.3), alpha=torch.full_like(drawn.alpha, 0.5))
    base = gather(half, 0, References.of(source), 1.0).base
    assert torch.allclose(base, torch.full_like(base, 0.6))


def test_random_inputs_has_every_channel_once() -> None:
    inputs = random_inputs()
    assert inputs.channels().shape[1] == CHANNELS
    assert torch.equal(inputs.candidates()[:, 2], inputs.colours[:, 3:6])
