"""Protocols on NVIDIA's dynamic scenes, and what was published under them."""

from __future__ import annotations

from dataclasses import replace

from neoverse_ns.evaluation.data.nvidia.scene import SEVEN, TWELVE
from neoverse_ns.evaluation.protocol.positions import Inner, Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.protocol.rules import Pick, Rule
from neoverse_ns.evaluation.protocol.tables import C4G_PAPER, VIEW_METRICS, masked_views, views
from neoverse_ns.evaluation.protocol.viewers import AllButInTurn, Only

_INPUT, _FIRST, _OTHERS = Only(("0",)), Only(("1",)), AllButInTurn(TWELVE)

TWELVE_TO_THE_FIRST = Rule(Pick(Span(0, 12), _INPUT), Pick(Span(0, 12), _FIRST))
"""All frames of the camera that jumps, and what the first one of the rig saw meanwhile."""

EVEN_TO_ODD = Rule(Pick(Span(0, 12, 2), _INPUT), Pick(Span(1, 10, 2), _INPUT))
"""Targets are of other cameras than inputs, and of other times."""

ALL_TO_OTHERS = Rule(Pick(Span(0, 24), _INPUT), Pick(Span(0, 24), _OTHERS))
"""24 frames, and at each time the eleven cameras that did not take it."""

ALL_TO_OTHERS_WITHIN = Rule(Pick(Span(), _INPUT), Pick(Inner(3, 3), _OTHERS))
"""The whole video; three times at either end are not asked for."""

_MONO = Protocol(
    alias="nvidia-mono12@1",
    kind="views",
    data="nvidia-mono12",
    label="nvidia-mono-7",
    scenes=SEVEN,
    frames=TWELVE_TO_THE_FIRST.label,
    rule=TWELVE_TO_THE_FIRST,
    cameras="given",
    metrics=("psnr", "ssim-sk7", "lpips-alex"),
    note="the first target is the first input: the camera that jumps begins at the rig's first",
)
_NSFF = Protocol(
    alias="nvidia-nsff24@1",
    kind="views",
    data="nvidia-nsff24",
    label="nvidia-nsff-7",
    scenes=SEVEN,
    frames=ALL_TO_OTHERS.label,
    rule=ALL_TO_OTHERS,
    cameras="given",
    metrics=("psnr", "ssim-sk7-range2", "lpips-alex"),
    note="SSIM with the range of 2 that scikit-image took for pictures in [0, 1], as NSFF's own evaluation did",
)
_INSIDE = ("mpsnr", "mssim-sk7-range2", "lpips-nsff")
_LONG = Protocol(
    alias="nvidia-long@1",
    kind="views",
    data="nvidia-long",
    label="nvidia-long-7",
    scenes=SEVEN,
    frames=ALL_TO_OTHERS_WITHIN.label,
    rule=ALL_TO_OTHERS_WITHIN,
    cameras="given",
    metrics=_INSIDE,
    mask="plain-seen",
    note="pixels that are shown black are made black in the truth, too, and do not count, as in DynIBaR's evaluation",
)

PROTOCOLS = (
    _MONO,
    replace(
        _MONO,
        alias="nvidia-c4g@1",
        frames=EVEN_TO_ODD.label,
        rule=EVEN_TO_ODD,
        cameras="sim3-context",
        metrics=VIEW_METRICS,
        tto=2000,
        size="224c",
        note="judged cameras begin at the true ones",
    ),
    _NSFF,
    replace(
        _NSFF,
        alias="nvidia-nsff24-dynamic@1",
        mask="dyn",
        metrics=_INSIDE,
        note="inside the set's masks of what moves",
    ),
    _LONG,
    replace(_LONG, alias="nvidia-long-dynamic@1", mask="dyn-seen"),
    replace(_LONG, alias="nvidia-long-static@1", mask="static-seen"),
)
"""All of them; `1x` is 480x270 for 12 frames and a height of 288 for the others."""

_DYNAMIC_NERF = "DynamicNeRF (Gao and others 2021), table of NVIDIA's scenes"
_MOVIES = "MoVieS (2025), table of NVIDIA's scenes"
_MOVIES_NOTE = "12 views in turn, 379x672, masked; its evaluation is not released"


PUBLISHED = (
    Published("nvidia-mono12@1", "NeRF", {"psnr": 21.99, "lpips-alex": 0.250}, _DYNAMIC_NERF),
    Published("nvidia-mono12@1", "NSFF", {"psnr": 24.33, "lpips-alex": 0.199}, _DYNAMIC_NERF),
    Published("nvidia-mono12@1", "DynamicNeRF", {"psnr": 26.10, "lpips-alex": 0.082}, _DYNAMIC_NERF),
    Published("nvidia-c4g@1", "C4G", views(20.51, 0.489, 0.393), C4G_PAPER),
    Published("nvidia-c4g@1", "NeoVerse", views(15.86, 0.322, 0.492), C4G_PAPER),
    Published(
        "",
        "MoVieS",
        masked_views(19.16, 0.5141, 0.3152),
        _MOVIES,
        "nvidia-mono12@1",
        _MOVIES_NOTE,
    ),
    Published("", "MoSca", masked_views(21.45, 0.7123, 0.2653), _MOVIES, "nvidia-mono12@1", _MOVIES_NOTE),
    Published("", "Shape of Motion", {"mpsnr": 15.30}, _MOVIES, "nvidia-mono12@1", _MOVIES_NOTE),
)
