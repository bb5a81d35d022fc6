"""Bringing a foreign path into a clip's world by the frames both know."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.console import say, warn
from neoverse_ns.geometry.alignment import Sim3, align_cameras
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.geometry.middle_ray import to_middle, toward_middle
from neoverse_ns.geometry.se3 import se3_inverse, so3_log
from neoverse_ns.trajectory.foreign.pairing import Pairs
from neoverse_ns.trajectory.foreign.path import ForeignPath
from neoverse_ns.trajectory.trajectory import cameras_between, frames_at

_STRAY = 8.0
"""Shared cameras further off than this many medians are left out, and the rest aligned anew."""
_SUSPECT, _SAME = 0.02, 1e-6
"""Shares of the path's extent: a residual of all cameras from which on strays are looked for, and one that is none."""
_TRIES = 100
_CLEARLY = 0.5
"""How small a residual must be beside that of a likelier way to pair cameras: even motion fits at any shift."""
_BAD = 5.0
"""A residual, in per cent of the path's extent or degrees, from which on another path was probably given: the same
cameras, estimated by two programs, are closer, and a move on top of the clip's camera is hardly further."""
_BAD_GUESS = 2.0
"""The same where nothing in the file says that its cameras are the clip's."""


@dataclass(frozen=True)
class Alignment:
    """A similarity from the path's world to the clip's, and how well it fits.

    Attributes:
        sim3: The map.
        pairs: The shared frames it was made from.
        place_percent: Root mean square distance of the shared cameras afterwards, in per cent of the extent of the
            clip's; 0 where they stand at one place.
        turn_degrees: Median angle between their directions.
        focal_ratio: Focal length of the file over that of the clip at the shared frames, in pictures of one height;
            None where the file has none.
        left_out: Shared frames that do not fit the others.
        offsets: Of every shared frame, the small motion of the clip's world that brings the path's camera, once mapped,
            onto the clip's.
        times: Normalised times of the shared frames.
    """

    sim3: Sim3
    pairs: Pairs
    place_percent: float
    turn_degrees: float
    focal_ratio: float | None
    left_out: int
    offsets: Float64[Tensor, "m 4 4"]
    times: Float64[Tensor, " m"]

    @property
    def misfit(self) -> float:
        """Both residuals in one number, which only compares ways to pair the same cameras."""
        return self.place_percent + self.turn_degrees

    @property
    def fits(self) -> bool:
        """Whether the two are plausibly the same cameras."""
        return max(self.place_percent, self.turn_degrees) <= _BAD

    def tell(self, name: str, guessed: bool = False) -> None:
        """Say in a line what was done, and warn where it does not fit.

        Args:
            name: What to call the path.
            guessed: Whether it rather looks like another path than the clip's.
        """
        strays = f", {self.left_out} more do not fit" if self.left_out else ""
        say(
            f"{name}: placed by Sim(3) over {len(self.pairs)} frames shared by {self.pairs.how}{strays}: scale "
            f"{float(self.sim3.scale):.4g}, residual {self.place_percent:.2g} % of the cameras' extent and "
            f"{self.turn_degrees:.2g} degrees"
        )
        limit = _BAD_GUESS if guessed or self.pairs.guessed else _BAD
        if max(self.place_percent, self.turn_degrees) > limit:
            warn(
                f"{name} does not fit the clip's cameras well: if it is another path, give the clip's cameras in its "
                "world with --align-to FILE, or say --align-to none where it lies in the scene's own world"
            )


def align(
    path: ForeignPath, cameras: PinholeCameras, times: Float[Tensor, " frames"], candidates: list[Pairs]
) -> Alignment:
    """The similarity that brings the path's cameras closest to the clip's.

    Args:
        path: The file's cameras.
        cameras: The clip's.
        times: Their normalised times.
        candidates: Ways to pair them, the likeliest first; another is taken where it fits clearly better.
    """
    first, *others = [_align(path, cameras, times, pairs) for pairs in candidates]
    best = min(others, key=lambda one: one.misfit, default=first)
    return best if best.misfit < _CLEARLY * first.misfit else first


def placed(
    path: ForeignPath,
    alignment: Alignment,
    K: Float64[Tensor, "n 3 3"],
    size: tuple[int, int],
    moments: Float[Tensor, " n"] | None = None,
) -> Float64[Tensor, "n 4 4"]:
    """The path's cameras in the clip's world; they look where they did, whichever principal point draws them.

    A scene that was made with slightly wrong cameras is bent as they are, so that at a shared frame it is seen best
    from where the clip's own camera is thought to be. With `moments` what the similarity leaves is taken over there,
    and between two such frames in proportion; other cameras of a moment keep how they stand to the clip's.

    Args:
        path: The file's cameras.
        alignment: From its world to the clip's.
        K: What they are drawn with, in pixels of `size`.
        size: Width and height.
        moments: Normalised times of the path's cameras; None places them by the similarity alone.
    """
    c2w = alignment.sim3.apply_c2w(_directions(path))
    if moments is not None and alignment.fits:
        order = alignment.times.argsort()
        at = frames_at(alignment.times[order], moments)
        c2w = interpolate_c2w(alignment.offsets[order], at) @ c2w
    return c2w if path.K is None else c2w @ to_middle(K, *size).mT


