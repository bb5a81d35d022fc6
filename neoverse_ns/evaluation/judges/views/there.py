"""Which targets can be judged by: those whose files are there, at the size that they allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.judges.views.sizes import falls_short, framing_for
from neoverse_ns.evaluation.judges.views.targets import MASKS, SEEN
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol

SIZE_NOTE = "size_note"
"""Key of a scene's report under which it is told that pictures were judged smaller than the protocol's id says."""


def lacking_files(protocol: Protocol, scene: BenchmarkScene, choice: Choice) -> list[str]:
    """Files of inputs, targets and their masks that are not there, relative to the scene's folder."""
    masks = MASKS.get(protocol.mask.removesuffix(SEEN), ())
    gone = [name for frame in choice.inputs for name in scene.lacks(frame, "rgb")]
    return gone + [name for frame in choice.targets for name in scene.lacks(frame, "rgb", *masks)]


def there_alone(protocol: Protocol, scene: BenchmarkScene, choice: Choice) -> tuple[Choice, list[str]]:
    """The choice without targets that nothing can be compared with, and a sentence on each of those.

    Raises:
        ClipError: None is left.
    """
    masks = MASKS.get(protocol.mask.removesuffix(SEEN), ())
    gone = {frame.name: scene.lacks(frame, "rgb", *masks) for frame in choice.targets}
    kept = tuple(frame for frame in choice.targets if not gone[frame.name])
    said = [f"{name}: not judged, since {', '.join(files)} is not there" for name, files in gone.items() if files]
    if said and not kept:
        raise ClipError(f"{scene.name}: no target can be judged ({said[0]})")
    return replace(choice, targets=kept), said


def judged_size(protocol: Protocol, choice: Choice) -> dict[str, Any]:
    """For the report: how large pictures are judged, with a remark where they are smaller than the protocol's box."""
    if not choice.targets:
        return {}
    first = choice.targets[0]
    size = framing_for(protocol.size, first.width, first.height).size
    told: dict[str, Any] = {"judged_size": list(size)}
    if falls_short(protocol.size, first.width, first.height):
        told[SIZE_NOTE] = f"judged at {size[0]}x{size[1]}: the pictures are smaller than {protocol.size}"
    return told
