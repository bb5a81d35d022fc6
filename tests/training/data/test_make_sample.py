"""Samples of a rendered clip against what is known of it; what is scaled, run backward or lacking."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from itertools import pairwise

import pytest
import torch

from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.geometry.projection import pixel_centres, project, unproject
from neoverse_ns.training.data.batch import collate
from neoverse_ns.training.data.draw import SampleConfig, SampleDraw, draw_sample
from neoverse_ns.training.data.make_sample import make_sample, sample_name
from neoverse_ns.training.data.reverse import flip, reverse_sample
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.data.truth import ClipInfo, Displacement, FrameTruth
from tests.training.data.synthetic_truth import FRAMES, HEIGHT, WIDTH, SyntheticTruth, rendered, thing_poses


def plain(keyframes: list[int], backward: bool = False, height: int = HEIGHT, width: int = WIDTH) -> SampleDraw:
    between = [(a + b) // 2 for a, b in pairwise(keyframes)]
    return SampleDraw(keyframes, between, backward, height, width)


def assert_same(one: TrainingSample, other: TrainingSample, tolerance: float = 2e-6) -> None:
    for field in fields(TrainingSample):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert a.dtype == b.dtype, field.name
        assert torch.allclose(a.double(), b.double(), atol=tolerance, rtol=tolerance), field.name


def pixel_motion(sample: TrainingSample, index: int, other: int, moved: torch.Tensor) -> torch.Tensor:
    """Flow that a displacement in a keyframe's own axes means in another keyframe."""
    pose = sample.c2w[index].double()
    points = unproject(sample.depth[index].double(), sample.K[index].double(), pose) + moved.double() @ pose[:3, :3].T
    uv, _ = project(points.view(-1, 3), torch.linalg.inv(sample.c2w[other].double()), sample.K[other].double())
    return uv.view(*moved.shape[:2], 2) - pixel_centres(moved.shape[0], moved.shape[1], torch.float64)


def test_motion_of_one_frame_is_the_clips_flow() -> None:
    sample = make_sample(SyntheticTruth(), SampleDraw([4, 5], [4], False, HEIGHT, WIDTH))
    still = rendered().things[4] == 0
    assert (sample.v_fwd[0][still] == 0).all()
    assert (sample.v_fwd[0][~still].norm(dim=-1) > 0).all()
    assert sample.v_fwd_valid.all()
    miss = (pixel_motion(sample, 0, 1, sample.v_fwd[0]) - rendered().flow[4]).norm(dim=-1)
    assert miss.max() < 0.02
    # Motion the wrong way round, or in the world's axes, is told from the truth.
    wrong = (pixel_motion(sample, 0, 1, -sample.v_fwd[0]) - rendered().flow[4]).norm(dim=-1)
    assert wrong[~still].median() > 0.5


def test_a_sample_is_what_the_clip_shows() -> None:
    clip, draw = SyntheticTruth(), plain([0, 4, 8])
    sample = make_sample(clip, draw)
    order = [0, 4, 8, 2, 6]
    assert sample.times.tolist() == order
    assert torch.equal(sample.rgb, rendered().frames[order].permute(0, 3, 1, 2).float() / 255)
    assert torch.equal(sample.inputs, sample.rgb[:3])
    assert torch.allclose(sample.K.double(), rendered().cameras.K[order])
    assert torch.equal(sample.c2w[0], torch.eye(4))
    c2w = rendered().cameras.c2w[order]
    relative = torch.linalg.inv(c2w[0]) @ c2w
    assert torch.allclose(sample.c2w[:, :3, :3].double(), relative[:, :3, :3], atol=1e-6)
    assert torch.allclose(sample.c2w[:, :3, 3].double() * sample.scale, relative[:, :3, 3], atol=1e-5)
    assert torch.allclose(sample.depth * sample.scale, rendered().depth[order], rtol=1e-6)
    distances = unproject(sample.depth.double(), sample.K.double(), sample.c2w.double()).norm(dim=-1)
    assert distances.mean().item() == pytest.approx(1, abs=1e-6)
    assert [bool(f) for f in (sample.static, sample.has_pose, sample.has_depth, sample.has_motion)] == [
        False,
        *[True] * 3,
    ]
    assert sample.weights.tolist() == [1, 1, 1, 1]
    assert sample_name(clip.info, draw) == "synthetic courtyard frames 0..8/2"


def test_displacements_lead_from_keyframe_to_keyframe() -> None:
    sample = make_sample(SyntheticTruth(), plain([0, 4, 8]))
    thing = rendered().things[4] == 2
    pose = sample.c2w[1].double()
    points = unproject(sample.depth[1].double(), sample.K[1].double(), pose)[thing]
    poses, first = thing_poses()[:, 1], rendered().cameras.c2w[0]
    for other, moved in ((8, sample.v_fwd[1]), (0, sample.v_bwd[0])):
        # The same in the clip's own world, by the thing's poses alone.
        world = points * sample.scale.double() @ first[:3, :3].T + first[:3, 3]
        there = poses[other] @ torch.linalg.inv(poses[4])
        expected = (world @ there[:3, :3].T + there[:3, 3] - world) @ rendered().cameras.c2w[4][:3, :3] / sample.scale
        assert torch.allclose(moved[thing].double(), expected, atol=1e-5)


