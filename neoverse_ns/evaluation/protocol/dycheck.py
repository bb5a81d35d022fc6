"""Protocols on DyCheck's iPhone scenes, and what was published under them."""

from __future__ import annotations

from neoverse_ns.evaluation.data.dycheck.layout import FIVE, SEVEN
from neoverse_ns.evaluation.protocol.positions import Span, Spread
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.protocol.rules import Pick, Rule, Times
from neoverse_ns.evaluation.protocol.tables import (
    C4G_PAPER,
    MASKED_METRICS,
    NEOVERSE_PAPER,
    VIEW_METRICS,
    masked_views,
    views,
)
from neoverse_ns.evaluation.protocol.viewers import Only

_INPUT, _TEST, _BOTH_TESTS = Only(("0",)), Only(("1",)), Only(("1", "2"))

ALL_OF_ALL = Rule(Pick(Span(), _INPUT), Pick(Span(), _BOTH_TESTS, as_there=True))
"""The whole clip, and all that the set tests it by."""

EVERY_SECOND_OF_64 = Rule(Pick(Span(0, 64, 2), _INPUT), Pick(Span(0, 64), _TEST))
"""Half of the targets show times that no input shows."""

SPREAD_OVER_64_SHARED = Rule(Pick(Spread(0, 63, 32), _INPUT), Pick(Span(0, 64), _TEST), Times(None, 64))
"""The first 64 times at which all cameras have a frame."""

THIRTEEN_OF_65 = Rule(Pick(Span(0, 65, 5), _INPUT), Pick(Span(0, 65), _BOTH_TESTS, as_there=True))
"""A clip of 65 frames, of which every fifth is given."""

PROTOCOLS = (
    Protocol(
        alias="dycheck-own@1",
        kind="views",
        data="dycheck-2x",
        label="dycheck-7",
        scenes=SEVEN,
        frames=ALL_OF_ALL.label,
        rule=ALL_OF_ALL,
        cameras="given",
        metrics=MASKED_METRICS,
        mask="covis",
        size="2x",
    ),
    Protocol(
        alias="dycheck-som@1",
        kind="views",
        data="dycheck-som",
        label="dycheck-som-5",
        scenes=FIVE,
        frames=ALL_OF_ALL.label,
        rule=ALL_OF_ALL,
        cameras="given",
        metrics=MASKED_METRICS,
        mask="covis",
        size="1x",
        note="cameras refined by COLMAP, masks of full size; Shape of Motion also measures tracks, which are not here",
    ),
    Protocol(
        alias="dycheck-neoverse@1",
        kind="views",
        data="dycheck",
        label="dycheck-5",
        scenes=FIVE,
        frames=EVERY_SECOND_OF_64.label,
        rule=EVERY_SECOND_OF_64,
        cameras="predict-all",
        metrics=VIEW_METRICS,
        size="560x560",
        note="not published, and taken from AnySplat, which it refers to: kind of SSIM and LPIPS; longer side 560",
    ),
    Protocol(
        alias="dycheck-c4g@1",
        kind="views",
        data="dycheck-som",
        label="dycheck-som-5",
        scenes=FIVE,
        frames=SPREAD_OVER_64_SHARED.label,
        rule=SPREAD_OVER_64_SHARED,
        cameras="sim3-context",
        metrics=VIEW_METRICS,
        tto=1000,
        size="224c",
        note="places of inputs are cut to whole numbers, which is not stated; judged cameras begin at the true ones",
    ),
    Protocol(
        alias="dycheck-movies@1",
        kind="views",
        data="dycheck",
        label="dycheck-5",
        scenes=FIVE,
        frames=THIRTEEN_OF_65.label,
        rule=THIRTEEN_OF_65,
        cameras="given",
        metrics=MASKED_METRICS,
        mask="covis",
        size="518c",
        note="not published: which 65 frames (here the first), which 13 of them (here every fifth), how 518x518 is cut",
    ),
)
"""All of them; `1x` pictures are 720x960, `2x` 360x480."""

_DYCHECK = "DyCheck (Gao and others 2022), table of iPhone scenes"
_MOVIES = "MoVieS (2025), table of DyCheck"
_AS_ANYSPLAT = "its paper names neither the kinds of SSIM and LPIPS nor the size"
_MOVIES_NOTE = "its evaluation is not released: which frames, and how they are cut, is not known"


PUBLISHED = (
    Published(
        "dycheck-own@1",
        "T-NeRF",
        {"mpsnr": 16.96, "mlpips": 0.379},
        _DYCHECK,
        note="mPSNR by scene: apple 17.43, block 17.52, paper-windmill 17.55, space-out 17.71, spin 19.16, teddy "
        "13.71, wheel 15.65",
    ),
    Published("dycheck-own@1", "NSFF", {"mpsnr": 15.46, "mlpips": 0.396}, _DYCHECK),
    Published("dycheck-own@1", "Nerfies", {"mpsnr": 16.45, "mlpips": 0.339}, _DYCHECK),
    Published("dycheck-own@1", "HyperNeRF", {"mpsnr": 16.81, "mlpips": 0.332}, _DYCHECK),
    Published("dycheck-neoverse@1", "NeoVerse", views(11.56, 0.293, 0.558), NEOVERSE_PAPER, note=_AS_ANYSPLAT),
    Published(
        "dycheck-neoverse@1", "NeoVerse + generation", views(14.59, 0.323, 0.501), NEOVERSE_PAPER, note=_AS_ANYSPLAT
    ),
    Published("dycheck-neoverse@1", "4DGT", views(9.94, 0.208, 0.639), NEOVERSE_PAPER, note=_AS_ANYSPLAT),
    Published("dycheck-neoverse@1", "MonST3R", views(9.32, 0.103, 0.710), NEOVERSE_PAPER, note=_AS_ANYSPLAT),
    Published("dycheck-c4g@1", "C4G", views(15.64, 0.388, 0.384), C4G_PAPER),
    Published("dycheck-c4g@1", "NeoVerse", views(11.90, 0.251, 0.450), C4G_PAPER),
    Published("", "MoVieS", masked_views(18.46, 0.5887, 0.3094), _MOVIES, "dycheck-movies@1", _MOVIES_NOTE),
    Published("", "Shape of Motion", masked_views(17.96, 0.5662, 0.3463), _MOVIES, "dycheck-movies@1", _MOVIES_NOTE),
    Published("", "MoSca", masked_views(18.24, 0.5514, 0.3698), _MOVIES, "dycheck-movies@1", _MOVIES_NOTE),
    *(
        Published("", method, {"psnr": psnr}, "ReDirector (2025)", "dycheck-neoverse@1", "81 frames, re-rendered")
        for method, psnr in (
            ("ReDirector", 10.82),
            ("ReCamMaster", 10.69),
            ("CogNVS", 10.56),
            ("GCD", 9.56),
            ("TrajectoryCrafter", 8.79),
        )
    ),
)
