"""Layouts of benchmark data by name."""

from __future__ import annotations

from importlib import import_module

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.data.scene import BenchmarkData

BENCHMARK_DATA: dict[str, str] = {
    "adt": "neoverse_ns.evaluation.data.adt.layout:AriaDigitalTwin",
    "bonn": "neoverse_ns.evaluation.data.tum:Bonn",
    "clips": "neoverse_ns.evaluation.data.clips.layout:Clips",
    "dycheck": "neoverse_ns.evaluation.data.dycheck.layout:DyCheck",
    "dycheck-2x": "neoverse_ns.evaluation.data.dycheck.layout:DyCheckHalf",
    "dycheck-som": "neoverse_ns.evaluation.data.dycheck.som:DyCheckRefined",
    "eyeful-tower": "neoverse_ns.evaluation.data.eyeful_tower:EyefulTower",
    "kitti-depth": "neoverse_ns.evaluation.data.kitti.depth:KittiDepth",
    "kitti-odometry": "neoverse_ns.evaluation.data.kitti.odometry:KittiOdometry",
    "nvidia-long": "neoverse_ns.evaluation.data.nvidia.long:NvidiaLong",
    "nvidia-mono12": "neoverse_ns.evaluation.data.nvidia.mono:NvidiaMono",
    "nvidia-nsff24": "neoverse_ns.evaluation.data.nvidia.nsff:NvidiaNsff",
    "scannet": "neoverse_ns.evaluation.data.scannet:ScanNet",
    "scannetpp": "neoverse_ns.evaluation.data.scannetpp:ScanNetPp",
    "sintel": "neoverse_ns.evaluation.data.sintel.layout:Sintel",
    "tapvid3d": "neoverse_ns.evaluation.data.tapvid3d:TapVid3d",
    "tum": "neoverse_ns.evaluation.data.tum:Tum",
    "videos": "neoverse_ns.evaluation.data.videos.layout:Videos",
}
"""Module and class of every layout; imported when asked for, so that nothing pays for all of them."""


def benchmark_data(name: str) -> BenchmarkData:
    """The layout of a name.

    Raises:
        SettingsError: There is none; names those that there are.
    """
    if name not in BENCHMARK_DATA:
        raise SettingsError(f"no benchmark data named '{name}'; there are {', '.join(sorted(BENCHMARK_DATA))}")
    module, _, kind = BENCHMARK_DATA[name].partition(":")
    return getattr(import_module(module), kind)()
