"""Camera accuracy of videos whose cameras are known: the demo's true render, and paths that were not followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import ClipError, PackageError, ReconstructionError
from neoverse_ns.evaluation.data.videos.layout import Videos
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CamerasFound, CameraTask
from neoverse_ns.evaluation.judges.video.cameras import judge_video_cameras
from neoverse_ns.evaluation.judges.video.demo_path import DEMO_WALK, RequestedPath, demo_along
from neoverse_ns.evaluation.judges.video.path_accuracy import follow
from neoverse_ns.evaluation.kinds import kind_of
from neoverse_ns.evaluation.methods.solvers.own import BundleSolver
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.generated_path import redirector_accuracy
from neoverse_ns.trajectory.save_cameras import write_cameras_beside
from neoverse_ns.trajectory.trajectory import Trajectory, spread_times
from tests.evaluation.filmed import DEPTH, FRAMES, HEIGHT, WIDTH, film, turned, walk

REDIRECTOR = protocol("camera-redirector@1")
SMALL = (96, 64)
PAN = torch.arange(FRAMES, dtype=torch.float64) * 3 / (FRAMES + 1)
"""Degrees: frames of a pan differ by (n + 1) / 3 of its steps in the mean over all pairs."""


class Told(CameraMethod):
    """An estimator that is told what to find, by the name of the task."""

    name = solver = "told"

    def __init__(self, answers: dict[str, Callable[[], CamerasFound]]) -> None:
        self.answers, self.asked, self.told = answers, list[str](), list[float | None]()

    def solve(self, task: CameraTask) -> CamerasFound:
        self.asked.append(task.scene)
        self.told.append(None if task.known_K is None else float(task.known_K[0, 0]))
        return self.answers[task.scene]()


def found(c2w: torch.Tensor, **report: object) -> CamerasFound:
    cameras = PinholeCameras(c2w, torch.eye(3).repeat(len(c2w), 1, 1), WIDTH, HEIGHT)
    return CamerasFound(cameras, {"solve": 1.0}, None, dict(report))


def judged(folder: Path, name: str, method: CameraMethod, alias: str = "camera-redirector@1") -> SceneResult:
    scene, rules = Videos().open(folder, name), protocol(alias)
    return judge_video_cameras(rules, scene, rules.rule(scene), method, work=folder / "work")


def value(result: SceneResult, name: str) -> float:
    return result.values[name]["scene"]


class OnDemo(BundleSolver):
    """Our solver on the true render, which keeps what it found; of the video it is told, as it is the same footage."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[CamerasFound] = []

    def solve(self, task: CameraTask) -> CamerasFound:
        if task.scene != "demo":
            return found(walk().c2w)
        self.kept.append(super().solve(task))
        return self.kept[0]


@pytest.fixture(scope="module")
def solver() -> OnDemo:
    return OnDemo()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that followed its path; and the same one where the path asked for a pan, too."""
    there = tmp_path_factory.mktemp("videos")
    film(there / "true.mp4", walk())
    (there / "turned.mp4").write_bytes((there / "true.mp4").read_bytes())
    write_cameras_beside(there / "turned.mp4", Trajectory(asked_for(), spread_times(FRAMES), fps=8.0))
    return there


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The latter in small, for what no estimator has to see."""
    there = tmp_path_factory.mktemp("small")
    film(there / "turned.mp4", walk(*SMALL), asked_for(*SMALL))
    return there


def asked_for(width: int = WIDTH, height: int = HEIGHT) -> PinholeCameras:
    """The walk with a pan beside it, whose angles differ by 1 degree in the mean over all pairs of frames."""
    cameras = walk(width, height)
    return replace(cameras, c2w=turned(cameras.c2w, PAN))


@pytest.fixture(scope="module")
def solved(folder: Path, solver: OnDemo) -> SceneResult:
    return judged(folder, "true", solver)


