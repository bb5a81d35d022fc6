"""The camera battery: clips are what they are said to be, and errors are what they are called."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import benchmark_cameras
import numpy as np
import pytest
import torch
from _benchmark.camera_cases import CASES, FAULTS, MOTIONS, OVERLAYS, Case, choose_cases
from _benchmark.camera_paths import Place, corner, fast_pan, walk
from _benchmark.camera_pictures import BONNET, as_recorded, blurred_sides, exposure_ramp, timer
from _benchmark.camera_render import BANDS, as_loaded, render_case
from _benchmark.camera_scores import measure_cameras, score_cameras, summarise_intervals

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic
from neoverse_ns.clip.undistort import undistorted
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.base import SceneGeometry

SMALL = (96, 54)


def noise(width: int = 64, height: int = 36) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)


def difference(a: np.ndarray, b: np.ndarray, border: int = 0) -> float:
    inside = slice(border, -border or None)
    return float(np.abs(a[inside, inside].astype(float) - b[inside, inside].astype(float)).mean())


def test_cases_have_names_of_their_own_and_are_chosen_by_them() -> None:
    assert all(case.name == name for name, case in CASES.items())
    assert [case.name for case in choose_cases(["bonnet", "forward"])] == ["forward", "bonnet"]
    assert choose_cases(None) == list(CASES.values())
    with pytest.raises(SettingsError, match=r"no case named absent; there are forward, "):
        choose_cases(["absent", "forward"])


def test_paths_go_as_far_and_turn_as_much_as_they_say() -> None:
    steps = [i / 11 for i in range(12)]
    centres = torch.stack([corner(t).c2w()[:3, 3] for t in steps])
    # Chords of an arc of 10 degrees are a little shorter than the arc.
    assert (centres[1:] - centres[:-1]).norm(dim=1) == pytest.approx(np.full(11, 0.48), rel=0.01)
    assert corner(1.0).yaw == 90
    assert fast_pan(1.0).yaw - fast_pan(0.0).yaw == 132
    assert walk(1.0).z - walk(0.0).z == 3
    ahead, right = Place(yaw=90).c2w()[:3, 2], Place(roll=90).c2w()[:3, 0]
    assert torch.allclose(ahead, torch.tensor([1.0, 0, 0], dtype=torch.float64), atol=1e-12)
    assert torch.allclose(right, torch.tensor([0, 1.0, 0], dtype=torch.float64), atol=1e-12)
    assert Place(pitch=10).c2w()[1, 2] < 0


def test_a_bent_lens_is_straightened_to_what_a_pinhole_sees() -> None:
    """Straightening is tested elsewhere against the formula of the lens; here it is the reference."""
    case = replace(CASES["barrel"], size=(192, 108))
    bent, cameras = render_case(case, frames=1)
    assert float(cameras.K[0, 0, 0]) == pytest.approx(0.7 * 192)
    _, focal = undistorted(bent, 0.7, case.barrel)
    pinhole = render_case(replace(case, barrel=0.0, focal=lambda _time: focal), frames=1)[0].frames[0].numpy()

    def off(straightened: Clip) -> float:
        return difference(straightened.frames[0].numpy(), pinhole, border=2)

    true, weaker, stronger = (off(undistorted(bent, 0.7, case.barrel + change)[0]) for change in (0, -0.05, 0.05))
    # Resampling alone costs four grey levels on so small a picture.
    assert true < 0.8 * min(weaker, stronger)
    assert true < 0.3 * off(bent)


def test_rows_of_a_rolling_shutter_are_taken_one_after_the_other() -> None:
    case = replace(CASES["rolling_shutter"], size=SMALL)
    rolled, cameras = render_case(case, frames=3)
    # The first band of the middle frame: half the readout earlier, but for half a band.
    early = 0.5 - case.readout * 8 / 2 * 0.5 * (1 - 1 / BANDS)
    rows = round(SMALL[1] / BANDS)
    shifted = replace(case, readout=0.0, path=lambda time: case.path(early if time == 0.5 else time))
    at_once, _ = render_case(shifted, frames=3)
    assert difference(rolled.frames[1, :rows].numpy(), at_once.frames[1, :rows].numpy()) < 0.5
    assert difference(rolled.frames[1, -rows:].numpy(), at_once.frames[1, -rows:].numpy()) > 3
    assert torch.allclose(cameras.c2w[1], case.path(0.5).c2w())


def test_repeated_frames_repeat_pictures_and_cameras() -> None:
    clip, cameras = render_case(replace(CASES["repeated"], size=SMALL), frames=4)
    assert len(clip) == len(cameras) == 4
    for one, other in ((0, 1), (2, 3)):
        assert torch.equal(clip.frames[one], clip.frames[other])
        assert torch.equal(cameras.c2w[one], cameras.c2w[other])
    assert not torch.equal(clip.frames[1], clip.frames[2])


@pytest.mark.parametrize("case", [case for case in OVERLAYS if case.name not in ("blurred_sides", "timer")])
def test_overlays_stay_and_leave_the_rest_alone(case: Case) -> None:
    frames = [noise(), 255 - noise()]
    shown = [case.picture(frame, number) for number, frame in enumerate(frames)]
    covered = (shown[0] == shown[1]).all(axis=-1)
    assert 0.01 < covered.mean() < 0.75
    for before, after in zip(frames, shown, strict=True):
        assert np.array_equal(after[~covered], before[~covered])


def test_what_happens_to_pictures() -> None:
    image = noise(384, 216)
    bonnet = BONNET(image, 0)
    assert np.array_equal(bonnet[:160], image[:160])
    assert (bonnet[-20:] != image[-20:]).any(axis=-1).mean() > 0.9
    sides = blurred_sides(image, 0)
    assert np.array_equal(sides[:, 140:244], image[:, 140:244])
    assert np.abs(np.diff(sides[:, :120].astype(float), axis=1)).mean() < 4
    first, second = timer(image, 0), timer(image, 1)
    changed = (first != second).any(axis=-1)
    assert 20 < changed.sum() < 0.05 * changed.size
    assert np.array_equal(first[60:], image[60:])
    grey = np.full((4, 4, 3), 100, np.uint8)
    assert [int(exposure_ramp(grey, i)[0, 0, 0]) for i in (0, 6, 11)] == [60, 95, 139]
    black = next(case for case in FAULTS if case.name == "black_frames")
    assert [int(black.picture(grey, i).max()) for i in range(8)] == [0, 100, 100, 100, 100, 100, 0, 100]


@pytest.mark.parametrize("name", ["letterbox", "pillarbox", "blurred_sides"])
def test_bars_are_cut_as_the_loader_does(name: str) -> None:
    case = replace(CASES[name], size=(192, 108))
    clip, cameras = as_loaded(*render_case(case, frames=4))
    whole, _ = render_case(replace(case, picture=as_recorded), frames=4)
    # Half the picture's width or height that bars leave, and up to two pixels of caution at either edge.
    wide, high = (192, 0.4 * 192) if name == "letterbox" else (0.34 * 192, 108)
    assert wide - 4 <= clip.width == cameras.width <= wide + 1
    assert high - 4 <= clip.height == cameras.height <= high + 1
    left, top = (round(192 / 2 - float(cameras.K[0, 0, 2])), round(108 / 2 - float(cameras.K[0, 1, 2])))
    inside = whole.frames[:, top : top + clip.height, left : left + clip.width]
    assert torch.equal(clip.frames, inside)
    assert torch.equal(cameras.K[:, 0, 0], torch.full((4,), 0.85 * 192, dtype=torch.float64))
    assert "bars" in clip.notes[-1]


def test_pictures_without_bars_are_left_whole() -> None:
    clip, cameras = render_case(replace(CASES["bonnet"], size=SMALL), frames=4)
    assert as_loaded(clip, cameras) == (clip, cameras)


def geometry_of(cameras: PinholeCameras, **report: Any) -> SceneGeometry:
    """A solve's result that has these cameras."""
    facts = {"kind": "parallax", "lens": "pinhole", "confidence": "good", "doubts": [], "residual_px": 0.1}
    focal = float(cameras.K[:, 0, 0].double().log().mean().exp())
    facts |= {"focal_from": "measured", "focal_px": focal, "focal_px_interval": [0.95 * focal, 1.06 * focal]}
    size = (1, cameras.height, cameras.width)
    depth, nowhere = torch.full(size, 2.0), torch.zeros(size, dtype=torch.bool)
    return SceneGeometry(cameras, [0], depth, torch.ones(size), nowhere, facts | report)


