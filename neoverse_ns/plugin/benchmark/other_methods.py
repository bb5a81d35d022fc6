"""`neoverse-benchmark`: a protocol's frames with the data set's own cameras, for methods that need cameras."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from nerfstudio.cameras import camera_utils
from nerfstudio.cameras.cameras import Cameras, CameraType
from nerfstudio.data.dataparsers.base_dataparser import DataParser, DataParserConfig, DataparserOutputs
from nerfstudio.data.scene_box import SceneBox
from torch import Tensor

from neoverse_ns.plugin.benchmark.source import BenchmarkSource
from neoverse_ns.plugin.user_errors import exit_on_user_error
from neoverse_ns.plugin.world import opencv_to_opengl

EXTENT = 1.0
"""Largest coordinate of an input camera, in nerfstudio's unit."""


@dataclass
class BenchmarkDataParserConfig(DataParserConfig):
    """Inputs of a protocol as training images, its targets as evaluation images, cameras as the data set gives them."""

    _target: type = field(default_factory=lambda: BenchmarkDataParser)
    data: Path = Path()
    """Folder of the data set, or of one of its scenes."""
    protocol: str = ""
    """Which frames are given and judged; an alias as of ns-neoverse evaluate. Methods measure by their own metrics."""
    scene: str | None = None
    """Name of the scene; may be left out where the folder holds one alone."""
    cache_dir: Path | None = None
    """Where straightened pictures are kept; by default $NEOVERSE_CACHE_DIR, or the user's cache folder."""


@dataclass
class BenchmarkDataParser(DataParser):
    """Writes the pictures of both splits once, without lens distortion and at the protocol's size."""

    config: BenchmarkDataParserConfig
    includes_time: bool = True
    downscale_factor: float | None = None

    def __init__(self, config: BenchmarkDataParserConfig) -> None:
        super().__init__(config)

    def _generate_dataparser_outputs(self, split: str = "train", **kwargs: Any) -> DataparserOutputs:
        from neoverse_ns.plugin.benchmark.opened import open_benchmark
        from neoverse_ns.plugin.benchmark.written import write_frames

        config = self.config
        with exit_on_user_error():
            opened = open_benchmark(BenchmarkSource("", config.data, config.protocol, config.scene))
            written = write_frames(opened, config.cache_dir)
        transform, scale = normalisation(written.inputs.c2w)
        frames = written.targets if split in ("val", "test") else written.inputs
        c2w = opencv_to_opengl(frames.c2w)
        moved = transform[:, :3] @ c2w
        moved[..., 3] += transform[:, 3]
        moved[..., 3] *= scale
        cameras = Cameras(
            camera_to_worlds=moved.float(),
            fx=frames.K[:, 0, 0].float(),
            fy=frames.K[:, 1, 1].float(),
            cx=frames.K[:, 0, 2].float(),
            cy=frames.K[:, 1, 2].float(),
            width=torch.tensor([size[0] for size in frames.sizes]),
            height=torch.tensor([size[1] for size in frames.sizes]),
            times=frames.times.float().reshape(-1, 1),
            camera_type=CameraType.PERSPECTIVE,
            metadata={},
        )
        return DataparserOutputs(
            image_filenames=frames.pictures,
            mask_filenames=frames.masks,
            cameras=cameras,
            scene_box=SceneBox(aabb=torch.tensor([[-EXTENT] * 3, [EXTENT] * 3])),
            dataparser_transform=transform.float(),
            dataparser_scale=scale,
        )


def normalisation(c2w: Float[Tensor, "n 4 4"]) -> tuple[Float[Tensor, "3 4"], float]:
    """What brings the world of input cameras (OpenCV axes) upright and around nerfstudio's origin, and then its scale.

    Targets have no say: another choice of them would otherwise train another scene.
    """
    poses = opencv_to_opengl(c2w)
    centre, up = poses[:, :, 3].mean(0), poses[:, :, 1].mean(0)
    upright = _nearest_turn(camera_utils.rotation_matrix_between(up.float(), torch.tensor([0.0, 0.0, 1.0])).to(poses))
    transform = torch.cat([upright, -upright @ centre[:, None]], dim=1)
    extent = float(((poses[:, :, 3] - centre) @ upright.mT).abs().max())
    return transform, EXTENT / extent if extent > 0 else 1.0


def _nearest_turn(matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "3 3"]:
    """The rotation that a rounded matrix stands for: far from the origin its error would move everything."""
    U, _, Vh = torch.linalg.svd(matrix)
    return U @ Vh