def test_on_the_true_render_nothing_is_wrong(solved: SceneResult) -> None:
    assert 0 < value(solved, "control-render-trans") < 0.01
    assert 0 < value(solved, "control-render-rot") < 0.2
    assert value(solved, "camera-redirector-trans") == pytest.approx(0, abs=1e-6)
    assert value(solved, "camera-redirector-rot-all") == value(solved, "camera-redirector-rot")
    assert len(solved.values["solved"]) == solved.attempted["solved"] == FRAMES
    assert solved.skipped == ["control-input: no input video with known cameras lies beside it"]
    assert set(solved.values) == {name for name in REDIRECTOR.metrics if not name.startswith("control-input")}
    assert set(solved.values) == set(solved.attempted)


def test_a_path_that_is_turned_by_one_degree_shows_one_degree(
    folder: Path, solved: SceneResult, solver: OnDemo
) -> None:
    asked = torch.stack([f.c2w for f in Videos().open(folder, "turned").frames if f.c2w is not None])
    assert redirector_accuracy(walk().c2w, asked).rotation == pytest.approx(1.0, abs=1e-3)
    # The video made the walk alone, of which our solver found these cameras.
    method = Told({"turned": lambda: solver.kept[0], "demo": lambda: found(asked)})
    result = judged(folder, "turned", method)
    assert value(result, "camera-redirector-rot") == pytest.approx(1.0, abs=0.1)
    found_there = value(result, "camera-redirector-trans")
    assert found_there == pytest.approx(value(solved, "control-render-trans"), abs=1e-6)
    assert value(result, "control-render-rot") == pytest.approx(0.0, abs=1e-5)


def test_unsolved_videos_are_counted_and_weigh_in_a_second_mean(small: Path) -> None:
    true = walk().c2w
    lost = true.clone()
    lost[3] = torch.nan

    def fails() -> CamerasFound:
        raise ReconstructionError("nothing to be seen")

    cases: list[tuple[Callable[[], CamerasFound], str]] = [
        (fails, "nothing to be seen"),
        (lambda: CamerasFound(None, {}, failed="no two frames matched"), "no two frames matched"),
        (lambda: found(lost), f"told placed {FRAMES - 1} of {FRAMES} frames"),
        (lambda: found(true, unlinked_frames=[4, 5]), f"told placed {FRAMES - 2} of {FRAMES} frames"),
    ]
    for answer, reason in cases:
        method = Told({"turned": answer, "demo": lambda: found(true)})
        result = judged(small, "turned", method)
        assert result.failed is None  # The video was measured: it did not follow.
        assert "camera-redirector-rot" not in result.values
        assert value(result, "camera-redirector-rot-all") == 180.0
        assert value(result, "camera-redirector-trans-all") == 1.0
        assert any(reason in text for text in result.skipped)
        assert result.values["solved"] == {}


def test_a_path_that_stands_still_has_no_distance(tmp_path: Path) -> None:
    small = walk(*SMALL)
    still = replace(small, c2w=turned(small.c2w[:1].repeat(FRAMES, 1, 1), torch.arange(FRAMES).double()))
    film(tmp_path / "pan.mp4", still)
    method = Told({name: lambda: found(still.c2w) for name in ("pan", "demo")})
    result = judged(tmp_path, "pan", method)
    assert value(result, "camera-redirector-rot") == pytest.approx(0, abs=1e-5)
    assert "camera-redirector-trans" not in result.values
    assert "camera-redirector-trans-all" not in result.values
    assert any("does not move" in text for text in result.skipped)


def test_other_measures_have_their_own_values_and_controls(small: Path) -> None:
    true = walk().c2w
    method = Told({"turned": lambda: found(true), "demo": lambda: found(true)})
    for alias in ("camera-camctrl@1", "camera-cami2v@1"):
        rules = protocol(alias)
        result = judged(small, "turned", method, alias)
        names = {name for name in rules.metrics if not name.startswith("control-input")}
        assert set(result.values) == names
        # Relative to the first camera, frame i is turned by its own pan; sums over frames, in radians.
        assert value(result, rules.metrics[0]) == pytest.approx(float(torch.deg2rad(PAN).sum()), abs=1e-4)
        assert "told" in rules.full_id(method.solver)


