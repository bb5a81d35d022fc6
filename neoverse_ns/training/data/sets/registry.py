"""Which layouts there are; each is imported when it is first asked for."""

from __future__ import annotations

import importlib

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.sets.base import DataSet

DATA_SETS: dict[str, str] = {
    "dynamic_replica": "neoverse_ns.training.data.sets.dynamic_replica:DynamicReplica",
    "hypersim": "neoverse_ns.training.data.sets.hypersim:HyperSim",
    "movi_f": "neoverse_ns.training.data.sets.movi_f:MoviF",
    "own": "neoverse_ns.training.data.sets.own:Own",
    "point_odyssey": "neoverse_ns.training.data.sets.point_odyssey:PointOdyssey",
    "rgbd_png": "neoverse_ns.training.data.sets.rgbd_png:RgbdPng",
    "spatial_vid": "neoverse_ns.training.data.sets.spatial_vid:SpatialVid",
    "spring": "neoverse_ns.training.data.sets.spring:Spring",
    "tartan_air": "neoverse_ns.training.data.sets.tartan_air:TartanAir",
    "virtual_kitti2": "neoverse_ns.training.data.sets.virtual_kitti2:VirtualKitti2",
    "wai": "neoverse_ns.training.data.sets.wai:Wai",
    "waymo": "neoverse_ns.training.data.sets.waymo:Waymo",
    "worlds": "neoverse_ns.training.data.sets.worlds:Worlds",
}
"""Module and class of every layout, by its name."""


def data_set(name: str) -> DataSet:
    """The layout of that name.

    Raises:
        SettingsError: There is none.
    """
    if name not in DATA_SETS:
        raise SettingsError(f"no data set '{name}': choose one of {', '.join(sorted(DATA_SETS))}")
    module, _, kind = DATA_SETS[name].partition(":")
    return getattr(importlib.import_module(module), kind)()