def test_the_worlds_unit_does_not_matter() -> None:
    config = SampleConfig(jitter=SampleConfig().jitter)
    for seed in range(3):
        draw = draw_sample(SyntheticTruth().info, 3, 42, 70, config, torch.Generator().manual_seed(seed))
        one, three = make_sample(SyntheticTruth(), draw), make_sample(SyntheticTruth(unit=3.0), draw)
        assert three.scale.item() == pytest.approx(3 * one.scale.item(), rel=1e-6)
        assert_same(replace(three, scale=one.scale), one)


def test_backward_is_its_own_inverse() -> None:
    clip = SyntheticTruth()
    there, back = make_sample(clip, plain([1, 3, 7])), make_sample(clip, plain([1, 3, 7], True))
    assert_same(reverse_sample(there), back)
    assert_same(reverse_sample(reverse_sample(there)), there)
    assert_same(flip(flip(there)), there, 0)
    assert there.times.tolist() == [0, 2, 6, 1, 4]
    assert back.times.tolist() == [0, 4, 6, 2, 5]
    assert torch.equal(back.rgb[:3], there.rgb[:3].flip(0))
    assert torch.equal(back.rgb[3:], there.rgb[3:].flip(0))
    ratio = there.scale / back.scale
    assert torch.allclose(back.v_fwd, there.v_bwd.flip(0) * ratio, atol=1e-6)
    assert torch.allclose(back.v_bwd, there.v_fwd.flip(0) * ratio, atol=1e-6)
    assert not torch.allclose(back.v_fwd, there.v_fwd.flip(0) * ratio, atol=1e-3)


def test_wear_touches_inputs_only() -> None:
    config = SampleConfig(wear=WearConfig(share=1.0, noise=1.0))
    info = SyntheticTruth().info
    worn = draw_sample(info, 3, HEIGHT, WIDTH, config, torch.Generator().manual_seed(5))
    clean = draw_sample(info, 3, HEIGHT, WIDTH, SampleConfig(), torch.Generator().manual_seed(5))
    assert replace(worn, wear=clean.wear) == clean, "a switch changes nothing else"
    one, other = make_sample(SyntheticTruth(), worn), make_sample(SyntheticTruth(), clean)
    assert_same(replace(one, inputs=other.inputs), other)
    assert torch.equal(other.inputs, other.rgb[:3])
    assert not torch.equal(one.inputs, other.inputs)


def test_draws_keep_one_step_within_the_clip() -> None:
    info = SyntheticTruth(furthest=4).info
    generator = torch.Generator().manual_seed(0)
    draws = [draw_sample(info, 2, 28, 42, SampleConfig(), generator) for _ in range(400)]
    steps = [draw.intermediates[0] - draw.keyframes[0] for draw in draws]
    assert all(draw.keyframes[1] - draw.intermediates[0] == step for draw, step in zip(draws, steps, strict=True))
    assert min(d.keyframes[0] for d in draws) == 0
    assert max(d.keyframes[-1] for d in draws) == FRAMES - 1
    assert {step: 70 < steps.count(step) < 130 for step in range(1, 5)} == dict.fromkeys(range(1, 5), True)
    assert 160 < sum(d.reversed for d in draws) < 240
    assert {d.keyframes[0] for d in draws if d.intermediates[0] - d.keyframes[0] == 1} == set(range(FRAMES - 2))
    long = [draw_sample(info, 4, 28, 42, SampleConfig(), generator) for _ in range(20)]
    assert all(d.keyframes[1] - d.keyframes[0] == 2 for d in long), "the length allows no more"
    again = draw_sample(info, 3, 28, 42, SampleConfig(), torch.Generator().manual_seed(7))
    assert again == draw_sample(info, 3, 28, 42, SampleConfig(), torch.Generator().manual_seed(7))
    with pytest.raises(ClipError, match="too short: 9 frames, a sample needs 11"):
        draw_sample(info, 6, 28, 42, SampleConfig(), generator)
    with pytest.raises(SettingsError, match="two keyframes"):
        draw_sample(info, 1, 28, 42, SampleConfig(), generator)


class Lacking(SyntheticTruth):
    """The clip with something changed in every frame, and in what is said of it."""

    def __init__(self, change: dict[str, object], moves: Displacement | None = None, **info: object) -> None:
        super().__init__()
        self.info: ClipInfo = replace(self.info, **info)  # pyright: ignore[reportArgumentType]
        self._change, self._moves = change, moves

    def frame(self, index: int) -> FrameTruth:
        frame = super().frame(index)
        return replace(frame, **{k: v(frame) if callable(v) else v for k, v in self._change.items()})

    def displacement(self, index: int, other: int) -> Displacement | None:
        return self._moves


def finite(sample: TrainingSample) -> bool:
    return all(bool(torch.isfinite(getattr(sample, field.name)).all()) for field in fields(TrainingSample))


