"""From a click or a box in one frame to the thing or surface that is there."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neoverse_ns.applications.edit.layers_shown import surfaces_and_all
from neoverse_ns.applications.edit.selection.spread import cleaned
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.projection import unproject

STEP = 0.02
"""Relative step of depth from pixel to pixel, beyond what the surface's slant explains, that parts two things."""
HOLLOW = 0.06
"""How far, over their distance, two neighbouring patches may face each other: where things touch, they do."""
_SMOOTH = 1.0
_ROUNDS = 5
_MOST = 0.6
"""Share of the picture from which on what was found is no thing."""

Box = tuple[int, int, int, int]


def grow_click(scene: ExportScene, x: float, y: float, frame: int) -> Bool[Tensor, "h w"]:
    """Pixels of the thing or surface that a pixel shows, connected by depth.

    Neighbouring pixels belong together where the depth does not jump and the surface does not fold inwards: a box ends
    where it stands on the ground. Its outline then follows the colours.

    Raises:
        SettingsError: There is no such pixel, or it shows no surface.
    """
    height, width = scene.cameras.height, scene.cameras.width
    if not (0 <= x < width and 0 <= y < height):
        raise SettingsError(f"--click {x:g},{y:g} lies outside the frames' {width}x{height}")
    depth = surface_depth(scene, frame)
    row, column = int(y), int(x)
    if not depth[row, column] > 0:
        raise SettingsError(f"pixel {x:g},{y:g} of frame {frame} shows no surface: click elsewhere")
    camera = scene.cameras[[frame]]
    points = unproject(depth.double(), camera.K[0].double(), camera.c2w[0].double())
    found = _connected(depth, points, camera.c2w[0, :3, 3].double(), row, column)
    if float(found.float().mean()) < _MOST:
        found = along_colours(_frame(scene, frame), found)
    return found


def grow_box(scene: ExportScene, box: Box, frame: int) -> Bool[Tensor, "h w"]:
    """The thing within a box, by its colours against those around (GrabCut: Rother et al., SIGGRAPH 2004).

    Raises:
        SettingsError: The box is empty or outside the picture, or nothing in it stands out.
    """
    height, width = scene.cameras.height, scene.cameras.width
    left, top, right, bottom = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    if right - left < 2 or bottom - top < 2:
        raise SettingsError(f"--box {','.join(map(str, box))} holds no pixels of the frames' {width}x{height}")
    inside = torch.zeros(height, width, dtype=torch.bool)
    inside[top:bottom, left:right] = True
    labels = np.where(inside.numpy(), cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    found = _cut(_frame(scene, frame), labels)
    if not bool(found.any()):
        raise SettingsError("nothing in the box stands out from what is around it: draw a mask, or --whole-box")
    return found


def surface_depth(scene: ExportScene, frame: int) -> Float[Tensor, "h w"]:
    """z-depth of what a sampled frame shows; 0 where there is no surface."""
    if not 0 <= frame < len(scene.times):
        raise SettingsError(f"there is no sampled frame {frame}: they are 0 to {len(scene.times) - 1}")
    front, _ = surfaces_and_all(scene.gaussians, scene.cameras[[frame]], float(scene.times[frame]), scene.options)
    return front.depth[0, ..., 0] * (front.alpha[0, ..., 0] > 0.5)


def along_colours(image: UInt8[np.ndarray, "h w 3"], mask: Bool[Tensor, "h w"], band: int = 3) -> Bool[Tensor, "h w"]:
    """The same region with its outline, within a few pixels, where the colours part."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1, 2 * band + 1))
    core = cv2.erode(mask.numpy().astype(np.uint8), kernel)
    reach = cv2.dilate(mask.numpy().astype(np.uint8), kernel)
    if not core.any():
        return mask
    labels = np.full(mask.shape, cv2.GC_BGD, np.uint8)
    labels[reach > 0] = cv2.GC_PR_BGD
    labels[mask.numpy()] = cv2.GC_PR_FGD
    labels[core > 0] = cv2.GC_FGD
    found = _cut(image, labels)
    return found if bool(found.any()) else mask


def _cut(image: UInt8[np.ndarray, "h w 3"], labels: UInt8[np.ndarray, "h w"]) -> Bool[Tensor, "h w"]:
    if not (labels == cv2.GC_BGD).any():
        return torch.from_numpy(labels != cv2.GC_BGD)
    # Its mixtures start from OpenCV's own random numbers.
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image), labels, (0, 0, 1, 1), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return cleaned(torch.from_numpy((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)))


def _frame(scene: ExportScene, frame: int) -> UInt8[np.ndarray, "h w 3"]:
    if scene.source is None:
        raise SettingsError("this scene has no frames to find outlines in: give --mask")
    return scene.source.clip.frames[frame].numpy()


def _connected(
    depth: Float[Tensor, "h w"], points: Float[Tensor, "h w 3"], eye: Float[Tensor, "3"], row: int, column: int
) -> Bool[Tensor, "h w"]:
    points = _smoothed(points)
    across = torch.gradient(points, dim=1)[0]
    down = torch.gradient(points, dim=0)[0]
    normals = torch.nn.functional.normalize(torch.linalg.cross(across, down, dim=-1), dim=-1)
    normals = torch.where(((eye - points) * normals).sum(-1, keepdim=True) < 0, -normals, normals)
    right = _joined(depth, points, normals, 1)
    below = _joined(depth, points, normals, 0)
    return cleaned(_component(right.numpy(), below.numpy(), row, column))


def _joined(
    depth: Float[Tensor, "h w"], points: Float[Tensor, "h w 3"], normals: Float[Tensor, "h w 3"], dim: int
) -> Bool[Tensor, "m n"]:
    """Whether every pixel and the next along `dim` are of one thing."""
    count = depth.shape[dim]
    a, b = torch.arange(count - 1), torch.arange(1, count)

    def pair(value: Tensor) -> tuple[Tensor, Tensor]:
        return value.index_select(dim, a), value.index_select(dim, b)

    (d0, d1), (p0, p1), (n0, n1) = pair(depth), pair(points), pair(normals)
    way = p1 - p0
    distance = way.norm(dim=-1).clamp_min(1e-12)
    # Off the plane of either patch, relative to depth: a slanted surface changes depth, but stays in its plane.
    off = torch.minimum((way * n0).sum(-1).abs(), (way * n1).sum(-1).abs()) / d0.clamp_min(1e-6)
    # Positive where the two face away from each other, as on anything round; negative in a fold.
    opening = ((n1 - n0) * way).sum(-1) / distance
    jump = (d1 - d0).abs() / torch.minimum(d0, d1).clamp_min(1e-6)
    return (d0 > 0) & (d1 > 0) & (off < STEP) & (jump < 5 * STEP) & (opening > -HOLLOW)


def _component(
    right: Bool[np.ndarray, "h m"], below: Bool[np.ndarray, "n w"], row: int, column: int
) -> Bool[Tensor, "h w"]:
    """Pixels reachable from one over joined neighbours."""
    found = np.zeros((right.shape[0], below.shape[1]), bool)
    found[row, column] = True
    while True:
        before = int(found.sum())
        for _ in range(8):
            found[:, 1:] |= found[:, :-1] & right
            found[:, :-1] |= found[:, 1:] & right
            found[1:] |= found[:-1] & below
            found[:-1] |= found[1:] & below
        if int(found.sum()) == before:
            return torch.from_numpy(found)


def _smoothed(points: Float[Tensor, "h w 3"]) -> Float[Tensor, "h w 3"]:
    blurred = cv2.GaussianBlur(points.numpy(), (0, 0), _SMOOTH)
    return torch.from_numpy(blurred)
