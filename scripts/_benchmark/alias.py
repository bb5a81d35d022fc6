"""The protocol that a benchmark's frames are those of, for the header of its tables."""

from __future__ import annotations

from neoverse_ns.evaluation.data.clips.windows import ClipWindow
from neoverse_ns.evaluation.protocol.aliases import protocols
from neoverse_ns.evaluation.protocol.clip_rules import Judged, Sampled


def alias_of(window: ClipWindow, judged: Judged = "none", tracking: str = "") -> str:
    """The alias of the protocol with just these frames, or that they have none and whose figures therefore compare with
    nothing but other rows of the same table.

    Args:
        window: Frames of a clip.
        judged: Which of them are judged.
        tracking: Which frames between them are followed, by its name; "" where nothing is trained.
    """
    wanted = Sampled(window, judged, tracking)
    found = [alias for alias, one in protocols().items() if one.rule == wanted]
    return found[0] if found else f"of no alias: {wanted.label}"
