"""NVIDIA's dynamic scenes in full length: DynIBaR's copy."""

from __future__ import annotations

from typing import ClassVar

from neoverse_ns.evaluation.data.nvidia.nsff import NvidiaNsff


class NvidiaLong(NvidiaNsff):
    """All frames of the videos, frame t of the rig's camera t mod 12, with cameras of its own solver."""

    name: ClassVar[str] = "nvidia-long"
    title: ClassVar[str] = "NVIDIA dynamic scenes, whole videos"
    origin: ClassVar[str] = "nvidia_long_release, linked in the README of github.com/google/dynibar"
    poses: ClassVar[str] = "poses_bounds_cvd.npy"
