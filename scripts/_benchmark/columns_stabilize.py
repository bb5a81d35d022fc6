"""The tables of scripts/benchmark_stabilize.py."""

from __future__ import annotations

from _benchmark.columns import Column

STABILIZE_SECTIONS = {
    "Shake of the true cameras": (
        Column("before °", ("shake", "before", "degrees"), 3),
        Column("after °", ("shake", "after", "degrees"), 3),
        Column("before % of depth", ("shake", "before", "percent"), 2),
        Column("after % of depth", ("shake", "after", "percent"), 2),
        Column("before px", ("shake", "before", "pixels"), 2),
        Column("after px", ("shake", "after", "pixels"), 2),
        Column("left, ° %", ("shake", "left", "degrees"), 1, "mean"),
        Column("left, depth %", ("shake", "left", "percent"), 1, "mean"),
        Column("left, px %", ("shake", "left", "pixels"), 1, "mean"),
        Column("left, second differences %", ("shake", "left", "second"), 1, "mean"),
        Column("of the rails °", ("shake", "rails", "degrees"), 3),
        Column("cameras, ATE % of path", ("shake", "ate"), 3),
    ),
    "Pictures along the steady path, against the truth": (
        Column("own pixels dB", ("pictures", "own", "psnr"), 2, "mean"),
        Column("drawn dB", ("pictures", "drawn", "psnr"), 2, "mean"),
        Column("drawn at the clip's cameras dB", ("pictures", "plain", "psnr"), 2, "mean"),
        Column("still wobbles, own px", ("pictures", "own", "wobble_still"), 3, "mean"),
        Column("drawn px", ("pictures", "drawn", "wobble_still"), 3, "mean"),
        Column("movers wobble, own px", ("pictures", "own", "wobble_moving"), 3, "mean"),
        Column("drawn px ", ("pictures", "drawn", "wobble_moving"), 3, "mean"),
        Column("shake of the clip's pictures px", ("pictures", "shake", "before"), 2, "mean"),
        Column("of the result's px", ("pictures", "shake", "after"), 2, "mean"),
        Column("of the truth's px", ("pictures", "shake", "rails"), 2, "mean"),
    ),
    "What it took": (
        Column("smoothed by s", ("seconds",), 2),
        Column("cut away %", ("cut",), 1),
        Column("never seen %, worst frame", ("unseen",), 2),
    ),
    "Finished runs of real clips: estimated cameras, and the picture's own motion": (
        Column("before °", ("run", "before", "degrees"), 3),
        Column("after °", ("run", "after", "degrees"), 3),
        Column("left, ° %", ("run", "left", "degrees"), 1, "mean"),
        Column("left, depth %", ("run", "left", "percent"), 1, "mean"),
        Column("left, px %", ("run", "left", "pixels"), 1, "mean"),
        Column("picture before px", ("run", "picture", "before"), 2),
        Column("picture after px", ("run", "picture", "after"), 2),
        Column("left %", ("run", "picture", "left"), 1, "mean"),
    ),
}
