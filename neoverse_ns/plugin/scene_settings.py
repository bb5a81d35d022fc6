"""Settings of the scene that concern the rest of a run."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.plugin.model_config import NeoVerseModelConfig
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.registry import choose_reconstructor


def share_settings(scene: SceneConfig, model: NeoVerseModelConfig) -> None:
    """Make the scene's paths independent of the working directory, and hand on what the model must know.

    Args:
        scene: Changed in place.
        model: Changed in place: it draws the nearer keyframe alone where that is asked of the network.
    """
    weights = Path(scene.network.weights).expanduser()
    if weights.exists():
        scene.network.weights = str(weights.absolute())
    priors = scene.priors
    priors.cameras, priors.depth = _absolute(priors.cameras), _absolute(priors.depth)
    if scene.network.draw == "nearest" and choose_reconstructor(scene).name == "network":
        model.nearest_keyframe_only = True


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser().absolute()
