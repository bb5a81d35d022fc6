"""What a batch calls `train`: a clip's scene optimised as ns-train neoverse does, and measured on held-out frames."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from neoverse_ns.batch.step import SCENE
from neoverse_ns.errors import RunError
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.reconstruct.config import SceneConfig


@dataclass
class Train:
    """Reconstruct a clip, optimise Gaussians and cameras on its training frames, and measure those held out.

    Writes the folder `scene`, which ns-neoverse render, generate, export and the like take in a run's stead.
    """

    clip: tyro.conf.Positional[Path]
    """Video file, folder of images, or image."""
    output_dir: Path
    """Folder to write to."""
    scene: Annotated[SceneConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=SceneConfig)
    """Which frames, and how they are reconstructed; every eighth is held out, unless --held-out-every says else."""
    optimisation: Annotated[OptimiseConfig, tyro.conf.arg(name="", prefix_name=False)] = field(
        default_factory=OptimiseConfig
    )
    """How long and how fast it is optimised."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where it is optimised; decides the default number and size of frames, too."""

    def run(self) -> dict[str, float]:
        """Optimise and write.

        Returns:
            PSNR of the held-out frames, dB, where there are any.

        Raises:
            ClipError, SettingsError, ReconstructionError, WeightsError: The clip cannot be reconstructed as asked.
            RunError: The output folder cannot be written.
        """
        from neoverse_ns.optimise.held_out import held_out_psnr
        from neoverse_ns.optimise.loop import optimise
        from neoverse_ns.reconstruct.cache import cached_scene
        from neoverse_ns.reconstruct.store import save_scene

        self.optimisation.validate()
        scene = optimise(cached_scene(self.clip, self.scene, self.device), self.optimisation, self.device)
        psnr = held_out_psnr(scene, self.optimisation.draw_options)
        numbers = {} if psnr is None else {"psnr": psnr}
        if numbers:
            geometry = scene.geometry
            geometry = dataclasses.replace(geometry, report={**geometry.report, "held_out": numbers})
            scene = dataclasses.replace(scene, geometry=geometry)
        try:
            save_scene(scene, self.output_dir / SCENE)
        except OSError as error:
            raise RunError(f"cannot write to {self.output_dir} ({error.strerror or error})") from error
        return numbers
