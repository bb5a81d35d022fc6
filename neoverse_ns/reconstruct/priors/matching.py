"""Which of the user's files belongs to which sampled frame."""

from __future__ import annotations

from collections.abc import Sequence

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.source_names import source_names
from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.priors.config import Match
from neoverse_ns.trajectory.foreign.entry import Label, label

_SHOWN = 5
"""Frames that an error names."""


def match_frames(labels: Sequence[Label], clip: Clip, how: Match, first_number: int, where: str) -> list[int]:
    """For each sampled frame the position in `labels` that belongs to it.

    Args:
        labels: Of the user's files or entries, in order.
        clip: Its source and frame indices name the frames.
        how: See :class:`neoverse_ns.reconstruct.priors.config.PriorsConfig`.
        first_number: Number that stands for the source's frame 0.
        where: File or folder, for errors.

    Raises:
        SettingsError: A frame has no file, or several.
    """
    if how == "order":
        if len(labels) != len(clip):
            raise SettingsError(
                f"{where} has {len(labels)} entries for {len(clip)} sampled frames: matching in order needs as many; "
                "try --priors.match number"
            )
        return list(range(len(labels)))
    names = source_names(clip)
    by_number = [index + first_number for index in clip.frame_indices.tolist()]
    if how == "name" and names is None:
        raise SettingsError(f"{clip.source} is a video, its frames have no names: use --priors.match number or order")
    if names is not None and how in ("auto", "name"):
        found = _places([entry.name for entry in labels], names)
        if how == "name" or all(found):
            return _each_once(found, names, where, "named")
    numbers = [entry.number for entry in labels]
    if names is not None:
        # A depth map of image_0070.jpg may be called depth_0070.png, wherever counting began.
        own = [number for name in names if (number := label(name).number) is not None]
        if len(set(own)) == len(names) and all(_places(numbers, own)):
            return _each_once(_places(numbers, own), own, where, "numbered")
    return _each_once(_places(numbers, by_number), by_number, where, "numbered")


def _places(given: Sequence[str | int | None], wanted: Sequence[str | int]) -> list[list[int]]:
    places: dict[str | int | None, list[int]] = {}
    for place, value in enumerate(given):
        places.setdefault(value, []).append(place)
    return [places.get(value, []) for value in wanted]


def _each_once(found: list[list[int]], wanted: Sequence[str | int], where: str, verb: str) -> list[int]:
    missing = [str(value) for value, places in zip(wanted, found, strict=True) if not places]
    if missing:
        more = ", ..." if len(missing) > _SHOWN else ""
        raise SettingsError(
            f"{where} has no entry {verb} {', '.join(missing[:_SHOWN])}{more} ({len(missing)} of {len(wanted)} sampled "
            "frames lack one): complete it, or change --priors.match or --priors.first-number"
        )
    double = [str(value) for value, places in zip(wanted, found, strict=True) if len(places) > 1]
    if double:
        raise SettingsError(f"{where} has more than one entry {verb} {double[0]}: keep one")
    return [places[0] for places in found]
