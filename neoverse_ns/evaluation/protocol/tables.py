"""Columns that tables of the field share, and rows of theirs in our metrics."""

from __future__ import annotations

VIEW_METRICS = ("psnr", "ssim-sk11", "lpips-vgg")
MASKED_METRICS = ("mpsnr", "mssim", "mlpips")
CAMERA_METRICS = ("ate", "rpe-t", "rpe-r", "auc3", "auc30", "solved")
DEPTH_METRICS = ("absrel-scale", "delta1-scale", "absrel-shift", "delta1-shift")

NEOVERSE_PAPER = "NeoVerse (2026), appendix D"
C4G_PAPER = "C4G (arXiv 2605.31595)"
OMEGA_PAPER = "VGGT-Omega, table of cameras"
SAMPLED = "which frames are sampled is not published"


def views(psnr: float, ssim: float, lpips: float) -> dict[str, float]:
    """A row of a table of views, over all pixels."""
    return dict(zip(VIEW_METRICS, (psnr, ssim, lpips), strict=True))


def masked_views(psnr: float, ssim: float, lpips: float) -> dict[str, float]:
    """A row of a table of views, inside masks of covisibility."""
    return dict(zip(MASKED_METRICS, (psnr, ssim, lpips), strict=True))


def cameras(ate: float, rpe_t: float, rpe_r: float) -> dict[str, float]:
    """A row of a table of cameras: metres, metres a frame, degrees a frame."""
    return {"ate": ate, "rpe-t": rpe_t, "rpe-r": rpe_r}


def depth(absrel: float, percent: float) -> dict[str, float]:
    """A row of a table of depth with scale: error, and the share of pixels within 1.25 in percent."""
    return {"absrel-scale": absrel, "delta1-scale": percent / 100}
