"""A run's scene of a protocol's inputs, and its targets beside it."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.evaluation.judges.views.make_task import view_task
from neoverse_ns.evaluation.judges.views.targets import TargetJudge
from neoverse_ns.evaluation.judges.views.task import ViewTask
from neoverse_ns.evaluation.methods.camera_solver import chained, input_scene, solve_together
from neoverse_ns.evaluation.placing.predict_all import together
from neoverse_ns.plugin.benchmark.opened import OpenedBenchmark, open_benchmark
from neoverse_ns.plugin.benchmark.source import BenchmarkSource
from neoverse_ns.plugin.benchmark.targets import (
    FOLDER,
    RunTargets,
    Truth,
    are_saved_targets,
    load_targets,
    save_targets,
)
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.registry import choose_reconstructor
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.store import is_saved_scene, load_scene, save_scene


def load_or_build(
    source: BenchmarkSource, config: SceneConfig, device: str, folder: Path | None
) -> tuple[Scene, RunTargets]:
    """What a run's folder holds, or else the inputs reconstructed, and everything written there.

    Args:
        source: Protocol and data.
        config: How inputs are reconstructed.
        device: Where they will be trained; decides the default size.
        folder: Of the run's scene.

    Raises:
        ClipError, SettingsError, ReconstructionError: It can be neither read nor made.
        RunError: There is no folder, it is damaged, or it cannot be written.
    """
    if folder is None:
        raise RunError("a benchmark's scene needs a run folder: start it by ns-train")
    if is_saved_scene(folder) and are_saved_targets(folder / FOLDER):
        return load_scene(folder), load_targets(folder / FOLDER)
    opened = open_benchmark(source)
    with tempfile.TemporaryDirectory(prefix="neoverse-benchmark-") as work:
        scene, targets = build(opened, config, device, Path(work))
    judge, frames = TargetJudge(opened.protocol, opened.scene), opened.choice.targets
    try:
        save_scene(scene, folder, with_gaussians=False)
        targets = save_targets(targets, folder / FOLDER, lambda index: Truth(*judge.truth(frames[index])))
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write {folder} ({reason}): free space, or choose another --output-dir") from error
    return dataclasses.replace(scene, folder=folder), targets


def build(opened: OpenedBenchmark, config: SceneConfig, device: str, work: Path) -> tuple[Scene, RunTargets]:
    """Reconstruct the inputs, of which alone pictures are read; the solver sees targets where the protocol lets it.

    Args:
        opened: Protocol and frames.
        config: How inputs are reconstructed.
        device: Where they will be trained.
        work: Folder for what is only needed meanwhile.

    Raises:
        ClipError, SettingsError, ReconstructionError: See :func:`load_or_build`.
    """
    _check(config)
    protocol, choice = opened.protocol, opened.choice
    task = view_task(protocol, opened.scene, choice, work, longest=_longest(opened, config), device=device)
    scene, kept = input_scene(task, config)
    return scene, _targets(opened, task.part(kept), config, scene.geometry)


def _targets(opened: OpenedBenchmark, task: ViewTask, config: SceneConfig, found: SceneGeometry) -> RunTargets:
    protocol, solver = opened.protocol, choose_reconstructor(config).name
    alone = protocol.scenes is not None and len(protocol.scenes) == 1
    targets = RunTargets(
        alias=protocol.alias,
        id=protocol.full_id(solver, None if alone else [task.scene]),
        note=protocol.note,
        placing=protocol.cameras,
        mask=protocol.mask,
        metrics=protocol.metrics,
        scene=task.scene,
        inputs=task.names,
        targets=task.targets,
        skipped=opened.choice.skipped,
        input_cameras=task.input_cameras,
        cameras=task.cameras,
    )
    if not protocol.cameras.startswith("predict-all"):
        return targets
    joint = together(task, chained(config))
    solved = solve_together(joint, config, found)
    places = {"joint_inputs": tuple(joint.inputs), "joint_targets": tuple(joint.targets)}
    return dataclasses.replace(targets, joint=solved, **places)


def _longest(opened: OpenedBenchmark, config: SceneConfig) -> int | None:
    """Longer side of the inputs where --width says how wide they shall be."""
    first = opened.choice.inputs[0]
    width = config.clip.width
    return None if width is None else round(width * max(first.width, first.height) / first.width)


def _check(config: SceneConfig) -> None:
    """Refuse what the protocol decides."""
    usual = SceneConfig()
    changed = [
        f"--{field.name.replace('_', '-')}"
        for field in dataclasses.fields(ClipConfig)
        if field.name != "width" and getattr(config.clip, field.name) != getattr(usual.clip, field.name)
    ]
    for name in ("held_out_every", "tracking", "priors"):
        if getattr(config, name) != getattr(usual, name):
            changed.append(f"--{name.replace('_', '-')}")
    if changed:
        raise SettingsError(f"{', '.join(changed)}: a protocol chooses frames and cameras itself; leave this out")
