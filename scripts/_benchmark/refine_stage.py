"""Refined views as a stage of training: what held-out frames and an unseen camera gain or lose by it."""

from __future__ import annotations

import json
import time
from typing import Any

from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.judges.runs.second_view import score_right
from neoverse_ns.evaluation.methods.train_run import TrainSettings, command, train_arguments


def measure_stage(sample: BenchmarkClip, settings: TrainSettings, refiner: str, further_steps: int) -> dict[str, Any]:
    """Train once without the stage, then go on from there twice: with as many steps, and with the stage.

    So all three share their photometric optimisation, and what the stage does is told from what more steps do.

    Args:
        sample: The frames; a right camera is judged where there is one.
        settings: How the clip is trained; the method should not have the stage on by itself.
        refiner: Who refines.
        further_steps: Steps of the stage.

    Returns:
        `without`, `steps` and `refined`, each with what ns-eval writes, the right camera's scores, the number of
        `inpainted` Gaussians, and the `seconds` of its ns-train.

    Raises:
        RunError: A command failed.
    """
    results = {"without": _train(sample, settings, "without", [])}
    checkpoints = settings.output_dir / sample.name / settings.method / "without" / "nerfstudio_models"
    go_on = ["--load-dir", str(checkpoints), "--max-num-iterations"]
    results["steps"] = _train(sample, settings, "steps", [*go_on, str(further_steps)])
    stage = {"refiner.name": refiner, "refiner.further-steps": further_steps}
    flags = [part for name, value in stage.items() for part in (f"--pipeline.{name}", str(value))]
    results["refined"] = _train(sample, settings, "refined", [*go_on, "0", *flags])
    return results


def _train(sample: BenchmarkClip, settings: TrainSettings, name: str, flags: list[str]) -> dict[str, Any]:
    run = settings.output_dir / sample.name / settings.method / name
    started = time.perf_counter()
    command("ns-train", *train_arguments(sample, settings, name), *flags)
    seconds = time.perf_counter() - started
    metrics = run / "metrics.json"
    command("ns-eval", "--load-config", str(run / "config.yml"), "--output-path", str(metrics))
    result = json.loads(metrics.read_text("utf8"))["results"] | {"seconds": seconds}
    # Importing nerfstudio takes seconds, which measuring refiners alone should not cost.
    from neoverse_ns.gaussians.layers import INPAINTED
    from neoverse_ns.plugin.run import open_run

    trained = open_run(run / "config.yml")
    model, _ = trained.loaded()
    result["inpainted"] = len(model.gaussians.layer(INPAINTED))
    if sample.right_frames is not None:
        result |= score_right(sample, trained.cameras, trained.draw)
    return result
