"""A scene while it is optimised: what is drawn in a step, what the drawing costs, and what is learned beside it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.gaussians.motion_kept import keep_motion
from neoverse_ns.gaussians.transform import transform_layers
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.optimise.config import SceneOptions
from neoverse_ns.optimise.early_stop import EarlyStop
from neoverse_ns.optimise.exposure import Exposure
from neoverse_ns.optimise.frame_losses import FrameLosses
from neoverse_ns.optimise.gap_blending import UntrainedGaps
from neoverse_ns.optimise.scene_layers import SceneLayers
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.scene import Scene

VELOCITIES = ("velocities", "angular_velocities")
"""Groups of what moves Gaussians."""

SHOWS_THROUGH = 0.005
"""Mean share of light that the keyframes' own Gaussians let through from which on steps draw what lies behind. Over
black instead, their colours grow too bright by it: drawn with all layers, a still clip's frames then lose 6 dB."""


class SceneOptimisation(nn.Module):
    """Gaussians, exposure and early stop of one scene; cameras are the caller's.

    Its state dict is what a checkpoint needs; whoever takes the steps brings optimisers for `groups()`.

    Args:
        scene: What to start from. Without Gaussians (a run that will load a checkpoint) one stands in.
        options: What decides a step.
        world: Brings the scene into another world first, in which all cameras are then given.
    """

    def __init__(self, scene: Scene, options: SceneOptions, world: Sim3 | None = None) -> None:
        super().__init__()
        gaussians = scene.gaussians
        if gaussians is not None and world is not None:
            gaussians = transform_layers(gaussians, world)
        if gaussians is not None:
            gaussians = gaussians.map(lambda layer: keep_motion(layer, options.motion))
        split = scene.split
        self.layers = SceneLayers(gaussians)
        self.exposure = Exposure(options.exposure, split.train, split.held_out)
        self.early_stop = EarlyStop(options.early_stop, len(split.train))
        self._options = options
        self._times: list[float] = scene.clip.times.tolist()
        self._gaps = UntrainedGaps(split.train, scene.geometry.keyframes, self._times, options.blend_share)
        self._losses = FrameLosses(options.losses, scene, self.layers.scene.frames.velocities.detach())

    @property
    def scene(self) -> LayeredGaussians:
        """The Gaussians as they stand, raw; shares memory with the parameters."""
        return self.layers.scene

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by group; see :data:`neoverse_ns.optimise.config.RATES`."""
        groups = self.layers.groups()
        if self._options.motion == "none":
            # Drawings would teach them again.
            groups = {name: group for name, group in groups.items() if name not in VELOCITIES}
        if self._options.exposure.enabled:
            groups["exposure"] = list(self.exposure.parameters())
        return groups

    def draw(
        self,
        time: float,
        viewmats: Float[Tensor, "c 4 4"],
        Ks: Float[Tensor, "c 3 3"],
        width: int,
        height: int,
        scene: LayeredGaussians | None = None,
    ) -> Drawing:
        """Draw everything at a time; `scene` takes the place of its own Gaussians, as where some are cropped away."""
        chosen = self.scene if scene is None else scene
        return draw_layers(chosen, time, viewmats, Ks, width, height, self._options.draw_options)

    def draw_step(
        self,
        frame: int,
        step: int,
        viewmat: Float[Tensor, "1 4 4"],
        K: Float[Tensor, "1 3 3"],
        width: int,
        height: int,
    ) -> Drawing:
        """Draw what a step on a training frame learns from: the keyframes' own Gaussians, over what lies behind them.

        What lies behind has no gradients, and is drawn only where enough shows: two keyframes' Gaussians together hide
        it. Alpha and depth are those of the keyframes' own.
        """
        blend, options, time = self._gaps.blend(frame, step), self._options.draw_options, self._times[frame]
        front = draw_layers(self.scene.only(FRAMES), time, viewmat, K, width, height, options, blend)
        names = [name for name in self.scene if name != FRAMES]
        if not names or float((1 - front.alpha.detach()).mean()) < SHOWS_THROUGH:
            return front
        with torch.no_grad():
            behind = draw_layers(self.scene.only(*names), time, viewmat, K, width, height, options)
        return Drawing(front.rgb + (1 - front.alpha) * behind.rgb, front.depth, front.alpha)

    def losses(
        self, rgb: Tensor, depth: Tensor, alpha: Tensor, image: Float[Tensor, "h w 3"], frame: int | None, step: int
    ) -> dict[str, Float[Tensor, ""]]:
        """Weighted loss terms of one picture by name.

        Args:
            rgb: [h, w, 3] as drawn, over what shows where there is nothing, in the frame's exposure.
            depth: [h, w, 1] z-depth as drawn.
            alpha: [h, w, 1] as drawn.
            image: What the frame shows.
            frame: Position among the sampled frames; None leaves all but the photometric terms out.
            step: Number of the step.
        """
        outputs = {"rgb": rgb, "depth": depth, "accumulation": alpha}
        losses = self._losses(outputs, image, frame, self.scene.frames, step)
        if self._options.exposure.enabled:
            losses["exposure"] = self.exposure.loss()
        return losses

    def note(self, losses: dict[str, Float[Tensor, ""]]) -> None:
        """Let the early stop see a step's losses."""
        self.early_stop.update(torch.stack(list(losses.values())).sum())
