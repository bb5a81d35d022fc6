"""The synthetic clip as files, laid out like a benchmark clip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from neoverse_ns.clip.synthetic.render import SyntheticClip
from neoverse_ns.errors import SettingsError

DEPTH_SCALE = 1000
"""Units of the 16-bit depth images per scene unit."""


def save_synthetic(clip: SyntheticClip, folder: Path) -> Path:
    """Write the clip and its truth, and return the video's path.

    The folder gets `clip.mp4` (the only input), `cameras.npz` (frame_index, c2w, K, right_c2w, right_K), `depth/`
    (16-bit, `depth_scale` in about.json), `right_images/`, `truth.npz` (c2w, K, depth, dynamic, things, right_things,
    flow, seconds) and `about.json`. Files of the same names are replaced.

    Raises:
        SettingsError: Width or height is odd, which H.264 cannot store.
    """
    # Rendering a clip needs no encoder, and this module is loaded with it.
    from neoverse_ns.clip.write import write_video

    height, width = clip.frames.shape[1:3]
    if width % 2 or height % 2:
        raise SettingsError(f"a video needs an even width and height, got {width}x{height}: render with even ones")
    folder.mkdir(parents=True, exist_ok=True)
    video = folder / "clip.mp4"
    fps = 1.0 if len(clip.seconds) < 2 else 1 / (clip.seconds[1] - clip.seconds[0]).item()
    write_video(video, clip.frames, fps)
    # Arrays of any name: the type of savez's other keywords does not concern them.
    cameras: dict[str, Any] = {
        "c2w": clip.cameras.c2w.numpy(),
        "K": clip.cameras.K.numpy(),
        "right_c2w": clip.right_cameras.c2w.numpy(),
        "right_K": clip.right_cameras.K.numpy(),
    }
    np.savez(folder / "cameras.npz", frame_index=np.arange(len(clip.frames)), **cameras)
    np.savez_compressed(
        folder / "truth.npz",
        **cameras,
        depth=clip.depth.numpy(),
        dynamic=clip.dynamic.numpy(),
        things=clip.things.numpy(),
        right_things=clip.right_things.numpy(),
        flow=clip.flow.numpy().astype(np.float16),
        seconds=clip.seconds.numpy(),
    )
    for name in ("depth", "right_images"):
        (folder / name).mkdir(exist_ok=True)
    for i, (depth, image) in enumerate(zip(clip.depth.numpy(), clip.right_frames.numpy(), strict=True)):
        cv2.imwrite(str(folder / "depth" / f"{i:05d}.png"), (depth * DEPTH_SCALE).round().astype(np.uint16))
        cv2.imwrite(str(folder / "right_images" / f"{i:05d}.png"), image[:, :, ::-1])
    about = {"source": "rendered by neoverse_ns.clip.synthetic", "cameras": "exact", "depth_scale": DEPTH_SCALE}
    (folder / "about.json").write_text(json.dumps(about, indent=1))
    return video
