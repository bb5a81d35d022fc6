"""Our own clips, by the commands that users have: the figures of `ns-train` and `ns-eval` under a protocol's name."""

from __future__ import annotations

import math
from pathlib import Path

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.data.clips.scene import ClipScene
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.judges.cameras.geometry import sample_notes
from neoverse_ns.evaluation.methods.run_methods import RunMethod, RunTask
from neoverse_ns.evaluation.protocol.clip_rules import Sampled
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.trajectory.plain_json import plain


def judge_runs(
    protocol: Protocol,
    scene: BenchmarkScene,
    choice: Choice,
    method: RunMethod,
    *,
    work: Path,
    seed: int = 42,
    alexnet: Path | None = None,
    vgg16: Path | None = None,
) -> SceneResult:
    """Train on a clip's frames and evaluate, or ask a baseline on the same ones.

    Args:
        protocol: Its rule must be :class:`Sampled`.
        scene: A clip folder.
        choice: Of the rule.
        method: Who is measured.
        work: Folder for runs.
        seed: Of training.
        alexnet: Weights for LPIPS; None searches torch's cache.
        vgg16: Not used: `ns-eval` has no LPIPS by VGG.

    Raises:
        SettingsError: The protocol is of another kind of data.
        RunError: A command failed; the message has its last lines.
    """
    rule = protocol.rule
    if not isinstance(rule, Sampled) or not isinstance(scene, ClipScene):
        raise SettingsError(f"{protocol.alias} is not of clip folders, which alone are trained and evaluated as runs")
    sample = scene.sample(choice.inputs, work)
    beside = protocol.cameras == "beside"
    task = RunTask(sample, rule.judged, beside, rule.tracking or "m1", work, seed, alexnet)
    result = SceneResult(scene.name, method.name, [frame.name for frame in choice.inputs])
    result.skipped = [*choice.skipped, *sample_notes(sample, rule.window)]
    answer = method.measure(task)
    result.seconds, result.peak_gb, result.report = dict(answer.seconds), answer.peak_gb, plain(answer.report)
    for metric in protocol.metrics:
        measured = answer.values.get(metric, {})
        known = {name: float(value) for name, value in measured.items() if value is not None}
        finite = {name: value for name, value in known.items() if math.isfinite(value)}
        result.attempted[metric] = len(measured) or len(choice.targets)
        if finite:
            result.values[metric] = finite
        same = [name for name, value in known.items() if math.isinf(value)]
        if same:
            result.skipped.append(f"{metric}: frames {', '.join(same)} are equal to the truth")
    return result
