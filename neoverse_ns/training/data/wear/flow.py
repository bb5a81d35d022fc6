"""Optical flow from one frame to the next, from a sample's own truth."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.projection import pixel_centres, project, unproject
from neoverse_ns.training.data.sample import TrainingSample

FAR = 100.0
"""Depth of what has none, in the sample's unit: it moves as the camera turns."""


def keyframe_flow(sample: TrainingSample) -> Float[Tensor, "k h w 2"]:
    """Way of every keyframe's pixels until the next frame of the clip, x and y, in pixels.

    Surfaces are followed to the next keyframe, the last one's to the one before, and move at one pace in between.
    Where motion is not known, only the camera's counts; without poses the flow is zero.

    Args:
        sample: One, without a batch's dimension.
    """
    count, height, width = len(sample.inputs), *sample.depth.shape[-2:]
    flow = torch.zeros(count, height, width, 2)
    if not bool(sample.has_pose):
        return flow
    for index in range(count):
        last = index == count - 1
        other = index - 1 if last else index + 1
        moved, known = (
            (sample.v_bwd[index - 1], sample.v_bwd_valid[index - 1])
            if last
            else (sample.v_fwd[index], sample.v_fwd_valid[index])
        )
        pose = sample.c2w[index].double()
        depth = torch.where(sample.valid[index], sample.depth[index], FAR).double()
        points = unproject(depth, sample.K[index].double(), pose)
        points = points + torch.where(known[..., None], moved, 0).double() @ pose[:3, :3].T
        view, K = torch.linalg.inv(sample.c2w[other].double()), sample.K[other].double()
        seen, z = project(points.view(-1, 3), view, K)
        way = seen.view(height, width, 2) - pixel_centres(height, width, torch.float64)
        way = way / float(sample.times[other] - sample.times[index])
        # What gets behind the camera has no place there, and what is about to is too fast to tell.
        flow[index] = torch.where((z > 1e-3).view(height, width, 1), way, 0).clamp(-width, width).float()
    return flow