def test_what_is_lacking_is_said() -> None:
    draw = plain([0, 4, 8])
    blind = make_sample(Lacking({"depth": None}), draw)
    assert (bool(blind.has_depth), bool(blind.has_motion), bool(blind.valid.any())) == (False, False, False)
    assert blind.c2w[1:, :3, 3].norm(dim=1).mean().item() == pytest.approx(1)
    assert blind.weights[0] == 1
    lost = make_sample(Lacking({"c2w": None}), draw)
    assert (bool(lost.has_pose), bool(lost.has_depth), bool(lost.has_motion)) == (False, True, False)
    assert torch.equal(lost.c2w, torch.eye(4).repeat(5, 1, 1))
    distances = unproject(lost.depth, lost.K, lost.c2w).norm(dim=-1)
    assert distances.mean().item() == pytest.approx(1, rel=1e-5)
    still = make_sample(Lacking({}), draw)
    assert not still.has_motion
    assert not still.v_fwd_valid.any()
    static = make_sample(Lacking({}, static=True), draw)
    assert static.has_motion
    assert static.v_fwd_valid.all()
    assert (static.v_bwd == 0).all()
    assert all(map(finite, (blind, lost, still, static)))
    batch = collate([(blind, "a"), (lost, "b"), (static, "c")])
    assert batch.tensors.static.tolist() == [False, False, True]


def test_what_is_masked_is_zero_and_finite() -> None:
    def holes(frame: FrameTruth) -> torch.Tensor:
        assert frame.depth is not None
        depth = frame.depth.clone()
        depth[:10], depth[10:20], depth[20:30] = math.nan, math.inf, -1
        return depth

    moves = Displacement(torch.full((HEIGHT, WIDTH, 3), math.nan), torch.ones(HEIGHT, WIDTH, dtype=torch.bool))
    moves.world[40:] = 1.0
    sample = make_sample(Lacking({"depth": holes}, moves), plain([0, 4, 8]))
    assert finite(sample)
    assert not sample.valid[:, :30].any()
    assert (sample.depth[~sample.valid] == 0).all()
    assert sample.valid[:, 30:].all()
    assert torch.equal(sample.v_fwd_valid, torch.arange(HEIGHT)[None, :, None].expand(2, HEIGHT, WIDTH) >= 40)
    assert (sample.v_fwd[~sample.v_fwd_valid] == 0).all()
    weighted = make_sample(Lacking({}, None, depth_weight=0.2, render_weight=0.0, motion_weight=0.5), plain([0, 4, 8]))
    assert weighted.weights.tolist() == pytest.approx([1, 0, 0.2, 0.5])


def test_the_farthest_are_not_trusted() -> None:
    sample = make_sample(Lacking({}, depth_quantile=0.9), plain([0, 4, 8]))
    for frame in range(5):
        assert sample.valid[frame].float().mean().item() == pytest.approx(0.9, abs=0.01)
        own = rendered().depth[[0, 4, 8, 2, 6][frame]]
        assert own[sample.valid[frame]].max() <= own[~sample.valid[frame]].min()


def test_samples_of_no_use_are_refused() -> None:
    draw = plain([0, 4, 8])

    def few(frame: FrameTruth) -> torch.Tensor:
        depth = torch.zeros(HEIGHT, WIDTH)
        depth[0, :40] = 1
        return depth

    def spun(frame: FrameTruth) -> torch.Tensor:
        assert frame.c2w is not None
        c2w = frame.c2w.clone()
        angle = math.radians(46) * int((c2w - rendered().cameras.c2w[4]).abs().max() < 1e-9)
        turn = [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
        c2w[:3, :3] = rendered().cameras.c2w[0, :3, :3] @ torch.tensor(turn, dtype=torch.float64)
        return c2w

    with pytest.raises(ClipError, match=r"courtyard frames 0..8/2: too few valid pixels: 0.9 %"):
        make_sample(Lacking({"depth": few}), draw)
    with pytest.raises(ClipError, match="turns too far: 46 degrees"):
        make_sample(Lacking({"c2w": spun}), draw)
    with pytest.raises(ClipError, match="pose is not finite"):
        make_sample(Lacking({"c2w": torch.full((4, 4), math.nan, dtype=torch.float64)}), draw)
    with pytest.raises(ClipError, match="intrinsics are not finite"):
        make_sample(Lacking({"K": torch.full((3, 3), math.nan, dtype=torch.float64)}), draw)
    nothing = make_sample(Lacking({"depth": torch.zeros(HEIGHT, WIDTH)}), replace(draw, fewest_valid=0.0))
    assert (nothing.scale.item(), nothing.weights[0].item()) == (1, 0)


def test_settings_are_checked() -> None:
    SampleConfig().validate()
    for wrong in (
        {"reversal": 1.5},
        {"furthest": 0},
        {"enlargement": 0.9},
        {"furthest_turn": 0.0},
        {"fewest_valid": -1.0},
    ):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            SampleConfig(**wrong).validate()  # pyright: ignore[reportArgumentType]