def test_the_control_is_done_once_for_all_videos_of_a_path(small: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        for suffix in (".mp4", "_cameras.json"):
            (tmp_path / f"{name}{suffix}").write_bytes((small / f"turned{suffix}").read_bytes())
    method = Told({name: lambda: found(walk().c2w) for name in ("a", "b", "demo")})
    results = [judged(tmp_path, name, method) for name in ("a", "b")]
    assert method.asked == ["a", "demo", "b"]
    assert value(results[0], "control-render-rot") == value(results[1], "control-render-rot")


def test_the_input_video_is_a_control_where_its_cameras_are_known(small: Path, tmp_path: Path) -> None:
    for name in ("a", "a_input"):
        for suffix in (".mp4", "_cameras.json"):
            (tmp_path / f"{name}{suffix}").write_bytes((small / f"turned{suffix}").read_bytes())
    # The file beside the input says the same path, and is its truth.
    true, off = walk().c2w, turned(walk().c2w, 3 * PAN)
    method = Told({"a": lambda: found(true), "demo": lambda: found(true), "a (input)": lambda: found(off)})
    result = judged(tmp_path, "a", method)
    assert value(result, "control-input-rot") == pytest.approx(2.0, abs=2e-3)
    assert value(result, "control-input-trans") == pytest.approx(0.0, abs=1e-6)
    assert result.report["controls"]["control-input"]["placed"] == FRAMES
    (tmp_path / "a_input_cameras.json").unlink()
    result = judged(tmp_path, "a", method)
    assert "control-input-rot" not in result.values
    assert "control-input-rot" not in result.attempted


def test_estimators_that_want_the_focal_length_are_told_it(small: Path, tmp_path: Path) -> None:
    for suffix in (".mp4", "_cameras.json"):
        (tmp_path / f"turned{suffix}").write_bytes((small / f"turned{suffix}").read_bytes())
    method = Told({name: lambda: found(walk().c2w) for name in ("turned", "demo")})
    method.focal_given = True
    judged(tmp_path, "turned", method)
    focal = float(walk(*SMALL).K[0, 0, 0])
    assert method.told == [pytest.approx(focal), pytest.approx(focal)]


def test_what_cannot_be_measured_says_why(small: Path, tmp_path: Path) -> None:
    (tmp_path / "bare.mp4").write_bytes((small / "turned.mp4").read_bytes())
    with pytest.raises(ClipError, match=r"no camera path lies beside it.*bare_cameras\.json"):
        judged(tmp_path, "bare", BundleSolver())

    def absent() -> CamerasFound:
        raise PackageError("pip install it")

    with pytest.raises(PackageError):
        judged(small, "turned", Told({"turned": absent}))
    assert kind_of(REDIRECTOR).default == "bundle"


def test_the_demo_is_filmed_in_the_units_of_the_path() -> None:
    cameras = walk()[[0, 5, FRAMES - 1]]
    inside = demo_along(RequestedPath(cameras.c2w, unit_is_depth=True), 48, 32)[1].c2w
    moved = cameras.c2w.clone()
    moved[:, :3, 3] *= 7
    alone = demo_along(RequestedPath(moved), 48, 32)[1].c2w

    def extent(c2w: torch.Tensor) -> float:
        return float(torch.cdist(c2w[:, :3, 3], c2w[:, :3, 3]).max())

    # As many units as the median depth of the demo's first picture.
    assert extent(inside) / extent(cameras.c2w) == pytest.approx(DEPTH, abs=0.1)
    assert extent(alone) == pytest.approx(DEMO_WALK)
    clip, _ = demo_along(RequestedPath(cameras.c2w), 48, 32)
    assert isinstance(clip, Clip)
    task = CameraTask("x", clip, lambda target: target, False, Path())
    done = follow("camera-redirector", Told({"x": lambda: found(cameras.c2w)}), task, cameras.c2w)
    assert done.values["rot"] == pytest.approx(0, abs=1e-6)
