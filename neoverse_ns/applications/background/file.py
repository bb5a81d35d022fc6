"""The still Gaussians as a file."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.export.gaussian_ply import write_instant
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import concatenate
from neoverse_ns.gaussians.layers import BACKGROUND, INPAINTED, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.render.writers import told


def write_still(path: Path, still: LayeredGaussians, scene: ExportScene) -> int:
    """Write what stands still as a PLY that every splat viewer reads; see
    :func:`neoverse_ns.export.gaussian_ply.write_instant`.

    The far field is left out: as Gaussians of a file it would be drawn as a surface.

    Args:
        path: The file.
        still: As :func:`neoverse_ns.applications.background.still.still_scene` gives it.
        scene: That it was made from, for the header.

    Returns:
        How many Gaussians were written.

    Raises:
        RunError: It cannot be written.
    """
    everything = concatenate([still.layer(BACKGROUND), still.layer(INPAINTED)]).to("cpu")
    now = at_time(everything, 0.0)
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_instant(path, now, [f"{scene.title}, without what moves"])
    return len(now.index)
