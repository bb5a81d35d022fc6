"""What enters the transformer, computed again in double precision from a scene, a path and a seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from tests.rasterize.raster_scenes import brute_force

Doubles = NDArray[np.float64]


def between(c2w: Doubles, at: Doubles) -> Doubles:
    """Poses at fractional positions: rotations by slerp, places in straight lines."""
    knots = np.arange(len(c2w))
    out = np.tile(np.eye(4), (len(at), 1, 1))
    out[:, :3, :3] = Slerp(knots, Rotation.from_matrix(c2w[:, :3, :3]))(at).as_matrix()
    for axis in range(3):
        out[:, axis, 3] = np.interp(at, knots, c2w[:, axis, 3])
    return out


def orbit_right(frames: int, radius: float, degrees: float = 15.0) -> Doubles:
    """The published preset: a camera that goes to the right round the point `radius` ahead."""
    angle = np.radians(degrees)
    end = np.eye(4)
    end[:3, :3] = Rotation.from_euler("y", -angle).as_matrix()
    end[:3, 3] = radius * np.sin(angle), 0.0, radius * (1 - np.cos(angle))
    return between(np.stack([np.eye(4), end]), np.linspace(0, 1, frames))


def rays(c2w: Doubles, K: Doubles, height: int, width: int) -> Doubles:
    """Unit directions and moments of the rays through integer pixels, [n, 6, h, w], pixel by pixel."""
    out = np.zeros((len(c2w), 6, height, width))
    for n, y, x in np.ndindex(len(c2w), height, width):
        seen = c2w[n, :3, :3] @ np.linalg.solve(K[n], [x, y, 1.0])
        direction = seen / np.linalg.norm(seen)
        out[n, :, y, x] = [*direction, *np.cross(c2w[n, :3, 3], direction)]
    return out


def at_instant(gaussians: DynamicGaussians, time: float) -> dict[str, Tensor]:
    """Means, rotations, scales, opacities and colours of what lives at one time, one Gaussian after the other."""
    parts: dict[str, list[Doubles]] = {name: [] for name in ("means", "quats", "scales", "opacities", "colors")}
    value = {name: tensor.double().numpy() for name, tensor in gaussians.tensors().items()}
    for i in range(len(gaussians)):
        before, at, after = value["interval"][i]
        moving = bool(value["dynamic"][i])
        if moving and not before < time < after:
            continue
        side = 0 if time > at else 1
        share = abs(time - at) / (after - at if side == 0 else at - before) if moving else 0.0
        mean = value["means"][i] + share * value["velocities"][i, side]
        w, x, y, z = value["quats"][i]
        turned = Rotation.from_quat([x, y, z, w]) * Rotation.from_rotvec(share * value["angular_velocities"][i, side])
        life = 1 / (1 + np.exp(-value["life_span_logits"][i]))
        fade = np.exp(-10 * share ** (1 / (1 - life + 1e-6))) if share > 0 else 1.0
        parts["means"].append(mean)
        parts["quats"].append(np.roll(turned.as_quat(), 1))
        parts["scales"].append(np.exp(value["log_scales"][i]))
        parts["opacities"].append(fade / (1 + np.exp(-value["opacity_logits"][i])))
        parts["colors"].append(np.maximum(0.5 + SH_C0 * value["sh"][i, 0], 0))
    return {name: torch.from_numpy(np.stack(values)) for name, values in parts.items()}


@dataclass(frozen=True)
class Drawn:
    """Pictures along a path: colours [n, h, w, 3] in [0, 1], expected depth and opacity [n, h, w]."""

    rgb: Doubles
    depth: Doubles
    alpha: Doubles


def drawn(gaussians: DynamicGaussians, c2w: Doubles, K: Doubles, times: Doubles, height: int, width: int) -> Drawn:
    """Draw a scene along a path, without tiles or lists."""
    colours, depths, alphas = [], [], []
    for pose, lens, time in zip(c2w, K, times, strict=True):
        views = {"viewmats": torch.from_numpy(np.linalg.inv(pose))[None], "Ks": torch.from_numpy(lens)[None]}
        image, alpha = brute_force(at_instant(gaussians, float(time)) | views, width, height)
        colours.append(image[..., :3].clip(0, 1))
        depths.append(image[..., 3] / alpha.clip(1e-10))
        alphas.append(alpha)
    return Drawn(np.stack(colours), np.stack(depths), np.stack(alphas))


def in_unit_range(depth: Doubles) -> Doubles:
    """Depth over its 98th percentile, as colours in [-1, 1]."""
    return (2 * depth / np.quantile(depth, 0.98) - 1).clip(-1, 1)


class DoubleCoder:
    """A video autoencoder in double precision, with its latents normalised by channel."""

    def __init__(self, vae) -> None:
        self._vae = vae.double()
        shape = (-1, 1, 1, 1)
        self._mean = torch.tensor(vae.config.latents_mean, dtype=torch.float64).reshape(shape)
        self._std = torch.tensor(vae.config.latents_std, dtype=torch.float64).reshape(shape)

    @torch.no_grad()
    def encode(self, video: Doubles) -> Tensor:
        """Latents [c, t, y, x] of colours [n, h, w, 3] in [-1, 1]."""
        moments = self._vae.encode(torch.from_numpy(video).permute(3, 0, 1, 2)[None]).latent_dist
        return (moments.mean[0] - self._mean) / self._std

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Doubles:
        """Colours [n, h, w, 3] in [0, 1] of normalised latents."""
        video = self._vae.decode((latents.double() * self._std + self._mean)[None]).sample[0]
        return ((video.permute(1, 2, 3, 0) + 1) / 2).clamp(0, 1).numpy()


def embedded(pixels: Doubles, weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor) -> Doubles:
    """Mask and cameras [7, n, h, w] as the control branch reads them: blocks of 4 x 8 x 8, groups of 8 channels, SiLU.

    Three empty frames come first.
    """
    filled = np.concatenate([np.zeros_like(pixels[:, :3]), pixels], axis=1)
    channels, frames, height, width = filled.shape
    blocks = filled.reshape(channels, frames // 4, 4, height // 8, 8, width // 8, 8)
    out = np.einsum("ctayhxw,ocahw->otyx", blocks, weight.detach().double().numpy())
    out += bias.detach().double().numpy()[:, None, None, None]
    for first, last in pairwise(range(0, len(out) + 1, 8)):
        group = out[first:last]
        out[first:last] = (group - group.mean()) / np.sqrt(group.var() + 1e-5)
    out = out * scale.detach().double().numpy()[:, None, None, None]
    out = out + shift.detach().double().numpy()[:, None, None, None]
    return out / (1 + np.exp(-out))
