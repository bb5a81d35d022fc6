"""What covers a part of a world: two colours mixed by noise and by cells, band-limited by the pixel's footprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from neoverse_ns.clip.synthetic.textures import GAIN, LATTICE, Colour, random_lattice

OCTAVES = 5
"""Most octaves of noise, each of twice the frequency of the one below."""

SHIFT = 7.31
"""Lattice cells between octaves, so that their planes do not fall together."""


@dataclass(frozen=True)
class Surface:
    """Colour as a function of a point in a part's own frame, in units of length, so that it sticks to the part.

    Attributes:
        dark: RGB in [0, 1] where the mix is low.
        light: RGB in [0, 1] where it is high.
        frequency: Lattice cells of the lowest octave per unit of length.
        contrast: How strongly noise moves the mix; 0 for none.
        offset: Shift of the noise in lattice cells, so that parts differ.
        cells: Cells per unit of length along each axis (tiles, bricks, planks, stripes); 0 along an axis for none.
        tone: How strongly a cell's own value moves the mix.
        seam: Brightness of seams between cells; 1 for none.
        bond: Shift of every second row of cells along x, in cells: half of one for bricks.
    """

    dark: Colour
    light: Colour
    frequency: float = 1.5
    contrast: float = 1.0
    offset: Colour = (0.0, 0.0, 0.0)
    cells: Colour = (0.0, 0.0, 0.0)
    tone: float = 0.0
    seam: float = 1.0
    bond: float = 0.0


SurfaceTable = Float32[Tensor, "parts 17"]


def surface_table(surfaces: Sequence[Surface]) -> SurfaceTable:
    """All surfaces of a world as rows of numbers, in the order of the fields."""
    rows = [[x for value in astuple(s) for x in (value if isinstance(value, tuple) else (value,))] for s in surfaces]
    return torch.tensor(rows, dtype=torch.float32)


@lru_cache(maxsize=1)
def shared_lattice() -> Float32[Tensor, " cells"]:
    """Noise of all worlds, which differ by their offsets."""
    return random_lattice(torch.Generator().manual_seed(0))


def albedo(
    table: SurfaceTable,
    part: Int64[Tensor, " n"],
    points: Float32[Tensor, "3 n"],
    normals: Float32[Tensor, "3 n"],
    footprint: Float32[Tensor, " n"],
) -> Float32[Tensor, "3 n"]:
    """Unlit RGB in [0, 1] of surface points of any parts.

    Only sums, products, quotients and roundings, which give the same bits however a tensor is cut among threads.

    Args:
        table: Of :func:`surface_table`.
        part: Row of the table at every point.
        points: In the part's frame, in units of length.
        normals: Unit, in the part's frame.
        footprint: Width of a pixel on the surface, in units of length.
    """
    own = table.T.contiguous().index_select(1, part)
    dark, light, (frequency, contrast), offset = own[0:3], own[3:6], own[6:8], own[8:11]
    mix = contrast * _noise(points, frequency, offset, footprint)
    tone, seam = _cells(points, normals, footprint, own[11:14], own[15], own[16])
    mix += own[14] * tone
    # A sigmoid without exponentials: 0.5 at 0, slope 1.
    mix = 0.5 + mix / (1 + 2 * mix.abs())
    return (dark + (light - dark) * mix) * seam


def _noise(
    points: Float32[Tensor, "3 n"],
    frequency: Float32[Tensor, " n"],
    offset: Float32[Tensor, "3 n"],
    footprint: Float32[Tensor, " n"],
) -> Float32[Tensor, " n"]:
    total = torch.zeros_like(footprint)
    spans = 1 / (frequency * footprint)
    for octave in range(OCTAVES):
        weight = (spans / 2 ** (octave + 1) - 1).clamp_(0, 1)
        if not bool(weight.any()):
            break
        place = points * (frequency * 2**octave) + (offset + SHIFT * octave)
        total += GAIN**octave * weight * _value_noise(place)
    return total


def _value_noise(points: Float32[Tensor, "3 n"]) -> Float32[Tensor, " n"]:
    """As :func:`neoverse_ns.clip.synthetic.textures.value_noise`, with coordinates in rows."""
    lattice = shared_lattice()
    cell = points.floor()
    fraction = points - cell
    x, y, z = fraction * fraction * (3 - 2 * fraction)
    low = cell.to(torch.int64) & (LATTICE - 1)
    high = (low + 1) & (LATTICE - 1)
    x0, x1 = low[0], high[0]
    y0, y1 = low[1] * LATTICE, high[1] * LATTICE
    z0, z1 = low[2] * LATTICE**2, high[2] * LATTICE**2

    def along_x(row: Tensor) -> Tensor:
        first = lattice.index_select(0, x0 + row)
        return first + (lattice.index_select(0, x1 + row) - first) * x

    front, behind = along_x(y0 + z0), along_x(y0 + z1)
    front += (along_x(y1 + z0) - front) * y
    behind += (along_x(y1 + z1) - behind) * y
    return front + (behind - front) * z


def _cells(
    points: Float32[Tensor, "3 n"],
    normals: Float32[Tensor, "3 n"],
    footprint: Float32[Tensor, " n"],
    cells: Float32[Tensor, "3 n"],
    darkness: Float32[Tensor, " n"],
    bond: Float32[Tensor, " n"],
) -> tuple[Float32[Tensor, " n"], Float32[Tensor, " n"]]:
    """Value of the cell around each point in [-1, 1], and the factor that seams put on brightness."""
    # A quarter cell inward: a face that lies exactly on a cell border would otherwise flicker between two cells.
    inside = points * cells - 0.25 * normals * (cells > 0)
    inside[0] += bond * (inside[1].floor().to(torch.int64) & 1)
    cell = inside.floor()
    x, y, z = cell.to(torch.int64) & (LATTICE - 1)
    value = shared_lattice().index_select(0, x + y * LATTICE + z * LATTICE**2)
    to_border = 0.5 - (inside - cell - 0.5).abs()
    # Seams run only along the surface: the axis that the normal follows has none.
    seam = ((to_border < 0.05) & (normals.abs() < 0.8) & (cells > 0)).any(dim=0)
    weight = (1 / (2 * cells.amax(0) * footprint).clamp_min(1e-6) / 2 - 1).clamp_(0, 1)
    return weight * value, 1 + (darkness - 1) * weight * seam
