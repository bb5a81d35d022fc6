"""This package as a method: reconstruct the inputs, optimise, place the targets' cameras, draw, and finish."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from neoverse_ns.applications.finish import checked_refiner, finish
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.evaluation.judges.views.task import Answer, Shown, ViewMethod, ViewTask
from neoverse_ns.evaluation.methods.camera_solver import chained, input_scene, solve_together
from neoverse_ns.evaluation.methods.ours_check import check_ours
from neoverse_ns.evaluation.methods.seeds import UNUSED_SEED, seeded, uses_seed
from neoverse_ns.evaluation.placing.place import looks_at_targets, place
from neoverse_ns.evaluation.placing.placed import Placed
from neoverse_ns.evaluation.placing.tto import Perceptual, improve_camera, with_cameras
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.perceptual import ALEXNET
from neoverse_ns.metrics.perceptual_weights import load_perceptual
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.optimise.loop import optimise
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.given_world import given_world
from neoverse_ns.reconstruct.registry import beyond_settings, choose_reconstructor
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.render.pictures import colours
from neoverse_ns.trajectory.plain_json import plain
from neoverse_ns.trajectory.trajectory import Trajectory

TOLD = ("kind", "reason", "confidence", "doubts", "focal_px", "focal_from", "residual_px", "parallax_degrees")
"""What of a scene's report goes into the results."""


@dataclass
class OursConfig:
    """What this package does with the inputs; a row of an ablation is another one of these."""

    scene: SceneConfig = field(default_factory=lambda: SceneConfig(held_out_every=0))
    """Which reconstructor, and how; no input is held out, whatever this says."""
    optimise: OptimiseConfig = field(default_factory=OptimiseConfig)
    """How the scene is optimised on the inputs; with 0 steps it stays as it was reconstructed."""
    refiner: RefinerConfig = field(default_factory=RefinerConfig)
    """Who finishes the targets' views."""
    device: str = "cpu"
    """Where it runs."""
    tto_alexnet: Path | None = None
    """File with torchvision's AlexNet; with it, cameras that are improved by their pictures heed LPIPS besides."""


