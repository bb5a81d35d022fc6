"""Tracks of the synthetic courtyard against its exact surfaces."""

from dataclasses import replace

import pytest
import torch

from neoverse_ns.export.colmap.find import WORST, find_tracks
from neoverse_ns.export.colmap.tracks import Tracks
from neoverse_ns.geometry.projection import project
from tests.export.made_scene import FRAMES, HEIGHT, WIDTH, true_geometry, truth

KEYFRAMES = [0, 2, 4, 6]


@pytest.fixture(scope="module")
def tracks() -> Tracks:
    return find_tracks(truth().as_clip(), true_geometry(KEYFRAMES), truth().cameras, range(FRAMES))


def quantile(values: torch.Tensor, share: float) -> float:
    return float(torch.quantile(values.double(), share))


def test_points_are_many_seen_often_and_lie_on_the_surfaces(tracks: Tracks) -> None:
    assert 1000 < len(tracks) < HEIGHT * WIDTH / 4
    assert tracks.lengths.min() >= 2
    assert tracks.lengths.double().mean() > 3
    cameras, depth = truth().cameras, truth().depth
    for frame in range(FRAMES):
        here = tracks.frame == frame
        uv, z = project(tracks.points[tracks.point[here]], cameras.viewmats[frame], cameras.K[frame])
        error = (uv - tracks.uv[here]).norm(dim=-1)
        assert error.max() < WORST
        assert quantile(error, 0.5) < 0.2
        x, y = tracks.uv[here].long().unbind(-1)
        off = (z / depth[frame][y, x] - 1).abs()
        assert quantile(off, 0.5) < 0.01
        assert quantile(off, 0.9) < 0.05
        # Masks are known of keyframes alone; between them what moves is told by how it looks.
        assert truth().dynamic[frame][y, x].double().mean() < (0.001 if frame in KEYFRAMES else 0.01)


def test_tracks_are_consistent(tracks: Tracks) -> None:
    key = tracks.frame * len(tracks) + tracks.point
    # Sorted by frame, then point; none twice.
    assert (key.diff() > 0).all()
    assert ((tracks.uv >= 0) & (tracks.uv <= torch.tensor([WIDTH, HEIGHT]))).all()
    mean = torch.zeros(len(tracks), dtype=torch.float64)
    everywhere = project(tracks.points, truth().cameras.viewmats, truth().cameras.K)[0]
    error = (everywhere[tracks.frame, tracks.point] - tracks.uv).norm(dim=-1)
    mean = mean.index_add(0, tracks.point, error) / tracks.lengths
    torch.testing.assert_close(mean, tracks.errors)
    # Colours are those of the frames.
    home = tracks.frame == 0
    x, y = tracks.uv[home].long().unbind(-1)
    assert (truth().frames[0][y, x].int() - tracks.colours[tracks.point[home]].int()).abs().double().mean() < 6


def test_only_the_frames_asked_for_are_looked_at() -> None:
    clip = truth().as_clip()
    train = [0, 1, 3, 4, 6]
    frames = clip.frames.clone()
    frames[[2, 5]] = 0
    some = find_tracks(clip, true_geometry([0, 4, 6]), truth().cameras, train)
    blind = find_tracks(replace(clip, frames=frames), true_geometry([0, 4, 6]), truth().cameras, train)
    assert set(some.frame.unique().tolist()) == set(train)
    torch.testing.assert_close(some.uv, blind.uv)


def test_ignored_pixels_neither_give_nor_show_points() -> None:
    ignored = torch.zeros(FRAMES, HEIGHT, WIDTH, dtype=torch.bool)
    ignored[:, 50:, :] = True
    clip = replace(truth().as_clip(), ignored=ignored)
    found = find_tracks(clip, true_geometry(KEYFRAMES), truth().cameras, range(FRAMES))
    assert len(found) > 300
    assert (found.uv[:, 1] < 50).all()


def test_doubted_depth_gives_no_points_and_one_frame_gives_its_own() -> None:
    geometry = true_geometry(KEYFRAMES)
    none = find_tracks(
        truth().as_clip(), replace(geometry, confidence=torch.zeros(4, HEIGHT, WIDTH)), truth().cameras, range(FRAMES)
    )
    assert len(none) == len(none.point) == 0
    alone = find_tracks(truth().as_clip(), true_geometry([0]), truth().cameras, [0])
    assert len(alone) > 500
    assert (alone.lengths == 1).all()


def test_wrong_depth_is_told_by_its_neighbours() -> None:
    """A keyframe whose depth is a third too large would put points behind the surfaces."""
    geometry = true_geometry(KEYFRAMES)
    depth = geometry.depth.clone()
    depth[2] *= 1.33
    found = find_tracks(truth().as_clip(), replace(geometry, depth=depth), truth().cameras, range(FRAMES))
    # What its neighbours do not have in their pictures, they cannot deny.
    assert (found.frame == 4).sum() < 0.1 * (found.frame == 3).sum()
    assert len(found) > 500
    cameras = truth().cameras
    here = found.frame == 3
    _, z = project(found.points[found.point[here]], cameras.viewmats[3], cameras.K[3])
    x, y = found.uv[here].long().unbind(-1)
    assert ((z / truth().depth[3][y, x] - 1).abs() < 0.1).double().mean() > 0.95
