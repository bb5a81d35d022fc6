"""`ns-neoverse reconstruct`: a clip's 4D scene as files that other programs read."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from neoverse_ns.console import say
from neoverse_ns.errors import RunError
from neoverse_ns.export.moment import Moment
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.reconstruct.config import SceneConfig

if TYPE_CHECKING:
    from neoverse_ns.reconstruct.scene import Scene


def _all_frames() -> SceneConfig:
    return SceneConfig(held_out_every=0)


@dataclass
class Reconstruct:
    """Cameras, depth and 4D Gaussians of a clip, as they come from the reconstructor or optimised on the clip.

    Writes cameras.json (OpenCV camera-to-world, intrinsics in pixels), depth.npz, gaussians.ply (one instant, for any
    splat viewer), gaussians_4d.ply (all keyframes and layers with their motion, for programs), cameras.tum, the frames
    with a nerfstudio transforms.json and its points, and a COLMAP model with the frames beside it.

    The scene may be kept, too, for this package's other commands:

    ns-neoverse reconstruct clip.mp4 --output-dir out --optimise --keep-scene

    ns-neoverse render out/scene --trajectory orbit_left --output orbit.mp4
    """

    clip: tyro.conf.Positional[Path]
    """Video file, folder of images, or image."""
    output_dir: Path
    """Folder to write to; created where needed."""
    # Switches take True or False, as they do for ns-train.
    scene: tyro.conf.FlagConversionOff[Annotated[SceneConfig, tyro.conf.arg(name="", prefix_name=False)]] = field(
        default_factory=_all_frames
    )
    """Which frames, and how they are reconstructed."""
    optimise: bool = False
    """Optimise Gaussians and cameras on the clip's pixels, as ns-train neoverse does."""
    optimisation: OptimiseConfig = field(default_factory=OptimiseConfig)
    """How, where `--optimise` is given."""
    moment: Annotated[Moment, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=Moment)
    """Which instant gaussians.ply shows."""
    keep_scene: bool = False
    """Write the folder `scene`, too, which ns-neoverse render, generate, export and the like take in a run's stead."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where it is optimised; decides the default number and size of frames, too."""

    def run(self) -> None:
        """Reconstruct (or take from the cache), optimise where that is asked for, and write.

        Raises:
            ClipError, SettingsError, ReconstructionError: The clip cannot be reconstructed as asked.
            RunError: The output folder cannot be written.
        """
        from neoverse_ns.export.scene_files import write_reconstruction
        from neoverse_ns.optimise.loop import optimise
        from neoverse_ns.reconstruct.cache import cached_scene

        self.moment.validate()
        self.optimisation.validate()
        scene = cached_scene(self.clip, self.scene, self.device)
        time = self.moment.among(scene.clip.times)
        options = None
        if self.optimise:
            scene, options = optimise(scene, self.optimisation, self.device), self.optimisation.draw_options
        try:
            files = write_reconstruction(scene, self.output_dir, time, options)
            if self.keep_scene:
                files.append(_keep(scene, self.output_dir / "scene"))
        except OSError as error:
            raise RunError(
                f"cannot write to {self.output_dir} ({error.strerror or error}): choose another folder"
            ) from error
        report = scene.geometry.report
        # Only bundle adjustment has a residual.
        residual = f", residual {report['residual_px']:.2f} px" if "residual_px" in report else ""
        say(f"{report.get('kind')}: focal length {report.get('focal_px', 0.0):.1f} px{residual}")
        say("wrote " + ", ".join(str(file) for file in files))
        say(f"seconds: {json.dumps({k: round(v, 1) for k, v in report.get('seconds', {}).items()})}")


def _keep(scene: Scene, folder: Path) -> Path:
    """Save the scene itself; one that lies there is replaced, anything else is not."""
    from neoverse_ns.reconstruct.store import is_saved_scene, save_scene

    if is_saved_scene(folder):
        shutil.rmtree(folder)
    if folder.exists():
        raise RunError(f"{folder} holds something other than a scene: choose another --output-dir")
    save_scene(scene, folder)
    return folder
