"""Judging views of frames that a method was not given."""

from __future__ import annotations

import re
import time
from pathlib import Path

from PIL import Image

from neoverse_ns.errors import ClipError, MemoryShortageError, ReconstructionError
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.judges.views.make_task import view_task
from neoverse_ns.evaluation.judges.views.targets import TargetJudge
from neoverse_ns.evaluation.judges.views.task import Answer, Shown, ViewMethod, ViewTask
from neoverse_ns.evaluation.judges.views.there import judged_size, there_alone
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.evaluation.results.scene_result import SceneResult


def judge_views(
    protocol: Protocol,
    scene: BenchmarkScene,
    choice: Choice,
    method: ViewMethod,
    *,
    work: Path,
    seed: int = 0,
    longest: int | None = None,
    device: str | None = None,
    keep: Path | None = None,
    alexnet: Path | None = None,
    vgg16: Path | None = None,
) -> SceneResult:
    """Give a method the inputs alone, and compare what it shows with the targets, one at a time.

    Args:
        protocol: What is measured.
        scene: Where.
        choice: Which frames.
        method: Who is judged.
        work: Folder that the method may write to.
        seed: Of everything random.
        longest: See :func:`neoverse_ns.evaluation.judges.views.make_task.view_task`.
        device: Where the method works, which decides the usual size of its pictures; None asks the method.
        keep: Folder to which shown pictures are written; None keeps none.
        alexnet: See :class:`neoverse_ns.evaluation.judges.views.targets.TargetJudge`.
        vgg16: Likewise.

    Returns:
        What was found; where the method cannot show anything of the scene, why.

    Raises:
        LeakError: A frame is both given and judged by.
        ClipError: The data set's own files cannot be read.
        SettingsError: The protocol cannot be measured so.
    """
    asked = choice
    choice, gone = there_alone(protocol, scene, choice)
    judge = TargetJudge(protocol, scene, alexnet, vgg16)
    result = SceneResult(scene.name, method.name, skipped=[*choice.skipped, *gone])
    result.attempted = {name: len(asked.targets) for name in protocol.metrics}
    started = time.perf_counter()
    working = device or getattr(method, "device", "cpu")
    task = view_task(protocol, scene, choice, work, seed=seed, longest=longest, device=working)
    result.inputs = list(task.names)
    result.report = {"input_size": [task.clip.width, task.clip.height], "solver": method.solver}
    result.report |= judged_size(protocol, choice)
    result.seconds = {"inputs": time.perf_counter() - started}
    _answer(task, method, choice, judge, result, keep)
    result.skipped += judge.skipped
    return result


def _answer(
    task: ViewTask, method: ViewMethod, choice: Choice, judge: TargetJudge, result: SceneResult, keep: Path | None
) -> None:
    """Let the method answer, and write down what that was worth, or why there is no answer."""
    try:
        with PeakMemory() as memory:
            answer = method.answer(task)
            _compare(answer, choice, judge, result, keep)
        result.peak_gb = memory.peak_gb
        result.report |= answer.report
        result.seconds |= answer.seconds
    except (ReconstructionError, MemoryShortageError) as error:
        result.failed = str(error)
        result.values, result.seconds = {}, {}


def _compare(answer: Answer, choice: Choice, judge: TargetJudge, result: SceneResult, keep: Path | None) -> None:
    """Measure views as they come; those that never come are told."""
    frames = {frame.name: frame for frame in choice.targets}
    values: dict[str, dict[str, float]] = {name: {} for name in judge.measured}
    for view in answer.views:
        frame = frames.pop(view.name, None)
        if frame is None:
            raise ClipError(f"{result.method} shows {view.name}, which was not asked for, or twice")
        for name, value in judge.measure(frame, view.rgb).items():
            values[name][view.name] = value
        if keep is not None:
            _write(view, keep)
    result.values = values
    if frames:
        result.skipped.append(f"{result.method} shows nothing of {', '.join(frames)}")


def _write(view: Shown, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(view.rgb.numpy()).save(folder / f"{re.sub('[^A-Za-z0-9.-]+', '_', view.name)}.png")
