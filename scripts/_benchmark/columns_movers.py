"""The tables of scripts/benchmark_movers.py."""

from __future__ import annotations

from _benchmark.columns import Column


def _of(key: str) -> tuple[Column, ...]:
    """What is measured under `key` of a row."""
    return (
        Column("share", (key, "share"), 3, "mean"),
        Column("moving: flow dB", (key, "flow_moving"), 1, "mean"),
        Column("moving: scene dB", (key, "moving"), 1, "mean"),
        Column("still: flow dB", (key, "flow_still"), 1, "mean"),
        Column("still: scene dB", (key, "still"), 1, "mean"),
        Column("aside dB", (key, "aside"), 1, "mean"),
        Column("visible share, mean", (key, "mean_share"), 2, "mean"),
        Column("least", (key, "least_share"), 2, "mean"),
        Column("vanished", (key, "vanished"), 0, "mean"),
        Column("of views", (key, "views"), 0, "mean"),
        Column("depth error, thing 1", (key, "depth", "typical", "1"), 3, "mean"),
        Column("thing 2", (key, "depth", "typical", "2"), 3, "mean"),
        Column("worst frame", (key, "depth", "typical", "worst_frame"), 3, "mean"),
        Column("IoU of masks", (key, "iou"), 2, "mean"),
    )


MOVER_SECTIONS = {"As lifted": _of("lifted"), "After optimisation": _of("optimised")}
