"""Our own layout gives back what was written, with each kind of motion, within its steps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.sets.own import OwnClip
from neoverse_ns.training.data.sets.own_write import FollowedPoints, RigidThings, write_clip
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.truth import FrameTruth
from tests.training.data.synthetic_truth import FRAMES, HEIGHT, WIDTH, SyntheticTruth, rendered, thing_poses

DEEPEST = 45.0
THINGS = RigidThings(thing_poses(), lambda index: rendered().things[index].int())


def view(index: int) -> View:
    found = View.of(SyntheticTruth().frame(index))
    assert found is not None
    return found


def flow_between(index: int, other: int) -> torch.Tensor:
    moved = SyntheticTruth().displacement(index, other)
    assert moved is not None
    uv, _ = view(other).project(view(index).points + moved.world.double())
    return uv - pixel_centres(HEIGHT, WIDTH, torch.float64)


def errors(clip: OwnClip, index: int, other: int) -> torch.Tensor:
    """Of displacements where both are valid, relative to depth."""
    found, truth = clip.displacement(index, other), SyntheticTruth().displacement(index, other)
    assert found is not None
    assert truth is not None
    return ((found.world - truth.world).norm(dim=-1) / rendered().depth[index])[found.valid]


def test_things_come_back_for_any_gap(tmp_path: Path) -> None:
    write_clip(tmp_path / "a" / "clip", SyntheticTruth(), THINGS, "png", caption="a courtyard", split="val")
    (row,) = data_set("own").find(tmp_path)
    assert (row.id, row.dataset, row.frames, row.fps, row.width, row.height) == (
        "a/clip",
        "own",
        FRAMES,
        8,
        WIDTH,
        HEIGHT,
    )
    assert (row.caption, row.split, row.static, row.has) == ("a courtyard", "val", False, {"pose", "depth", "motion"})
    clip = data_set("own").open(tmp_path, row)
    assert isinstance(clip, OwnClip)
    assert clip.info == replace(SyntheticTruth().info, dataset="own", clip="a/clip")
    step = DEEPEST / 2**16
    for index in (0, FRAMES - 1):
        frame, truth = clip.frame(index), SyntheticTruth().frame(index)
        assert torch.equal(frame.rgb, truth.rgb)
        assert frame.c2w is not None
        assert frame.depth is not None
        assert torch.equal(frame.c2w, truth.c2w)  # pyright: ignore[reportArgumentType]
        assert torch.equal(frame.K, truth.K)
        assert truth.depth is not None
        assert (frame.depth - truth.depth).abs().max() < step
    for index, other in ((0, FRAMES - 1), (5, 3)):
        assert errors(clip, index, other).max() < 2e-3
        found = clip.displacement(index, other)
        assert found is not None
        assert found.valid.all()
        assert (found.world[rendered().things[index] == 0] == 0).all()
    with pytest.raises(ClipError, match="frames 0 to 8, none numbered 9"):
        clip.frame(9)
    with pytest.raises(SettingsError, match="exists already"):
        write_clip(tmp_path / "a" / "clip", SyntheticTruth())


def test_tracks_come_back(tmp_path: Path) -> None:
    rows, columns = (rendered().things[4] > 0).nonzero()[::7].unbind(1)
    start = view(4).points[rows, columns]
    things = rendered().things[4][rows, columns].long() - 1
    poses = thing_poses()
    moves = (poses @ torch.linalg.inv(poses[4]))[:, things]
    places = torch.einsum("tnij,nj->tni", moves[:, :, :3, :3], start) + moves[:, :, :3, 3]
    visible = torch.zeros(FRAMES, len(start), dtype=torch.bool)
    visible[4] = True
    write_clip(tmp_path / "clip", SyntheticTruth(), FollowedPoints(places, visible), "jpg")
    clip = OwnClip(tmp_path / "clip")
    found = clip.displacement(4, 7)
    assert found is not None
    assert torch.equal(found.valid.nonzero(), torch.stack([rows, columns], 1))
    assert errors(clip, 4, 7).max() < 1e-5
    nothing = clip.displacement(3, 4)
    assert nothing is not None
    assert not nothing.valid.any()
    jpeg = clip.frame(2).rgb.float() - rendered().frames[2].float()
    assert jpeg.abs().mean() < 3


def test_scene_flow_is_chained(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip", SyntheticTruth(), None, "mp4")
    clip = OwnClip(tmp_path / "clip")
    for index, other in ((3, 4), (4, 3)):
        assert errors(clip, index, other).max() < 1e-4
        found = clip.displacement(index, other)
        assert found is not None
        assert (found.world[rendered().things[index] == 0] == 0).all(), "zero is kept as zero"
    found = clip.displacement(2, 5)
    assert found is not None
    moving = found.valid & (rendered().things[2] > 0)
    assert moving.sum() > 0.4 * (rendered().things[2] > 0).sum()
    truth = SyntheticTruth().displacement(2, 5)
    assert truth is not None
    relative = (found.world - truth.world).norm(dim=-1)[moving] / truth.world.norm(dim=-1)[moving]
    assert relative.median() < 0.05
    assert (clip.frame(5).rgb.float() - rendered().frames[5].float()).abs().mean() < 6
    clip.close()


def test_optical_flow_will_do(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip", SyntheticTruth(), None, "jpg")
    for index in range(2, 5):
        arrays = {}
        for name, other in (("forward", index + 1), ("backward", index - 1)):
            arrays[f"{name}_flow"] = flow_between(index, other).float().numpy()
        np.savez_compressed(tmp_path / "clip" / "flow" / f"{index:06d}.npz", **arrays)
    clip = OwnClip(tmp_path / "clip")
    assert errors(clip, 2, 4).median() < 2e-3
    found = clip.displacement(3, 4)
    assert found is not None
    assert 0.8 < found.valid.float().mean() < 1
    (tmp_path / "clip" / "flow" / "000003.npz").write_bytes(b"PK broken")
    with pytest.raises(ClipError, match=r"000003.npz: cannot be read"):
        clip.displacement(3, 4)


class Bare(SyntheticTruth):
    """Without poses and depth."""

    def frame(self, index: int) -> FrameTruth:
        return replace(super().frame(index), c2w=None, depth=None)


def test_what_is_not_known_is_not_made_up(tmp_path: Path) -> None:
    bare = Bare()
    bare.info = replace(bare.info, has=frozenset())
    write_clip(tmp_path / "bare", bare)
    assert not (tmp_path / "bare" / "flow").exists()
    clip = OwnClip(tmp_path / "bare")
    frame = clip.frame(1)
    assert frame.c2w is None
    assert frame.depth is None
    assert clip.displacement(0, 1) is None
    static = SyntheticTruth()
    static.info = replace(static.info, static=True)
    write_clip(tmp_path / "static", static, farthest=20.0)
    found = OwnClip(tmp_path / "static").displacement(0, 5)
    assert found is not None
    assert torch.equal(found.valid, rendered().depth[0] <= 20)
    assert (found.world == 0).all()


def test_damage_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="holds no clips as own"):
        data_set("own").find(tmp_path)
    write_clip(tmp_path / "clip", SyntheticTruth(), THINGS)
    about = tmp_path / "clip" / "clip.json"
    whole = json.loads(about.read_text())
    for change, words in (
        ({"format": "other"}, "another kind"),
        ({"version": 2}, "version 2"),
        ({"frames": 0}, "frames must be"),
        ({"has": ["sound"]}, "sound"),
    ):
        about.write_text(json.dumps(whole | change))
        with pytest.raises(ClipError, match=words):
            OwnClip(tmp_path / "clip")
    about.write_text(json.dumps(whole | {"frames": 7}))
    with pytest.raises(ClipError, match=r"cameras.npz"):
        OwnClip(tmp_path / "clip")
    about.write_text(json.dumps(whole))
    (tmp_path / "clip" / "depth" / "000004.png").unlink()
    with pytest.raises(ClipError, match=r"000004.png: is missing"):
        OwnClip(tmp_path / "clip").frame(4)
    with pytest.raises(SettingsError, match="instances of frame 0"):
        write_clip(tmp_path / "other", SyntheticTruth(), replace(THINGS, poses=THINGS.poses[:, :1]))
    assert not (tmp_path / "other").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["clip"], "nothing half written stays"
