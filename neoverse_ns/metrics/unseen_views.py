"""Judging views from a second camera that was never an input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.geometry.alignment import align_cameras
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.middle_ray import to_middle, toward_middle
from neoverse_ns.metrics.camera import ate, focal_error_percent
from neoverse_ns.metrics.image import psnr, ssim

Draw = Callable[[PinholeCameras, Float[Tensor, " n"]], UInt8[Tensor, "n h w 3"]]
"""Draws a scene from cameras of the reconstruction's world at normalised times."""


@runtime_checkable
class StereoTruth(Protocol):
    """A clip with exact cameras and a second camera beside it."""

    @property
    def frames(self) -> UInt8[Tensor, "n h w 3"]: ...
    @property
    def cameras(self) -> PinholeCameras: ...
    @property
    def right_frames(self) -> UInt8[Tensor, "n h w 3"]: ...
    @property
    def right_cameras(self) -> PinholeCameras: ...


def place_by_alignment(
    left: PinholeCameras, true_left: PinholeCameras, true_right: PinholeCameras, beside: list[int] | None = None
) -> PinholeCameras:
    """The true right cameras in the reconstruction's world: one similarity that brings the left cameras together.

    Errors of the whole path count in full. The intrinsics are the estimated ones: a wrong focal length has been made up
    for by depth along the input path, and drawing it with another would only zoom; its error is reported by itself.
    An assumed principal point has been made up for by turning every camera, so that directions are compared by the ray
    through the image's middle, not by the z axis.

    Args:
        left: As estimated.
        true_left: The same in truth.
        true_right: In truth, in any number.
        beside: Which left camera lends each right one its lens; by default the one of the same number.

    Returns:
        In pixels of left ones as estimated, where both true cameras are of one size, else at the true right's size, for
        which left ones must have the size that they truly have.
    """
    width, height, beside = *_drawn_size(left, true_left, true_right), beside or list(range(len(true_right)))
    K = _estimated_intrinsics(left[beside], true_left[beside], true_right)
    sim3 = align_cameras(toward_middle(true_left), toward_middle(left))
    c2w = sim3.apply_c2w(toward_middle(true_right)).double() @ to_middle(K, width, height).mT
    return PinholeCameras(c2w.float(), K, width, height)


def place_beside(
    left: PinholeCameras, true_left: PinholeCameras, true_right: PinholeCameras, beside: list[int] | None = None
) -> PinholeCameras:
    """Every right camera relative to its own estimated left one, at the similarity's scale.

    This leaves out errors of the path, so that what remains is how well new views are drawn. Arguments and result are
    those of :func:`place_by_alignment`, `beside` being each one's own left camera.
    """
    width, height, beside = *_drawn_size(left, true_left, true_right), beside or list(range(len(true_right)))
    K = _estimated_intrinsics(left[beside], true_left[beside], true_right)
    sim3 = align_cameras(toward_middle(true_left), toward_middle(left))
    relative = torch.linalg.inv(toward_middle(true_left[beside])) @ toward_middle(true_right)
    relative[:, :3, 3] *= sim3.scale
    c2w = toward_middle(left[beside]) @ relative @ to_middle(K, width, height).mT
    return PinholeCameras(c2w.float(), K, width, height)


def _drawn_size(left: PinholeCameras, true_left: PinholeCameras, true_right: PinholeCameras) -> tuple[int, int]:
    same = (true_left.width, true_left.height) == (true_right.width, true_right.height)
    return (left.width, left.height) if same else (true_right.width, true_right.height)


def _estimated_intrinsics(
    left: PinholeCameras, true_left: PinholeCameras, true_right: PinholeCameras
) -> Float[Tensor, "n 3 3"]:
    """What the right camera has if it differs from the estimated left one as it truly does."""
    return (true_right.K.double() @ torch.linalg.inv(true_left.K.double()) @ left.K.double()).float()


def best_shift(left: UInt8[Tensor, "h w 3"], right: UInt8[Tensor, "h w 3"]) -> tuple[int, UInt8[Tensor, "h w 3"]]:
    """The whole-pixel sideways shift of `left` that resembles `right` most; its edge columns are repeated.

    Returns:
        The shift, positive to the right, and the shifted image.
    """
    width = left.shape[1]
    columns = torch.arange(width)
    shifts = range(-width // 4, width // 4 + 1)
    moved = (left[:, (columns - shift).clamp(0, width - 1)] for shift in shifts)
    errors = [(image.float() - right.float()).square().mean().item() for image in moved]
    shift = shifts[min(range(len(errors)), key=errors.__getitem__)]
    return shift, left[:, (columns - shift).clamp(0, width - 1)]


def score_unseen(draw: Draw, left: PinholeCameras, times: Float[Tensor, " n"], truth: StereoTruth) -> dict[str, float]:
    """PSNR and SSIM of the second camera beside the best constant shift, and how far the cameras are off.

    Args:
        draw: The trained scene.
        left: Estimated cameras of all frames.
        times: Their normalised times.
        truth: Frames and exact cameras of both views, at the same frames.
    """
    views = draw(place_by_alignment(left, truth.cameras, truth.right_cameras), times).float() / 255
    right = truth.right_frames.float() / 255
    shifted = [best_shift(a, b)[1].float() / 255 for a, b in zip(truth.frames, truth.right_frames, strict=True)]
    count = len(views)
    error = ate(left.c2w, truth.cameras.c2w)
    return {
        "psnr": sum(psnr(a, b) for a, b in zip(views, right, strict=True)) / count,
        "ssim": sum(ssim(a, b) for a, b in zip(views, right, strict=True)) / count,
        "shift_psnr": sum(psnr(a, b) for a, b in zip(shifted, right, strict=True)) / count,
        "ate_percent": error.percent_of_path,
        "focal_error_percent": focal_error_percent(left.K, left.width, truth.cameras.K, truth.cameras.width),
    }
