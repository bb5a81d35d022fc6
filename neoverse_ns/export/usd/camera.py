"""A moving pinhole camera as a USD camera with time samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neoverse_ns.export.usd.modules import pxr
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.camera_path import opencv_to_opengl

APERTURE = 36.0
"""Width of the film, in the thousandths of a metre that USD gives lenses in: full-frame."""
NEAR, FAR = 0.01, 10_000.0


def add_camera(stage: Any, path: str, cameras: PinholeCameras, codes: Sequence[float]) -> None:
    """Define a camera; where it is asked between samples, renderers interpolate.

    Focal lengths that differ across and along become film of another height, and principal points beside the middle
    aperture offsets.

    Args:
        stage: A `Usd.Stage`.
        path: Of the prim; its parent turns this package's world.
        cameras: One per time code, OpenCV axes.
        codes: Ascending time codes.
    """
    Gf, UsdGeom = pxr("Gf"), pxr("UsdGeom")
    camera = UsdGeom.Camera.Define(stage, path)
    camera.CreateProjectionAttr(UsdGeom.Tokens.perspective)
    camera.CreateClippingRangeAttr(Gf.Vec2f(NEAR, FAR))
    camera.CreateHorizontalApertureAttr(APERTURE)
    # USD cameras look along -z with y up, as OpenGL's do.
    placed = opencv_to_opengl(cameras.c2w.double())
    transform, focal = camera.AddTransformOp(), camera.CreateFocalLengthAttr()
    height = camera.CreateVerticalApertureAttr()
    right, up = camera.CreateHorizontalApertureOffsetAttr(), camera.CreateVerticalApertureOffsetAttr()
    for i, code in enumerate(codes):
        K = cameras.K[i].double()
        fx, fy, cx, cy = (float(value) for value in (K[0, 0], K[1, 1], K[0, 2], K[1, 2]))
        length = APERTURE * fx / cameras.width
        transform.Set(Gf.Matrix4d(placed[i].T.tolist()), code)
        focal.Set(length, code)
        height.Set(length * cameras.height / fy, code)
        right.Set(length * (cameras.width / 2 - cx) / fx, code)
        up.Set(length * (cy - cameras.height / 2) / fy, code)
