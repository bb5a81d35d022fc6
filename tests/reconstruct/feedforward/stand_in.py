"""A stand-in for a trained network, which knows the synthetic scene: exact cameras, depth, colours and motion."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.render import Hits, SyntheticClip, _move_points, camera_rays, cast, render_colour
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.prior_tokens import PriorTokens
from neoverse_ns.reconstruct.feedforward.sizing import network_size

UNITS = (1.3, 0.8, 0.6, 1.1, 0.9)
"""The world's unit in one call after the other. With larger ones Gaussians far away would reach the size limit."""


@dataclass(frozen=True)
class Call:
    """What the stand-in was asked: positions of the frames in the clip, and the rest as given."""

    frames: list[int]
    priors: PriorTokens | None
    use_motion: bool
    heads: Collection[str]


class TrueNetwork:
    """Predicts the truth, in a world that begins at the first frame it is given and whose unit differs in every call.

    Args:
        truth: The clip whose frames it will be shown.
        seed: With which that clip was rendered.
        longest_side: Of the images it will be shown.
    """

    def __init__(self, truth: SyntheticClip, seed: int = 0, longest_side: int = 560) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.lattice = random_lattice(generator)
        self.scene = build_scene(generator)
        count, (height, width) = len(truth.frames), truth.frames.shape[1:3]
        cameras = camera_path(count, width, height, generator)
        assert torch.equal(cameras.c2w, truth.cameras.c2w)
        self.size = network_size(width, height, longest_side)
        K = self.size.intrinsics_to_network(cameras.K)
        self.cameras = PinholeCameras(cameras.c2w, K, *self.size.network)
        self.images = self.size.images(truth.frames)
        self.times = [i / max(count - 1, 1) for i in range(count)]
        self.calls: list[Call] = []
        self._seen: dict[int, tuple[Hits, Tensor, Tensor]] = {}

    def __call__(
        self,
        images: Tensor,
        priors: PriorTokens | None,
        is_static: bool,
        use_motion: bool,
        head_chunk: int,
        heads: Collection[str],
        mixed_precision: bool,
    ) -> NetworkPredictions:
        frames = [int((self.images - image).square().mean((1, 2, 3)).argmin()) for image in images[0]]
        self.calls.append(Call(frames, priors, use_motion, heads))
        unit = UNITS[len(self.calls) % len(UNITS)]
        cameras = self.cameras[frames]
        c2w = torch.linalg.inv(cameras.c2w[0]) @ cameras.c2w
        c2w[:, :3, 3] *= unit
        outputs: dict[str, list[Tensor]] = {}
        for place, frame in enumerate(frames):
            after = frames[place + 1] if place + 1 < len(frames) else None
            before = frames[place - 1] if place > 0 else None
            for name, value in self._dense(frames[0], frame, before, after, unit, images[0, place], heads).items():
                if use_motion or "velocity" not in name:
                    outputs.setdefault(name, []).append(value.float())
        dense = {name: torch.stack(values)[None] for name, values in outputs.items()}
        return NetworkPredictions(torch.zeros(1, len(frames), 9), c2w.float()[None], cameras.K.float()[None], **dense)

    def _dense(
        self,
        first: int,
        frame: int,
        before: int | None,
        after: int | None,
        unit: float,
        image: Tensor,
        heads: Collection[str],
    ) -> dict[str, Tensor]:
        camera, time = self.cameras[[frame]], self.times[frame]
        shape = camera.height, camera.width
        found: dict[str, Tensor] = {}
        if "depth" in heads:
            depth = cast(self.scene, time, *camera_rays(camera)).depth
            found |= {"depth": unit * depth.view(shape), "depth_conf": torch.full(shape, 3.0)}
        if "gaussians" not in heads:
            return found
        hits, points, colour = self._corners(frame)
        for side, other in (("fwd", after), ("bwd", before)):
            if other is not None:
                moved = _move_points(self.scene, hits, points, time, self.times[other]) - points
                local = (moved @ camera.c2w[0, :3, :3]).view(*shape, 3)
                found |= {f"velocity_{side}": unit * local, f"velocity_{side}_conf": torch.full(shape, 3.0)}
        depth = unit * hits.depth.view(shape)
        residual = (colour - image.permute(1, 2, 0)) / SH_C0
        # Discs across the line of sight, turned like the camera.
        turn = quaternions.from_matrix(self.cameras.c2w[first, :3, :3].T @ camera.c2w[0, :3, :3])
        footprint = torch.tensor([0.45, 0.45, 0.1], dtype=torch.float64) / camera.K[0, 0, 0]
        scales = (depth[..., None] * footprint).log()
        one = torch.ones(*shape, 1, dtype=torch.float64)
        params = [turn.expand(*shape, 4), scales, 4 * one, residual, math.log(9) * one]
        return found | {"gs_depth": depth, "gs_depth_conf": torch.full(shape, 3.0), "gs_params": torch.cat(params, -1)}

    def _corners(self, frame: int) -> tuple[Hits, Tensor, Tensor]:
        """What the Gaussians' rays hit, where, and its colour: they go through integer pixel coordinates, half a pixel
        beside the pixel centres."""
        if frame not in self._seen:
            camera, time = self.cameras[[frame]], self.times[frame]
            K = camera.K.clone()
            K[:, :2, 2] += 0.5
            corner = PinholeCameras(camera.c2w, K, *self.size.network)
            origin, directions = camera_rays(corner)
            hits = cast(self.scene, time, origin, directions)
            colour = render_colour(self.scene, self.lattice, time, corner).double() / 255
            self._seen[frame] = hits, origin + hits.depth[:, None] * directions, colour
        return self._seen[frame]