class Ours(ViewMethod):
    """See :class:`OursConfig`.

    Args:
        config: Settings.
        name: In tables; by default what the settings say.
    """

    def __init__(self, config: OursConfig | None = None, name: str | None = None) -> None:
        self.config = config or OursConfig()
        self.solver = choose_reconstructor(self.config.scene).name
        steps, refiner = self.config.optimise.steps, self.config.refiner.refiner
        parts = [self.solver, f"{steps} steps" if steps else "feed-forward", *([] if refiner == "none" else [refiner])]
        self.name = name or f"ours({', '.join(parts)})"

    @property
    def device(self) -> str:
        return self.config.device

    def check(self) -> None:
        """See :func:`~neoverse_ns.evaluation.methods.ours_check.check_ours`."""
        check_ours(self.config.scene, self.config.refiner, self.config.device)

    def settings(self) -> dict[str, Any]:
        """Everything that decides the answer but the task's seed, as plain values."""
        stored = plain(dataclasses.asdict(self.config))
        # Those are not used: every task brings its own.
        for part in (stored["scene"]["bundle"], stored["scene"]["da3"], stored["refiner"]):
            del part["seed"]
        return stored

    def weights(self) -> dict[str, str]:
        """What besides the settings decides it: the digest of the network's weights, where it runs."""
        return {name: said for name, said in zip(("network",), beyond_settings(self.config.scene), strict=False)}

    def answer(self, task: ViewTask) -> Answer:
        """See :class:`ViewMethod`.

        Raises:
            ReconstructionError, ClipError: Nothing can be shown of this scene.
            SettingsError, WeightsError, RefinementError: The settings cannot be used here.
        """
        config, seconds = seeded(self.config, task.seed), {}
        refiner = checked_refiner(config.refiner)
        started = time.perf_counter()
        scene, kept = input_scene(task, config.scene)
        seconds |= _stages(scene, time.perf_counter() - started)
        # Motion is taken away where optimisation begins, be it of no steps.
        if config.optimise.steps or config.optimise.motion != "both":
            started = time.perf_counter()
            scene = optimise(scene, dataclasses.replace(config.optimise), config.device)
            seconds["optimise"] = time.perf_counter() - started
        started = time.perf_counter()
        task = task.part(kept)
        found, about = scene.geometry.cameras, scene.geometry.report
        placed = place(
            task,
            found,
            given_world(about),
            lambda joint: solve_together(joint, config.scene, scene.geometry),
            chained(config.scene),
        )
        report: dict[str, Any] = {
            "reconstructor": self.solver,
            "steps": config.optimise.steps,
            "refiner": config.refiner.refiner,
            "seed": task.seed if uses_seed(config) else UNUSED_SEED,
            "keyframes": len(scene.split.keyframes),
            "placing": task.placing,
            "looks_at_targets": looks_at_targets(task.placing, task.tto),
            "inputs_used": list(task.names),
            "scene": {name: about[name] for name in TOLD if name in about},
        }
        if task.tto:
            placed, report["tto"] = self._improved(scene, task, placed)
        seconds["placing"] = time.perf_counter() - started
        answer = Answer(iter(()), seconds, plain(report))
        answer.views = self._views(scene, task, placed, config.refiner, refiner, seconds)
        return answer

    def _improved(self, scene: Scene, task: ViewTask, placed: Placed) -> tuple[Placed, dict[str, Any]]:
        """Cameras improved by the targets' pictures, and what came of it."""
        peek, gaussians = task.peek, scene.gaussians
        if peek is None:
            raise SettingsError(f"{task.scene}: its protocol does not let anybody look at the targets")
        if gaussians is None:
            raise RunError("the scene has no Gaussians")
        gaussians, distance = gaussians.to(self.config.device), self._distance()
        improved = [
            improve_camera(
                gaussians,
                min(max(target.time, 0.0), 1.0),
                placed.c2w[number],
                placed.K[number],
                peek(target),
                task.tto,
                self.config.optimise.draw_options,
                distance,
            )
            for number, target in enumerate(task.targets)
        ]
        about = {
            "loss": "mse" if distance is None else "mse + lpips-alex",
            "steps": [one.steps for one in improved],
            "first": [one.first for one in improved],
            "last": [one.last for one in improved],
        }
        return with_cameras(placed, improved), about

    def _distance(self) -> Perceptual | None:
        if self.config.tto_alexnet is None:
            return None
        network = load_perceptual(ALEXNET, self.config.tto_alexnet)
        assert network is not None, "a file that is named is loaded or refused"

        def distance(shown: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
            first, second = torch.stack([shown, truth]).permute(0, 3, 1, 2).split(1)
            return torch.stack([layer.mean() for layer in network.layers(first, second)]).sum()

        return distance

    def _views(
        self,
        scene: Scene,
        task: ViewTask,
        placed: Placed,
        finishing: RefinerConfig,
        refiner: Any,
        seconds: dict[str, float],
    ) -> Iterator[Shown]:
        """Views of one camera and size after the other, in time order, as a refiner wants them."""
        groups: dict[tuple[str, int, int], list[int]] = {}
        for number, target in enumerate(task.targets):
            groups.setdefault((target.camera, target.width, target.height), []).append(number)
        ready = ExportScene.of(scene, self.config.optimise.draw_options)
        ready = dataclasses.replace(ready, gaussians=ready.gaussians.to(self.config.device))
        stage = "draw" if finishing.refiner == "none" else "finish"
        for (_, width, height), numbers in groups.items():
            numbers = sorted(numbers, key=lambda number: task.targets[number].time)
            cameras = PinholeCameras(placed.c2w[numbers].float(), placed.K[numbers].float(), width, height)
            times = torch.tensor([task.targets[number].time for number in numbers]).clamp(0, 1)
            pictures = self._pictures(ready, Trajectory(cameras, times), finishing, refiner)
            for number in numbers:
                started = time.perf_counter()
                rgb, alpha = next(pictures)
                seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - started
                yield Shown(task.targets[number].name, rgb, alpha)

    def _pictures(
        self, scene: Any, path: Trajectory, finishing: RefinerConfig, refiner: Any
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
        """Frames along a path, with the opacity of surfaces where they are shown as drawn."""
        if finishing.refiner == "none":
            black = torch.zeros(3)
            for view in views_along(scene.gaussians, path.cameras, path.times, scene.options):
                yield colours(view, black), view.seen[0, ..., 0].cpu()
            return
        for piece in finish(scene, path, finishing, refiner, first_frame=False).frames:
            for frame in piece:
                yield frame, None


def _stages(scene: Scene, took: float) -> dict[str, float]:
    """What the reconstructor says that its parts took; what it does not account for is `reconstruct`."""
    parts = {name: value for name, value in scene.geometry.report["seconds"].items() if name != "reconstruct_total"}
    return parts | {"reconstruct": max(took - sum(parts.values()), 0.0)}
