"""Exported cameras chosen as a trajectory again: the clip's own, and those of another path."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.cameras.track import CameraTrack, camera_track
from neoverse_ns.export.cameras.write import write_cameras
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.priors.load import load_priors
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.export.cameras.flown_scene import flown_scene
from tests.export.made_scene import made_scene

SOURCE = made_scene()
FILES = ("cameras.json", "transforms.json", "colmap", "cameras.tum")


def sourced_scene() -> ExportScene:
    clip = SOURCE.clip
    return replace(
        flown_scene(),
        cameras=SOURCE.geometry.cameras,
        times=clip.times,
        seconds=clip.seconds.double(),
        source=SOURCE,
    )


Exporter = Callable[[ExportOptions], tuple[CameraTrack, Path]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exporter:
    """The cameras that options ask for, and the folder they were written to, once for all tests."""

    done: dict[str, tuple[CameraTrack, Path]] = {}

    def export(options: ExportOptions) -> tuple[CameraTrack, Path]:
        if str(options) not in done:
            folder = tmp_path_factory.mktemp("exported")
            write_cameras(sourced_scene(), options, folder)
            done[str(options)] = camera_track(sourced_scene(), options), folder / "cameras"
        return done[str(options)]

    return export


def chosen(file: Path, align_to: str | None = None) -> Trajectory:
    frames, cameras = ClipFrames.of(SOURCE.clip), SOURCE.geometry.cameras
    return choose_trajectory(str(file), cameras, SOURCE.clip.times, None, TrajectoryOptions(align_to=align_to), frames)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("every", [None, 2])
def test_the_clips_own_come_back(
    file: str, every: int | None, exported: Exporter, capsys: pytest.CaptureFixture[str]
) -> None:
    track, folder = exported(ExportOptions(every=every))
    capsys.readouterr()
    read = chosen(folder / file)
    said = " ".join(capsys.readouterr().out.split())
    assert "does not fit" not in said
    assert ("number" in said) == (file != "cameras.tum")
    # TUM files have 9 digits; every other camera by time alone is compared with the clip's between them, too.
    tolerance = 1e-6 if file != "cameras.tum" else (1e-5 if every is None else 1e-2)
    torch.testing.assert_close(read.c2w, track.cameras.c2w.double(), atol=tolerance, rtol=0)
    torch.testing.assert_close(read.K.double(), track.cameras.K.double(), atol=1e-3, rtol=0)
    torch.testing.assert_close(read.times.double(), track.times, atol=1e-5, rtol=0)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "options", [ExportOptions(trajectory="orbit_left", fps=12.0), ExportOptions(fps=20.0)], ids=["path", "rate"]
)
def test_those_of_another_path_come_back(
    file: str, options: ExportOptions, exported: Exporter, capsys: pytest.CaptureFixture[str]
) -> None:
    track, folder = exported(options)
    capsys.readouterr()
    read = chosen(folder / file)
    assert "own world" in " ".join(capsys.readouterr().out.split())
    torch.testing.assert_close(read.c2w, track.cameras.c2w, atol=1e-7, rtol=0)
    if file != "cameras.tum":
        torch.testing.assert_close(read.K, track.cameras.K, atol=1e-4, rtol=0)
    # A file that tells no times plays the whole clip.
    late = 1 - float(track.times[-1]) if file == "colmap" else 0.0
    torch.testing.assert_close(read.times, track.times, atol=late + 1e-5, rtol=0)
    if file != "colmap":
        assert read.fps == pytest.approx(track.fps, rel=1e-6)


def test_our_json_comes_back_to_the_last_digit(exported: Exporter) -> None:
    track, folder = exported(ExportOptions(trajectory="orbit_left"))
    read = chosen(folder / "cameras.json")
    assert torch.equal(read.c2w, track.cameras.c2w)
    assert torch.equal(read.K, track.cameras.K)
    assert torch.equal(read.times, track.times)
    assert read.fps == track.fps


@pytest.mark.parametrize("file", ["cameras.json", "transforms.json"])
def test_time_may_stand_and_go_back(file: str, tmp_path: Path, exported: Exporter) -> None:
    matrices = {"frame_indices": [0, 12], "frame_matrices": torch.eye(4).repeat(2, 1, 1).tolist()}
    matrices["frame_matrices"][1][0][3] = 0.5
    path = {"num_frames": 13, "fps": 10.0, "time": "0-3, 3 x 5, 2-0", "trajectory": matrices}
    (tmp_path / "path.json").write_text(json.dumps(path))
    track, folder = exported(ExportOptions(trajectory=str(tmp_path / "path.json")))
    assert bool((track.times.diff() < 0).any())
    read = chosen(folder / file)
    torch.testing.assert_close(read.times, track.times, atol=1e-9, rtol=0)
    torch.testing.assert_close(read.c2w, track.cameras.c2w, atol=1e-9, rtol=0)


def test_another_path_is_not_known_of_the_clip_beforehand(exported: Exporter) -> None:
    _, folder = exported(ExportOptions(trajectory="orbit_left"))
    for file in ("cameras.json", "transforms.json"):
        with pytest.raises(SettingsError):
            load_priors(PriorsConfig(cameras=folder / file), SOURCE.clip)


def test_cameras_of_no_frame_are_named_where_they_lack_a_name(tmp_path: Path, exported: Exporter) -> None:
    _, folder = exported(ExportOptions(trajectory="orbit_left"))
    document = json.loads((folder / "cameras.json").read_text())
    file = tmp_path / "cameras.json"
    del document["frames"][0]["name"]
    file.write_text(json.dumps(document))
    with pytest.raises(SettingsError, match=r"cameras\.json: 'frames\[0\]\.frame_index'"):
        chosen(file)