def truth_of(case: Case, frames: int = 6) -> tuple[Clip, PinholeCameras]:
    """Cameras of a case, and frames of their size that show nothing."""
    width, height = case.size
    poses = torch.stack([case.path(i / (frames - 1)).c2w() for i in range(frames)])
    K = torch.eye(3, dtype=torch.float64).repeat(frames, 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = torch.tensor([case.focal(i / (frames - 1)) * width for i in range(frames)])
    pixels, count = torch.zeros(frames, height, width, 3, dtype=torch.uint8), torch.arange(frames)
    return Clip(pixels, count, count.double(), Path("nothing")), PinholeCameras(poses, K, width, height)


def test_errors_are_zero_for_the_truth_in_another_world() -> None:
    clip, truth = truth_of(CASES["zoom_walk"])
    motion = se3_exp(torch.tensor([0.3, -1.0, 2.0, 0.4, -0.2, 0.9], dtype=torch.float64))
    world = Sim3(torch.tensor(0.3, dtype=torch.float64), motion[:3, :3], motion[:3, 3])
    scores = score_cameras(geometry_of(replace(truth, c2w=world.apply_c2w(truth.c2w))), clip, truth)
    assert scores["ate_percent_of_path"] < 1e-6
    assert scores["rotation_degrees_per_step_mean"] < 1e-5
    assert scores["focal_error_percent"] == pytest.approx(0, abs=1e-9)
    assert "travel_percent_of_depth" not in scores
    assert scores["interval_error_percent"] == pytest.approx([-5, 6])
    assert (scores["interval"], scores["interval_holds"], scores["interval_narrow"]) == ("-5 to +6", True, True)
    assert scores["trust"] == "good"


def test_focal_lengths_and_intervals_are_judged() -> None:
    clip, truth = truth_of(CASES["forward"])
    K = truth.K * torch.tensor([1.2, 1.2, 1.0], dtype=torch.float64)[:, None]
    geometry = geometry_of(replace(truth, K=K), confidence="fair", doubts=["dark"])
    scores = score_cameras(geometry, clip, truth)
    assert scores["focal_error_percent"] == pytest.approx(20)
    assert scores["interval_error_percent"] == pytest.approx([14, 27.2])
    assert (scores["interval_holds"], scores["interval_narrow"], scores["trust"]) == (False, True, "fair (1)")
    open_ended = replace(geometry, report=geometry.report | {"focal_px_interval": [100.0, None]})
    wide = score_cameras(open_ended, clip, truth)
    assert (wide["interval_holds"], wide["interval_narrow"]) == (True, False)
    assert wide["interval"] == f"{100 * (100 / (0.85 * 384) - 1):+.0f} to ∞"
    none = score_cameras(geometry_of(truth, focal_px_interval=None), clip, truth)
    assert "interval_holds" not in none
    assert summarise_intervals([scores, wide, none]) == {
        "focal intervals that hold the truth": "1 of 2 (50%)",
        "focal intervals narrower than ±10%": "1 of 2 (50%)",
    }


def test_travel_of_a_camera_that_only_zooms() -> None:
    clip, truth = truth_of(CASES["zoom"])
    moved = truth.c2w.clone()
    moved[:, 0, 3] += 0.01 * torch.arange(6)
    scores = score_cameras(geometry_of(replace(truth, c2w=moved)), clip, truth)
    assert scores["travel_percent_of_depth"] == pytest.approx(100 * 0.05 / 2)
    assert math.isnan(scores["ate_percent_of_path"])


def test_of_a_bent_lens_its_own_focal_length_is_compared_and_the_interval_where_frames_are_straight() -> None:
    case = CASES["barrel"]
    clip, truth = truth_of(case)
    found = {"focal_px": 1.05 * 0.7 * 384, "radial": 0.25}
    _, straight = undistorted(clip, 1.05 * 0.7, 0.25)
    K = truth.K.clone()
    K[:, 0, 0] = K[:, 1, 1] = straight * 384
    geometry = geometry_of(replace(truth, K=K), lens="radial", source_lens=found)
    scores = score_cameras(geometry, clip, truth)
    assert scores["focal_error_percent"] == pytest.approx(5)
    # Straightened with a focal length 5 % too long the frames show 5 % less of a true pinhole's.
    assert scores["interval_error_percent"] == pytest.approx(
        [100 * (0.95 * 1.05 - 1), 100 * (1.06 * 1.05 - 1)], abs=1e-3
    )
    assert scores["radial"] == 0.25


def test_a_small_walk_is_solved() -> None:
    scores = measure_cameras(*render_case(replace(MOTIONS[0], size=(128, 72)), frames=6))
    assert scores["kind"] == "parallax"
    assert scores["ate_percent_of_path"] < 2
    assert scores["rotation_degrees_per_step_mean"] < 0.2
    assert scores["seconds"] > 0


def test_the_report_has_cases_and_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_synthetic(render_synthetic(4, 96, 64), tmp_path / "clips" / "courtyard")
    save_synthetic(render_synthetic(4, 96, 64), tmp_path / "clips" / "unknown")
    (tmp_path / "clips" / "unknown" / "cameras.npz").unlink()
    still = replace(CASES["still"], size=SMALL)
    monkeypatch.setitem(CASES, "still", still)
    options = benchmark_cameras.BenchmarkCameras(
        only="still,courtyard", clips=tmp_path / "clips", json=tmp_path / "c.json", markdown=tmp_path / "c.md"
    )
    assert benchmark_cameras.run(options, tmp_path) == 0
    text, rows = (tmp_path / "c.md").read_text(), json.loads((tmp_path / "c.json").read_text())["clips"]
    assert [row["clip"] for row in rows] == ["still", "courtyard"]
    assert rows[0]["synthetic"]["kind"] == "static"
    assert rows[0]["synthetic"]["travel_percent_of_depth"] == 0
    assert rows[1]["real"]["ate_percent_of_path"] < 10
    assert "## Synthetic clips\n\n| clip | kind | lens |" in text
    assert "| still | static | pinhole | 0.00 |" in text
    assert "## Real clips" in text
    assert "- synthetic, focal intervals that hold the truth: 0 of 0\n" in text
    with pytest.raises(SettingsError, match="no case named unknown"):
        benchmark_cameras.run(replace(options, only="unknown"), tmp_path)
