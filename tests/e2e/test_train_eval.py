"""ns-train and ns-eval: the numbers, their independence of cache and clip, and resuming."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.e2e.commands import both, free_port
from tests.e2e.conftest import FRAMES, HEIGHT, HELD_OUT, STEPS, WIDTH, TrainedRun
from tests.shared import shared_file

TRAINING = FRAMES - len(HELD_OUT)
TIMES = ("seconds", "fps", "num_rays_per_sec")


def strict_json(path: Path) -> dict[str, Any]:
    """Read a file that must be JSON as the standard has it: without NaN and Infinity."""

    def refuse(name: str) -> float:
        raise AssertionError(f"{path} holds {name}")

    return json.loads(path.read_text("utf8"), parse_constant=refuse)


def without_times(value: Any) -> Any:
    """The same numbers less those that a clock decides."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if not k.startswith(TIMES)}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def psnr_of(image: np.ndarray, truth: np.ndarray) -> float:
    return -10 * math.log10(np.mean((image.astype(np.float64) - truth) ** 2) / 255**2)


@pytest.fixture(scope="module")
def evaluated(run: TrainedRun) -> dict[str, Any]:
    run.shell.succeed("ns-eval", "--load-config", run.config, "--output-path", "metrics.json")
    return strict_json(run.shell.folder / "metrics.json")


def test_training_leaves_a_run_folder_that_needs_nothing_else(run: TrainedRun) -> None:
    record = strict_json(run.folder / "training.json")
    assert record["steps"] == STEPS
    assert record["device"] == "cpu"
    assert 0 < record["seconds_train"] < math.inf
    assert (run.folder / "nerfstudio_models" / f"step-{STEPS - 1:09d}.ckpt").is_file()
    assert len(list((run.folder / "scene" / "clip").glob("*.png"))) == FRAMES
    assert str(run.folder) in run.result.output
    assert "Traceback" not in run.result.output
    # Absolute paths, although both were given relative to the working directory.
    config = run.config.read_text("utf8")
    assert "!!python/object/apply:pathlib.PosixPath\n- clip.mp4" not in config


def test_checkpoint_loads_without_trusting_it(run: TrainedRun) -> None:
    path = next((run.folder / "nerfstudio_models").glob("*.ckpt"))
    state = torch.load(path, map_location="cpu", weights_only=True)
    assert state["step"] == STEPS - 1
    assert {key.split(".")[0] for key in state["pipeline"]} == {"_model"} | {
        key.split(".")[0] for key in state["pipeline"] if key.startswith("datamanager")
    }
    # Frames, flow networks or the evaluator's backbone would multiply the size of every checkpoint.
    assert not [key for key in state["pipeline"] if any(word in key for word in ("lpips", "evaluator", "scene"))]


def test_eval_writes_honest_numbers(run: TrainedRun, evaluated: dict[str, Any]) -> None:
    assert evaluated["method_name"] == "neoverse"
    assert evaluated["experiment_name"] == "clip"
    results = evaluated["results"]
    assert results["lpips"] is None
    assert "--pipeline.model.lpips-weights" in results["lpips_note"]
    assert results["protocol"] == "interleaved-time-train"
    assert (results["num_frames"], results["num_held_out"]) == (FRAMES, len(HELD_OUT))
    assert (results["width"], results["height"]) == (WIDTH, HEIGHT)
    assert results["seed"] == 42
    assert results["steps"] == STEPS
    assert {"seconds_decode", "seconds_flow", "seconds_cameras", "seconds_depth", "seconds_train"} <= results.keys()
    assert {"neoverse-ns", "nerfstudio", "torch", "numpy", "python"} <= results["versions"].keys()
    assert 0 < results["num_gaussians_alive"] <= results["num_gaussians"]
    assert [image["frame_index"] for image in results["per_image"]] == list(HELD_OUT)
    for name in ("psnr", "ssim", "psnr_covered", "psnr_static", "psnr_dynamic", "ssim_static", "alpha_coverage"):
        # In pictures as small as these not every frame shows something that is seen to move.
        values = [image[name] for image in results["per_image"] if image[name] is not None]
        assert len(values) == len(HELD_OUT) or name == "psnr_dynamic"
        assert results[name] == pytest.approx(np.mean(values), rel=1e-6), name
        if len(values) > 1:
            assert results[f"{name}_std"] == pytest.approx(np.std(values, ddof=1), rel=1e-4, abs=1e-7), name
    assert 0.95 < results["alpha_coverage"] <= 1
    assert 0 < results["dynamic_share"] < 0.6
    assert results["psnr_dynamic"] < results["psnr"] < results["psnr_static"]
    assert 0.5 < results["ssim"] < 1
    assert results["psnr"] > 20


