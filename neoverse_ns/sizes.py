"""Numbers of bytes as people write and read them."""

from __future__ import annotations

import math
import re

from neoverse_ns.errors import SettingsError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def parse_bytes(text: str, what: str) -> int | None:
    """Bytes of such as `20GB`, `1.5 GiB`, `500M` or `1000000`; None of `none`.

    Raises:
        SettingsError: It is no such thing; names `what` was set to it.
    """
    plain = text.strip()
    if plain.lower() == "none":
        return None
    found = _SIZE.fullmatch(plain)
    if found is None:
        raise SettingsError(f"{what} must be a size such as 20GB, 500MB or none, got '{text}'")
    number, unit, binary = found.groups()
    factor = _UNITS[unit.lower()]
    if binary:
        factor = 1024 ** round(math.log(factor, 1000)) if factor > 1 else 1
    return int(float(number) * factor)


def shown_bytes(count: int) -> str:
    """Such as `5.5 MB`."""
    size, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "bytes" or size >= 99.5 else f"{size:.1f} {units[0]}"
