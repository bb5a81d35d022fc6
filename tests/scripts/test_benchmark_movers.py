"""The battery of movers: its clips are what they are said to be, and its scores what they are called."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import benchmark_movers
import pytest
import torch
from _benchmark.camera_scene import GROUND
from _benchmark.mover_cases import CASES, RATE, SAMPLED, SECONDS, choose_cases, world_of
from _benchmark.mover_render import AsideView, MoverClip, cut_out, mover_clip, views_aside
from _benchmark.mover_scores import Draw, place_aside, score_movers, visible_share
from _benchmark.walker import HEIGHT, STRIDE, Walker
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.synthetic.render import render_colour, render_truth
from neoverse_ns.errors import ReconstructionError, SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.image import psnr
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import split_frames
from tests.plugin.tiny_scene import tiny_scene

SIZE = (96, 64)
UNIT = 0.2
"""Length of the reconstruction's world that is one of the truth's."""


@pytest.fixture(scope="module")
def clip() -> MoverClip:
    """A case's clip without the small things of its lane, which cost time and change nothing here."""
    whole = mover_clip(CASES["walker"], 0, seconds=0.3, size=SIZE)
    return replace(whole, solids=whole.solids[:10] + [solid for solid in whole.solids if solid.thing])


@pytest.fixture(scope="module")
def view(clip: MoverClip) -> AsideView:
    return views_aside(clip, 4, 1, 24)[0]


@pytest.fixture(scope="module")
def scene(clip: MoverClip) -> Scene:
    """What a perfect reconstruction of all frames would be, in its own unit."""
    frames = torch.stack(
        [render_colour(clip.solids, clip.lattice, clip.time(i), clip.cameras[[i]]) for i in range(len(clip.cameras))]
    )
    count, split = torch.arange(len(frames)), split_frames(len(frames))
    truth = [render_truth(clip.solids, clip.time(i), clip.cameras[[i]]) for i in range(len(frames))]
    depth, things = (torch.stack(list(part)) for part in zip(*truth, strict=True))
    c2w = clip.cameras.c2w.float().clone()
    c2w[:, :3, 3] *= UNIT
    cameras = PinholeCameras(c2w, clip.cameras.K.float(), *SIZE)
    keyframes = split.keyframes
    geometry = SceneGeometry(
        cameras, keyframes, UNIT * depth[keyframes], torch.ones(len(keyframes), *depth.shape[1:]), things[keyframes] > 0
    )
    video = Clip(frames, count, count.double() / RATE, Path("nothing"))
    return Scene(video, split, geometry, None, things[split.held_out] > 0)


def true_draw(clip: MoverClip, without: int | None = None) -> Draw:
    """Draws the truth, or what would be seen without one thing."""
    solids = [solid for solid in clip.solids if without is None or solid.thing != without]

    def draw(camera: PinholeCameras, moment: float) -> Drawing:
        c2w = camera.c2w.double().clone()
        c2w[:, :3, 3] /= UNIT
        there = PinholeCameras(c2w, camera.K.double(), camera.width, camera.height)
        depth, _ = render_truth(solids, moment, there)
        rgb = render_colour(solids, clip.lattice, moment, there).float()[None] / 255
        return Drawing(rgb, UNIT * depth[None, ..., None], torch.ones(1, *depth.shape, 1))

    return draw


def of_view(rgb: UInt8[Tensor, "h w 3"], depth: Tensor) -> Drawing:
    return Drawing(rgb[None].float() / 255, depth[None, ..., None], torch.ones(1, *depth.shape, 1))


def test_a_walker_is_whole_and_swings_its_legs_in_turn() -> None:
    walker = Walker(3, lambda time: (2 * time, GROUND, 4.0), heading=math.pi / 2, way=2.0)
    solids = walker.solids(torch.Generator().manual_seed(0))
    assert {solid.thing for solid in solids} == {3}
    body, head, *limbs = solids
    for time in (0.0, 0.21, 0.5, 0.83):
        assert body.pose(time)[0, 3] == pytest.approx(2 * time)
        assert head.pose(time)[1, 3] - head.half[0] == pytest.approx(GROUND - HEIGHT)
        lowest = []
        for thigh, shin in ((limbs[0], limbs[1]), (limbs[3], limbs[4])):
            knee = thigh.pose(time) @ torch.tensor([0, 0.2, 0, 1.0], dtype=torch.float64)
            below = shin.pose(time) @ torch.tensor([0, -0.215, 0, 1.0], dtype=torch.float64)
            assert (knee - below)[:3].norm() < 0.03
            foot = shin.pose(time) @ torch.tensor([0, 0.215, 0, 1.0], dtype=torch.float64)
            lowest.append(float(foot[1]))
        # It walks on the ground: of the heel's and the toes' height above it nothing is modelled.
        assert GROUND - 0.14 < max(lowest) <= GROUND + 1e-9
    quarter = 0.25 * STRIDE / 2.0
    ahead = [float(leg.pose(quarter)[0, 3] - body.pose(quarter)[0, 3]) for leg in (limbs[0], limbs[3])]
    assert ahead[0] * ahead[1] < 0
    assert abs(ahead[0]) == pytest.approx(0.22 * math.sin(0.5), abs=1e-6)