def test_held_out_frames_are_predicted_better_than_by_repeating_a_neighbour(
    run: TrainedRun, evaluated: dict[str, Any]
) -> None:
    repeated = [
        max(psnr_of(run.frames[i - 1], run.frames[i]), psnr_of(run.frames[i + 1], run.frames[i])) for i in HELD_OUT
    ]
    predicted = [image["psnr"] for image in evaluated["results"]["per_image"]]
    assert np.mean(predicted) > np.mean(repeated) + 1.0


def test_eval_is_the_same_without_cache_and_clip_from_another_folder(
    run: TrainedRun, evaluated: dict[str, Any], tmp_path: Path
) -> None:
    cache, clip = tmp_path / "cache", tmp_path / "elsewhere.mp4"
    shutil.move(run.shell.cache, cache)
    shutil.move(run.clip, clip)
    try:
        run.shell.succeed(
            *("ns-eval", "--load-config", run.config, "--output-path", tmp_path / "again.json"),
            *("--render-output-path", tmp_path / "pictures"),
            cwd=tmp_path,
        )
        # The rasteriser's compiled kernels are cached there too.
        assert not (run.shell.cache / "scenes").exists(), "evaluating a finished run must not reconstruct anything"
    finally:
        shutil.rmtree(run.shell.cache, ignore_errors=True)
        shutil.move(cache, run.shell.cache)
        shutil.move(clip, run.clip)
    assert without_times(strict_json(tmp_path / "again.json")) == without_times(evaluated)
    assert len(list((tmp_path / "pictures").glob("*img*.png"))) == len(HELD_OUT)


def test_lpips_with_a_local_backbone(run: TrainedRun, evaluated: dict[str, Any]) -> None:
    weights = shared_file("weights/alexnet_features.pt").resolve()
    config = run.config.read_text("utf8")
    assert "lpips_weights: null" in config
    tag = "lpips_weights: !!python/object/apply:pathlib.PosixPath\n"
    listed = "".join(f"      - {json.dumps(part)}\n" for part in weights.parts)
    copy = run.folder / "with_lpips.yml"
    copy.write_text(config.replace("lpips_weights: null\n", tag + listed), "utf8")
    run.shell.succeed("ns-eval", "--load-config", copy, "--output-path", "lpips.json")
    results = strict_json(run.shell.folder / "lpips.json")["results"]
    assert 0 < results["lpips"] < 0.6
    assert {"lpips_static", "lpips_dynamic", "lpips_covered"} <= results.keys()
    assert results["psnr"] == evaluated["results"]["psnr"]


