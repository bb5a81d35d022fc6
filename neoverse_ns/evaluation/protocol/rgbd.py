"""Protocols on recordings of RGB-D cameras: TUM's, Bonn's and ScanNet's."""

from __future__ import annotations

from neoverse_ns.evaluation.data.tum import EIGHT, NINE, Bonn
from neoverse_ns.evaluation.protocol.positions import Between, Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.protocol.rules import Pick, Rule
from neoverse_ns.evaluation.protocol.rules_given import Given
from neoverse_ns.evaluation.protocol.tables import (
    C4G_PAPER,
    CAMERA_METRICS,
    DEPTH_METRICS,
    OMEGA_PAPER,
    SAMPLED,
    VIEW_METRICS,
    cameras,
    depth,
    views,
)

EVERY_THIRD_PAIR = Given(Span(0, 270, 3), posed_list=True)
"""Of the pictures that are paired with a pose, every third, the first 90 of these."""

ROWS_30_TO_139 = Given(Span(30, 140))
SAME_WITH_CAMERA = Given(Span(30, 140), posed=True)
FIRST_90_BY_3 = Given(Span(0, 270, 3), posed=True)

EVERY_SIXTH = Rule(Pick(Span(0, 91, 6)), Pick(Between(Span(0, 91, 6))))
"""16 pictures, and all between them."""

PROTOCOLS = (
    Protocol(
        alias="tum90@1",
        kind="cameras",
        data="tum",
        label="tum-8",
        scenes=EIGHT,
        frames=EVERY_THIRD_PAIR.label,
        rule=EVERY_THIRD_PAIR,
        cameras="none",
        metrics=CAMERA_METRICS,
        note="pictures and poses are paired nearest first, less than 0.02 s apart, each used once",
    ),
    Protocol(
        alias="tum-c4g@1",
        kind="views",
        data="tum",
        label="tum-9",
        scenes=NINE,
        frames=EVERY_SIXTH.label,
        rule=EVERY_SIXTH,
        cameras="sim3-context",
        metrics=VIEW_METRICS,
        tto=1000,
        size="224c",
        note="not published: whether all frames between are judged or those halfway, where a clip begins (here at its "
        "first picture), most steps for a judged camera (here those for DyCheck)",
    ),
    Protocol(
        alias="bonn110@1",
        kind="depth",
        data="bonn",
        label="bonn-5",
        scenes=Bonn.published_scenes,
        frames=ROWS_30_TO_139.label,
        rule=ROWS_30_TO_139,
        cameras="none",
        metrics=DEPTH_METRICS,
        mask="below-70",
        tables="scenes by valid pixels",
        note="depth pictures are those nearest in time; tables of others take rows 30 to 139 of both lists, which "
        "differs where a picture was lost",
    ),
    Protocol(
        alias="bonn110-cameras@1",
        kind="cameras",
        data="bonn",
        label="bonn-5",
        scenes=Bonn.published_scenes,
        frames=SAME_WITH_CAMERA.label,
        rule=SAME_WITH_CAMERA,
        cameras="none",
        metrics=CAMERA_METRICS,
        note="poses are those nearest in time, within 0.02 s; preparations that take rows 30 to 139 of the list of "
        "poses, which has more of them a second, compare cameras with those of other times",
    ),
    Protocol(
        alias="scannet90@1",
        kind="cameras",
        data="scannet",
        label="scannet",
        scenes=None,
        frames=FIRST_90_BY_3.label,
        rule=FIRST_90_BY_3,
        cameras="none",
        metrics=CAMERA_METRICS,
        note="which scenes is for the folder to say; frames whose pose was lost are left out",
    ),
)
"""All of them; sizes are those of the files."""


_WHICH = "whether all frames between the given ones are judged, or those halfway, is not known"
_BY_ROWS = "depth paired by rows of the lists"

PUBLISHED = (
    Published("tum90@1", "MonST3R", cameras(0.098, 0.019, 0.935), "MonST3R", note="a later rerun: .072, .018, .845"),
    Published("tum90@1", "CUT3R", cameras(0.046, 0.015, 0.473), "CUT3R"),
    Published("tum90@1", "VGGT", cameras(0.012, 0.010, 0.307), "pi3"),
    Published("tum90@1", "pi3", cameras(0.014, 0.009, 0.312), "pi3"),
    *(
        Published("", method, {"auc3": percent / 100}, OMEGA_PAPER, "tum90@1", SAMPLED)
        for method, percent in (("VGGT-Omega", 30.2), ("DA3", 20.8), ("MegaSaM", 15.4), ("MonST3R", 7.7))
    ),
    Published("", "C4G", views(19.52, 0.603, 0.306), C4G_PAPER, "tum-c4g@1", _WHICH),
    Published("", "NeoVerse", views(15.26, 0.437, 0.415), C4G_PAPER, "tum-c4g@1", _WHICH),
    Published("", "C4G, every 2nd frame", {"psnr": 20.59}, C4G_PAPER, "tum-c4g@1", "inputs at every second frame"),
    Published("", "NeoVerse, every 2nd frame", {"psnr": 20.14}, C4G_PAPER, "tum-c4g@1", "inputs at every second frame"),
    *(
        Published("", method, depth(*row), method, "bonn110@1", _BY_ROWS)
        for method, row in (("MonST3R", (0.067, 96.3)), ("CUT3R", (0.078, 93.7)), ("pi3", (0.043, 97.5)))
    ),
    Published("scannet90@1", "CUT3R", cameras(0.099, 0.022, 0.600), "CUT3R"),
    Published("scannet90@1", "VGGT", cameras(0.035, 0.015, 0.377), "pi3"),
)
