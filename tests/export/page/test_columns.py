"""Packed columns, read back by a reader that knows the form alone."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from neoverse_ns.export.page.columns import pack_columns

RANDOM = np.random.default_rng(0)


def unpacked(data: bytes, listed: list[dict]) -> dict[str, list[int]]:
    raw, columns, start = gzip.decompress(data), {}, 0
    for entry in listed:
        count, width = entry["count"], entry["bytes"]
        planes = [raw[start + k * count : start + (k + 1) * count] for k in range(width)]
        start += count * width
        values, last = [], 0
        for row in range(count):
            folded = sum(plane[row] << (8 * k) for k, plane in enumerate(planes))
            last += folded // 2 if folded % 2 == 0 else -(folded + 1) // 2
            values.append(last)
        columns[entry["name"]] = values
    assert start == len(raw)
    return columns


def test_columns_of_all_sizes_and_signs_come_back() -> None:
    columns = {
        "small": RANDOM.integers(-3, 4, 50),
        "large": RANDOM.integers(-(1 << 30), 1 << 30, 40),
        "ramp": np.arange(1000, 1200),
        "none": np.zeros(0, np.int64),
        "one": np.array([-1]),
    }
    data, listed = pack_columns(columns)
    assert {name: list(map(int, values)) for name, values in columns.items()} == unpacked(data, listed)
    assert [entry["bytes"] for entry in listed] == [1, 4, 2, 1, 1]


def test_the_same_columns_give_the_same_bytes() -> None:
    columns = {"a": RANDOM.integers(0, 99, 1000)}
    assert pack_columns(columns) == pack_columns(columns)


def test_neighbours_take_less_room_than_strangers() -> None:
    values = np.cumsum(RANDOM.integers(-4, 5, 20000))
    assert len(pack_columns({"a": values})[0]) < 0.6 * len(pack_columns({"a": RANDOM.permutation(values)})[0])


def test_numbers_beyond_32_bits_are_refused() -> None:
    with pytest.raises(OverflowError, match="'wide'"):
        pack_columns({"wide": np.array([0, 1 << 31])})
