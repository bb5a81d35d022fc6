"""What `ns-eval` does not say of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.judges.cameras.geometry import intersection_over_union
from neoverse_ns.evaluation.judges.runs.door import open_trained
from neoverse_ns.evaluation.judges.runs.keyframes import score_keyframes
from neoverse_ns.evaluation.judges.runs.second_view import score_right
from neoverse_ns.evaluation.judges.runs.things import score_depth
from neoverse_ns.reconstruct.scene import Scene


def measure_run(config: Path, sample: BenchmarkClip) -> tuple[dict[str, Any], Scene]:
    """Training keyframes as drawn at the end, and, where the truth is known, the right camera and moving things.

    Args:
        config: The run's config.yml.
        sample: What it was trained on.

    Returns:
        `keyframes` (dB: `mean`, `worst`); `right_aligned` and `right_beside`; `things`: `iou` of the keyframes' motion
        masks, and errors of depth as solved (`solved`) and as drawn (`drawn`), see
        :func:`neoverse_ns.evaluation.judges.runs.things.score_depth`; and what the run was trained on.

    Raises:
        RunError: It cannot be loaded.
    """
    run = open_trained(config)
    _, scene = run.loaded()
    keyframes, drawn = scene.geometry.keyframes, run.drawn_keyframes()
    result: dict[str, Any] = {"keyframes": score_keyframes(drawn, scene.clip, keyframes)}
    if sample.right_frames is not None:
        result |= score_right(sample, run.cameras, run.draw)
    # Repeated or foreign frames may have been left out: then the truth's frames are no longer the scene's.
    if sample.things is not None and sample.depth is not None and len(scene.clip) == len(sample.clip):
        things, truth = sample.things[keyframes], sample.depth[keyframes]
        result["things"] = {
            "iou": intersection_over_union(scene.geometry.dynamic, things > 0),
            "solved": score_depth(scene.geometry.depth, truth, things),
            "drawn": score_depth(drawn.depth, truth, things),
        }
    return result, scene
