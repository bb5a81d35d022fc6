"""Nerfstudio's camera types: fisheye, spherical panoramas and stereo pairs beside the pinhole."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from nerfstudio.cameras.cameras import Cameras, CameraType
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry import lenses
from neoverse_ns.geometry.lenses import EYE_DISTANCE, LensRays
from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.rasterize.through_lens import PinholeDraw, draw_through_lens

LENSES: dict[CameraType, Callable[[Float[Tensor, "h w 2"], float], LensRays]] = {
    CameraType.FISHEYE: lambda xy, eyes: lenses.fisheye(xy),
    CameraType.EQUIRECTANGULAR: lambda xy, eyes: lenses.spherical(xy),
    CameraType.OMNIDIRECTIONALSTEREO_L: lambda xy, eyes: lenses.around(xy, -eyes / 2),
    CameraType.OMNIDIRECTIONALSTEREO_R: lambda xy, eyes: lenses.around(xy, eyes / 2),
    CameraType.VR180_L: lambda xy, eyes: lenses.beside(lenses.half_spherical(xy), -eyes / 2),
    CameraType.VR180_R: lambda xy, eyes: lenses.beside(lenses.half_spherical(xy), eyes / 2),
}
"""Rays by type, of normalised image coordinates and the distance between the eyes; nerfstudio's own conventions."""


def draw_camera(
    camera: Cameras, viewmats: Float[Tensor, "c 4 4"], pinholes: PinholeDraw, eye_distance: float = EYE_DISTANCE
) -> Drawing:
    """Draw a scene as nerfstudio's cameras see it, whatever their type.

    Args:
        camera: Cameras of one size and type.
        viewmats: Their poses: world-to-camera, OpenCV axes.
        pinholes: Draws the scene from pinhole cameras.
        eye_distance: Of stereo cameras, world units.

    Returns:
        z-depth for perspective cameras, distance along the ray for all others.

    Raises:
        SettingsError: The cameras are of a type that cannot be drawn.
    """
    kind = CameraType(int(camera.camera_type.reshape(-1)[0]))
    if camera.distortion_params is not None and bool((camera.distortion_params != 0).any()):
        raise SettingsError("cameras with lens distortion cannot be drawn: use ones without (distortion_params of 0)")
    if kind is CameraType.PERSPECTIVE:
        Ks = camera.get_intrinsics_matrices().reshape(-1, 3, 3)
        return pinholes(viewmats, Ks, int(camera.width.reshape(-1)[0]), int(camera.height.reshape(-1)[0]))
    if kind not in LENSES:
        known = ", ".join(lens.name.lower() for lens in (CameraType.PERSPECTIVE, *LENSES))
        raise SettingsError(f"cameras of type {kind.name.lower()} cannot be drawn: use one of {known}")
    drawn = [
        draw_through_lens(lens_rays(camera[i : i + 1], eye_distance), viewmat, pinholes)
        for i, viewmat in enumerate(viewmats)
    ]
    return Drawing(*(torch.cat([getattr(d, name) for d in drawn]) for name in ("rgb", "depth", "alpha")))


def lens_rays(camera: Cameras, eye_distance: float = EYE_DISTANCE) -> LensRays:
    """Rays of a camera of one of `LENSES`.

    Args:
        camera: A single one.
        eye_distance: See :func:`draw_camera`.
    """
    height, width = int(camera.height.reshape(-1)[0]), int(camera.width.reshape(-1)[0])
    centre = torch.cat([camera.cx.reshape(-1)[:1], camera.cy.reshape(-1)[:1]])
    focal = torch.cat([camera.fx.reshape(-1)[:1], camera.fy.reshape(-1)[:1]])
    coordinates = (pixel_centres(height, width, device=centre.device) - centre) / focal
    return LENSES[CameraType(int(camera.camera_type.reshape(-1)[0]))](coordinates, eye_distance)
