"""Checking a trajectory against the scene that it looks at."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions
from neoverse_ns.trajectory.checks.report import PathReport, Problem, stretches
from neoverse_ns.trajectory.checks.solid import SeenSurfaces, went_through
from neoverse_ns.trajectory.checks.speed import speed_problems, steps_of
from neoverse_ns.trajectory.trajectory import Trajectory, between

SIZE = 160
"""Longer side of the pictures that are looked at, pixels."""
MOST = 61
"""Frames of a path that are drawn; of longer ones the rest is interpolated."""
LOOKED_FROM = 12
"""Cameras of the clip whose depth says what is solid."""
COVERED = 0.5
"""Opacity of the surfaces from which on a pixel shows one."""
UNSEEN = 0.1
"""Share of the picture without a surface from which on the path is told to leave what was seen.

All in one place it is an edge as wide as a tenth of the picture, more than the 7 % of its width that screens were
allowed to cut off (EBU R 95: 3.5 % a side), so nobody misses it. The clip's own views show less than 1 %.
"""
CLOSE = 0.08
"""Depth, in units of the median depth that the clip's cameras see, below which something nearly touches the camera."""
_NEAREST = 0.02
"""Share of the picture that must lie so near."""
_NEAR = 0.2
"""Depth, in the same units, below which nearness is told as such and no longer as speed."""
_DEFAULT_FPS = 16.0


def check_path(
    gaussians: LayeredGaussians,
    cameras: PinholeCameras,
    times: Float[Tensor, " m"],
    trajectory: Trajectory,
    options: DrawOptions | None = None,
) -> PathReport:
    """Look at a path: how fast it is, what it hits, and how much of its pictures the clip never saw.

    Args:
        gaussians: The scene.
        cameras: The clip's, in the same world.
        times: Their normalised times.
        trajectory: The path.
        options: How the scene is drawn.
    """
    gaussians = gaussians.without(*(name for name in gaussians if not LAYERS[name].is_surface))
    surfaces = seen_surfaces(gaussians, cameras, times, options)
    usual = surfaces.depth[torch.isfinite(surfaces.depth)]
    unit = float(usual.median()) if len(usual) else 1.0
    path = trajectory.resized(*small(trajectory.cameras))
    drawn = torch.linspace(0, len(path) - 1, min(len(path), MOST)).round().long().unique()
    unseen, nearest, middle = [], [], []
    with progress(f"looking at {len(drawn)} frames of the path", len(drawn)) as steps:
        for view in views_along(gaussians, path.cameras[drawn], path.times[drawn], options):
            depth = covered_depth(view.drawing)
            unseen.append(float((depth == torch.inf).double().mean()))
            nearest.append(float(torch.quantile(depth.reshape(-1), _NEAREST, interpolation="nearest")))
            middle.append(_median(depth, unit))
            steps.advance()
    everywhere = _spread(drawn, len(path))
    shares = between(torch.tensor(unseen, dtype=torch.float64), everywhere)
    clearance = torch.tensor(nearest, dtype=torch.float64)[everywhere.round().long()]
    depth = between(torch.tensor(middle, dtype=torch.float64), everywhere)
    moved, turned, shift = steps_of(path.cameras, depth.clamp_min(_NEAR * unit))
    even = steps_of(path.cameras, torch.full_like(depth, unit))[2]
    inside = went_through(surfaces, path.c2w[:, :3, 3].cpu())
    found = [*speed_problems(shift, even, moved, turned), *_collisions(inside), *_close(clearance, inside, unit)]
    found += _unseen(shares, inside)
    problems = tuple(sorted(found, key=lambda problem: (problem.first, problem.last)))
    fps = trajectory.fps or _DEFAULT_FPS
    return PathReport(shares, clearance, inside, moved, turned, shift, problems, fps)


def seen_surfaces(
    gaussians: LayeredGaussians, cameras: PinholeCameras, times: Float[Tensor, " m"], options: DrawOptions | None = None
) -> SeenSurfaces:
    """Depth that some of the clip's cameras, spread evenly over it, see at their own times."""
    chosen = torch.linspace(0, len(cameras) - 1, min(len(cameras), LOOKED_FROM)).round().long()
    looking = Trajectory(cameras[chosen], times[chosen]).resized(*small(cameras))
    views = views_along(gaussians, looking.cameras, looking.times, options)
    return SeenSurfaces(looking.cameras, torch.stack([covered_depth(view.drawing) for view in views]))


def covered_depth(drawing: Drawing) -> Float[Tensor, "h w"]:
    """Depth where there is a surface, infinity elsewhere, on the CPU."""
    depth, alpha = drawing.depth[0, ..., 0].cpu(), drawing.alpha[0, ..., 0].cpu()
    return torch.where(alpha >= COVERED, depth, torch.full_like(depth, torch.inf))


def small(cameras: PinholeCameras) -> tuple[int, int]:
    """Width and height with the longer side brought down to :data:`SIZE`."""
    scale = min(1.0, SIZE / max(cameras.width, cameras.height))
    return max(round(scale * cameras.width), 1), max(round(scale * cameras.height), 1)


def _median(depth: Float[Tensor, "h w"], otherwise: float) -> float:
    known = depth[torch.isfinite(depth)]
    return float(known.median()) if len(known) else otherwise


def _spread(drawn: Tensor, count: int) -> Float64[Tensor, " {count}"]:
    """Where every frame lies among those drawn."""
    frames = torch.arange(count)
    after = torch.searchsorted(drawn, frames).clamp(1, max(len(drawn) - 1, 1)).clamp(max=len(drawn) - 1)
    before = (after - 1).clamp(min=0)
    gap = (drawn[after] - drawn[before]).clamp(min=1)
    return (before + (frames - drawn[before]) / gap).to(torch.float64).clamp(max=len(drawn) - 1)


def _collisions(inside: Bool[Tensor, " n"]) -> list[Problem]:
    return [
        Problem("collision", first, last, f"the camera has gone through a surface after frame {first - 1}")
        for first, last in stretches(inside)
    ]


def _close(clearance: Float64[Tensor, " n"], inside: Bool[Tensor, " n"], unit: float) -> list[Problem]:
    problems = []
    for first, last in stretches((clearance < CLOSE * unit) & ~inside):
        least = first + int(clearance[first : last + 1].argmin())
        problems.append(
            Problem(
                "close",
                first,
                last,
                f"something nearly touches the camera: {float(clearance[least]) / unit:.2g} of the usual depth away in "
                f"frame {least}",
            )
        )
    return problems


def _unseen(shares: Float64[Tensor, " n"], inside: Bool[Tensor, " n"]) -> list[Problem]:
    problems = []
    for first, last in stretches((shares > UNSEEN) & ~inside):
        worst = first + int(shares[first : last + 1].argmax())
        percent = 100 * float(shares[worst])
        problems.append(
            Problem(
                "unseen", first, last, f"up to {percent:.0f} % of the picture was never seen (most in frame {worst})"
            )
        )
    return problems
