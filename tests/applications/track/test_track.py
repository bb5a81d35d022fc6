"""Points followed through a scene of which everything is known."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.applications.track.config import TrackConfig
from neoverse_ns.applications.track.queries import Queries
from neoverse_ns.applications.track.track import track
from neoverse_ns.applications.track.tracks import Tracks
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.projection import project
from tests.applications.track import exact_scene as exact

HOME = 4


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    return exact.exact_scene()


@pytest.fixture(scope="module")
def queries() -> Queries:
    """Every 8th pixel that is still, every 3rd of the ball and the crate."""
    things = exact.truth().things[HOME]
    chosen = torch.zeros_like(things, dtype=torch.bool)
    chosen[4::8, 4::8] = things[4::8, 4::8] == 0
    chosen[1::3, 1::3] |= (things[1::3, 1::3] == 1) | (things[1::3, 1::3] == 2)
    rows, columns = chosen.nonzero().unbind(1)
    return Queries(torch.stack([columns, rows], 1) + 0.5, torch.full((len(rows),), HOME))


@pytest.fixture(scope="module")
def true_world(queries: Queries) -> torch.Tensor:
    column, row = queries.xy.long().unbind(1)
    points, solid = exact.hit(HOME, row * exact.WIDTH + column)
    return torch.stack([exact.moved(points, solid, HOME, frame) for frame in range(exact.COUNT)])


def errors(tracks: Tracks, world: torch.Tensor) -> torch.Tensor:
    """Distance to the truth in pixels, infinite where that is behind the camera."""
    cameras = exact.truth().cameras
    uv, z = project(world, cameras.viewmats, cameras.K)
    return torch.where(z > 0, (tracks.uv - uv).norm(dim=-1), torch.inf)


def truly_visible(world: torch.Tensor) -> torch.Tensor:
    cameras = exact.truth().cameras
    uv, _ = project(world, cameras.viewmats, cameras.K)
    inside = (uv >= 0).all(-1) & (uv[..., 0] < exact.WIDTH) & (uv[..., 1] < exact.HEIGHT)
    seen = []
    for frame in range(exact.COUNT):
        origin = cameras.c2w[frame, :3, 3]
        hits = exact.cast(exact.solids(), exact.time_of(frame), origin, world[frame] - origin)
        seen.append(hits.depth > 1 - 1e-4)
    return torch.stack(seen) & inside


@pytest.mark.parametrize(
    ("anchor", "median", "most"), [("video", 1.2, 6.0), ("training", 1.2, 6.0), ("scene", 1.2, 6.0)]
)
def test_points_are_where_they_are(
    scene: ExportScene, queries: Queries, true_world: torch.Tensor, anchor: str, median: float, most: float
) -> None:
    tracks = track(scene, queries, TrackConfig(anchor=anchor))  # type: ignore[arg-type]
    column, row = queries.xy.long().unbind(1)
    # At the very edge of a thing either may be drawn.
    assert (tracks.moving == (exact.truth().things[HOME, row, column] > 0)).double().mean() > 0.95
    error, seen = errors(tracks, true_world), truly_visible(true_world)
    still = error[:, ~tracks.moving][seen[:, ~tracks.moving]]
    assert still.median() < 0.1
    assert still.quantile(0.9) < 1.0
    moving = error[:, tracks.moving][seen[:, tracks.moving]]
    assert moving.median() < median
    assert moving.quantile(0.9) < most
    assert (tracks.visible == seen).double().mean() > 0.9
    away = (tracks.world - true_world).norm(dim=-1) / true_world.norm(dim=-1)
    assert away[seen].median() < 0.01
    # Where they were given they are as given, and seen.
    torch.testing.assert_close(tracks.uv[HOME], queries.xy.double(), atol=1e-3, rtol=0)
    assert tracks.visible[HOME].all()


def test_held_out_frames_are_not_looked_at_where_only_training_frames_may_be(
    scene: ExportScene, queries: Queries
) -> None:
    assert scene.source is not None
    clip = scene.source.clip
    frames = clip.frames.clone()
    frames[exact.HELD_OUT] = 255 - frames[exact.HELD_OUT].flip(1)
    other = dataclasses.replace(scene.source, clip=dataclasses.replace(clip, frames=frames))
    changed = dataclasses.replace(scene, source=other)
    config = TrackConfig(anchor="training")
    assert torch.equal(track(scene, queries, config).uv, track(changed, queries, config).uv)
    assert not torch.equal(track(scene, queries).uv, track(changed, queries).uv)


def test_places_in_cameras_are_those_in_the_picture(scene: ExportScene, queries: Queries) -> None:
    tracks = track(scene, queries, TrackConfig(anchor="scene"))
    seen = tracks.in_cameras
    K = tracks.cameras.K.double()
    uv = seen[..., :2] / seen[..., 2:] * K[:, None, [0, 1], [0, 1]] + K[:, None, :2, 2]
    torch.testing.assert_close(uv, tracks.uv, atol=1e-2, rtol=0)


def test_what_cannot_be_followed_is_refused(scene: ExportScene, queries: Queries) -> None:
    with pytest.raises(RunError, match="load it from its run"):
        track(dataclasses.replace(scene, source=None), queries)
    far = Queries(torch.tensor([[200.0, 10.0]]), torch.tensor([0]))
    with pytest.raises(SettingsError, match="200,10 lies outside the pictures, which are 128x80"):
        track(scene, far)
    with pytest.raises(SettingsError, match="no frame 9: the clip's are 0 to 8"):
        track(scene, Queries(torch.tensor([[20.0, 10.0]]), torch.tensor([9])))
    with pytest.raises(SettingsError, match="no point"):
        track(scene, Queries(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)))
    with pytest.raises(SettingsError, match="tolerance"):
        track(scene, queries, TrackConfig(tolerance=0.0))
