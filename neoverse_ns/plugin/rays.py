"""Rays of training cameras, answered from whole drawings: what ns-export pointcloud asks a model for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from nerfstudio.cameras.rays import RayBundle
from torch import Tensor

from neoverse_ns.geometry.normals import normals_from_depth
from neoverse_ns.plugin.world import opengl_to_viewmats

if TYPE_CHECKING:
    from neoverse_ns.plugin.model import NeoVerseModel


class RayLookup:
    """Draws each training frame once and reads single pixels from it."""

    def __init__(self, model: NeoVerseModel) -> None:
        self._model = model
        self._drawn: Float[Tensor, "n h w 8"] | None = None

    @torch.no_grad()
    def outputs(self, rays: RayBundle) -> dict[str, Tensor]:
        """Colour, opacity and distance along each ray.

        Args:
            rays: Through pixels of the training cameras, as nerfstudio's ray generator makes them.

        Returns:
            `rgb` [r, 3], `depth` [r, 1] (distance along the unit direction), `accumulation` [r, 1], and `normals`
            [r, 3] in the world, mapped from [-1, 1] to [0, 1] as nerfstudio's exporters expect.
        """
        assert rays.camera_indices is not None
        cameras = self._model.train_cameras()
        device = rays.origins.device
        index = rays.camera_indices.reshape(-1).long().to(cameras.device)
        c2w = cameras.camera_to_worlds[index].to(device)
        # OpenGL cameras look along -z: the share of a unit direction along the optical axis turns z-depth to distance.
        local = torch.einsum("rji,rj->ri", c2w[:, :3, :3], rays.directions.reshape(-1, 3))
        forward = (-local[:, 2]).clamp_min(1e-6)
        u = cameras.fx[index, 0].to(device) * local[:, 0] / forward + cameras.cx[index, 0].to(device)
        v = cameras.fy[index, 0].to(device) * -local[:, 1] / forward + cameras.cy[index, 0].to(device)
        drawn = self._drawings(device)
        column = u.floor().long().clamp(0, drawn.shape[2] - 1)
        row = v.floor().long().clamp(0, drawn.shape[1] - 1)
        values = drawn[index.to(device), row, column]
        return {
            "rgb": values[:, :3],
            "depth": values[:, 3:4] / forward[:, None],
            "accumulation": values[:, 4:5],
            "normals": 0.5 * (values[:, 5:8] + 1),
        }

    def _drawings(self, device: torch.device) -> Float[Tensor, "n h w 8"]:
        if self._drawn is None:
            cameras = self._model.train_cameras()
            # Without their frame numbers cameras are drawn as estimated, which is where the rays start.
            cameras.metadata = {}
            drawn = []
            for i in range(len(cameras)):
                view = self._model.draw(cameras[i : i + 1])
                c2w = torch.linalg.inv(opengl_to_viewmats(cameras.camera_to_worlds[i : i + 1]))[0]
                K = cameras[i].get_intrinsics_matrices()
                normals = normals_from_depth(view.depth[0, ..., 0].cpu(), K, c2w)
                drawn.append(
                    torch.cat([view.rgb[0].clamp(0, 1), view.depth[0], view.alpha[0], normals.to(view.rgb)], dim=-1)
                )
            self._drawn = torch.stack(drawn)
        return self._drawn.to(device)
