"""Several edits from a JSON file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from neoverse_ns.applications.edit.config import Operation, Scope, Vector
from neoverse_ns.applications.edit.selection.region import Region, parse_box, parse_click, parse_mask
from neoverse_ns.applications.edit.selection.segment import SegmentConfig
from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.fields import get_count, get_flag, get_list, get_number, get_object, get_text, read_json

_TARGET = {"kind", "prompt", "source", "thing", "mask", "box", "click", "frame", "whole_box", "mask_expansion"}
_OPS = {"translate", "rotate", "scale", "remove", "recolour", "recolor", "scope"}
_COLOURS = {
    "black": "000000",
    "white": "ffffff",
    "grey": "808080",
    "gray": "808080",
    "red": "ff0000",
    "green": "00b000",
    "blue": "0000ff",
    "yellow": "ffe000",
    "orange": "ff8000",
    "purple": "8000c0",
    "pink": "ff80b0",
    "brown": "805020",
    "cyan": "00d0d0",
}


def read_edits(path: Path, model: SegmentConfig | None = None) -> list[tuple[Region, Operation]]:
    """Edits in the order in which they are applied: those of global scope first.

    The file holds `{"edits": [...]}`. Every edit has a `target` that says what is meant, by `thing` (number), `mask`
    (path, beside the file), `box`, `click` (text as on the command line, or numbers with `frame`) or `prompt` (words
    for a segmentation model), with `kind` "existing" or "duplicate" and `mask_expansion` in pixels; and `ops`, an
    object or a list of objects: `translate` [x, y, z], `rotate` degrees (about the vertical, or [x, y, z]), `scale`,
    `remove`, `recolour`. `scope` is "frame", "global" or "auto".

    Args:
        path: The file.
        model: Which model understands `prompt`; None is the default one.

    Raises:
        SettingsError: It cannot be read, or says something else; the message names the field.
    """
    edits = get_list(read_json(path).get("edits"), "edits")
    if not edits:
        raise SettingsError(f"{path} holds no edits")
    parsed = []
    for i, edit in enumerate(edits):
        name = f"edits[{i}]"
        fields = get_object(edit, name)
        _known(fields, {"target", "ops", "scope"}, name)
        target = get_object(fields.get("target"), f"{name}.target")
        region = _region(target, f"{name}.target", path.parent, model or SegmentConfig())
        operation = _operation(fields, target, name)
        try:
            region.validate()
            operation.validate()
        except SettingsError as error:
            raise SettingsError(f"{path}, {name}: {error}") from error
        parsed.append((region, operation))
    return sorted(parsed, key=lambda pair: pair[1].scope != "global")


def _region(target: dict[str, Any], name: str, folder: Path, model: SegmentConfig) -> Region:
    _known(target, _TARGET, name)
    if target.get("kind", "existing") == "insert" or "source" in target:
        raise SettingsError(
            f"'{name}': a thing of another scene cannot be inserted, since the two have no common scale; use existing "
            "or duplicate"
        )
    region = Region(model=model, whole_box=get_flag(target.get("whole_box", False), f"{name}.whole_box"))
    if "frame" in target:
        frame = get_count(target["frame"], f"{name}.frame", 0)
        region = replace(region, frame=frame, mask_frame=frame)
    if "thing" in target:
        region = replace(region, thing=get_count(target["thing"], f"{name}.thing", 1))
    if "prompt" in target:
        region = replace(region, segment=get_text(target["prompt"], f"{name}.prompt"))
    if "mask" in target:
        path, frame = parse_mask(get_text(target["mask"], f"{name}.mask"))
        region = replace(region, mask=folder / path, mask_frame=region.mask_frame if frame is None else frame)
    if "box" in target:
        box, frame = parse_box(_place(target["box"], region.frame, f"{name}.box"))
        region = replace(region, box=box, frame=frame)
    if "click" in target:
        click, frame = parse_click(_place(target["click"], region.frame, f"{name}.click"))
        region = replace(region, click=click, frame=frame)
    if "mask_expansion" in target:
        value = target["mask_expansion"]
        values = value if isinstance(value, list) and value else [value]
        region = replace(region, expand=max(get_number(v, f"{name}.mask_expansion") for v in values))
    return region


def _place(value: Any, frame: int, name: str) -> str:
    if isinstance(value, str):
        return value
    numbers = [get_number(v, f"{name}[{i}]") for i, v in enumerate(get_list(value, name))]
    return ",".join(f"{n:g}" for n in numbers) + f"@{frame}"


def _operation(edit: dict[str, Any], target: dict[str, Any], name: str) -> Operation:
    given = edit.get("ops")
    ops: dict[str, Any] = {}
    for part in given if isinstance(given, list) else [given]:
        ops |= get_object(part, f"{name}.ops")
    _known(ops, _OPS, f"{name}.ops")
    kind = target.get("kind", "existing")
    if kind not in ("existing", "duplicate"):
        raise SettingsError(f"'{name}.target.kind' must be existing or duplicate, found {kind!r}")
    scope = edit.get("scope", ops.get("scope", "auto"))
    if scope not in ("auto", "global", "frame"):
        raise SettingsError(f"'{name}.scope' must be global, frame or auto, found {scope!r}")
    colour = ops.get("recolour", ops.get("recolor"))
    chosen: Scope = scope
    return Operation(
        remove=get_flag(ops.get("remove", False), f"{name}.ops.remove"),
        duplicate=kind == "duplicate",
        move=_vector(ops["translate"], f"{name}.ops.translate") if "translate" in ops else None,
        rotate=_turn(ops["rotate"], f"{name}.ops.rotate") if "rotate" in ops else None,
        scale=get_number(ops.get("scale", 1.0), f"{name}.ops.scale", above=0.0),
        recolour=None if colour is None else parse_colour(get_text(colour, f"{name}.ops.recolour")),
        scope=chosen,
    )


def _turn(value: Any, name: str) -> Vector:
    """Degrees: one number is about the vertical."""
    return _vector(value, name) if isinstance(value, list) else (0.0, get_number(value, name), 0.0)


def _vector(value: Any, name: str) -> Vector:
    numbers = [get_number(v, f"{name}[{i}]") for i, v in enumerate(get_list(value, name))]
    if len(numbers) != 3:
        raise SettingsError(f"'{name}' must hold 3 numbers, found {len(numbers)}")
    return (numbers[0], numbers[1], numbers[2])


def parse_colour(text: str) -> Vector:
    """RGB in [0, 1] of a common name or of #rrggbb.

    Raises:
        SettingsError: It is neither.
    """
    code = _COLOURS.get(text.strip().lower(), text.strip().removeprefix("#"))
    try:
        red, green, blue = (value / 255 for value in bytes.fromhex(code))
    except ValueError as error:
        raise SettingsError(f"'{text}' is no colour: write #rrggbb, or one of {', '.join(_COLOURS)}") from error
    return (red, green, blue)


def _known(fields: dict[str, Any], names: set[str], where: str) -> None:
    unknown = sorted(set(fields) - names)
    if unknown:
        raise SettingsError(f"'{where}' has no field '{unknown[0]}': there are {', '.join(sorted(names))}")
