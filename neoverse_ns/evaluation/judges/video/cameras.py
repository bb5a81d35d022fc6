"""Camera accuracy of generated video, always beside what the same estimator gives where nothing was generated."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.data.videos.scene import VideoScene
from neoverse_ns.evaluation.judges.cameras.frames_clip import write_numbered
from neoverse_ns.evaluation.judges.cameras.judge import SCENE, SOLVED
from neoverse_ns.evaluation.judges.cameras.make_task import scene_task, told
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CameraTask
from neoverse_ns.evaluation.judges.video.demo_path import RequestedPath, demo_along
from neoverse_ns.evaluation.judges.video.path_accuracy import MOTION, ROTATION, TRANSLATION, Followed, follow
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.plain_json import plain
from neoverse_ns.whole_file import write_whole

ON_RENDER, ON_INPUT = "control-render", "control-input"
"""Control rows: the estimator on the true render of the path asked for, through the demo scene, which is the floor
below which nothing can be told apart; and on the input video against its known cameras, where there are any."""


def judge_video_cameras(
    protocol: Protocol,
    scene: BenchmarkScene,
    choice: Choice,
    method: CameraMethod,
    *,
    work: Path,
    seed: int = 0,
) -> SceneResult:
    """Measure how well a video follows the path that lies beside it, with both control rows.

    Args:
        protocol: Its first metric names the measure, `camera-redirector-rot` and the like.
        scene: The video, its frames' cameras those asked for.
        choice: All of its frames.
        method: The estimator.
        work: Folder that true renders' results are kept in: videos along one path share them.
        seed: Of everything random.

    Raises:
        ClipError: A frame cannot be read.
        PackageError: The estimator cannot be run here at all.
    """
    measure = measure_of(protocol)
    folder = work / scene.name
    task, requested = scene_task(scene, choice.inputs, folder, seed)
    clip = task.clip
    # The protocol's rule refuses videos without a path.
    assert requested is not None
    result = SceneResult(scene.name, method.name, [frame.name for frame in choice.inputs])
    result.attempted = dict.fromkeys(protocol.metrics, 1)
    result.attempted[SOLVED] = len(clip)
    video = follow(measure, method, told(task, method, requested), requested.c2w)
    _put(result, video.rows(measure))
    result.values[SOLVED] = {frame.name: 1.0 for frame in choice.inputs} if video.placed == video.frames else {}
    result.seconds, result.peak_gb = video.seconds, video.peak_gb
    result.report = plain({"estimator": video.report, "unsolved": video.unsolved, "controls": {}})
    result.skipped += [text for text in (video.unsolved, video.reason) if text is not None]
    control = _on_render(measure, method, scene, requested, clip.width, clip.height, work, seed)
    _control(result, ON_RENDER, control)
    known = _on_input(measure, method, scene, folder, seed)
    if known is None:
        result.skipped.append(f"{ON_INPUT}: no input video with known cameras lies beside it")
        for name in (ROTATION, TRANSLATION, MOTION):
            result.attempted.pop(f"{ON_INPUT}-{name}", None)
    else:
        _control(result, ON_INPUT, known)
    return result


def measure_of(protocol: Protocol) -> str:
    """The measure's id, from the first metric of a protocol."""
    return protocol.metrics[0].removesuffix(f"-{ROTATION}")


def _put(result: SceneResult, rows: dict[str, float]) -> None:
    for name, value in rows.items():
        if name in result.attempted:
            result.values[name] = {SCENE: value}


def _control(result: SceneResult, name: str, followed: Followed) -> None:
    _put(result, {f"{name}-{kind}": value for kind, value in followed.values.items()})
    facts = {"values": followed.values, "placed": followed.placed, "frames": followed.frames}
    result.report["controls"][name] = plain(facts | {"unsolved": followed.unsolved, "reason": followed.reason})
    if followed.unsolved is not None:
        result.skipped.append(f"{name}: {followed.unsolved}")


def _on_render(
    measure: str,
    method: CameraMethod,
    scene: BenchmarkScene,
    requested: PinholeCameras,
    width: int,
    height: int,
    work: Path,
    seed: int,
) -> Followed:
    """The estimator on the demo filmed along the path; done once for videos of one path and size."""
    own = isinstance(scene, VideoScene)
    path = RequestedPath(
        requested.c2w.double(),
        scene.times if own else None,
        requested.K if bool(requested.K.isfinite().all()) else None,
        own and scene.own_world,
    )
    kept = work / "controls" / f"{measure}-{_key(path, method, width, height, seed)}.json"
    if kept.is_file():
        try:
            return Followed(**json.loads(kept.read_text("utf8")))
        except (OSError, ValueError, TypeError) as error:
            raise ClipError(f"{kept}: is damaged ({error}): remove it, and it is made again") from error
    clip, cameras = demo_along(path, width, height)
    task = CameraTask(
        "demo", clip, lambda target: write_numbered(clip.frames, target), False, kept.with_suffix(""), seed
    )
    followed = follow(measure, method, told(task, method, cameras), cameras.c2w)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_whole(kept, json.dumps(plain(vars(followed))))
    return followed


def _key(path: RequestedPath, method: CameraMethod, width: int, height: int, seed: int) -> str:
    value = hashlib.sha256(repr((method.name, method.settings(), width, height, seed, path.unit_is_depth)).encode())
    for tensor in (path.c2w, path.times, path.K):
        value.update(b"none" if tensor is None else tensor.double().contiguous().numpy().tobytes())
    return value.hexdigest()[:16]


def _on_input(measure: str, method: CameraMethod, scene: BenchmarkScene, folder: Path, seed: int) -> Followed | None:
    if not isinstance(scene, VideoScene) or scene.input is None:
        return None
    given = VideoScene(scene.input, f"{scene.name} (input)")
    if given.frames[0].c2w is None:
        return None
    task, known = scene_task(given, given.frames, folder / "input", seed)
    assert known is not None
    return follow(measure, method, told(task, method, known), known.c2w)
