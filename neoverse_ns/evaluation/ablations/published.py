"""What NeoVerse's paper prints of its own rows, to stand beside ours under the very same protocol alone."""

from __future__ import annotations

from neoverse_ns.evaluation.protocol.published import OTHER_PROTOCOL

ALIAS = "dycheck-neoverse@1"
"""Protocol that the paper's ablation was measured under."""

SOURCE = "NeoVerse, table of ablations"

VALUES: dict[str, dict[str, float]] = {
    "no-opacity": {"psnr": 10.86, "ssim-sk11": 0.244, "lpips-vgg": 0.576},
    "forward-motion": {"psnr": 11.27, "ssim-sk11": 0.285, "lpips-vgg": 0.570},
    "reconstruction": {"psnr": 11.56, "ssim-sk11": 0.293, "lpips-vgg": 0.558},
    "generation": {"psnr": 14.59, "ssim-sk11": 0.323, "lpips-vgg": 0.501},
}
"""By row and metric. That `forward-motion` is the paper's row without bidirectional motion is our reading of it."""

SECONDS: dict[str, dict[str, float]] = {
    "keyframes-11": {"reconstruction": 2.0, "generation": 18.0, "total": 20.0},
    "keyframes-21": {"reconstruction": 3.0, "generation": 18.0, "total": 21.0},
    "keyframes-41": {"reconstruction": 5.0, "generation": 18.0, "total": 23.0},
    "keyframes-81": {"reconstruction": 10.0, "generation": 18.0, "total": 28.0},
}
"""Seconds by row, on the paper's GPU: of another machine, whatever the protocol."""


def published_lines(alias: str, rows: list[str], metrics: list[str], unlike: str = "") -> list[str]:
    """The paper's rows as a table; nothing under other protocols, whose figures would not compare.

    Args:
        alias: Of the protocol that was measured.
        rows: Names of the rows that were.
        metrics: Ids, in order.
        unlike: Why these figures do not compare with ours after all, as that they are of all scenes; "" where they do.
    """
    shown = [row for row in rows if row in VALUES]
    if alias != ALIAS or not shown:
        return []
    caveat = f"; {OTHER_PROTOCOL}: {unlike}, so that it does not compare" if unlike else ""
    lines = [
        f"Published under {ALIAS} ({SOURCE}){caveat}:",
        "",
        f"| row | {' | '.join(metrics)} |",
        "|---|" + "---:|" * len(metrics),
    ]
    for row in shown:
        cells = [f"{VALUES[row][metric]:g}" if metric in VALUES[row] else "–" for metric in metrics]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return lines


def published_seconds(rows: list[str]) -> list[str]:
    """The paper's times of those rows, a line each."""
    return [
        f"- published for {row.replace('keyframes-', '')} keyframes: "
        + ", ".join(f"{stage} {took:g} s" for stage, took in SECONDS[row].items())
        + " (another machine)"
        for row in rows
        if row in SECONDS
    ]
