"""Procedural solid textures: coloured value noise with sharp cells, band-limited by the pixel's footprint."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LATTICE = 32
"""The noise repeats after this many lattice cells along every axis."""

GAIN = 0.7
"""Amplitude of an octave relative to the one below it."""

CONTRAST = 5.0
"""Slope of the sigmoid that turns summed noise (standard deviation about 0.2) into a mix of two colours."""

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Texture:
    """Colour as a function of a point in an object's own frame, so that it sticks to the object.

    Attributes:
        dark: RGB in [0, 1] where the noise is low.
        light: RGB in [0, 1] where the noise is high.
        frequency: Lattice cells of the lowest octave per unit of length.
        octaves: Number of octaves, each of twice the frequency of the one below.
        cells: Sharp-edged cells per unit of length, each with its own brightness and a dark seam around; 0 for none.
        offset: Shift of the noise in lattice cells, so that objects differ.
    """

    dark: Colour
    light: Colour
    frequency: float
    octaves: int = 5
    cells: float = 0.0
    offset: Colour = (0.0, 0.0, 0.0)


def random_lattice(generator: torch.Generator) -> Float[Tensor, " cells"]:
    """Uniform values in [-1, 1] on a periodic lattice of LATTICE^3 points, flattened."""
    return 2 * torch.rand(LATTICE**3, generator=generator) - 1


def value_noise(points: Float[Tensor, "n 3"], lattice: Float[Tensor, " cells"]) -> Float[Tensor, " n"]:
    """Value noise: smoothstep interpolation between the eight lattice values around each point, in [-1, 1].

    Source: Ebert et al., Texturing and Modeling: A Procedural Approach, chapter 2 (lattice noises).
    """
    cell = points.floor()
    fraction = points - cell
    x, y, z = (fraction * fraction * (3 - 2 * fraction)).unbind(1)
    low = cell.to(torch.int32) & (LATTICE - 1)
    high = (low + 1) & (LATTICE - 1)
    x0, y0, z0 = low.unbind(1)
    x1, y1, z1 = high.unbind(1)

    # No function of its own: where types are checked at run time, an inner one would be compiled at every call.
    rows = [y_index * LATTICE + z_index * LATTICE**2 for z_index in (z0, z1) for y_index in (y0, y1)]
    above, below, above_behind, below_behind = (torch.lerp(lattice[x0 + row], lattice[x1 + row], x) for row in rows)
    front, back = torch.lerp(above, below, y), torch.lerp(above_behind, below_behind, y)
    return torch.lerp(front, back, z)


def octave_weight(frequency: float, footprint: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """1 where a lattice cell spans at least four pixels, fading to 0 at two, below which it would alias."""
    return ((1 / (frequency * footprint) - 2) / 2).clamp(0, 1)


def texture_colours(
    texture: Texture,
    points: Float[Tensor, "n 3"],
    normals: Float[Tensor, "n 3"],
    footprint: Float[Tensor, " n"],
    lattice: Float[Tensor, " cells"],
) -> Float[Tensor, "n 3"]:
    """Unlit RGB in [0, 1] of surface points.

    Args:
        texture: What to draw.
        points: In the object's frame.
        normals: Unit, outward, in the object's frame.
        footprint: Width of a pixel on the surface, in units of length.
        lattice: From :func:`random_lattice`.
    """
    offset = points.new_tensor(texture.offset)
    total = torch.zeros_like(footprint)
    for octave in range(texture.octaves):
        frequency = texture.frequency * 2**octave
        # An irrational shift per octave keeps lattice planes of different octaves from falling together.
        sample = value_noise(points * frequency + offset + 7.31 * octave, lattice)
        total += GAIN**octave * octave_weight(frequency, footprint) * sample
    mix = torch.sigmoid(CONTRAST * total)[:, None]
    colours = torch.lerp(points.new_tensor(texture.dark), points.new_tensor(texture.light), mix)
    if texture.cells > 0:
        colours = colours * _cell_brightness(texture, points, normals, footprint, lattice)[:, None]
    return colours.clamp(0, 1)


def _cell_brightness(
    texture: Texture,
    points: Float[Tensor, "n 3"],
    normals: Float[Tensor, "n 3"],
    footprint: Float[Tensor, " n"],
    lattice: Float[Tensor, " cells"],
) -> Float[Tensor, " n"]:
    """Factor around 1 that is constant inside a cell and drops in the seams between cells."""
    # A quarter cell inward: a face that lies exactly on a cell border would otherwise flicker between two cells.
    inside = points * texture.cells - 0.25 * normals
    cell = inside.floor()
    x, y, z = (cell.to(torch.int32) & (LATTICE - 1)).unbind(1)
    tone = 1 + 0.3 * lattice[x + y * LATTICE + z * LATTICE**2]
    to_border = 0.5 - (inside - cell - 0.5).abs()
    # Seams run only along the surface: the axis that the normal follows has none.
    seam = ((to_border < 0.05) & (normals.abs() < 0.8)).any(dim=1)
    brightness = torch.where(seam, 0.55, tone)
    return 1 + (brightness - 1) * octave_weight(2 * texture.cells, footprint)