def test_cases_move_in_their_own_ways() -> None:
    assert choose_cases(None) == list(CASES.values())
    assert [case.name for case in choose_cases("behind,walker")] == ["walker", "behind"]
    with pytest.raises(SettingsError, match=r"no case named absent; there are walker, "):
        choose_cases("walker,absent")
    for name, things in (("walker", 1), ("crossing", 2), ("behind", 2), ("approaching", 1)):
        numbers = {solid.thing for solid in world_of(CASES[name], 0)}
        assert numbers == set(range(things + 1))

    def ends(name: str, thing: int) -> tuple[Tensor, Tensor]:
        first = next(solid for solid in world_of(CASES[name], 1) if solid.thing == thing)
        return first.pose(0.0)[:3, 3], first.pose(1.0)[:3, 3]

    (one, one_end), (other, other_end) = ends("crossing", 1), ends("crossing", 2)
    assert (one[0] - other[0]) * (one_end[0] - other_end[0]) < 0
    near, far = ends("approaching", 1)
    assert near[2] - far[2] > 2.5
    assert ends("behind", 2)[0][2] > ends("behind", 1)[0][2] + 0.5
    textures = {str(world_of(CASES["walker"], seed)[-1].texture) for seed in range(3)}
    assert len(textures) == 3


def test_frames_lie_between_the_sampled_ones() -> None:
    assert SECONDS * RATE / (SAMPLED - 1) > 3
    assert len(mover_clip(CASES["walker"], 0).cameras) == SECONDS * RATE + 1
    config = benchmark_movers.scene_config(mover_clip(CASES["walker"], 0))
    assert (config.clip.num_frames, config.clip.width, config.held_out_every) == (17, 320, 8)


def test_a_cut_out_shows_what_the_whole_picture_does(clip: MoverClip) -> None:
    camera = clip.cameras[[3]]
    whole = render_colour(clip.solids, clip.lattice, 0.5, camera)
    part = render_colour(clip.solids, clip.lattice, 0.5, cut_out(camera, (20, 10), (30, 25)))
    assert (whole[10:35, 20:50].int() - part.int()).abs().max() <= 1


def test_from_aside_only_what_the_own_camera_sees_counts(clip: MoverClip) -> None:
    sides = views_aside(clip, 4, 1, 24)
    assert len(sides) == 2
    for view in sides:
        hidden = (view.depth < view.behind - 0.05) & ~view.mask
        shown = view.depth < view.behind - 0.05
        # Most of a figure is seen from 15 degrees aside, and something of it is not.
        assert 0.6 < float((view.mask & shown).sum() / shown.sum()) < 1
        assert bool(hidden.any())
        assert not bool((view.mask & ~shown).any())
        different = (view.rgb.int() - view.without.int()).abs().sum(-1) > 0
        assert float(different[view.mask].float().mean()) > 0.95
    turns = [math.degrees(math.acos(float(view.motion[2, 2]))) for view in sides]
    assert turns == pytest.approx([15, 15])
    assert sides[0].motion[0, 3] < 0 < sides[1].motion[0, 3]
    assert views_aside(clip, 4, 1, 10**6) == []
    assert views_aside(clip, 4, 2, 1) == []


def test_a_thing_is_visible_where_it_is_drawn_before_and_in_its_colours(view: AsideView) -> None:
    scale = 1 / UNIT
    assert visible_share(view, of_view(view.rgb, UNIT * view.depth), scale) > 0.97
    assert visible_share(view, of_view(view.without, UNIT * view.behind), scale) == 0
    # Painted onto what is behind it, or something else in its place.
    assert visible_share(view, of_view(view.rgb, UNIT * view.behind), scale) == 0
    assert visible_share(view, of_view(view.without, UNIT * view.depth), scale) == 0
    assert visible_share(view, of_view(view.rgb, UNIT * view.depth), 100.0) == 0
    half = torch.arange(view.rgb.shape[0])[:, None] < int(torch.nonzero(view.mask)[:, 0].float().median())
    torn = torch.where(half[..., None], view.rgb, view.without)
    depth = torch.where(half, view.depth, view.behind)
    assert visible_share(view, of_view(torn, UNIT * depth), scale) == pytest.approx(0.5, abs=0.1)


