"""From a clip to a scene."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene


def reconstruct(
    clip: str | Path,
    config: SceneConfig | None = None,
    *,
    num_frames: int | None = None,
    width: int | None = None,
    device: str = "cpu",
) -> Scene:
    """Cameras, depth and 4D Gaussians of a clip, from the cache where they are there: `ns-neoverse reconstruct`.

    Args:
        clip: Video file, folder of images, or image.
        config: Which frames, and how; by default all of them are used, while `SceneConfig()` keeps every eighth back to
            be measured by, as `ns-train` does.
        num_frames: Frames sampled evenly in time, instead of the config's.
        width: Of the frames in pixels, instead of the config's.
        device: Where the scene will be optimised; decides the defaults of number and size of the frames.

    Returns:
        Frames (`clip.frames` [n, h, w, 3] uint8), cameras (`geometry.cameras`: c2w [n, 4, 4], K [n, 3, 3] in pixels),
        depth of the keyframes (`geometry.depth` [k, h, w]) and Gaussians in layers (`gaussians`).

    Raises:
        ClipError, SettingsError, ReconstructionError, WeightsError: The clip cannot be reconstructed as asked.
    """
    # Decoding and flow take a second to import, which whoever only loads runs shall not wait for.
    from neoverse_ns.reconstruct.cache import cached_scene

    config = config or SceneConfig(held_out_every=0)
    asked = {name: value for name, value in {"num_frames": num_frames, "width": width}.items() if value is not None}
    config = dataclasses.replace(config, clip=dataclasses.replace(config.clip, **asked))
    return cached_scene(Path(clip), config, device)


def optimise(
    scene: Scene | str | Path, config: OptimiseConfig | None = None, *, steps: int | None = None, device: str = "cpu"
) -> Scene:
    """Optimise Gaussians and cameras on the clip's pixels, as `ns-neoverse reconstruct --optimise` does.

    Args:
        scene: As reconstructed, or a clip to be reconstructed first.
        config: How; settings of drawing are no part of the result: hand `config.draw_options` to what draws it.
        steps: At most so many, instead of the config's 500.
        device: Where it runs; the result lies on the CPU.

    Returns:
        The scene with other Gaussians and cameras.

    Raises:
        SettingsError, RunError: See :func:`neoverse_ns.optimise.loop.optimise`.
        ClipError, ReconstructionError, WeightsError: See :func:`reconstruct`.
    """
    from neoverse_ns.optimise.loop import optimise as optimised

    config = config or OptimiseConfig()
    if steps is not None:
        config = dataclasses.replace(config, steps=steps)
    config.validate()
    return optimised(scene if isinstance(scene, Scene) else reconstruct(scene, device=device), config, device)
