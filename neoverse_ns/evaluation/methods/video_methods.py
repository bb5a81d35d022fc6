"""Who is measured where a video is judged by itself: whoever made it."""

from __future__ import annotations

from dataclasses import dataclass

from neoverse_ns.errors import SettingsError


@dataclass(frozen=True)
class AsIs:
    """The videos as they lie there.

    Attributes:
        name: What tables call their maker.
        solver: Nobody looks for cameras.
    """

    name: str = "as-is"
    solver: str = "none"


def video_method(text: str) -> AsIs:
    """A name for the maker of the videos, which tables carry: any plain one.

    Raises:
        SettingsError: It has settings, which nothing here takes.
    """
    if not text.strip() or ":" in text:
        raise SettingsError(
            f"method '{text}': videos are measured as they are; give a plain name for whoever made them"
        )
    return AsIs(text.strip())
