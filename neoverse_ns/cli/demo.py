"""`ns-neoverse demo`: the whole round trip on a synthetic clip whose truth is known."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from neoverse_ns.clip.config import SIDE_MULTIPLE
from neoverse_ns.console import CONSOLE, say
from neoverse_ns.errors import SettingsError


@dataclass
class Demo:
    """Render a small synthetic clip, train on it, evaluate, and render a new camera path.

    Needs no network, no weights and no GPU; takes a few minutes on a laptop.
    """

    output_dir: Path = Path("neoverse-demo")
    """Where everything goes."""
    method: Literal["neoverse", "neoverse-quick", "neoverse-feedforward"] = "neoverse"
    """Which method trains."""
    num_frames: int = 25
    """Frames of the clip."""
    width: int = 384
    """Width of the clip in pixels, a multiple of 16."""
    height: int = 224
    """Height of the clip in pixels, a multiple of 16."""
    seed: int = 0
    """Of the clip and of training."""

    def run(self) -> None:
        """Run all steps in this process: importing nerfstudio once instead of once per ns-* command saves a minute.

        Raises:
            SettingsError: The size cannot be used.
        """
        if self.width % SIDE_MULTIPLE or self.height % SIDE_MULTIPLE:
            raise SettingsError(
                f"width and height must be multiples of {SIDE_MULTIPLE}, got {self.width}x{self.height}"
            )
        started = time.perf_counter()
        folder = self.output_dir.expanduser().absolute()
        truth = self._render_clip(folder / "clip")
        config = self._train(folder, folder / "clip" / "clip.mp4")
        metrics = _evaluate(config, folder / "metrics.json")
        unseen, path, video = self._new_views(config, folder, truth)
        _summary(metrics, unseen, config, folder, path, video, time.perf_counter() - started)

    def _render_clip(self, folder: Path) -> Any:
        from neoverse_ns.clip.synthetic.render import render_synthetic
        from neoverse_ns.clip.synthetic.save import save_synthetic

        say(f"rendering a synthetic clip of {self.num_frames} frames with known cameras and depth")
        truth = render_synthetic(self.num_frames, self.width, self.height, seed=self.seed)
        save_synthetic(truth, folder)
        return truth

    def _train(self, folder: Path, clip: Path) -> Path:
        """What `ns-train METHOD --data clip.mp4` does; returns the run's config.yml."""
        import copy

        from nerfstudio.configs.method_configs import all_methods
        from nerfstudio.scripts.train import main as train

        config = copy.deepcopy(all_methods[self.method])
        config.data = clip
        config.output_dir = folder / "outputs"
        config.experiment_name = "demo"
        config.vis = "tensorboard"
        config.machine.seed = self.seed
        config.pipeline.datamanager.dataparser.scene.clip.num_frames = self.num_frames  # pyright: ignore
        say(f"training {self.method} on {clip}")
        train(config)
        return config.get_base_dir() / "config.yml"

    def _new_views(self, config: Path, folder: Path, truth: Any) -> tuple[dict[str, float], Path, Path]:
        """Judge the second camera, write a camera path that orbits while time runs, and render it with ns-render."""
        from nerfstudio.scripts.render import RenderCameraPath

        from neoverse_ns.metrics.unseen_views import score_unseen
        from neoverse_ns.plugin.run import open_run
        from neoverse_ns.trajectory.camera_path import to_camera_path
        from neoverse_ns.trajectory.files import preset_move
        from neoverse_ns.trajectory.presets import MoveSize

        run = open_run(config)
        unseen = score_unseen(run.draw, run.cameras, run.clip.times, truth)
        move = preset_move("orbit_right", 2 * len(run.cameras), MoveSize(angle=8.0))
        trajectory = move.follow(run.cameras, run.clip.times)
        document = to_camera_path(
            trajectory.c2w,
            trajectory.K,
            trajectory.times,
            run.cameras.width,
            run.cameras.height,
            16.0,
        )
        path, video = folder / "camera_path.json", folder / "new_path.mp4"
        path.write_text(json.dumps(document), "utf8")
        RenderCameraPath(load_config=config, camera_path_filename=path, output_path=video).main()
        return unseen, path, video


def _evaluate(config: Path, output: Path) -> dict[str, Any]:
    """What `ns-eval` does."""
    from nerfstudio.scripts.eval import ComputePSNR

    ComputePSNR(load_config=config, output_path=output).main()
    return json.loads(output.read_text("utf8"))["results"]


def _summary(
    metrics: dict[str, Any],
    unseen: dict[str, float],
    config: Path,
    folder: Path,
    path: Path,
    video: Path,
    seconds: float,
) -> None:
    CONSOLE.rule("neoverse demo")
    say(
        f"held-out frames: PSNR {metrics['psnr']:.2f} dB, SSIM {metrics['ssim']:.3f} "
        f"({metrics['num_held_out']} of {metrics['num_frames']} frames; {metrics['num_gaussians']:,} Gaussians)"
    )
    say(
        f"second camera, never seen: PSNR {unseen['psnr']:.2f} dB "
        f"(shifting the input image: {unseen['shift_psnr']:.2f} dB)"
    )
    say(f"cameras: {unseen['ate_percent']:.2f} % of the path off, focal length {unseen['focal_error_percent']:+.1f} %")
    say(f"finished in {seconds:.0f} s; everything is in {folder}")
    CONSOLE.print(f"  clip          {folder / 'clip' / 'clip.mp4'}", highlight=False, markup=False)
    CONSOLE.print(f"  new path      {video}", highlight=False, markup=False)
    CONSOLE.print(f"  numbers       {folder / 'metrics.json'}", highlight=False, markup=False)
    CONSOLE.print("Look at it:", highlight=False, markup=False)
    CONSOLE.print(f"  ns-viewer --load-config {config}", highlight=False, markup=False)
    CONSOLE.print("Render another path, drawn in the viewer's Render tab:", highlight=False, markup=False)
    CONSOLE.print(
        f"  ns-render camera-path --load-config {config} --camera-path-filename {path} --output-path other.mp4",
        highlight=False,
        markup=False,
    )
    CONSOLE.print("Your own clip:", highlight=False, markup=False)
    CONSOLE.print("  ns-train neoverse --data clip.mp4", highlight=False, markup=False)
