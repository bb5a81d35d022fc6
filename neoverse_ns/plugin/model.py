"""Model: the clip's 4D Gaussians, drawn at a camera's time and refined photometrically."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Bool
from nerfstudio.cameras.cameras import Cameras
from nerfstudio.cameras.rays import RayBundle
from nerfstudio.data.scene_box import OrientedBox
from nerfstudio.engine.callbacks import TrainingCallback, TrainingCallbackAttributes, TrainingCallbackLocation
from nerfstudio.models.splatfacto import SplatfactoModel, SplatfactoModelConfig
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from neoverse_ns.console import say, warn
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.gaussians.dynamic import MADE_UP, DynamicGaussians
from neoverse_ns.gaussians.transform import transform
from neoverse_ns.gaussians.transition import LIFE_SPAN_GAMMA
from neoverse_ns.generate.stage.view_loss import refined_view_losses
from neoverse_ns.optimise.early_stop import EarlyStop, EarlyStopConfig
from neoverse_ns.optimise.exposure import Exposure, ExposureConfig
from neoverse_ns.optimise.frame_losses import RefinementLosses
from neoverse_ns.optimise.gap_blending import UntrainedGaps
from neoverse_ns.optimise.losses import LossConfig
from neoverse_ns.plugin.camera_refinement import CameraRefinement, CameraRefinementConfig
from neoverse_ns.plugin.dataparser import SCENE_KEY
from neoverse_ns.plugin.evaluation import ImageEvaluator
from neoverse_ns.plugin.export_properties import ExportProperties
from neoverse_ns.plugin.optimizers import replace_rows
from neoverse_ns.plugin.parameters import BUFFERS, single_gaussian, to_gaussians, to_parameters
from neoverse_ns.plugin.playback import Playback
from neoverse_ns.plugin.rays import RayLookup
from neoverse_ns.plugin.refined_feed import WEIGHT_KEY
from neoverse_ns.plugin.world import FRAME_KEY, VIEW_KEY, to_nerfstudio_cameras, world_to_nerfstudio
from neoverse_ns.rasterize.scene import Drawing, depth_or_far, draw
from neoverse_ns.reconstruct.scene import Scene


@dataclass
class NeoVerseModelConfig(SplatfactoModelConfig):
    """Drawing and refinement. Densification settings inherited from splatfacto have no effect."""

    _target: type = field(default_factory=lambda: NeoVerseModel)
    sh_degree: int = 0
    """Always 0: colour does not depend on the viewing direction (as in the release)."""
    background_color: Literal["random", "black", "white"] = "black"
    """What shows where there are no Gaussians."""
    camera_optimizer: CameraRefinementConfig = field(default_factory=lambda: CameraRefinementConfig(mode="SE3"))
    """Whether the estimated cameras are refined with the Gaussians (`SE3`) or kept (`off`)."""
    refine: bool = True
    """Photometric refinement; without it the Gaussians stay as reconstructed."""
    losses: LossConfig = field(default_factory=LossConfig)
    """Weights of the loss terms."""
    exposure: ExposureConfig = field(default_factory=ExposureConfig)
    """Changes of exposure and white balance between frames."""
    early_stop: EarlyStopConfig = field(default_factory=EarlyStopConfig)
    """When refinement ends before its last step."""
    blend_share: float = 0.9
    """Share of the steps on a keyframe, where no training frame lies between it and the next, that draw it blended with
    that neighbour, as frames between them will be; 0 never does."""
    nearest_keyframe_only: bool = False
    """Draw only the nearer keyframe's Gaussians (the paper's text) instead of both neighbours' (the release)."""
    life_span_gamma: float = LIFE_SPAN_GAMMA
    """How fast opacity fades between keyframes."""
    default_time: float = 0.0
    """Normalised time of cameras that have none, such as those of ns-render interpolate."""
    export_time: float = 0.5
    """Normalised time whose Gaussians ns-export gaussian-splat writes."""
    lpips_weights: Path | None = None
    """File with AlexNet's convolution weights (torchvision's names) for LPIPS; by default torch's own cache is
    searched, and LPIPS reported as missing where it has none."""

    def validate(self) -> None:
        """Raise SettingsError where a value makes no sense."""
        for name in ("life_span_gamma", "default_time", "export_time"):
            if not torch.isfinite(torch.tensor(float(getattr(self, name)))):
                raise SettingsError(f"{name} must be a finite number, got {getattr(self, name)}")
        if not 0 <= self.blend_share <= 1:
            raise SettingsError(f"blend_share must lie in [0, 1], got {self.blend_share}")
        if self.sh_degree != 0:
            raise SettingsError(f"sh_degree must be 0, got {self.sh_degree}: view-dependent colour is not supported")
        self.losses.validate()
        self.exposure.validate()
        self.early_stop.validate()


