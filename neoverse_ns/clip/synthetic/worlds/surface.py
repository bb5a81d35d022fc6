"""What covers a part of a world: two colours mixed by noise and by cells, band-limited by the pixel's footprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache

import torch
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

from neoverse_ns.clip.synthetic.textures import GAIN, LATTICE, Colour, random_lattice

OCTAVES = 4
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


PERIOD = LATTICE + 1
"""Lattice points along every axis in memory: the first ones once more behind the last, so that none is looked up
around a corner."""


@lru_cache(maxsize=1)
def shared_lattice() -> Float32[Tensor, " points"]:
    """Noise of all worlds, which differ by their offsets: PERIOD^3 values in [-1, 1], x fastest."""
    values = random_lattice(torch.Generator().manual_seed(0)).view(LATTICE, LATTICE, LATTICE)
    ring = torch.arange(PERIOD) % LATTICE
    return values[ring][:, ring][:, :, ring].flatten()


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
    spans = 0.5 / (frequency * footprint)
    place = points * frequency + offset
    for octave in range(OCTAVES):
        weight = (spans - 1).clamp_(0, 1)
        if not bool(weight.any()):
            break
        total += weight.mul_(GAIN**octave).mul_(_value_noise(place))
        place = place * 2 + SHIFT
        spans *= 0.5
    return total


def _value_noise(points: Float32[Tensor, "3 n"]) -> Float32[Tensor, " n"]:
    """As :func:`neoverse_ns.clip.synthetic.textures.value_noise`, with coordinates in rows."""
    cell = points.floor()
    fraction = points - cell
    x, y, z = (3 - 2 * fraction).mul_(fraction).mul_(fraction)
    first = _lattice_index(cell)

    lattice, lines = shared_lattice(), []
    for step in (0, PERIOD, PERIOD**2, PERIOD**2 + PERIOD):
        low, high = (lattice[step + one :].index_select(0, first) for one in (0, 1))
        lines.append(low.add_((high - low).mul_(x)))
    near, far = (lines[i].add_((lines[i + 1] - lines[i]).mul_(y)) for i in (0, 2))
    return near.add_((far - near).mul_(z))


def _lattice_index(cell: Float32[Tensor, "3 n"]) -> Int32[Tensor, " n"]:
    """Place in the lattice of whole numbers, which repeat after LATTICE."""
    x, y, z = cell.to(torch.int32).bitwise_and_(LATTICE - 1)
    return z.mul_(PERIOD).add_(y).mul_(PERIOD).add_(x)


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
    inside = (points - 0.25 * normals / cells.clamp_min(1e-3)).mul_(cells)
    inside[0] += bond * (inside[1].floor().to(torch.int32) & 1)
    cell = inside.floor()
    value = shared_lattice().index_select(0, _lattice_index(cell))
    from_middle = inside.sub_(cell).sub_(0.5).abs_()
    # Seams run only along the surface: the axis that the normal follows has none; nor has one without cells.
    seam = ((from_middle > 0.45) & (normals.abs() < 0.8) & (cells > 0)).any(dim=0)
    weight = (0.25 / (cells.amax(0) * footprint).clamp_min(1e-6) - 1).clamp_(0, 1)
    return weight * value, 1 + torch.where(seam, weight * (darkness - 1), 0.0)
