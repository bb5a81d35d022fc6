"""Small scenes for the rasteriser's tests, and a picture of them by the shortest possible means."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEAVES = ("means", "quats", "scales", "opacities", "colors", "viewmats")


def random_scene(
    count: int,
    width: int,
    height: int,
    *,
    cameras: int = 2,
    channels: int = 3,
    sigma: tuple[float, float] = (0.5, 4.0),
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Gaussians of `sigma` pixels around the frustum of cameras with unequal focal lengths and an off-centre axis.

    Every tenth lies behind the cameras, and another tenth far outside the picture but large enough to reach it, where
    the Jacobian is frozen.
    """
    random = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=random, dtype=torch.float64)

    focal = torch.tensor([0.9 * width, 1.1 * width], dtype=torch.float64)
    axis = torch.tensor([0.47 * width, 0.56 * height], dtype=torch.float64)
    depth = uniform(1.0, 5.0, count)
    pixels = uniform(-0.1, 1.1, count, 2) * torch.tensor([width, height])
    size = uniform(*sigma, count, 3)
    outside = torch.arange(count) % 10 == 1
    pixels[outside, 0] = 2.0 * width
    size[outside] = uniform(0.3, 0.6, int(outside.sum()), 3) * width
    means = torch.cat([(pixels - axis) / focal * depth[:, None], depth[:, None]], dim=-1)
    means[torch.arange(count) % 10 == 2] *= -1
    K = torch.zeros(cameras, 3, 3, dtype=torch.float64)
    K[:, 0, 0], K[:, 1, 1], K[:, 2, 2] = focal[0], focal[1], 1.0
    K[:, :2, 2] = axis
    viewmats = torch.eye(4, dtype=torch.float64).repeat(cameras, 1, 1)
    turns = uniform(-0.08, 0.08, cameras, 3)
    skew = torch.zeros(cameras, 3, 3, dtype=torch.float64)
    skew[:, 0, 1], skew[:, 0, 2], skew[:, 1, 2] = -turns[:, 2], turns[:, 1], -turns[:, 0]
    viewmats[:, :3, :3] = torch.linalg.matrix_exp(skew - skew.transpose(1, 2))
    viewmats[:, :3, 3] = uniform(-0.1, 0.1, cameras, 3)
    scene = {
        "means": means,
        "quats": torch.randn(count, 4, generator=random, dtype=torch.float64),
        "scales": size * (depth / focal.mean())[:, None],
        "opacities": uniform(0.02, 1.0, count),
        "colors": uniform(0.0, 1.0, count, channels),
        "viewmats": viewmats,
        "Ks": K,
    }
    # Rounded to float32 first, so that scenes of both types are equal.
    return {name: value.to(torch.float32).to(dtype) for name, value in scene.items()}


def brute_force(
    scene: dict[str, Tensor], width: int, height: int, *, camera: int = 0, eps2d: float = 0.3
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours with accumulated depth [h, w, d + 1] and alpha [h, w] of one camera in float64 numpy.

    One Gaussian after the other over the whole picture: no tiles, no boxes, no lists.
    """
    value = {name: tensor.detach().double().numpy() for name, tensor in scene.items()}
    view, K = value["viewmats"][camera], value["Ks"][camera]
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    centres = value["means"] @ view[:3, :3].T + view[:3, 3]
    px, py = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    image = np.zeros((height, width, value["colors"].shape[1] + 1))
    left, open_ = np.ones((height, width)), np.ones((height, width), dtype=bool)
    for i in np.argsort(centres[:, 2], kind="stable"):
        x, y, z = centres[i]
        if z < 0.01:
            continue
        w, a, b, c = value["quats"][i] / np.linalg.norm(value["quats"][i])
        vector = np.array([a, b, c])
        cross = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
        rotation = (w * w - vector @ vector) * np.eye(3) + 2 * np.outer(vector, vector) + 2 * w * cross
        covariance = rotation @ np.diag(value["scales"][i] ** 2) @ rotation.T
        margin_x, margin_y = 0.15 * width / fx, 0.15 * height / fy
        tx = z * np.clip(x / z, -cx / fx - margin_x, (width - cx) / fx + margin_x)
        ty = z * np.clip(y / z, -cy / fy - margin_y, (height - cy) / fy + margin_y)
        jacobian = np.array([[fx / z, 0, -fx * tx / z**2], [0, fy / z, -fy * ty / z**2]]) @ view[:3, :3]
        inverse = np.linalg.inv(jacobian @ covariance @ jacobian.T + eps2d * np.eye(2))
        offset = np.stack([fx * x / z + cx - px, fy * y / z + cy - py], axis=-1)
        exponent = 0.5 * np.einsum("hwi,ij,hwj->hw", offset, inverse, offset)
        alpha = np.minimum(0.999, value["opacities"][i] * np.exp(-exponent))
        drawn = open_ & (alpha >= 1 / 255)
        open_ &= ~(drawn & (left * (1 - alpha) <= 1e-4))
        weight = np.where(drawn & open_, alpha * left, 0.0)
        image += weight[..., None] * np.append(value["colors"][i], z)
        left -= weight
    return image, 1 - left
