"""Who follows points: our scenes."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

from jaxtyping import Float, Int64
from torch import Tensor

from neoverse_ns.applications.track.config import Anchor, TrackConfig
from neoverse_ns.applications.track.queries import Queries
from neoverse_ns.applications.track.track import track
from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.tracks import FollowedPoints, TrackMethod
from neoverse_ns.evaluation.methods.method_text import parse_method
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.registry import RECONSTRUCTORS, get_reconstructor
from neoverse_ns.reconstruct.scene import scene_of
from neoverse_ns.trajectory.plain_json import plain


class SceneTracks(TrackMethod):
    """Reconstructs the clip, and follows points through the scene as `ns-neoverse track` does.

    Args:
        text: As it was typed.
        config: Of the reconstruction.
        tracking: Of the following.
    """

    def __init__(self, text: str, config: SceneConfig, tracking: TrackConfig) -> None:
        self.name, self.solver = text, config.reconstructor
        self._config, self._tracking = config, tracking

    def settings(self) -> dict[str, Any]:
        return {"reconstructor": self._config.reconstructor, **dataclasses.asdict(self._tracking)}

    def follow(self, clip: Clip, xy: Float[Tensor, "p 2"], frame: Int64[Tensor, " p"]) -> FollowedPoints:
        scene = scene_of(clip, self._config, get_reconstructor(self._config))
        tracks = track(ExportScene.of(scene), Queries(xy, frame), self._tracking)
        return FollowedPoints(tracks.in_cameras, tracks.visible, plain(scene.geometry.report))


def track_method(text: str) -> TrackMethod:
    """`ours`, or `ours:reconstructor=bundle,anchor=scene`: see :class:`TrackConfig` for what places are measured on.

    Raises:
        SettingsError: There is no such method or setting.
    """
    name, settings = parse_method(text)
    if name != "ours":
        raise SettingsError(f"no method named '{name}' follows points; there is ours")
    unknown = sorted(set(settings) - {"reconstructor", "anchor"})
    if unknown:
        raise SettingsError(f"method '{text}': ours has reconstructor and anchor, not {unknown[0]}")
    anchor, reconstructor = settings.get("anchor", "video"), settings.get("reconstructor", "bundle")
    if anchor not in get_args(Anchor) or reconstructor not in RECONSTRUCTORS:
        raise SettingsError(
            f"method '{text}': anchor must be {', '.join(get_args(Anchor))}, reconstructor {', '.join(RECONSTRUCTORS)}"
        )
    # All frames train: nothing is judged by pictures.
    config = SceneConfig(
        reconstructor=reconstructor,  # pyright: ignore[reportArgumentType]
        held_out_every=0,
    )
    tracking = TrackConfig(anchor=anchor)  # pyright: ignore[reportArgumentType]
    return SceneTracks(text, config, tracking)
