"""Numbers of bytes, written and read."""

from __future__ import annotations

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.sizes import parse_bytes, shown_bytes


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("20GB", 20 * 10**9), ("1.5 GiB", 3 * 2**29), ("500m", 500 * 10**6), ("7kib", 7168), ("1T", 10**12)],
)
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_bytes(text, "it") == count


def test_none_is_no_limit_and_nonsense_is_refused() -> None:
    assert parse_bytes(" None ", "it") is None
    for text in ("", "much", "-1GB", "GB", "1e9", "nan"):
        with pytest.raises(SettingsError, match="it must be a size such as 20GB"):
            parse_bytes(text, "it")


def test_sizes_are_shown_in_three_digits() -> None:
    shown = [shown_bytes(count) for count in (0, 999, 1000, 5_540_000, 99_400_000, 999_600_000, 27_130_000_000)]
    assert shown == ["0 bytes", "999 bytes", "1.0 kB", "5.5 MB", "99.4 MB", "1.0 GB", "27.1 GB"]
