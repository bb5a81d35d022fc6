"""Photometric optimisation of a reconstructed scene: one call, no nerfstudio."""

from __future__ import annotations

import dataclasses
import time

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress, say
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.optimise.camera_twists import CameraTwists
from neoverse_ns.optimise.config import FINAL_RATE, OptimiseConfig
from neoverse_ns.optimise.cosine import Cosine
from neoverse_ns.optimise.frame_order import frame_of_step
from neoverse_ns.optimise.optimisation import SceneOptimisation
from neoverse_ns.optimise.row_adam import RowAdam
from neoverse_ns.rasterize.drawing import depth_or_far
from neoverse_ns.reconstruct.given_world import cameras_given
from neoverse_ns.reconstruct.scene import Scene


def optimise(scene: Scene, config: OptimiseConfig | None = None, device: torch.device | str = "cpu") -> Scene:
    """Optimise a scene's Gaussians, and its cameras with them, on the pixels of its training frames.

    Deterministic on a CPU: the same scene and settings give the same result. On a GPU gradients are added in any order,
    so that results differ in their last digits. Held-out frames lend nothing; their cameras follow those of their
    training neighbours. Cameras that were given stay where they are, whatever `config` says.

    Args:
        scene: As reconstructed.
        config: See :class:`OptimiseConfig`.
        device: Where it runs; the result lies on the CPU.

    Returns:
        The scene with other Gaussians and cameras; its report says what was done under "optimise".

    Raises:
        SettingsError: A setting is out of range, or there is no such device.
        RunError: The scene was loaded without Gaussians.
    """
    config = config or OptimiseConfig()
    config.validate()
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise SettingsError("there is no CUDA device to optimise on: use device cpu")
    if scene.gaussians is None:
        raise RunError("this scene was loaded without Gaussians: reconstruct the clip, or load them from a checkpoint")
    started = time.perf_counter()
    run = _Run(scene, config, device)
    done = 0
    with progress("optimising", config.steps) as steps:
        for step in range(config.steps):
            run.step(step)
            done = step + 1
            steps.advance()
            if run.optimisation.early_stop.stalled:
                say(f"the loss has stopped falling: ending after {done} steps")
                break
    seconds = time.perf_counter() - started
    said = {"steps": done, "seconds": seconds, "device": str(device), "draw": dataclasses.asdict(config.draw_options)}
    report = {**scene.geometry.report, "optimise": said}
    geometry = dataclasses.replace(scene.geometry, cameras=run.cameras(), report=report)
    return dataclasses.replace(scene, geometry=geometry, gaussians=run.optimisation.scene.detach().to("cpu"))


class _Run:
    """Everything that a step needs, on the device."""

    def __init__(self, scene: Scene, config: OptimiseConfig, device: torch.device | str) -> None:
        if cameras_given(scene.geometry.report):
            config = dataclasses.replace(config, cameras=False)
        self._scene, self._config, self._device = scene, config, device
        self.optimisation = SceneOptimisation(scene, config).to(device)
        self._twists = CameraTwists(scene.split.train, scene.split.held_out).to(device)
        groups = self.optimisation.groups()
        if config.cameras:
            groups["camera_opt"] = list(self._twists.parameters())
        rates = config.rates()
        self._optimiser = RowAdam([{"params": group, "lr": rates[name]} for name, group in groups.items()])
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, Cosine(config.steps, FINAL_RATE))
        cameras = scene.geometry.cameras
        self._viewmats, self._K = cameras.viewmats.to(device), cameras.K.to(device)

    def step(self, step: int) -> None:
        """Draw a training frame, and move everything a little toward what it shows."""
        split, cameras = self._scene.split, self._scene.geometry.cameras
        frame = split.train[frame_of_step(step, len(split.train))]
        drawing = self.optimisation.draw_step(
            frame, step, self._corrected([frame]), self._K[frame][None], cameras.width, cameras.height
        )
        rgb = self.optimisation.exposure.apply_to(drawing.rgb[0], frame)
        image = self._scene.clip.frames[frame].to(self._device).to(rgb.dtype) / 255
        depth = depth_or_far(drawing)[0]
        losses = self.optimisation.losses(rgb, depth, drawing.alpha[0], image, frame, step)
        self.optimisation.note(losses)
        self._optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self._optimiser.step()
        self._schedule.step()

    def _corrected(self, frames: list[int]) -> Float[Tensor, "m 4 4"]:
        viewmats = self._viewmats[frames]
        return self._twists(viewmats, torch.tensor(frames, device=self._device)) if self._config.cameras else viewmats

    @torch.no_grad()
    def cameras(self) -> PinholeCameras:
        """All sampled frames' cameras as they stand, on the CPU."""
        cameras = self._scene.geometry.cameras
        if not self._config.cameras:
            return cameras
        viewmats = self._corrected(list(range(len(cameras)))).cpu()
        return PinholeCameras(torch.linalg.inv(viewmats), cameras.K, cameras.width, cameras.height)
