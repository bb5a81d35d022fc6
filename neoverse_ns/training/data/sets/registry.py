"""Which layouts there are; each is imported when it is first asked for."""

from __future__ import annotations

import importlib

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.sets.base import DataSet

DATA_SETS: dict[str, str] = {
    "own": "neoverse_ns.training.data.sets.own:Own",
    "wai": "neoverse_ns.training.data.sets.wai:Wai",
    "worlds": "neoverse_ns.training.data.sets.worlds:Worlds",
    "rgbd_png": "neoverse_ns.training.data.sets.rgbd_png:RgbdPng",
    "spatial_vid": "neoverse_ns.training.data.sets.spatial_vid:SpatialVid",
    "tartan_air": "neoverse_ns.training.data.sets.tartan_air:TartanAir",
    "virtual_kitti2": "neoverse_ns.training.data.sets.virtual_kitti2:VirtualKitti2",
    "waymo": "neoverse_ns.training.data.sets.waymo:Waymo",
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
