"""A rasteriser in plain torch: the fallback where no compiler is, and in float64 the reference for the kernels.

It draws the same picture as kernels.cpp by other means: small tiles whose lists are padded to equal length and blended
in slabs by cumulative products. Memory stays bounded because a few hundred tiles are in work at a time and the slabs
are recomputed in the backward pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from neoverse_ns.rasterize.projection import MIN_ALPHA, project
from neoverse_ns.rasterize.settings import RasterSettings
from neoverse_ns.rasterize.spherical_harmonics import sh_colors
from neoverse_ns.rasterize.view import RenderedView

MAX_ALPHA = 0.999
MIN_TRANSMITTANCE = 1e-4
MIN_WEIGHT = 1e-10
TILE = 4  # pixels along a side; small tiles waste few evaluations on Gaussians of a few pixels
BAND_TILES = 512  # tiles in work at a time
SLAB = 64  # Gaussians per tile blended at a time


def render_view(
    means: Float[Tensor, "n 3"],
    quats: Float[Tensor, "n 4"],
    scales: Float[Tensor, "n 3"],
    opacities: Float[Tensor, " n"],
    colors: Float[Tensor, "n d"] | Float[Tensor, "n b 3"],
    viewmat: Float[Tensor, "4 4"],
    K: Float[Tensor, "3 3"],
    background: Float[Tensor, " d"] | None,
    settings: RasterSettings,
) -> RenderedView:
    """Render one camera; float32 or float64 on any device.

    `colors` are spherical harmonics where `settings.sh_degree` is given; `d` is 0 for depth-only modes.
    """
    if colors.ndim == 3:
        assert settings.sh_degree is not None
        colors = sh_colors(colors, means, viewmat, settings.sh_degree)
    projected = project(means, quats, scales, opacities, viewmat, K, settings)
    seen = projected.visible.nonzero()[:, 0]
    seen = seen[torch.argsort(projected.depths[seen].detach(), stable=True)]
    features = [colors, projected.depths[:, None]] if settings.has_depth else [colors]
    table = torch.cat([projected.means2d, projected.conics, projected.strengths[:, None], *features], dim=-1)[seen]
    boxes = _tile_boxes(projected.means2d.detach()[seen], projected.radii[seen], settings)

    rows, columns = -(-settings.height // TILE), -(-settings.width // TILE)
    band_rows = max(1, BAND_TILES // columns)
    bands = [_render_band(table, boxes, top, min(top + band_rows, rows), columns) for top in range(0, rows, band_rows)]
    image = _untile(torch.cat([band.features for band in bands]), rows, columns, settings)
    transmittance = _untile(torch.cat([band.transmittance for band in bands])[..., None], rows, columns, settings)
    alpha = 1 - transmittance
    drawn, depth = image[..., : colors.shape[1]], image[..., colors.shape[1] :]
    if background is not None and colors.shape[1]:
        drawn = drawn + transmittance * background
    if settings.expected_depth:
        depth = depth / alpha.clamp_min(MIN_WEIGHT)
    # Zero, but it joins the inputs to the graph where nothing is drawn, so that a training step still works.
    picture = torch.cat([drawn, depth], dim=-1) + 0 * table.sum()
    return RenderedView(picture, alpha[..., 0], projected.radii.to(torch.int32), projected.means2d.detach())


@dataclass(frozen=True)
class _Band:
    features: Float[Tensor, "t p k"]
    transmittance: Float[Tensor, "t p"]


def _tile_boxes(
    means2d: Float[Tensor, "n 2"], radii: Float[Tensor, "n 2"], settings: RasterSettings
) -> Int64[Tensor, "n 4"]:
    """Tiles that each Gaussian may touch: first column and row, then one past the last ones."""
    limit = means2d.new_tensor([-(-settings.width // TILE), -(-settings.height // TILE)])
    first = torch.floor((means2d - radii) / TILE).clamp_min(0).minimum(limit)
    last = torch.ceil((means2d + radii) / TILE).clamp_min(0).minimum(limit)
    return torch.cat([first, last], dim=-1).long()


def _band_lists(
    boxes: Int64[Tensor, "n 4"], top: int, bottom: int, columns: int
) -> tuple[
    Int64[Tensor, " pairs"],  # Gaussians of all tiles of the band, each tile's in the order of `boxes`
    Int64[Tensor, " tiles"],  # length of each tile's list
]:
    x0, y0, x1, y1 = boxes.unbind(-1)
    y0, y1 = y0.clamp(top, bottom), y1.clamp(top, bottom)
    widths, areas = x1 - x0, (x1 - x0) * (y1 - y0)
    gaussians = torch.repeat_interleave(torch.arange(len(boxes), device=boxes.device), areas)
    place = torch.arange(len(gaussians), device=boxes.device) - (areas.cumsum(0) - areas)[gaussians]
    width = widths[gaussians]
    tiles = (y0[gaussians] - top + place // width) * columns + x0[gaussians] + place % width
    order = torch.argsort(tiles, stable=True)
    return gaussians[order], torch.bincount(tiles, minlength=(bottom - top) * columns)


def _render_band(
    table: Float[Tensor, "n k"], boxes: Int64[Tensor, "n 4"], top: int, bottom: int, columns: int
) -> _Band:
    """Tile rows `top` to `bottom` (not included)."""
    listed, counts = _band_lists(boxes, top, bottom, columns)
    starts = counts.cumsum(0) - counts
    # Longest lists first: the tiles that still have Gaussians are then a prefix that shrinks from slab to slab.
    order = torch.argsort(counts, descending=True, stable=True)
    counts, starts = counts[order], starts[order]
    pixels = _pixel_centres(order, top, columns, table)
    transmittance = table.new_ones(len(order), TILE * TILE)
    features = table.new_zeros(len(order), TILE * TILE, table.shape[1] - 6)
    stopped = torch.zeros_like(transmittance, dtype=torch.bool)
    for begin in range(0, int(counts.max()), SLAB):
        active = int((counts > begin).sum())
        if bool(stopped[:active].all()):
            break
        place = begin + torch.arange(SLAB, device=counts.device)
        listed_here = place < counts[:active, None]
        ids = listed[(starts[:active, None] + place).clamp_max(len(listed) - 1)]
        arguments = (table, ids, listed_here, pixels[:active], transmittance[:active], stopped[:active])
        if torch.is_grad_enabled() and table.requires_grad:
            drawn, after, closed = checkpoint(_blend_slab, *arguments, use_reentrant=False, preserve_rng_state=False)
        else:
            drawn, after, closed = _blend_slab(*arguments)
        features = torch.cat([features[:active] + drawn, features[active:]])
        transmittance = torch.cat([after, transmittance[active:]])
        stopped = torch.cat([closed, stopped[active:]])
    inverse = torch.argsort(order)
    return _Band(features[inverse], transmittance[inverse])


def _pixel_centres(tiles: Int64[Tensor, " t"], top: int, columns: int, like: Tensor) -> Float[Tensor, "t p 2"]:
    corner = torch.stack([tiles % columns, tiles // columns + top], dim=-1) * TILE
    inner = torch.arange(TILE * TILE, device=tiles.device)
    offset = torch.stack([inner % TILE, inner // TILE], dim=-1)
    return (corner[:, None] + offset).to(like.dtype) + 0.5


def _blend_slab(
    table: Float[Tensor, "n k"],
    ids: Int64[Tensor, "t s"],
    listed: Bool[Tensor, "t s"],
    pixels: Float[Tensor, "t p 2"],
    transmittance: Float[Tensor, "t p"],
    stopped: Bool[Tensor, "t p"],
) -> tuple[
    Float[Tensor, "t p c"],  # weighted features
    Float[Tensor, "t p"],  # transmittance behind the slab
    Bool[Tensor, "t p"],  # pixels that are saturated
]:
    rows = table[ids]
    dx, dy = (rows[:, :, None, :2] - pixels[:, None]).unbind(-1)
    xx, xy, yy, strength = (rows[:, :, None, i] for i in range(2, 6))
    sigma = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
    alpha = (strength * torch.exp(-sigma.clamp_min(0))).clamp_max(MAX_ALPHA)
    drawn = listed[:, :, None] & (sigma >= 0) & (alpha >= MIN_ALPHA)
    alpha = torch.where(drawn, alpha, 0.0)
    states = torch.cat([transmittance[:, None], transmittance[:, None] * torch.cumprod(1 - alpha, dim=1)], dim=1)
    # Transmittance never rises, so these are the Gaussians up to the one that saturates the pixel.
    before_stop = (states[:, 1:] > MIN_TRANSMITTANCE) & ~stopped[:, None]
    weights = torch.where(before_stop, alpha * states[:, :-1], 0.0)
    used = before_stop.sum(dim=1)
    after = states.gather(1, used[:, None])[:, 0]
    return torch.einsum("tsp,tsc->tpc", weights, rows[:, :, 6:]), after, used < ids.shape[1]


def _untile(
    values: Float[Tensor, "t p k"], rows: int, columns: int, settings: RasterSettings
) -> Float[Tensor, "h w k"]:
    grid = values.reshape(rows, columns, TILE, TILE, -1).permute(0, 2, 1, 3, 4)
    return grid.reshape(rows * TILE, columns * TILE, -1)[: settings.height, : settings.width]
