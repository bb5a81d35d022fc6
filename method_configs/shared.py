"""What the registered methods have in common."""

from __future__ import annotations

from nerfstudio.configs.base_config import LoggingConfig, ViewerConfig

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.plugin.camera_refinement import CameraRefinementConfig
from neoverse_ns.plugin.datamanager import NeoVerseDataManagerConfig
from neoverse_ns.plugin.dataparser import NeoVerseDataParserConfig
from neoverse_ns.plugin.ffmpeg import provide_ffmpeg
from neoverse_ns.plugin.model import NeoVerseModelConfig
from neoverse_ns.plugin.optimizers import rate
from neoverse_ns.plugin.pipeline import NeoVersePipelineConfig
from neoverse_ns.plugin.trainer import NeoVerseTrainerConfig
from neoverse_ns.reconstruct.config import SceneConfig

# Every ns-* command loads this module before it looks for ffmpeg.
provide_ffmpeg()

RATES = {
    "means": 1e-4,
    "quats": 6e-4,
    "log_scales": 1.5e-3,
    "opacity_logits": 3e-3,
    "sh": 3e-3,
    "velocities": 1e-4,
    "angular_velocities": 1e-4,
    "life_span_logits": 3e-3,
    "camera_opt": 6e-5,
    "exposure": 5e-3,
}
"""Learning rate of every parameter group; lengths are in units of the clip's median depth."""


def trainer_config(
    method_name: str, steps: int, speed: float = 1.0, width: int | None = None, refiner: str = "none"
) -> NeoVerseTrainerConfig:
    """A method that refines for `steps` steps; 0 leaves the reconstruction as it is.

    Args:
        method_name: Name it is registered under.
        steps: Refinement steps.
        speed: Factor on all of :data:`RATES`. On walking clips doubled rates are worth 0.7 to 1 dB of held-out frames
            after 200 steps, 0.1 dB after 500 and none after 1000; ending at 2 % of the first rate instead of 10 % costs
            0.15 dB.
        width: Of the sampled frames in pixels; None takes the device's default.
        refiner: Who refines views beside the input path once those steps are over; `none` leaves that stage out.
    """
    refine = steps > 0
    scene = SceneConfig(clip=ClipConfig(width=width))
    return NeoVerseTrainerConfig(
        method_name=method_name,
        max_num_iterations=max(steps, 1),
        steps_per_save=1000,
        # Held-out frames are measured by ns-eval; doing it while training would only cost time.
        steps_per_eval_batch=0,
        steps_per_eval_image=0,
        steps_per_eval_all_images=0,
        mixed_precision=False,
        pipeline=NeoVersePipelineConfig(
            datamanager=NeoVerseDataManagerConfig(dataparser=NeoVerseDataParserConfig(scene=scene)),
            model=NeoVerseModelConfig(
                refine=refine, camera_optimizer=CameraRefinementConfig(mode="SE3" if refine else "off")
            ),
            refiner=StageConfig(refiner=refiner),
        ),
        optimizers={name: rate(speed * value) for name, value in RATES.items()} if refine else {},
        logging=LoggingConfig(steps_per_log=10),
        viewer=ViewerConfig(num_rays_per_chunk=1 << 15),
        vis="viewer",
    )
