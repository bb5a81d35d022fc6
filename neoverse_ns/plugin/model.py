"""Model: the clip's 4D Gaussians as nerfstudio draws, trains and evaluates them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from nerfstudio.cameras.cameras import Cameras
from nerfstudio.cameras.rays import RayBundle
from nerfstudio.data.scene_box import OrientedBox
from nerfstudio.models.splatfacto import SplatfactoModel
from torch import Tensor

from neoverse_ns.errors import RunError
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.optimise.optimisation import SceneOptimisation
from neoverse_ns.plugin.benchmark.evaluator import TargetEvaluator
from neoverse_ns.plugin.benchmark.placed import place_targets
from neoverse_ns.plugin.benchmark.targets import RunTargets
from neoverse_ns.plugin.camera_refinement import CameraRefinement
from neoverse_ns.plugin.camera_times import CameraTimes
from neoverse_ns.plugin.dataparser import SCENE_KEY, TARGETS_KEY
from neoverse_ns.plugin.evaluation import ImageEvaluator
from neoverse_ns.plugin.export_properties import ExportProperties
from neoverse_ns.plugin.lenses import draw_camera
from neoverse_ns.plugin.model_config import NeoVerseModelConfig
from neoverse_ns.plugin.model_training import ModelTraining
from neoverse_ns.plugin.rays import RayLookup
from neoverse_ns.plugin.remembered import Remembered
from neoverse_ns.plugin.user_errors import exit_on_user_error
from neoverse_ns.plugin.viewer.coarse import forget_interrupt
from neoverse_ns.plugin.viewer.opening import Opening, OpeningView
from neoverse_ns.plugin.viewer.panel import NeoVersePanel
from neoverse_ns.plugin.world import FRAME_KEY, VIEW_KEY, to_nerfstudio_cameras, world_to_nerfstudio
from neoverse_ns.rasterize.drawing import Drawing, depth_or_far
from neoverse_ns.rasterize.precision import full_precision
from neoverse_ns.reconstruct.given_world import cameras_given
from neoverse_ns.reconstruct.scene import Scene


class NeoVerseModel(ExportProperties, ModelTraining, SplatfactoModel):
    """A `SplatfactoModel` by type, as ns-export gaussian-splat and the viewer demand; all it does is its own."""

    config: NeoVerseModelConfig  # pyright: ignore

    def populate_modules(self) -> None:
        # SplatfactoModel's own version needs CUDA, densification and a downloaded network; none of it applies.
        self.config.validate()
        scene: Scene = self.kwargs["metadata"][SCENE_KEY].scene
        self.optimisation = SceneOptimisation(scene, self.config, world_to_nerfstudio())
        refinement = self.config.camera_optimizer
        if cameras_given(scene.geometry.report):
            refinement = replace(refinement, mode="off")
        self.camera_optimizer: CameraRefinement = refinement.setup(num_cameras=self.num_train_data, device="cpu")
        self.camera_optimizer.setup_frames(scene.split.train, scene.split.held_out)
        self.opening = Opening(partial(self.view_of_frame, scene, 0))
        self.panel = NeoVersePanel(self, scene, self._draw_anything)
        # Neither belongs into checkpoints, and the viewer shall not walk them: hence no modules and private names.
        self._evaluator = ImageEvaluator(self.config.lpips_weights)
        targets: RunTargets | None = self.kwargs["metadata"].get(TARGETS_KEY)
        self._judge: TargetEvaluator | None = None
        if targets is not None:
            self._judge = TargetEvaluator(targets, self.config.lpips_weights, self.config.lpips_vgg_weights)
            self.camera_optimizer.setup_targets(partial(place_targets, targets, scene), scene)
        self._rays = RayLookup(self)
        self._times = CameraTimes(self.config.default_time)
        self._remembered = Remembered()
        self._scene = scene
        self.crop_box: OrientedBox | None = None
        colour = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}.get(
            self.config.background_color, (0.149, 0.165, 0.216)
        )
        self.background_color = torch.tensor(colour)

    @property
    def gaussians(self) -> LayeredGaussians:
        """All layers of the scene, raw, in nerfstudio's world."""
        return self.optimisation.scene

    @property
    def num_points(self) -> int:
        return self.gaussians.count

    def load_state_dict(self, state: Mapping[str, Any], **kwargs: Any) -> Any:  # pyright: ignore
        """Load a checkpoint, whatever number of Gaussians it holds.

        Raises:
            RunError: The checkpoint is another method's, an older version's, or another clip's.
        """
        if "gauss_params.life_span_logits" in state:
            raise RunError(
                "this checkpoint was written by an older version, before scenes had layers: train again, or use "
                "neoverse_ns 0.1"
            )
        if "optimisation.layers.frames.life_span_logits" not in state:
            raise RunError("this checkpoint was not written by a neoverse method: give one of ns-train neoverse")
        self.optimisation.layers.resize(state, "optimisation.layers.")
        try:
            return super(SplatfactoModel, self).load_state_dict(state, **kwargs)
        except RuntimeError as error:
            reason = str(error).strip().split("\n")[-1].strip()
            raise RunError(
                f"this checkpoint does not fit ({reason}): it belongs to a run of other frames or another method"
            ) from error

    def train(self, mode: bool = True) -> NeoVerseModel:
        """Switch between training and drawing; the viewer does so right before every picture."""
        forget_interrupt()
        return super().train(mode)

    # Drawing.

    def time_of(self, camera: Cameras) -> float:
        """Normalised time of a camera; of the viewer's cameras what its tab says."""
        chosen = self.panel.time_of(camera) if not self.training else None
        return self._times.of(camera) if chosen is None else chosen

    @full_precision()
    def draw(self, camera: Cameras) -> Drawing:
        """Draw the Gaussians from one camera at its time; differentiable."""
        camera = camera.to(self.device)
        metadata = camera.metadata or {}
        if self.training and FRAME_KEY in metadata and VIEW_KEY not in metadata:
            pinholes = partial(self.optimisation.draw_step, int(metadata[FRAME_KEY].reshape(-1)[0]), self.step)
        else:
            pinholes = partial(self.optimisation.draw, self.time_of(camera), scene=self._cropped(self.gaussians))
        return draw_camera(camera, self.camera_optimizer.refined_viewmats(camera), pinholes, self.config.eye_distance)

    def _cropped(self, scene: LayeredGaussians) -> LayeredGaussians:
        if self.crop_box is None or self.training:
            return scene
        box = self.crop_box
        return scene.map(lambda layer: layer[box.within(layer.means.detach()).reshape(-1)])

    @full_precision()
    def get_outputs(self, camera: Cameras | RayBundle) -> dict[str, Tensor]:  # pyright: ignore
        """Draw one camera, or look rays of training cameras up in their drawings.

        Returns:
            `rgb` [h, w, 3], `depth` [h, w, 1] (z-depth of perspective cameras; distance along the ray of rays and of
            all other cameras), `accumulation` [h, w, 1], and `background` [h, w, 3].
        """
        if isinstance(camera, RayBundle):
            return self._rays.outputs(camera)
        frame = None if camera.metadata is None else camera.metadata.get(FRAME_KEY)
        return self._outputs_of(self.draw(camera), None if frame is None else int(frame.reshape(-1)[0]))

    def _outputs_of(self, drawing: Drawing, frame: int | None = None) -> dict[str, Tensor]:
        """A single drawing as nerfstudio takes it; in the exposure of a frame, where one is given."""
        alpha = drawing.alpha[0]
        background = self.background_color.to(alpha).expand(*alpha.shape[:2], 3)
        rgb = drawing.rgb[0] + (1 - alpha) * background
        if frame is not None:
            # Free cameras, the viewer's and exports show the neutral colours.
            rgb = self.optimisation.exposure.apply_to(rgb, frame)
        return {
            "rgb": rgb if self.training else rgb.clamp(0, 1),
            "depth": depth_or_far(drawing)[0],
            "accumulation": alpha,
            "background": background,
        }

    @full_precision()
    def _draw_anything(self, camera: Cameras, time: float, scene: LayeredGaussians) -> dict[str, Tensor]:
        """Outputs of any Gaussians of this scene's world, inside the crop box; for the viewer."""
        camera = camera.to(self.device)
        pinholes = partial(self.optimisation.draw, time, scene=self._cropped(scene))
        viewmats = self.camera_optimizer.refined_viewmats(camera)
        return self._outputs_of(draw_camera(camera, viewmats, pinholes, self.config.eye_distance))

    @torch.no_grad()
    def get_outputs_for_camera(self, camera: Cameras, obb_box: OrientedBox | None = None) -> dict[str, Tensor]:
        """Draw one camera for the viewer, ns-render or ns-eval.

        Args:
            camera: A single camera.
            obb_box: Draw only Gaussians whose keyframe position lies inside.
        """
        self.crop_box = obb_box
        try:
            with exit_on_user_error():
                return self.panel.outputs(camera) if self.panel.watches(camera) else self.get_outputs(camera)
        finally:
            self.crop_box = None

    def get_rgba_image(self, outputs: dict[str, Any], output_name: str = "rgb") -> Tensor:
        """Colour with opacity as the last channel."""
        return torch.cat([outputs[output_name], outputs["accumulation"]], dim=-1)

    def train_cameras(self) -> Cameras:
        """Cameras of the training frames, as estimated."""
        return to_nerfstudio_cameras(self._scene.geometry.cameras, self._scene.clip.times, self._scene.split.train)

    @torch.no_grad()
    def view_of_frame(self, scene: Scene, frame: int) -> OpeningView:
        """What a frame's camera sees, as refined so far.

        Args:
            scene: The clip.
            frame: Counted from 0.
        """
        camera = to_nerfstudio_cameras(scene.geometry.cameras, scene.clip.times, [frame])
        viewmats = self.camera_optimizer.refined_viewmats(camera.to(self.device)).cpu()
        return OpeningView.of(camera, viewmats, float(scene.geometry.depth[0].median()))

    def get_image_metrics_and_images(
        self, outputs: dict[str, Tensor], batch: dict[str, Any]
    ) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Metrics of a held-out frame or of a protocol's target, and pictures: truth beside drawing, opacity, depth."""
        if self._judge is not None and "target" in batch:
            return self._judge.evaluate(outputs, batch)
        return self._evaluator.evaluate(outputs, batch)
