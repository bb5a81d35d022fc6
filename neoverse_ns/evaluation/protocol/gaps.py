"""Time gaps: the same pictures judged while fewer and fewer frames around them are given."""

from __future__ import annotations

from neoverse_ns.evaluation.protocol.positions import Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.rules import Pick, Rule, Times

GAPS = (2, 4, 6, 8)
"""Frames from one given frame to the next."""

FRAMES = 49
"""Frames looked at: the first and every one after a whole gap, for all gaps, is the last."""

_NOTE = (
    "Ours: the odd ones of the first 49 frames are judged at every gap, so that a curve compares the same pictures; "
    "C4G's tables judge all frames between 16 given ones, which is not comparable."
)


def _protocol(data: str, label: str, gap: int) -> Protocol:
    rule = Rule(Pick(Span(0, FRAMES, gap)), Pick(Span(1, FRAMES, 2)), Times(most=FRAMES))
    return Protocol(
        alias=f"{label}-gap-{gap}@1",
        kind="views",
        data=data,
        label=label,
        scenes=None,
        frames=rule.label,
        rule=rule,
        cameras="predict-all",
        metrics=("psnr", "ssim-sk11", "lpips-alex", "lpips-vgg"),
        size="560x336",
        note=_NOTE,
    )


FAMILIES = {"clips": "clips", "tum": "tum"}
"""What a curve can be measured on, by the first word of the protocols: its layout of data."""

PROTOCOLS = tuple(_protocol(data, label, gap) for label, data in FAMILIES.items() for gap in GAPS)
