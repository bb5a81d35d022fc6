"""Teaching on worn views: inputs are worn, targets are not, and without it nothing is as it was not before."""

from __future__ import annotations

import dataclasses

import torch

from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.clip.wear.draw import WearDraw
from neoverse_ns.generate.refiners.internal.network_inputs import ALLOWED, ALLOWED_WORN
from neoverse_ns.generate.refiners.internal.reference_lookup import References
from neoverse_ns.generate.refiners.internal.state import TrainingState, origin_of
from neoverse_ns.generate.refiners.internal.training import train
from neoverse_ns.generate.refiners.internal.training_pairs import TrainingPairs, make_training_pairs
from neoverse_ns.generate.refiners.internal.worn_views import WornViews
from tests.generate.layered import layered_source
from tests.generate.refiners.internal.test_training import SETTINGS

DARK = WearConfig(
    share=1.0, blur=0.0, low_resolution=0.0, noise=0.0, compression=0.0, exposure=1.0, stops=1.5, drift=0.0
)


def made(wear: WearConfig) -> TrainingPairs:
    source = layered_source(count=5)
    settings = dataclasses.replace(SETTINGS, wear=wear, rounds=2)
    return make_training_pairs(source, References.of(source), 2.0, settings, seed=3)


def test_inputs_are_worn_and_targets_clean() -> None:
    clean, worn = made(WearConfig()), made(DARK)
    assert len(clean) == len(worn)
    assert clean.plain == worn.plain
    for a, b, before, after in zip(clean.inputs, worn.inputs, clean.targets, worn.targets, strict=True):
        assert torch.equal(before, after)
        # Drawing and looked-up frames alike; what is known of trust, opacity, mask and depth stays.
        assert float((a.bytes_[:12].float() - b.bytes_[:12].float()).abs().mean()) > 2
        assert torch.equal(a.bytes_[12:], b.bytes_[12:])
        assert torch.equal(a.depth, b.depth)


def test_clean_frames_stay_clean() -> None:
    references = References.of(layered_source(count=3))
    before = references.images.clone()
    views = WornViews(references)
    drawn = made_conditions()
    worn, shown = views(drawn, WearDraw(scale=0.5))
    assert not torch.equal(shown.images, before)
    assert not torch.equal(worn.rgb, drawn.rgb)
    assert torch.equal(references.images, before)
    assert views(drawn, WearDraw()) == (drawn, references)


def made_conditions():
    from tests.generate.refiners.wan.tiny_wan import make_conditions

    return make_conditions()


def test_a_refiner_taught_on_worn_views_mends_them() -> None:
    worn = made(DARK)
    errors = {}
    for share in (0.0, 1.0):
        settings = dataclasses.replace(SETTINGS, steps=60, wear=dataclasses.replace(DARK, share=share))
        state = TrainingState.start(settings, 0, torch.device("cpu"))
        assert state.network.least == (ALLOWED_WORN if share else ALLOWED)
        train(state, worn if share else made(WearConfig()), settings)
        inputs, target = worn.batch(dataclasses.replace(settings, batch=16), torch.Generator().manual_seed(9))
        with torch.no_grad():
            errors[share] = float((state.network(inputs) - target).square().mean())
    assert errors[1.0] < 0.7 * errors[0.0]


def test_what_is_off_changes_no_origin() -> None:
    source = layered_source(count=3)
    plain = origin_of(source, SETTINGS, 0)
    assert plain != origin_of(source, dataclasses.replace(SETTINGS, wear=DARK), 0)
    level = dataclasses.replace(SETTINGS.degradation, level="world")
    assert plain != origin_of(source, dataclasses.replace(SETTINGS, degradation=level), 0)