def test_resuming_continues_at_the_next_step(run: TrainedRun) -> None:
    result = run.shell.succeed(
        *("ns-train", "neoverse", "--data", "clip.mp4", "--held-out-every", "4", "--vis", "tensorboard"),
        *("--load-dir", run.folder / "nerfstudio_models", "--max-num-iterations", "5", "--output-dir", "out"),
        *("--timestamp", "resumed", "--logging.steps-per-log", "1"),
    )
    assert "taken from the cache" in result.output
    resumed = run.folder.parent / "resumed"
    checkpoints = sorted((resumed / "nerfstudio_models").glob("*.ckpt"))
    assert [path.name for path in checkpoints] == [f"step-{STEPS + 4:09d}.ckpt"]
    first, second = (_scalars(folder, "Train Metrics Dict/psnr") for folder in (run.folder, resumed))
    assert sorted(first) == list(range(STEPS))
    assert sorted(second) == list(range(STEPS, STEPS + 5))
    # The same frames in the rounds before: it must go on from the last one, not begin anew like the first.
    rounds = [{_frame_at(step): psnr for step, psnr in first.items() if step // TRAINING == r} for r in (0, 1)]
    begun, ended = (np.mean([seen[_frame_at(step)] for step in second]) for seen in rounds)
    assert np.mean(list(second.values())) > ended - 0.1 > begun


def _frame_at(step: int) -> int:
    """Which training frame a step draws: each once a round, in an order that the round's number decides."""
    generator = torch.Generator().manual_seed(step // TRAINING)
    return int(torch.randperm(TRAINING, generator=generator)[step % TRAINING])


def _scalars(folder: Path, tag: str) -> dict[int, float]:
    """Values of a tensorboard scalar by step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {event.step: event.value for event in events.Scalars(tag)}


def test_numbers_say_which_frames_between_the_sampled_ones_were_used(run: TrainedRun) -> None:
    shell, sampled = run.shell, ("--num-frames", "7", "--duration", "10", "--held-out-every", "4")
    common = ("--vis", "tensorboard", "--max-num-iterations", "2", "--output-dir", "between", "--timestamp", "t")
    trained = shell.succeed("ns-train", "neoverse", "--data", "clip.mp4", *common, *sampled)
    # Frames 0, 2, ..., 12; the third is held out, and two frames lie between its sampled neighbours.
    said = trained.line_with("between the sampled ones")
    assert said.endswith("4 used to follow what moves, 2 near held-out frames left out")
    config = shell.folder / "between" / "clip" / "neoverse" / "t" / "config.yml"
    evaluated = shell.succeed("ns-eval", "--load-config", config, "--output-path", "between.json")
    results = strict_json(shell.folder / "between.json")["results"]
    assert results["protocol"] == "interleaved-time-m1"
    assert results["tracking"] == {"protocol": "m1", "frames_used": 4, "frames_left_out": 2}
    assert results["protocol_note"] in evaluated.line_with("protocol interleaved-time-m1")
    assert len(results["per_image"]) == results["num_held_out"] == 1


def test_other_methods_and_other_clips_of_the_same_folder(run: TrainedRun) -> None:
    shell = run.shell
    (shell.folder / "second.mp4").write_bytes(run.clip.read_bytes())
    common = ("--output-dir", "out", "--timestamp", "t", "--held-out-every", "4")
    # The viewer is what people get by default; it draws from threads of its own while training goes on.
    viewer = (
        "--vis",
        "viewer",
        "--viewer.quit-on-train-completion",
        "True",
        "--viewer.websocket-port",
        str(free_port()),
    )
    quick = ("neoverse-quick", "--data", "clip.mp4", "--max-num-iterations", "3", *common, *viewer)
    feedforward = ("neoverse-feedforward", "--data", "second.mp4", *common, "--vis", "tensorboard")
    stop = ("--pipeline.model.early-stop.improvement", "0.99", "--pipeline.model.early-stop.steps", str(TRAINING))
    exposure = ("--pipeline.model.exposure.enabled", "True", "--pipeline.model.losses.depth", "0.1")
    # Its stage of refined views is tested by itself; teaching the refiner takes minutes.
    alone = ("--pipeline.refiner.name", "none")
    hq = ("neoverse-hq", "--data", "clip.mp4", *stop, *exposure, *alone, *common, "--vis", "tensorboard")
    both(
        lambda: shell.succeed("ns-train", *feedforward),
        lambda: shell.succeed("ns-train", *quick),
        lambda: shell.succeed("ns-train", *hq),
    )
    # No loss falls by 99 % from one pass to the next, so the second pass is the last one.
    ended = shell.folder / "out" / "clip" / "neoverse-hq" / "t"
    assert strict_json(ended / "training.json")["steps"] == 2 * TRAINING
    assert [f.name for f in ended.glob("*/*.ckpt")] == [f"step-{2 * TRAINING - 1:09d}.ckpt"]
    shell.succeed("ns-eval", "--load-config", ended / "config.yml", "--output-path", "hq.json")
    assert strict_json(shell.folder / "hq.json")["results"]["psnr"] > 20
    folder = shell.folder / "out" / "second" / "neoverse-feedforward" / "t"
    assert strict_json(folder / "training.json")["steps"] == 1
    assert strict_json(shell.folder / "out" / "clip" / "neoverse-quick" / "t" / "training.json")["steps"] == 3
    shell.succeed("ns-eval", "--load-config", folder / "config.yml", "--output-path", "feedforward.json")
    results = strict_json(shell.folder / "feedforward.json")["results"]
    assert results["psnr"] > 17
    assert results["num_held_out"] == len(HELD_OUT)
