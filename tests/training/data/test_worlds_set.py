"""The data set of random worlds: its truth against its pictures, and its endless rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.sets.world_clip import WorldClip
from neoverse_ns.training.data.sets.worlds import WorldRows, Worlds
from neoverse_ns.training.data.sources_text import sources_of
from neoverse_ns.training.data.truth import FrameTruth

WIDTH, HEIGHT = 196, 112
MOVING = (0, 5, 10)
"""Seeds of worlds in which much moves."""


def points(frame: FrameTruth) -> Tensor:
    """World points of all pixels, written out independently of the renderer."""
    assert frame.depth is not None
    assert frame.c2w is not None
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    z = frame.depth.double()
    K = frame.K
    local = torch.stack([(x - K[0, 2]) / K[0, 0] * z, (y - K[1, 2]) / K[1, 1] * z, z], -1)
    return local @ frame.c2w[:3, :3].T + frame.c2w[:3, 3]


def seen(frame: FrameTruth, world: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels and z-depth of world points."""
    assert frame.c2w is not None
    local = (world - frame.c2w[:3, 3]) @ frame.c2w[:3, :3]
    image = local @ frame.K.T
    return image[..., :2] / image[..., 2:], local[..., 2]


def look_up(image: Tensor, pixels: Tensor, mode: str = "bilinear") -> Tensor:
    grid = pixels / pixels.new_tensor([WIDTH, HEIGHT]) * 2 - 1
    found = torch.nn.functional.grid_sample(
        image.double().permute(2, 0, 1)[None], grid[None], mode=mode, align_corners=False
    )
    return found[0].permute(1, 2, 0)


@pytest.mark.parametrize("seed", MOVING)
def test_what_moves_is_found_where_its_motion_leads(seed: int) -> None:
    clip = WorldClip(seed)
    before, after = clip.frame(10, rays=2), clip.frame(13, rays=2)
    motion, things = clip.displacement(10, 13), clip.things(10) > 0
    assert things.any()
    errors = {}
    for name, shift in (("moved", motion.world.double()), ("still", 0.0)):
        pixels, z = seen(after, points(before) + shift)
        assert after.depth is not None
        surface = look_up(after.depth[..., None], pixels, "nearest")[..., 0]
        visible = motion.valid & (pixels > 1).all(-1) & (pixels[..., 0] < WIDTH - 1) & (pixels[..., 1] < HEIGHT - 1)
        agrees = visible & ((surface / z - 1).abs() < 0.02)
        error = (look_up(after.rgb, pixels) - before.rgb).abs().mean(-1)
        errors[name] = error[visible & things].median().item()
        if name == "moved":
            assert agrees[visible & ~things].float().mean() > 0.9
            assert error[agrees & ~things].mean() < 6
    assert errors["moved"] < 0.5 * errors["still"]


def test_motion_is_exact() -> None:
    clip = WorldClip(0)
    frame, motion = clip.frame(4), clip.displacement(4, 29)
    instances, poses = clip.instances(4), torch.from_numpy(clip.poses)
    assert torch.equal(instances > 0, clip.things(4) > 0)
    assert bool((motion.world[instances == 0] == 0).all())
    for row, column in (instances > 0).nonzero()[::37].tolist():
        part = int(instances[row, column]) - 1
        point = torch.cat([points(frame)[row, column], torch.ones(1, dtype=torch.float64)])
        there = poses[29, part] @ torch.linalg.inv(poses[4, part]) @ point
        assert torch.allclose(motion.world[row, column].double(), (there - point)[:3], atol=1e-6)
    assert float(clip.displacement(4, 4).world.abs().max()) == 0


def test_there_and_back() -> None:
    clip = WorldClip(5)
    before, after = clip.frame(6), clip.frame(7)
    there, back = clip.displacement(6, 7), clip.displacement(7, 6)
    pixels, z = seen(after, points(before) + there.world.double())
    assert after.depth is not None
    same = (look_up(after.depth[..., None], pixels, "nearest")[..., 0] / z - 1).abs() < 0.003
    moving = (clip.things(6) > 0) & same & (look_up(clip.things(7)[..., None], pixels, "nearest")[..., 0] > 0)
    assert moving.sum() > 50
    total = there.world + look_up(back.world, pixels, "nearest").float()
    # The nearest pixel is up to half a pixel away, and turning moves it a little differently.
    assert total[moving].norm(dim=-1).median() < 0.1 * there.world[moving].norm(dim=-1).median()


