"""Drawing 3D Gaussians: one call, `rasterize`, for CUDA and CPU tensors."""

from neoverse_ns.rasterize.dispatch import rasterize

__all__ = ["rasterize"]
