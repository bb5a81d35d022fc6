"""Two points before a moving camera: one that stands still, one that moves and is hidden for a while."""

from __future__ import annotations

import torch

from neoverse_ns.applications.track.queries import Queries
from neoverse_ns.applications.track.tracks import Tracks
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project

COUNT, WIDTH, HEIGHT = 6, 96, 64


def made_tracks() -> Tracks:
    c2w = torch.eye(4).repeat(COUNT, 1, 1)
    c2w[:, 0, 3] = 0.1 * torch.arange(COUNT)
    K = torch.tensor([[80.0, 0, 48], [0, 80, 32], [0, 0, 1]]).repeat(COUNT, 1, 1)
    cameras = PinholeCameras(c2w, K, WIDTH, HEIGHT)
    world = torch.zeros(COUNT, 2, 3, dtype=torch.float64)
    world[:, 0] = torch.tensor([0.0, 0.2, 2.0])
    world[:, 1] = torch.tensor([-0.3, -0.2, 1.5])
    world[:, 1, 0] += 0.25 * torch.arange(COUNT)
    uv, _ = project(world, cameras.viewmats.double(), K.double())
    visible = torch.ones(COUNT, 2, dtype=torch.bool)
    visible[3, 1] = False
    queries = Queries(torch.stack([uv[0, 0], uv[2, 1]]).float(), torch.tensor([0, 2]))
    seconds = torch.arange(COUNT, dtype=torch.float64) / 8
    return Tracks(queries, uv, world, visible, torch.tensor([False, True]), cameras, seconds)
