"""What moves in a run, found and shown: on the synthetic clip's truth instead of an estimate."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import show_movers
import torch
from _benchmark.movers import find_movers, link, regions, told_apart
from _benchmark.turned import middle_of, turned_about
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from show_movers import box_of, draw_page, frames_showing, mask_at, plot_depth

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.errors import RunError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project, unproject
from neoverse_ns.plugin.run import OpenRun
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import FrameSplit

WIDTH, HEIGHT, FRAMES = 192, 112, 9
SPLIT = FrameSplit([0, 1, 2, 3, 5, 6, 7, 8], [4], [0, 2, 3, 5, 6, 8])


@pytest.fixture(scope="module")
def truth() -> SyntheticClip:
    return render_synthetic(FRAMES, WIDTH, HEIGHT)


def scene_of(truth: SyntheticClip) -> Scene:
    keyframes = SPLIT.keyframes
    geometry = SceneGeometry(
        truth.cameras, keyframes, truth.depth[keyframes], torch.ones(6, HEIGHT, WIDTH), truth.dynamic[keyframes]
    )
    return Scene(truth.as_clip(), SPLIT, geometry, None, truth.dynamic[SPLIT.held_out])


def run_of(truth: SyntheticClip, asked: list[PinholeCameras] | None = None) -> OpenRun:
    def drawings(views: PinholeCameras, times: torch.Tensor) -> list[Drawing]:
        if asked is not None:
            asked.append(views)
        frame = round(float(times[0]) * (FRAMES - 1))
        depth = truth.depth[frame][None, ..., None]
        return [Drawing(truth.frames[frame][None] / 255, depth, torch.ones_like(depth))] * len(views)

    return OpenRun(truth.as_clip(), SPLIT, truth.cameras, drawings, scene=scene_of(truth))


def test_parts_with_a_small_gap_are_one_region_and_strays_none() -> None:
    mask = torch.zeros(60, 100, dtype=torch.bool).numpy()
    mask[10:30, 10:20] = True
    mask[10:30, 21:25] = True
    mask[40:50, 70:90] = True
    mask[2, 2] = True
    found = regions(mask)
    assert sorted(int(region.sum()) for region in found) == [200, 280]


def test_a_thing_is_followed_through_time_and_another_is_not_taken_for_it() -> None:
    texture = torch.randint(0, 256, (8, 8, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    patch = torch.from_numpy(cv2.resize(texture.numpy(), (24, 24), interpolation=cv2.INTER_CUBIC))
    frames, masks = torch.full((4, 80, 160, 3), 90, dtype=torch.uint8), torch.zeros(4, 80, 160, dtype=torch.bool)
    for place in range(4):
        left = 10 + 6 * place
        frames[place, 20:44, left : left + 24] = patch
        masks[place, 20:44, left : left + 24] = True
    masks[2:, 50:70, 120:140] = True
    movers = sorted(link(frames, masks), key=lambda mover: -len(mover.seen))
    assert [mover.seen for mover in movers] == [[0, 1, 2, 3], [2, 3]]
    assert torch.equal(movers[0].masks, masks & (torch.arange(160) < 100))
    assert movers[1].size == 2 * 400


def test_things_that_were_told_apart_are_taken_as_they_are(truth: SyntheticClip) -> None:
    things = truth.things[SPLIT.keyframes].long()
    movers = told_apart(things)
    assert [mover.size for mover in movers] == [int((things == number).sum()) for number in (1, 2, 3)]
    assert torch.equal(movers[2].masks, things == 3)


def test_the_largest_movers_of_the_truth_come_first(truth: SyntheticClip) -> None:
    movers = find_movers(truth.as_clip(), scene_of(truth).geometry, 2)
    assert len(movers) == 2
    assert movers[0].size > movers[1].size
    whole = truth.dynamic[SPLIT.keyframes]
    assert not bool((movers[0].masks & ~whole).any())
    assert not bool((movers[0].masks & movers[1].masks).any())
    assert len(movers[0].seen) >= 5


def test_cameras_swing_about_a_point(truth: SyntheticClip) -> None:
    camera = truth.cameras[[3]]
    mask = truth.dynamic[3]
    middle = middle_of(truth.depth[3], mask, camera)
    assert middle.shape == (3,)
    sides = turned_about(camera, middle, (-15.0, 15.0))
    seen, depth = project(middle.double()[None, None], sides.viewmats.double(), sides.K.double())
    rows, columns = torch.nonzero(mask, as_tuple=True)
    expected = torch.stack([columns.double().mean(), rows.double().mean()]) + 0.5
    assert torch.allclose(seen[:, 0], expected.expand(2, 2), atol=1e-3)
    assert torch.allclose(depth[:, 0], truth.depth[3][mask].median().double().expand(2), rtol=1e-5)
    # To the left and to the right of the camera, each turned by 15 degrees.
    right = (sides.c2w[:, :3, 3] - camera.c2w[0, :3, 3]) @ camera.c2w[0, :3, 0]
    assert right[0] < -0.1
    assert right[1] > 0.1
    ahead = sides.c2w[:, :3, 2] @ camera.c2w[0, :3, 2]
    assert torch.allclose(torch.rad2deg(torch.acos(ahead.double())), torch.tensor(15.0).double().expand(2), atol=1e-3)


def test_middle_of_a_flat_wall_lies_on_it() -> None:
    camera = PinholeCameras(torch.eye(4)[None], torch.tensor([[[50.0, 0, 20], [0, 50, 10], [0, 0, 1]]]), 40, 20)
    mask = torch.zeros(20, 40, dtype=torch.bool)
    mask[4:8, 10:30] = True
    depth = torch.full((20, 40), 3.0)
    points = unproject(depth, camera.K[0], camera.c2w[0])[mask]
    assert torch.allclose(middle_of(depth, mask, camera), points.mean(dim=0), atol=1e-5)
    assert bool(middle_of(depth, torch.zeros_like(mask), camera).isnan().all())


def test_a_box_has_its_margin_and_stays_inside() -> None:
    mask = torch.zeros(40, 60, dtype=torch.bool)
    mask[0:10, 20:40] = True
    rows, columns = box_of(mask, 0.3)
    assert (rows.start, rows.stop) == (0, 16)
    assert (columns.start, columns.stop) == (14, 46)
    rows, columns = box_of(mask, 0.0, least=50)
    assert (rows.start, rows.stop, columns.start, columns.stop) == (0, 40, 5, 55)


def test_a_held_out_frame_has_what_moves_there_near_the_mover(truth: SyntheticClip) -> None:
    scene = scene_of(truth)
    mover = find_movers(scene.clip, scene.geometry, 1)[0]
    assert torch.equal(mask_at(scene, mover, 3), mover.masks[2])
    inside = mask_at(scene, mover, 4)
    assert bool(inside.any())
    assert not bool((inside & ~truth.dynamic[4]).any())
    assert frames_showing(scene, mover, 3) == [4]
    still = replace(scene, held_out_dynamic=torch.zeros_like(scene.held_out_dynamic))
    assert set(frames_showing(still, mover, 2)) <= set(SPLIT.keyframes)


def test_the_plot_has_the_mover_and_what_is_around_it(truth: SyntheticClip) -> None:
    scene = scene_of(truth)
    mover = find_movers(scene.clip, scene.geometry, 1)[0]
    axes: Axes = Figure().subplots()
    plot_depth(axes, scene, mover, [4])
    own, around, _ = axes.get_lines()
    place = mover.seen[0]
    depths, still = (np.asarray(line.get_ydata(), float) for line in (own, around))
    assert depths[0] == pytest.approx(float(truth.depth[SPLIT.keyframes[place]][mover.masks[place]].median()))
    assert len(depths) == len(mover.seen)
    # What is still around a mover stands behind it in this clip.
    assert (still > depths).all()


def test_the_page_is_written(
    truth: SyntheticClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[PinholeCameras] = []
    (tmp_path / "config.yml").write_text("")
    monkeypatch.setattr(show_movers, "open_run", lambda config: run_of(truth, asked))
    monkeypatch.setattr(sys, "argv", ["show_movers.py", str(tmp_path), str(tmp_path / "new" / "m.png"), "--most", "1"])
    assert show_movers.main() == 0
    assert cv2.imread(str(tmp_path / "new" / "m.png")).std() > 20
    own, sides = asked
    assert torch.equal(own.c2w, truth.cameras.c2w[[4]])
    assert len(sides) == 2
    monkeypatch.setattr(sys, "argv", ["show_movers.py", str(tmp_path), str(tmp_path / "m.mov")])
    assert show_movers.main() == 1
    assert "no picture format" in capsys.readouterr().out


def test_a_still_run_is_said_to_be_one(truth: SyntheticClip) -> None:
    scene = scene_of(truth)
    quiet = replace(scene.geometry, dynamic=torch.zeros_like(scene.geometry.dynamic))
    with pytest.raises(RunError, match="nothing moves"):
        draw_page(replace(run_of(truth), scene=replace(scene, geometry=quiet)), 3, 3)
    with pytest.raises(RunError, match="not loaded from a run folder"):
        draw_page(replace(run_of(truth), scene=None), 3, 3)
