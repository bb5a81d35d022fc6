"""Protocols on Aria Digital Twin, and what was published near them."""

from __future__ import annotations

from dataclasses import replace

from neoverse_ns.evaluation.data.adt.layout import FOUR
from neoverse_ns.evaluation.protocol.positions import Midpoints, Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.protocol.rules import Pick, Rule
from neoverse_ns.evaluation.protocol.tables import C4G_PAPER, NEOVERSE_PAPER, VIEW_METRICS, views

EVEN_TO_ODD_OF_64 = Rule(Pick(Span(0, 64, 2)), Pick(Span(1, 64, 2)))
EVEN_TO_ODD_OF_128 = Rule(Pick(Span(0, 128, 2)), Pick(Span(1, 128, 2)))
SIXTEEN_TO_MIDPOINTS = Rule(Pick(Span(0, 91, 6)), Pick(Midpoints(Span(0, 91, 6))))
"""Every sixth, and the frame in the middle of each two."""

_NEOVERSE = Protocol(
    alias="adt-neoverse@1",
    kind="views",
    data="adt",
    label="adt-4",
    scenes=FOUR,
    frames=EVEN_TO_ODD_OF_64.label,
    rule=EVEN_TO_ODD_OF_64,
    cameras="predict-all",
    metrics=VIEW_METRICS,
    size="560x560",
    note="which 64 frames is not published: here the first; odd between even frames of one path is easier than any "
    "second camera",
)

PROTOCOLS = (
    _NEOVERSE,
    replace(
        _NEOVERSE,
        alias="adt-4dgt@1",
        frames=EVEN_TO_ODD_OF_128.label,
        rule=EVEN_TO_ODD_OF_128,
        cameras="given",
        size="504x504",
        note="which windows of 128 frames is not published: here the first",
    ),
    replace(
        _NEOVERSE,
        alias="adt-c4g@1",
        frames=SIXTEEN_TO_MIDPOINTS.label,
        rule=SIXTEEN_TO_MIDPOINTS,
        cameras="sim3-context",
        tto=1000,
        size="224c",
        note="how many steps judged cameras are improved by is not published for this set: here 1000, as on DyCheck",
    ),
)

_START = "which 64 frames is not published"
_STEPS = "how many steps judged cameras are improved by is not published"


def _near(near: str, source: str, note: str, method: str, psnr: float, ssim: float, lpips: float) -> Published:
    return Published("", method, views(psnr, ssim, lpips), source, near, note)


PUBLISHED = (
    _near("adt-neoverse@1", NEOVERSE_PAPER, _START, "NeoVerse", 32.56, 0.927, 0.120),
    _near("adt-neoverse@1", NEOVERSE_PAPER, f"{_START}; true cameras", "4DGT", 30.09, 0.909, 0.178),
    _near("adt-neoverse@1", NEOVERSE_PAPER, _START, "MonST3R", 17.42, 0.554, 0.534),
    Published(
        "",
        "4DGT",
        {"psnr": 28.31},
        "4DGT (2025)",
        "adt-4dgt@1",
        "which windows is not published; a user got 19.5 (issue 15 of its repository)",
    ),
    _near("adt-c4g@1", C4G_PAPER, _STEPS, "C4G", 22.35, 0.631, 0.313),
    _near("adt-c4g@1", C4G_PAPER, _STEPS, "NeoVerse", 21.94, 0.629, 0.270),
)
