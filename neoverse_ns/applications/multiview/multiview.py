"""Several synchronised views of a clip, made one from the other and merged into one scene."""

from __future__ import annotations

from typing import Any

from neoverse_ns.applications.extend.config import GrowConfig
from neoverse_ns.applications.extend.grow import Grown, grow
from neoverse_ns.applications.multiview.rig import RigConfig, rig
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.trajectory.plain_json import plain
from neoverse_ns.trajectory.trajectory import Trajectory

FRONT = "front"
"""Name of the clip's own camera among the rig's."""


def multiview(
    scene: ExportScene,
    cameras: RigConfig,
    config: RefinerConfig,
    settings: GrowConfig | None = None,
    refiner: Refiner | None = None,
) -> Grown:
    """Views of a ring of cameras around the clip's, the outer made from what the inner showed.

    The release turns the camera, finishes the view, reconstructs what came out, and goes on from there. Here the scene
    is reconstructed once, and every finished view becomes part of it: so all views are of one scene, and what was seen
    stays where it was.

    Args:
        scene: With what it was made from.
        cameras: The rig.
        config: Who finishes the views, and how.
        settings: How they become part of the scene.
        refiner: See :func:`neoverse_ns.applications.extend.grow.grow`.

    Raises:
        SettingsError: A setting makes no sense.
        RefinementError, WeightsError: The refiner cannot run here.
        RunError: What the refiner learns cannot be kept.
    """
    # A view that does not begin where the clip does has no first frame of its.
    return grow(scene, rig(scene, cameras), config, settings, refiner, first_frame=False)


def rig_json(scene: ExportScene, views: dict[str, Trajectory], files: dict[str, str]) -> dict[str, Any]:
    """All cameras of a rig, strictly valid JSON: OpenCV camera-to-world matrices of one world, intrinsics in pixels.

    Args:
        scene: Whose camera is the front one.
        views: The others by name.
        files: Of every view that was written, by name.
    """
    front = Trajectory(scene.cameras, scene.times)
    rows = {
        name: {
            "file": files.get(name),
            "width": path.cameras.width,
            "height": path.cameras.height,
            "c2w": path.c2w,
            "K": path.K,
        }
        for name, path in ({FRONT: front} | views).items()
    }
    return plain(
        {
            "convention": "opencv_c2w",
            "fps": scene.frame_rate,
            "times": scene.times,
            "seconds": scene.seconds,
            "views": rows,
        }
    )