class NeoVerseModel(ExportProperties, SplatfactoModel):
    """A `SplatfactoModel` by type, as ns-export gaussian-splat and the viewer demand; all it does is its own."""

    config: NeoVerseModelConfig

    def populate_modules(self) -> None:
        # SplatfactoModel's own version needs CUDA, densification and a downloaded network; none of it applies.
        self.config.validate()
        scene: Scene = self.kwargs["metadata"][SCENE_KEY].scene
        gaussians = single_gaussian() if scene.gaussians is None else scene.gaussians
        gaussians = transform(gaussians, world_to_nerfstudio())
        self.gauss_params = to_parameters(gaussians)
        for name in BUFFERS:
            self.register_buffer(name, getattr(gaussians, name).clone())
        self.camera_optimizer: CameraRefinement = self.config.camera_optimizer.setup(
            num_cameras=self.num_train_data, device="cpu"
        )
        self.camera_optimizer.setup_frames(scene.split.train, scene.split.held_out)
        self.exposure = Exposure(self.config.exposure, scene.split.train, scene.split.held_out)
        self.early_stop = EarlyStop(self.config.early_stop, len(scene.split.train))
        self.playback = Playback(len(scene.clip))
        # Neither belongs into checkpoints, and the viewer shall not walk them: hence no modules and private names.
        self._evaluator = ImageEvaluator(self.config.lpips_weights)
        self._rays = RayLookup(self)
        self._losses = RefinementLosses(self.config.losses, scene, gaussians.velocities)
        self._scene = scene
        self._gaps = UntrainedGaps(scene.split, scene.clip.times.tolist(), self.config.blend_share)
        self._stalled_early: Callable[[int], bool] = lambda step: True
        self._warned: set[str] = set()
        self.step = 0
        self.crop_box: OrientedBox | None = None
        colour = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}.get(
            self.config.background_color, (0.149, 0.165, 0.216)
        )
        self.background_color = torch.tensor(colour)

    @property
    def gaussians(self) -> DynamicGaussians:
        """All Gaussians of the clip, raw, in nerfstudio's world."""
        buffers = {name: getattr(self, name) for name in BUFFERS}
        return to_gaussians(self.gauss_params, buffers)

    @property
    def num_points(self) -> int:
        return self.gauss_params["means"].shape[0]

    def load_state_dict(self, state: Mapping[str, Any], **kwargs: Any) -> Any:  # pyright: ignore
        """Load a checkpoint, whatever number of Gaussians it holds.

        Raises:
            RunError: The checkpoint is another method's, or another clip's.
        """
        if "gauss_params.life_span_logits" not in state:
            raise RunError("this checkpoint was not written by a neoverse method: give one of ns-train neoverse")
        count = state["gauss_params.means"].shape[0]
        # Parameters keep their identity, because the optimisers already hold them.
        for name, parameter in self.gauss_params.items():
            parameter.data = parameter.data.new_zeros((count, *state[f"gauss_params.{name}"].shape[1:]))
        for name in BUFFERS:
            buffer = getattr(self, name)
            setattr(self, name, buffer.new_zeros((count, *buffer.shape[1:])))
        try:
            return super(SplatfactoModel, self).load_state_dict(state, **kwargs)
        except RuntimeError as error:
            reason = str(error).strip().split("\n")[-1].strip()
            raise RunError(
                f"this checkpoint does not fit ({reason}): it belongs to a run of other frames or another method"
            ) from error

    def replace_made_up(self, new: DynamicGaussians | None, optimizers: Mapping[str, Optimizer]) -> None:
        """Exchange the Gaussians that a refiner made up, which stand last, for others.

        Args:
            new: In nerfstudio's world; None only removes.
            optimizers: By parameter group; what they remember of the other Gaussians stays.
        """
        keep = self.gaussians.keyframe.ne(MADE_UP)
        new = self.gaussians.detach()[:0] if new is None else new.to(keep.device)
        for name, parameter in list(self.gauss_params.items()):
            assert isinstance(parameter, Parameter)
            self.gauss_params[name] = replace_rows(parameter, optimizers.get(name), keep, getattr(new, name))
        for name in BUFFERS:
            setattr(self, name, torch.cat([getattr(self, name)[keep], getattr(new, name)]))

    # Drawing.

    def time_of(self, camera: Cameras) -> float:
        """Normalised time of a camera: its own, clamped to the clip, or the default where it has none."""
        chosen = self.playback.time() if not self.training else None
        if chosen is not None:
            return chosen
        if camera.times is None:
            self._warn_once(
                f"this camera path has no times: drawing the clip at its normalised time {self.config.default_time:g} "
                "(set pipeline.model.default_time in config.yml to change it)"
            )
            return float(min(max(self.config.default_time, 0.0), 1.0))
        time = float(camera.times.reshape(-1)[0])
        if not 0 <= time <= 1:
            self._warn_once(
                f"time {time:.3f} lies outside the clip [0, 1]: clamped (camera splines overshoot at sudden changes)"
            )
        return min(max(time, 0.0), 1.0)

    def draw(self, camera: Cameras) -> Drawing:
        """Draw the Gaussians from one camera at its time; differentiable."""
        device = self.gauss_params["means"].device
        camera = camera.to(device)
        return draw(
            self.gaussians,
            self.time_of(camera),
            self.camera_optimizer.refined_viewmats(camera),
            camera.get_intrinsics_matrices().reshape(-1, 3, 3),
            int(camera.width.reshape(-1)[0]),
            int(camera.height.reshape(-1)[0]),
            # On the path the background is hidden; a step that drew it would only be slower. Refined views lie
            # beside it, and are there for what free cameras see.
            background=not self.training or VIEW_KEY in (camera.metadata or {}),
            nearest_only=self.config.nearest_keyframe_only,
            gamma=self.config.life_span_gamma,
            rasterize_mode=self.config.rasterize_mode,
            keep=self._inside_crop(),
            blend=self._blend(camera),
        )

    def _blend(self, camera: Cameras) -> float | None:
        """See :class:`UntrainedGaps`; only the clip's own frames in training are blended as at another time."""
        metadata = camera.metadata or {}
        if not self.training or FRAME_KEY not in metadata or VIEW_KEY in metadata:
            return None
        return self._gaps.blend(int(metadata[FRAME_KEY].reshape(-1)[0]), self.step)

    def _inside_crop(self) -> Bool[Tensor, " n"] | None:
        if self.crop_box is None or self.training:
            return None
        return self.crop_box.within(self.gauss_params["means"].detach()).reshape(-1)

    def get_outputs(self, camera: Cameras | RayBundle) -> dict[str, Tensor]:  # pyright: ignore
        """Draw one camera, or look rays of training cameras up in their drawings.

        Returns:
            `rgb` [h, w, 3], `depth` [h, w, 1] (z-depth; distance along the ray for rays), `accumulation` [h, w, 1], and
            `background` [h, w, 3].
        """
        if isinstance(camera, RayBundle):
            return self._rays.outputs(camera)
        drawing = self.draw(camera)
        alpha = drawing.alpha[0]
        background = self.background_color.to(alpha).expand(*alpha.shape[:2], 3)
        rgb = drawing.rgb[0] + (1 - alpha) * background
        frame = None if camera.metadata is None else camera.metadata.get(FRAME_KEY)
        if frame is not None:
            # Free cameras, the viewer's and exports show the neutral colours.
            rgb = self.exposure.apply_to(rgb, int(frame.reshape(-1)[0]))
        return {
            "rgb": rgb if self.training else rgb.clamp(0, 1),
            "depth": depth_or_far(drawing)[0],
            "accumulation": alpha,
            "background": background,
        }

    @torch.no_grad()
    def get_outputs_for_camera(self, camera: Cameras, obb_box: OrientedBox | None = None) -> dict[str, Tensor]:
        """Draw one camera for the viewer, ns-render or ns-eval.

        Args:
            camera: A single camera.
            obb_box: Draw only Gaussians whose keyframe position lies inside.
        """
        self.crop_box = obb_box
        try:
            return self.get_outputs(camera)
        finally:
            self.crop_box = None

    def get_rgba_image(self, outputs: dict[str, Any], output_name: str = "rgb") -> Tensor:
        """Colour with opacity as the last channel."""
        return torch.cat([outputs[output_name], outputs["accumulation"]], dim=-1)

    def _warn_once(self, message: str) -> None:
        if message[:24] not in self._warned:
            self._warned.add(message[:24])
            warn(message)

    def train_cameras(self) -> Cameras:
        """Cameras of the training frames, as estimated."""
        return to_nerfstudio_cameras(self._scene.geometry.cameras, self._scene.clip.times, self._scene.split.train)

    # Training and evaluation.

    def get_param_groups(self) -> dict[str, list[Parameter]]:
        if not self.config.refine:
            return {}
        groups = {name: [parameter] for name, parameter in self.gauss_params.items()}
        self.camera_optimizer.get_param_groups(param_groups=groups)
        if self.config.exposure.enabled:
            groups["exposure"] = list(self.exposure.parameters())
        return groups

    def ask_before_stopping(self, ask: Callable[[int], bool]) -> None:
        """Have `ask(step)` decide whether a run whose loss has stopped falling after `step` may end."""
        self._stalled_early = ask

    def get_training_callbacks(
        self, training_callback_attributes: TrainingCallbackAttributes
    ) -> list[TrainingCallback]:
        """What keeps count of the steps and ends the run early."""
        trainer = training_callback_attributes.trainer

        def before(step: int) -> None:
            self.step = step

        def after(step: int) -> None:
            stalled, self.early_stop.stalled = self.early_stop.stalled, False
            if stalled and trainer is not None and trainer.world_size == 1 and self._stalled_early(step):
                say(f"the loss has stopped falling: ending after {step + 1} steps")
                trainer.stop_training = True

        return [
            TrainingCallback([TrainingCallbackLocation.BEFORE_TRAIN_ITERATION], before),
            TrainingCallback([TrainingCallbackLocation.AFTER_TRAIN_ITERATION], after),
        ]

    def get_metrics_dict(self, outputs: dict[str, Any], batch: dict[str, Any]) -> dict[str, Tensor]:
        with torch.no_grad():
            error = torch.mean((outputs["rgb"] - batch["image"].to(outputs["rgb"])) ** 2)
        name = "psnr_refined" if WEIGHT_KEY in batch else "psnr"
        return {name: -10 * torch.log10(error), "num_gaussians": torch.tensor(float(self.num_points))}

    def get_loss_dict(
        self, outputs: dict[str, Any], batch: dict[str, Any], metrics_dict: dict[str, Any] | None = None
    ) -> dict[str, Tensor]:
        if not self.config.refine:
            # Nerfstudio wants something to differentiate.
            return {"nothing": self.device_indicator_param.sum() * 0.0}
        image = batch["image"].to(outputs["rgb"])
        if WEIGHT_KEY in batch:
            # Cameras, exposure, depth and motion are the business of the clip's own frames.
            return refined_view_losses(outputs["rgb"], image, batch[WEIGHT_KEY], self.config.losses)
        frame = self._scene.split.train[int(batch["image_idx"])] if self.training and "image_idx" in batch else None
        losses = self._losses(outputs, image, frame, self.gaussians, self.step)
        if self.config.exposure.enabled:
            losses["exposure"] = self.exposure.loss()
        if self.training:
            self.early_stop.update(torch.stack(list(losses.values())).sum())
        return losses

    def get_image_metrics_and_images(
        self, outputs: dict[str, Tensor], batch: dict[str, Any]
    ) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Metrics of one held-out frame, and pictures: truth beside drawing, opacity, depth."""
        return self._evaluator.evaluate(outputs, batch)
