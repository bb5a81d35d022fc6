"""Protocols on KITTI: depth of the validation drives, and what a second camera beside the first sees."""

from __future__ import annotations

from dataclasses import replace

from neoverse_ns.evaluation.data.kitti.odometry import KittiOdometry
from neoverse_ns.evaluation.protocol.positions import Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.protocol.rules import Pick, Rule
from neoverse_ns.evaluation.protocol.rules_given import Given
from neoverse_ns.evaluation.protocol.tables import DEPTH_METRICS, depth
from neoverse_ns.evaluation.protocol.viewers import Only

FIRST_110 = Given(Span(0, 110))
"""Of the frames that have depth."""

RIGHT_OF_25 = Rule(Pick(Span(0, 25), Only(("0",))), Pick(Span(0, 25), Only(("1",))))
"""The first 25 frames of the left grey camera, and the right one's at the same times."""

_STEREO = Protocol(
    alias="kitti-stereo@1",
    kind="views",
    data="kitti-odometry",
    label="kitti-odo",
    scenes=KittiOdometry.published_scenes,
    frames=RIGHT_OF_25.label,
    rule=RIGHT_OF_25,
    cameras="sim3-context",
    metrics=("psnr", "ssim-sk11", "lpips-alex"),
    size="560x336",
    note="ours: the grey cameras, the first 25 frames; the second camera stands 0.54 m to the right",
)

PROTOCOLS = (
    Protocol(
        alias="kitti110@1",
        kind="depth",
        data="kitti-depth",
        label="kitti-depth-13",
        scenes=None,
        frames=FIRST_110.label,
        rule=FIRST_110,
        cameras="none",
        metrics=DEPTH_METRICS,
        mask="own",
        tables="scenes by valid pixels",
        note="13 drives of the validation selection, left colour camera",
    ),
    _STEREO,
    replace(
        _STEREO,
        alias="kitti-stereo-beside@1",
        cameras="beside",
        note=f"{_STEREO.note}; errors of the path are hidden",
    ),
)

PUBLISHED = (
    Published("kitti110@1", "MonST3R", depth(0.168, 74.4), "MonST3R"),
    Published("kitti110@1", "CUT3R", depth(0.118, 88.1), "CUT3R"),
)