def test_side_cameras_are_placed_in_the_scenes_unit(clip: MoverClip, scene: Scene, view: AsideView) -> None:
    placed = place_aside(view, scene.geometry.cameras[[4]], 1 / UNIT)
    side = clip.cameras.c2w[4] @ view.motion
    assert torch.allclose(placed.c2w[0, :3, 3], UNIT * side[:3, 3].float(), atol=1e-5)
    drawing = true_draw(clip)(placed, clip.time(4))
    assert (drawing.rgb[0] * 255 - view.rgb.float()).abs().mean() < 1


def test_the_truth_scores_as_such_and_a_missing_thing_vanishes(clip: MoverClip, scene: Scene) -> None:
    perfect = score_movers(clip, scene, true_draw(clip), every=8)
    assert perfect["iou"] == 1
    assert perfect["depth"]["mean"]["worst_frame"] < 1e-3
    assert perfect["depth"]["scale"] == pytest.approx(1 / UNIT, rel=1e-4)
    assert (perfect["vanished"], perfect["views"]) == (0, 4)
    assert perfect["least_share"] > 0.95
    assert perfect["moving"] > 40
    missing = score_movers(clip, scene, true_draw(clip, without=1), every=8)
    assert missing["vanished"] == missing["views"] == 4
    assert missing["aside"] < perfect["aside"] - 10
    assert missing["moving"] < missing["still"] - 10
    assert missing["depth"]["typical"]["1"] > 0.05


def test_a_clip_is_written_as_it_is_rendered(clip: MoverClip, scene: Scene, tmp_path: Path) -> None:
    clip.write(tmp_path / "new" / "clip.mp4")
    loaded = load_clip(tmp_path / "new" / "clip.mp4", ClipConfig(num_frames=10, duration=1.0))
    assert loaded.frame_indices.tolist() == list(range(10))
    assert float(loaded.seconds[-1]) == pytest.approx(9 / RATE)
    assert psnr(loaded.images[4], scene.clip.images[4]) > 30


def test_the_report_has_every_clip_and_says_when_things_vanish(
    clip: MoverClip, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = replace(scene, held_out_dynamic=~scene.held_out_dynamic)

    def build(video: Path, config: SceneConfig) -> Scene:
        if video.name == "behind_0.mp4":
            raise ReconstructionError("cannot be solved")
        return scene

    def score(of: MoverClip, found: Scene, draw: object, every: int) -> dict[str, Any]:
        assert (of.name[-2:], every) == (" 0", 8)
        return {"moving": 20.0 if found is scene else 22.0, "vanished": 3, "views": 18}

    def optimise(found: Scene, config: OptimiseConfig) -> Scene:
        assert (found, config.steps) == (scene, 3)
        return later

    for name, instead in (("build_scene", build), ("score_movers", score), ("optimise", optimise)):
        monkeypatch.setattr(benchmark_movers, name, instead)
    monkeypatch.setattr(benchmark_movers, "draw_with", lambda scene: None)
    monkeypatch.setattr(MoverClip, "write", lambda self, path: None)
    options = benchmark_movers.BenchmarkMovers(
        only="walker,behind", seeds=1, steps=3, every=8, json=tmp_path / "m.json", markdown=tmp_path / "m.md"
    )
    assert benchmark_movers.run(options, tmp_path) == 1
    text = (tmp_path / "m.md").read_text()
    assert "## As lifted\n\n| clip | moving: scene dB | vanished | of views |\n" in text
    assert "| walker 0 | 20.0 | 3 | 18 |" in text
    assert "## After optimisation" in text
    assert "| walker 0 | 22.0 | 3 | 18 |" in text
    assert "A thing vanishes where that share falls below 0.25" in text
    assert "- behind 0: cannot be solved" in text
    monkeypatch.setattr(benchmark_movers, "build_scene", lambda video, config: scene)
    assert benchmark_movers.run(replace(options, only="behind", add=True), tmp_path) == 0
    assert [row["clip"] for row in json.loads((tmp_path / "m.json").read_text())["clips"]] == ["walker 0", "behind 0"]


def test_gaussians_are_drawn_as_they_stand() -> None:
    scene = tiny_scene()
    assert scene.gaussians is not None
    camera = scene.geometry.cameras[[2]]
    drawing = benchmark_movers.draw_with(scene)(camera, 0.25)
    expected = draw_layers(scene.gaussians, 0.25, camera.viewmats, camera.K, camera.width, camera.height)
    assert torch.equal(drawing.rgb, expected.rgb)