def test_a_second_camera_makes_a_rectified_pair() -> None:
    clip = WorldClip(1)
    left, right = clip.frame(12, rays=2), clip.frame(12, beside=0.2, rays=2)
    pixels, z = seen(right, points(left))
    assert left.depth is not None
    assert right.depth is not None
    rows = torch.arange(HEIGHT).double()[:, None] + 0.5
    assert torch.allclose(pixels[..., 1], rows.expand(HEIGHT, WIDTH), atol=1e-6)
    visible = (look_up(right.depth[..., None], pixels, "nearest")[..., 0] / z - 1).abs() < 0.01
    assert visible.float().mean() > 0.7
    error = (look_up(right.rgb, pixels) - left.rgb).abs().mean(-1)[visible]
    assert error.median() < 5


def test_sky_has_no_depth_and_static_worlds_no_motion() -> None:
    seen_sky = seen_static = False
    for seed in range(12, 24):
        clip = WorldClip(seed, 49, 28)
        frame, motion = clip.frame(0), clip.displacement(0, 8)
        assert frame.depth is not None
        known = frame.depth > 0
        assert torch.equal(motion.valid, known)
        seen_sky |= bool((~known).any())
        if clip.info.static:
            seen_static = True
            assert float(motion.world.abs().max()) == 0
    assert seen_sky
    assert seen_static


def test_rows_are_endless_and_lazy() -> None:
    rows, held_out = WorldRows(10**9), WorldRows(1000, "val", width=98, height=56)
    assert len(rows) == 10**9
    assert rows[-1] == rows[10**9 - 1]
    assert [row.id for row in rows[2:8:3]] == [rows[2].id, rows[5].id]
    assert {row.source["seed"] for row in rows[:1000]}.isdisjoint(row.source["seed"] for row in held_out)
    assert 0.28 < np.mean([row.static for row in rows[:3000]]) < 0.39
    with pytest.raises(IndexError):
        rows[10**9]
    clip = Worlds().open(Path("nowhere"), held_out[3])
    assert clip.frame(32).rgb.shape == (56, 98, 3)
    assert clip.info.static == held_out[3].static
    with pytest.raises(ClipError, match="33 frames, none numbered 33"):
        clip.frame(33)
    with pytest.raises(ClipError, match="no split 'training'"):
        WorldRows(3, "training")


def test_a_folder_states_how_many(tmp_path: Path) -> None:
    worlds = data_set("worlds")
    with pytest.raises(ClipError, match=r"holds no worlds.json"):
        worlds.find(tmp_path)
    file = tmp_path / "worlds.json"
    file.write_text('{"train": 3, "val": 2, "width": 56, "height": 42, "frames": 9}')
    rows = worlds.find(tmp_path)
    assert [row.split for row in rows] == ["train"] * 3 + ["val"] * 2
    assert worlds.open(tmp_path, rows[4]).frame(8).rgb.shape == (42, 56, 3)
    file.write_text("[3]")
    with pytest.raises(ClipError, match="cannot be read as counts"):
        worlds.find(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"trian": 5}', "'trian' means nothing here"),
        ('{"train": 5, "width": -98}', "'width' must be a whole number above 0, got -98"),
        ('{"train": 1.5}', "'train' must be a whole number from 0 on"),
        ('{"train": 0}', "asks for no worlds"),
        ('{"train": 5, "frames": 1}', "worlds.json: worlds need"),
    ],
)
def test_files_that_ask_for_no_worlds_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "worlds.json").write_text(text)
    with pytest.raises(ClipError, match=message):
        Worlds().find(tmp_path)


def test_a_weight_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="behind @ stands a weight"):
        sources_of(["worlds@abc"], PlanConfig())
    with pytest.raises(ClipError, match=r"no folder at .*a@home"):
        sources_of([str(tmp_path / "a@home")], PlanConfig())
