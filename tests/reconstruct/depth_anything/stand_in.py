"""A network with the interface of Depth Anything 3 that knows the truth about one clip."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from neoverse_ns.clip.synthetic import SyntheticClip
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp


@dataclass
class Prediction:
    """The fields of `depth_anything_3.specs.Prediction` that are read."""

    depth: np.ndarray
    is_metric: int
    conf: np.ndarray | None = None
    extrinsics: np.ndarray | None = None
    intrinsics: np.ndarray | None = None


@dataclass
class ExactNetwork:
    """Knows frames by their pixels, and answers as the package does.

    Every call has a world, a unit and lenses of its own: nobody may rely on the first camera being at the origin.

    Attributes:
        clip: The truth.
        depth_noise: Relative size of smooth errors of the depth.
        thing_noise: Typical error of the depth of everything that moves, as a logarithm, drawn for every frame.
        calls: Frames of every call so far.
        resolutions: Size asked for in every call.
    """

    clip: SyntheticClip
    depth_noise: float = 0.0
    thing_noise: float = 0.0
    calls: list[list[int]] = field(default_factory=list)
    resolutions: list[int] = field(default_factory=list)

    def inference(
        self,
        image: list[np.ndarray],
        extrinsics: np.ndarray | None = None,
        intrinsics: np.ndarray | None = None,
        align_to_input_ext_scale: bool = True,
        infer_gs: bool = False,
        use_ray_pose: bool = False,
        ref_view_strategy: str = "saddle_balanced",
        process_res: int = 504,
        process_res_method: str = "upper_bound_resize",
    ) -> Prediction:
        truth = {frame.numpy().tobytes(): number for number, frame in enumerate(self.clip.frames)}
        numbers = [truth[one.tobytes()] for one in image]
        self.calls.append(numbers)
        self.resolutions.append(process_res)
        random = np.random.default_rng(len(self.calls))
        cameras = self.clip.cameras
        height, width = processed_size(cameras, process_res)
        unit = float(random.uniform(0.2, 5.0))
        depth = np.stack([_resized(self.clip.depth[n].numpy(), (height, width)) for n in numbers])
        if self.depth_noise:
            rough = random.normal(0, self.depth_noise, (len(numbers), 4, 6)).astype(np.float32)
            depth = depth * np.exp([cv2.resize(r, (width, height), interpolation=cv2.INTER_CUBIC) for r in rough])
        if self.thing_noise:
            wrong = np.exp(random.normal(0, self.thing_noise, len(numbers)))[:, None, None]
            moving = np.stack([_resized(self.clip.dynamic[n].numpy(), (height, width)) for n in numbers])
            depth = np.where(moving, wrong * depth, depth)
        world = se3_exp(torch.from_numpy(random.normal(0, 1, 6)))
        c2w = world @ cameras.c2w[numbers]
        c2w[:, :3, 3] *= unit
        K = cameras.K[numbers].clone()
        K[:, 0] *= width / cameras.width
        K[:, 1] *= height / cameras.height
        return Prediction(
            depth=(unit * depth).astype(np.float32),
            is_metric=0,
            conf=np.full(depth.shape, 9.0, np.float32),
            extrinsics=torch.linalg.inv(c2w)[:, :3].float().numpy(),
            intrinsics=K.float().numpy(),
        )


def processed_size(cameras: PinholeCameras, longest: int) -> tuple[int, int]:
    """Height and width at which the package works: the longer side scaled, each the nearest multiple of 14."""
    scale = longest / max(cameras.width, cameras.height)
    height, width = (14 * int(round(side * scale) / 14 + 0.5) for side in (cameras.height, cameras.width))
    return height, width


def _resized(depth: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """As sharp as depth can be at that size."""
    height, width = size
    rows = ((np.arange(height) + 0.5) * depth.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * depth.shape[1] / width).astype(int)
    return depth[np.ix_(rows, columns)]
