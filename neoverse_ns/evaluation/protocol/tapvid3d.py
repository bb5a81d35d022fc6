"""The protocol of TAPVid-3D: points followed in three dimensions."""

from __future__ import annotations

from neoverse_ns.evaluation.protocol.positions import Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.protocol.rules_given import Given

ALL = Given(Span())
"""The whole video."""

PROTOCOLS = (
    Protocol(
        alias="tapvid3d@1",
        kind="tracks",
        data="tapvid3d",
        label="tapvid3d",
        scenes=None,
        frames=ALL.label,
        rule=ALL,
        cameras="none",
        metrics=("apd", "aj", "oa", "epe", "within-0.05", "within-0.10"),
        note="scaled by the median of norms; give the folder of one source (drivetrack, adt, pstudio) for its table",
    ),
)

_MOVIES = "MoVieS (2025), table of tracks"
_ITS_FRAMES = "its own choice of frames and videos is not known"
_SCALING = "scaling is not stated; within is of a fixed 0.10 m"


def _tracks(epe: float, near: float, wide: float) -> dict[str, float]:
    return {"epe": epe, "within-0.05": near / 100, "within-0.10": wide / 100}


PUBLISHED = (
    *(
        Published("", f"MoVieS, {source}", _tracks(*row), _MOVIES, "tapvid3d@1", _ITS_FRAMES)
        for source, row in (
            ("adt", (0.2153, 52.05, 71.63)),
            ("drivetrack", (0.0472, 60.63, 79.87)),
            ("pstudio", (0.0352, 87.88, 94.61)),
        )
    ),
    *(
        Published("", method, {"within-0.10": within / 100, "epe": epe}, "NeoVerse (2026)", "tapvid3d@1", _SCALING)
        for method, within, epe in (("NeoVerse", 7.31, 3.10), ("SpatialTracker", 3.79, 3.35), ("St4RTrack", 2.47, 5.64))
    ),
)
