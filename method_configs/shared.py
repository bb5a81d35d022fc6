"""What the registered methods have in common."""

from __future__ import annotations

from nerfstudio.configs.base_config import LoggingConfig, ViewerConfig

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.ffmpeg import provide_ffmpeg
from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.optimise.config import RATES
from neoverse_ns.plugin.camera_refinement import CameraRefinementConfig
from neoverse_ns.plugin.datamanager import NeoVerseDataManagerConfig
from neoverse_ns.plugin.dataparser import NeoVerseDataParserConfig
from neoverse_ns.plugin.model_config import NeoVerseModelConfig
from neoverse_ns.plugin.optimizers import rate
from neoverse_ns.plugin.pipeline import NeoVersePipelineConfig
from neoverse_ns.plugin.trainer import NeoVerseTrainerConfig
from neoverse_ns.plugin.viewer.host import THIS_MACHINE
from neoverse_ns.reconstruct.config import SceneConfig

# Every ns-* command loads this module before it looks for ffmpeg.
provide_ffmpeg()


def trainer_config(
    method_name: str, steps: int, speed: float = 1.0, width: int | None = None, refiner: str = "none"
) -> NeoVerseTrainerConfig:
    """A method that optimises for `steps` steps; 0 leaves the reconstruction as it is.

    Args:
        method_name: Name it is registered under.
        steps: Steps of photometric optimisation.
        speed: See :class:`neoverse_ns.optimise.config.OptimiseConfig`.
        width: Of the sampled frames in pixels; None takes the device's default.
        refiner: Who refines views beside the input path once those steps are over; `none` leaves that stage out.
    """
    optimised = steps > 0
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
                optimise=optimised, camera_optimizer=CameraRefinementConfig(mode="SE3" if optimised else "off")
            ),
            refiner=StageConfig(refiner=refiner),
        ),
        optimizers={name: rate(speed * value) for name, value in RATES.items()} if optimised else {},
        logging=LoggingConfig(steps_per_log=10),
        # Whoever reaches the viewer can start work: this machine alone, unless somebody asks for more.
        viewer=ViewerConfig(websocket_host=THIS_MACHINE, num_rays_per_chunk=1 << 15),
        vis="viewer",
    )
