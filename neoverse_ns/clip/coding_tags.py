"""The numbers of ITU-T H.273 by which files name their colours: in video frames, HEIF and AVIF boxes, PNG chunks."""

from __future__ import annotations

import struct
from pathlib import Path

from neoverse_ns.clip.colour import Meaning, Primaries, Transfer

# What is missing here is SDR or BT.709.
_TRANSFERS: dict[int, Transfer] = {8: "linear", 16: "pq", 18: "hlg"}
_PRIMARIES: dict[int, Primaries] = {9: "bt2020", 11: "dci-p3", 12: "p3"}
_UNSPECIFIED = (0, 2)
_BT2020_MATRICES = (9, 10)
# Boxes and chunks of colour come before the pixels.
_HEAD = 1 << 16
_NAMES = {"hlg": "HLG", "pq": "PQ", "bt2020": "BT.2020", "p3": "Display P3", "dci-p3": "DCI-P3"}


def meaning_of_tags(transfer: int, primaries: int, matrix: int) -> Meaning:
    """What three numbers say of colours; HDR that does not name its primaries has those of BT.2020."""
    kind, gamut = _TRANSFERS.get(transfer, "sdr"), _PRIMARIES.get(primaries, "bt709")
    if primaries in _UNSPECIFIED and (kind in ("hlg", "pq") or matrix in _BT2020_MATRICES):
        gamut = "bt2020"
    return Meaning(kind, gamut)


def meaning_of_image_file(path: Path) -> Meaning:
    """What the tags of a HEIF, AVIF or PNG file say, which Pillow passes over; plain for other files."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head[4:8] == b"ftyp":
        place = head.find(b"colrnclx")
        if 0 <= place <= len(head) - 14:
            primaries, transfer, matrix = struct.unpack(">HHH", head[place + 8 : place + 14])
            return meaning_of_tags(transfer, primaries, matrix)
    if head.startswith(b"\x89PNG"):
        place = head[: head.find(b"IDAT")].find(b"cICP")
        if place >= 0:
            return meaning_of_tags(head[place + 5], head[place + 4], 0)
    return Meaning()


def colour_note(meaning: Meaning) -> str:
    """One sentence on what is done to colours of this meaning."""
    gamut = _NAMES.get(meaning.primaries, "BT.709")
    if meaning.transfer in ("hlg", "pq"):
        return f"HDR ({_NAMES[meaning.transfer]}, {gamut}): tone-mapped to SDR BT.709"
    linear = ", linear light" if meaning.transfer == "linear" else ""
    return f"{gamut} colours{linear}: converted to BT.709"
