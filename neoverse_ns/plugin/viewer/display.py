"""What the viewer's pictures show: the drawing or what lies behind it, the clip's own frame, lines of motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.viewer.input_frame import placed_frame, wiped, with_inset
from neoverse_ns.plugin.viewer.lines import velocity_segments, with_tracks, with_velocities
from neoverse_ns.plugin.viewer.recolour import confidence_scene, motion_scene
from neoverse_ns.plugin.viewer.tracks import Tracks, follow

SHOW = ("drawing", "depth", "opacity", "what moves", "confidence")
INPUT = ("off", "wipe", "beside")
TRACKED = 160
"""Points followed."""

Redraw = Callable[[LayeredGaussians], dict[str, Tensor]]
"""Draws another scene from the same camera at the same time."""


@dataclass
class Display:
    """What is shown, to all browsers alike; kept pictures are out of date when `version` changes.

    Attributes:
        run: What it is shown of: a `ViewedRun`, or what stands in for one.
        show: One of :data:`SHOW`.
        hidden: Names of layers that are left out.
        input: One of :data:`INPUT`.
        seam: Where the wipe is, as a share of the width.
        velocities: Whether lines show where moving things go.
        tracks: Whether points are followed.
    """

    run: Any
    show: str = "drawing"
    hidden: frozenset[str] = frozenset()
    input: str = "off"
    seam: float = 0.5
    velocities: bool = False
    tracks: bool = False
    version: int = 0
    _known: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def change(self, **settings: Any) -> None:
        """Show something else from now on."""
        for name, value in settings.items():
            setattr(self, name, value)
        self.version += 1

    @property
    def plain(self) -> bool:
        """Whether everything is shown as ns-render draws it."""
        return (
            self.show == "drawing" and not self.hidden and self.input == "off" and not (self.velocities or self.tracks)
        )

    def outputs(self, camera: PinholeCameras, time: float, frame: int, redraw: Redraw) -> dict[str, Tensor]:
        """Everything that nerfstudio's viewer is given of one picture; `rgb` is what is shown.

        Args:
            camera: The browser's, in nerfstudio's world.
            time: Normalised time.
            frame: The clip's frame nearest to it.
            redraw: Draws.
        """
        scene = self.run.model.gaussians.detach()
        if self.hidden:
            scene = scene.without(*self.hidden)
        outputs = redraw(scene)
        if self.plain:
            return outputs
        # Lines and frames are composed on the CPU.
        picture = self._shown(scene, outputs, redraw).cpu().float()
        depth = torch.where(outputs["accumulation"] > 0.5, outputs["depth"], torch.inf)[..., 0].cpu()
        if self.velocities:
            ahead = 2 / max(len(self.run.scene.clip) - 1, 1)
            segments = velocity_segments(scene.frames, time, ahead)
            picture = with_velocities(picture, depth, camera, segments)
        if self.tracks:
            picture = with_tracks(picture, depth, camera, self.prepare_tracks(), frame)
        return outputs | {"rgb": self._with_input(picture, camera, frame).to(outputs["rgb"])}

    def _shown(self, scene: LayeredGaussians, outputs: dict[str, Tensor], redraw: Redraw) -> Float[Tensor, "h w 3"]:
        from nerfstudio.utils.colormaps import apply_float_colormap

        if self.show == "depth":
            near, far = self._remembered("depths", self._depth_range)
            closeness = (1 / outputs["depth"].clamp_min(1e-6) - 1 / far) / (1 / near - 1 / far)
            return apply_float_colormap(closeness.clamp(0, 1), "turbo") * outputs["accumulation"]
        if self.show == "opacity":
            return outputs["accumulation"].expand(-1, -1, 3)
        if self.show == "what moves":
            drawn = redraw(self._recoloured("motion", scene, motion_scene))
            share = _over_black(drawn).amax(dim=-1, keepdim=True)
            grey = outputs["rgb"].mean(dim=-1, keepdim=True)
            return 0.5 * grey * (1 - share) + share * outputs["rgb"].new_tensor([1.0, 0.35, 0.1]) * (0.4 + 0.6 * grey)
        if self.show == "confidence":
            drawn = redraw(self._recoloured("confidence", scene, self._confidence))
            seen = drawn["accumulation"]
            return (
                apply_float_colormap((_over_black(drawn)[..., :1] / seen.clamp_min(1e-6)).clamp(0, 1), "turbo") * seen
            )
        return outputs["rgb"]

    def _with_input(
        self, picture: Float[Tensor, "h w 3"], camera: PinholeCameras, frame: int
    ) -> Float[Tensor, "h w 3"]:
        if self.input == "off":
            return picture
        given = self.run.scene.clip.frames[frame].float() / 255
        if self.input == "beside":
            return with_inset(picture, given)
        own = self.run.cameras()[[frame]]
        return wiped(picture, *placed_frame(given, own, camera), self.seam)

    def _confidence(self, scene: LayeredGaussians) -> LayeredGaussians:
        return confidence_scene(scene, self.run.scene.geometry, self.run.cameras())

    def _recoloured(
        self, name: str, scene: LayeredGaussians, make: Callable[[LayeredGaussians], LayeredGaussians]
    ) -> LayeredGaussians:
        return self._remembered(name, lambda: make(scene), self.hidden)

    def prepare_tracks(self) -> Tracks:
        """The points that are followed; looks for them where that has not been done, without the lock."""
        frames = self.run.model.gaussians.detach().layer(FRAMES)
        return self._remembered("tracks", lambda: follow(frames, self.run.scene.clip.times.tolist(), TRACKED))

    def _depth_range(self) -> tuple[float, float]:
        depth = self.run.scene.geometry.depth[:1].flatten()[::7]
        return float(depth.quantile(0.02)), float(depth.quantile(0.98)) * 1.5

    def _remembered(self, name: str, make: Callable[[], Any], *settings: Any) -> Any:
        """What `make` gave last time, as long as nothing was trained or changed since."""
        key = (self.run.version(), *settings)
        known = self._known.get(name)
        if known is None or known[0] != key:
            known = (key, make())
            self._known[name] = known
        return known[1]


def _over_black(outputs: dict[str, Tensor]) -> Float[Tensor, "h w 3"]:
    """What was drawn, without the viewer's background colour."""
    return (outputs["rgb"] - (1 - outputs["accumulation"]) * outputs["background"]).clamp(0, 1)
