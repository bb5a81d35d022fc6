"""Write `.4dgs` through the package fourdgs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float64
from numpy import ndarray

from neoverse_ns.console import progress, say
from neoverse_ns.export.axes import TURNS, Up, turn_quaternion
from neoverse_ns.export.fourdgs.clock import Clock, clock_of, rounded
from neoverse_ns.export.fourdgs.fade import FadeTable, fade_table
from neoverse_ns.export.fourdgs.pieces import Keyframed, keyframed, pieces
from neoverse_ns.export.fourdgs.rows import Rows, joined, still_rows, windows
from neoverse_ns.export.instant import DRAWN
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.export.thinning import most_worth, worth
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.geometry import quaternions

if TYPE_CHECKING:
    from fourdgs import CameraTrajectory, GaussianSet

FILE = "scene.4dgs"


def write_fourdgs(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    """Write `scene.4dgs`, the whole clip in one file.

    Every Gaussian of a keyframe becomes a row that is as opaque as it is there, for as long as it hardly fades, and one
    to each side that fades as half a bell curve. Of other layers what shows is that of
    :func:`neoverse_ns.export.instant.flat_instant`, decided at the instants that `options` name and held until half-way
    to the next. Rotations change from row to row, not within one. Quantised as the package's default profile does:
    positions by a twentieth of the median scale, colours by a level of 255, scales by 2 %.

    Raises:
        OSError: The file cannot be written.
        SettingsError: There are no such instants.
    """
    import fourdgs

    clock, table = clock_of(scene), fade_table(scene.options.gamma)
    everything = scene.gaussians.flat().to("cpu").detach()
    rows = _moving(scene, clock, table)
    rows = joined([*rows, *_behind(scene, options, clock)])
    rows = rows[np.isin(rows.source, _worth_writing(scene, everything, options.max_gaussians))]
    path = folder / FILE
    settings = fourdgs.WriteOptions(
        cutoff=DRAWN,
        metadata={
            "coordinate_system": f"{options.up}-up-right-handed",
            "color_space": "srgb-rec709-display",
            "generator": "neoverse_ns",
        },
        library="neoverse_ns",
    )
    with progress(f"writing {len(rows):,} rows", None):
        size = fourdgs.write(
            path,
            _gaussian_set(rows, everything, options.up),
            clock.duration,
            options=settings,
            camera=_camera(scene, clock, options.up),
        )
    say(f"{len(rows):,} rows of {len(everything):,} Gaussians, {size / 1e6:.1f} MB")
    return [path]


def _moving(scene: ExportScene, clock: Clock, table: FadeTable) -> list[Rows]:
    """Rows of the keyframes' own Gaussians."""
    frames = scene.gaussians.frames.to("cpu").detach()
    moving = frames.dynamic
    index = np.arange(len(frames))
    g = keyframed(frames[moving], index[moving.numpy()], clock)
    still = index[~moving.numpy()]
    ends = np.zeros(len(still)), np.full(len(still), clock.duration)
    _tell_fade(g, table)
    rows = pieces(g, clock, table, scene.options.nearest_only)
    return [rows, still_rows(still, frames.means[~moving].double().numpy(), *ends)]


def _tell_fade(g: Keyframed, table: FadeTable) -> None:
    if len(g.source):
        errors = table.error_of(g.life_spans, table.flat_of(g.life_spans))
        say(
            f"fades are fitted with an error in opacity of {np.sqrt(np.mean(errors**2)):.3f} (root mean square), "
            f"{errors.max():.3f} for the worst Gaussian"
        )


def _behind(scene: ExportScene, options: ExportOptions, clock: Clock) -> list[Rows]:
    """Rows of all other layers, while they show."""
    start = len(scene.gaussians.frames)
    means = scene.gaussians.flat().means[start:].cpu().double().numpy()
    if not len(means):
        return []
    visible, times = [], []
    for time, now in scene.instants(_all_of_them(options), "finding what shows at every instant"):
        index = now.index.cpu().numpy()
        shows = np.zeros(len(means), dtype=bool)
        shows[index[index >= start] - start] = True
        visible.append(shows)
        times.append(time)
    seconds = clock.of(np.array(times))
    inner = rounded((seconds[1:] + seconds[:-1]) / 2)
    bounds = np.concatenate([[0.0], inner, [clock.duration]])
    which, begin, end = windows(np.stack(visible), bounds)
    return [still_rows(which + start, means[which], begin, end)]


def _all_of_them(options: ExportOptions) -> ExportOptions:
    """The same instants without a limit, which holds for the whole file."""
    return ExportOptions(fps=options.fps, every=options.every)


def _worth_writing(scene: ExportScene, everything: DynamicGaussians, most: int | None) -> ndarray:
    """Rows of the scene that are opaque enough to be drawn; of more than `most`, those that cover most."""
    drawn = (everything.opacities >= DRAWN).nonzero()[:, 0]
    if most is None or len(drawn) <= most:
        return drawn.numpy()
    chosen = everything[drawn]
    place = scene.cameras.c2w[:, :3, 3].mean(dim=0).to(chosen.means)
    lives = (chosen.interval[:, 2] - chosen.interval[:, 0]).clamp(max=1.0)
    lives = torch.where(chosen.dynamic, lives, torch.ones_like(lives))
    value = worth(chosen.opacities, chosen.scales, (chosen.means - place).norm(dim=-1)) * lives
    return drawn[most_worth(value, most)].numpy()


def _gaussian_set(rows: Rows, g: DynamicGaussians, up: Up) -> GaussianSet:
    """Rows in the file's axes, with what belongs to their Gaussians."""
    from fourdgs import GaussianSet

    source = torch.from_numpy(rows.source)
    rotation = TURNS[up].double().numpy()
    turned = quaternions.multiply(
        quaternions.normalize(g.quats)[source], quaternions.from_axis_angle(torch.from_numpy(rows.turns).float())
    )
    turned = quaternions.multiply(turn_quaternion(up).expand(len(turned), 4), turned)
    rgb = (0.5 + SH_C0 * g.sh[:, 0]).clamp(0, 1)
    colours = torch.cat([rgb, g.opacities[:, None]], dim=1)[source]
    return GaussianSet(
        positions=(rows.centres @ rotation.T).astype(np.float32),
        scales=g.scales[source].numpy(),
        rotations=turned[:, [1, 2, 3, 0]].numpy(),
        colors=colours.numpy(),
        motions=(rows.velocities @ rotation.T).astype(np.float32),
        mu_t=rows.time.astype(np.float32),
        sigma_t=rows.width.astype(np.float32),
        win_lo=rows.begin,
        win_hi=rows.end,
    )


def _camera(scene: ExportScene, clock: Clock, up: Up) -> CameraTrajectory:
    """The clip's own path; the format has positions and targets, and one field of view."""
    from fourdgs import CameraTrajectory

    cameras, rotation = scene.cameras, TURNS[up].double().numpy()
    c2w = cameras.c2w.double().numpy()
    positions = c2w[:, :3, 3] @ rotation.T
    targets = (c2w[:, :3, 3] + c2w[:, :3, 2]) @ rotation.T
    fov = np.degrees(2 * np.arctan(cameras.height / (2 * float(cameras.K[0, 1, 1]))))
    return CameraTrajectory(
        fov_y_deg=float(fov),
        position=_triple(positions[0]),
        target=_triple(targets[0]),
        times=clock.seconds.tolist(),
        positions=[_triple(p) for p in positions],
        targets=[_triple(t) for t in targets],
    )


def _triple(values: Float64[ndarray, "3"]) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
