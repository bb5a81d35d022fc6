"""What edits do to Gaussians: taking away, moving, turning, scaling, doubling, recolouring."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.applications.edit.pivot import Pivot
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry import quaternions

Rows = Mapping[str, Bool[Tensor, " n"]]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""
_DARKEST = 0.02


def without(scene: LayeredGaussians, rows: Rows) -> LayeredGaussians:
    """The scene without the chosen Gaussians; the order of the others stays."""
    return LayeredGaussians(
        {name: layer[~rows[name].to(layer.device)] if name in rows else layer for name, layer in scene.items()}
    )


def chosen(scene: LayeredGaussians, rows: Rows) -> LayeredGaussians:
    """The chosen Gaussians alone."""
    empty = torch.zeros(0, dtype=torch.int64)
    return LayeredGaussians(
        {n: layer[rows[n].to(layer.device) if n in rows else empty.to(layer.device)] for n, layer in scene.items()}
    )


def joined(scene: LayeredGaussians, added: LayeredGaussians) -> LayeredGaussians:
    """Both, layer by layer, the added Gaussians behind the others in number."""
    names = [*scene, *(name for name in added if name not in scene)]
    return LayeredGaussians({name: concatenate([scene.layer(name), added.layer(name)]) for name in names})


def placed(
    things: LayeredGaussians,
    pivot: Pivot,
    offset: Float64[Tensor, "3"] | None = None,
    rotation: Float64[Tensor, "3 3"] | None = None,
    scale: float = 1.0,
) -> LayeredGaussians:
    """Gaussians turned and scaled about a point that may move with them, then moved.

    At every time x becomes scale R (x - c) + c + offset. Both x and c move on straight lines between keyframes, so the
    result does, too, and is exact.

    Args:
        things: What is placed.
        pivot: c over time.
        offset: World units.
        rotation: R; None does not turn.
        scale: Above 0.

    Raises:
        SettingsError: Colours that depend on the direction of view would have to be turned.
    """
    if rotation is not None and things.frames.sh.shape[1] > 1:
        raise SettingsError("this scene's colours depend on the direction of view: it cannot be turned, only moved")
    turn = torch.eye(3, dtype=torch.float64) if rotation is None else rotation
    shift = torch.zeros(3, dtype=torch.float64) if offset is None else offset
    return things.map(lambda layer: _placed(layer, pivot, shift, turn, scale))


def _placed(
    layer: DynamicGaussians, pivot: Pivot, offset: Float64[Tensor, "3"], R: Float64[Tensor, "3 3"], scale: float
) -> DynamicGaussians:
    before, here, after = (pivot.at(t).to(layer.device) for t in layer.interval.detach().unbind(-1))
    A = scale * R.to(layer.device)
    rest = torch.eye(3, dtype=A.dtype, device=A.device) - A
    means = (layer.means.double() - here) @ A.T + here + offset.to(A)
    # What the pivot itself moves over each gap; a constant Gaussian has no gaps.
    ways = torch.stack([after - here, before - here], dim=1)
    velocities = torch.where(layer.dynamic[:, None, None], layer.velocities.double() @ A.T + ways @ rest.T, 0.0)
    turn = quaternions.from_matrix(R).to(layer.quats).expand(len(layer), 4)
    return layer.with_(
        means=means.to(layer.means),
        quats=quaternions.multiply(turn, layer.quats),
        log_scales=layer.log_scales + math.log(scale),
        velocities=velocities.to(layer.velocities),
    )


def rotation_of(degrees: tuple[float, float, float]) -> Float64[Tensor, "3 3"]:
    """Turns about x, then y, then z of the world, which are those of the first camera: right, down, ahead."""
    result = torch.eye(3, dtype=torch.float64)
    for axis, angle in enumerate(degrees):
        w = torch.zeros(3, dtype=torch.float64)
        w[axis] = math.radians(angle)
        result = quaternions.to_matrix(quaternions.from_axis_angle(w)) @ result
    return result


def tint(colour: Float[Tensor, "3"], brightness: float) -> Float64[Tensor, "3 3"]:
    """The map of RGB to `colour` times how bright each pixel is against the thing's own `brightness`.

    Light and texture stay in the brightness, the hue becomes the one asked for.
    """
    return torch.outer(colour.double(), torch.tensor(LUMA, dtype=torch.float64)) / max(brightness, _DARKEST)


def brightness_of(things: LayeredGaussians) -> float:
    """Mean brightness of Gaussians, each weighted by what it covers."""
    colours = torch.cat([0.5 + SH_C0 * layer.sh[:, 0] for layer in things.values()]).double().clamp_min(0)
    area = torch.cat(
        [layer.opacities * layer.log_scales.topk(2, dim=1).values.sum(dim=1).exp() for layer in things.values()]
    ).double()
    luma = colours @ torch.tensor(LUMA, dtype=torch.float64, device=colours.device)
    return float((luma * area).sum() / area.sum().clamp_min(1e-20))


def recoloured(things: LayeredGaussians, colours: Float64[Tensor, "3 3"]) -> LayeredGaussians:
    """Gaussians whose colours went through a linear map of RGB."""

    def change(layer: DynamicGaussians) -> DynamicGaussians:
        M = colours.to(layer.sh)
        sh = layer.sh @ M.T
        # The constant band stands for a colour less one half.
        sh = torch.cat([((0.5 + SH_C0 * layer.sh[:, :1]) @ M.T - 0.5) / SH_C0, sh[:, 1:]], dim=1)
        return layer.with_(sh=sh)

    return things.map(change)