def _align(path: ForeignPath, cameras: PinholeCameras, times: Tensor, pairs: Pairs) -> Alignment:
    theirs = _between(path, pairs)
    ours = toward_middle(cameras) if path.K is not None else cameras.c2w.double()
    ours = ours[pairs.frames]
    extent = _extent(ours)
    fits = _fitting(theirs, ours, extent)
    left_out = int((~fits).sum())
    pairs = replace(pairs, frames=pairs.frames[fits], places=pairs.places[fits])
    theirs, ours = theirs[fits], ours[fits]
    sim3 = align_cameras(theirs, ours)
    rms = float(_distances(sim3, theirs, ours).square().mean().sqrt())
    turns = so3_log((sim3.R @ theirs[:, :3, :3]).mT @ ours[:, :3, :3]).norm(dim=-1).rad2deg()
    return Alignment(
        sim3,
        pairs,
        100 * rms / extent if extent > 1e-9 else 0.0,
        float(turns.median()),
        _focal_ratio(path, cameras, pairs),
        left_out,
        ours @ se3_inverse(sim3.apply_c2w(theirs)),
        times[pairs.frames].double(),
    )


def _fitting(theirs: Tensor, ours: Tensor, extent: float) -> Bool[Tensor, " m"]:
    """Shared frames whose cameras agree on a similarity; all of them where too few do.

    Strays pull the best fit of all toward themselves. Where that fits badly, fits of three cameras at a time tell most
    of the cameras from the strays, by which of them leaves the smallest median.
    """
    off = _distances(align_cameras(theirs, ours), theirs, ours)
    if len(theirs) >= 5 and float(off.square().mean().sqrt()) > _SUSPECT * extent:
        chance = torch.Generator().manual_seed(0)
        for _ in range(_TRIES):
            few = torch.randperm(len(theirs), generator=chance)[:3]
            other = _distances(align_cameras(theirs[few], ours[few]), theirs, ours)
            off = other if other.median() < off.median() else off
    fits = off <= _STRAY * off.median() + _SAME * extent
    return fits if int(fits.sum()) >= max(3, len(fits) // 2) else torch.ones_like(fits)


def _extent(c2w: Float64[Tensor, "m 4 4"]) -> float:
    """How far the cameras reach from their middle."""
    centres = c2w[:, :3, 3]
    return float((centres - centres.mean(0)).norm(dim=-1).max())


def _between(path: ForeignPath, pairs: Pairs) -> Float64[Tensor, "m 4 4"]:
    """The path's cameras at the shared frames."""
    K = torch.eye(3, dtype=torch.float64).expand(len(path), 3, 3)
    return cameras_between(PinholeCameras(_directions(path), K, 1, 1), pairs.places).c2w


def _directions(path: ForeignPath) -> Float64[Tensor, "n 4 4"]:
    """The path's cameras, looking through their pictures' middle where their intrinsics tell it."""
    if path.K is None or path.size is None:
        return path.c2w
    return toward_middle(PinholeCameras(path.c2w, path.K, *path.size))


def _distances(sim3: Sim3, theirs: Tensor, ours: Tensor) -> Float64[Tensor, " m"]:
    return (sim3.apply_points(theirs[:, :3, 3]) - ours[:, :3, 3]).norm(dim=-1)


def _focal_ratio(path: ForeignPath, cameras: PinholeCameras, pairs: Pairs) -> float | None:
    if path.K is None or path.size is None:
        return None
    own = cameras.K[pairs.frames, 1, 1].double() / cameras.height
    theirs = path.K[pairs.places.round().long(), 1, 1] / path.size[1]
    return float((theirs / own).median())


def drawn_intrinsics(
    path: ForeignPath, own: Float[Tensor, "n 3 3"], height: int, ratio: float | None
) -> Float64[Tensor, "n 3 3"]:
    """What an aligned path is drawn with: the clip's principal point and shape of pixels, the file's angle of view.

    Where the file tells the clip's own focal length, only its changes count: the scene was made with the clip's
    estimate, and drawing it with another would zoom.

    Args:
        path: The file's cameras.
        own: The clip's intrinsics at the cameras' moments.
        height: Of the clip's pictures.
        ratio: The file's focal length over the clip's at shared frames; None where nothing is shared.
    """
    own = own.double().clone()
    if path.K is None or path.size is None:
        return own
    wanted = path.K[:, 1, 1] * height / path.size[1] / (ratio or 1.0)
    own[:, :2, :2] *= (wanted / own[:, 1, 1])[:, None, None]
    return own
