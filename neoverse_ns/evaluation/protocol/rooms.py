"""Protocols on still rooms: EyefulTower (VR-NeRF) and ScanNet++."""

from __future__ import annotations

from dataclasses import replace

from neoverse_ns.evaluation.data.eyeful_tower import SIX
from neoverse_ns.evaluation.protocol.positions import Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.protocol.rules import Pick, Rule
from neoverse_ns.evaluation.protocol.rules_given import OfTrainedCamera, Others
from neoverse_ns.evaluation.protocol.tables import NEOVERSE_PAPER, VIEW_METRICS, views


def middles_of_threes(count: int) -> OfTrainedCamera:
    """Of the first `count` pictures, every second of three is judged, the others are given."""
    middles = Span(1, count, 3)
    return OfTrainedCamera(Rule(Pick(Others(middles, count)), Pick(middles)))


SIXTEEN_OF_24, THIRTY_TWO_OF_48 = middles_of_threes(24), middles_of_threes(48)

_VRNERF = Protocol(
    alias="vrnerf-ours@1",
    kind="views",
    data="eyeful-tower",
    label="vrnerf-6",
    scenes=SIX,
    frames=SIXTEEN_OF_24.label,
    rule=SIXTEEN_OF_24,
    cameras="predict-all",
    metrics=VIEW_METRICS,
    size="560x560",
    note="ours: which frames NeoVerse takes is not published; here the first 24 of the sensor with the lowest number "
    "that the set does not keep for testing",
)
_SCANNETPP = Protocol(
    alias="scannetpp-ours@1",
    kind="views",
    data="scannetpp",
    label="scannetpp",
    scenes=None,
    frames=THIRTY_TWO_OF_48.label,
    rule=THIRTY_TWO_OF_48,
    cameras="predict-all",
    metrics=VIEW_METRICS,
    size="560x560",
    note="ours: which frames NeoVerse takes is not published; here the first 48 by name that the set does not keep for "
    "testing; which scenes is for the folder to say, tables take the 50 of nvs_sem_val",
)

PROTOCOLS = (
    _VRNERF,
    replace(_VRNERF, alias="vrnerf-ours-sim3@1", cameras="sim3-context"),
    _SCANNETPP,
    replace(_SCANNETPP, alias="scannetpp-ours-sim3@1", cameras="sim3-context"),
)

_FRAMES = "its frames are not published"


PUBLISHED = (
    Published("", "NeoVerse", views(20.73, 0.766, 0.352), NEOVERSE_PAPER, "vrnerf-ours@1", _FRAMES),
    Published("", "AnySplat", views(18.02, 0.705, 0.366), NEOVERSE_PAPER, "vrnerf-ours@1", _FRAMES),
    Published("", "Flare", {"psnr": 12.62}, NEOVERSE_PAPER, "vrnerf-ours@1", _FRAMES),
    Published("", "NoPoSplat", {"psnr": 11.27}, NEOVERSE_PAPER, "vrnerf-ours@1", _FRAMES),
    Published("", "NeoVerse", views(25.34, 0.834, 0.195), NEOVERSE_PAPER, "scannetpp-ours@1", _FRAMES),
    Published("", "AnySplat", views(22.79, 0.773, 0.217), NEOVERSE_PAPER, "scannetpp-ours@1", _FRAMES),
    Published("", "Flare", {"psnr": 12.19}, NEOVERSE_PAPER, "scannetpp-ours@1", _FRAMES),
    Published("", "NoPoSplat", {"psnr": 8.69}, NEOVERSE_PAPER, "scannetpp-ours@1", _FRAMES),
)
