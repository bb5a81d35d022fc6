"""Judge checkpoints of the reconstructor on worlds and clips that they did not learn from.

    python scripts/benchmark_reconstructor.py --weights out/checkpoints/step-003000 --worlds 32 --bundle
    python scripts/benchmark_reconstructor.py --weights trained untrained --clips a.mp4 b.mp4 --markdown report.md

On worlds true cameras draw and lift, as in training, and every figure is of validation (see
`neoverse_ns/training/reconstructor/validation/measures.py`); frames between keyframes were seen by no network. `bundle`
is given the same frames, larger where that is asked for, and all that it makes is its own: its held-out frames are
drawn with its own cameras. On real clips nothing is true but the pictures: each network and `bundle` draw the held-out
frames of a reconstruction as `ns-neoverse reconstruct` makes it. Beside them stands what repeating a keyframe gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro
from _benchmark.reconstructor_clips import clip_rows
from _benchmark.reconstructor_worlds import bundle_row, network_row
from _benchmark.report import describe_machine

from neoverse_ns.console import CONSOLE
from neoverse_ns.plugin.user_errors import exit_on_user_error
from neoverse_ns.training.data.plan import PlanConfig

WORLD_COLUMNS = (
    *("psnr", "psnr_moving", "psnr_keyframes", "psnr_nearest", "ssim", "depth_abs_rel", "rotation_degrees"),
    *("pose_auc", "epe_moving", "epe_moving_zero", "epe_still", "alpha"),
)


@dataclass
class ReconstructorBenchmark:
    """Figures of checkpoints on unseen worlds and on clips."""

    weights: tuple[Path, ...] = ()
    """Folders of checkpoints."""
    untrained: bool = True
    """Also judge a network of the first one's size that has learned nothing."""
    worlds: int = 32
    """Unseen worlds."""
    keyframes: int = 3
    """Of each sample."""
    size: str = "98x56"
    """Of pictures of worlds, width x height."""
    bundle: bool = False
    """Also reconstruct the worlds' frames, and the clips, by `bundle`."""
    bundle_scale: int = 4
    """Its pictures of worlds are so many times as large."""
    clips: tuple[Path, ...] = ()
    """Real clips."""
    clip_frames: int = 9
    """Frames of each; every second one is held out."""
    clip_side: int = 98
    """Width of the pictures, of what the networks see, too."""
    markdown: Path | None = None
    """Where to write the tables."""

    def run(self) -> None:
        """Judge, print, write."""
        width, height = map(int, self.size.split("x"))
        plan = PlanConfig(longest_side=max(width, height), aspect=(width / height, width / height), patch=7)
        rows = []
        if self.untrained and self.weights:
            rows.append(("untrained", network_row(self.weights[0], self.worlds, self.keyframes, plan, trained=False)))
        for folder in self.weights:
            rows.append((str(folder), network_row(folder, self.worlds, self.keyframes, plan)))
        if self.bundle:
            rows.append(("bundle", bundle_row(self.worlds, self.keyframes, plan, self.bundle_scale)))
        text = [f"# The reconstructor\n\n{describe_machine()}\n", _table("worlds", WORLD_COLUMNS, rows)]
        for clip in self.clips:
            found = clip_rows(clip, self.weights, self.clip_frames, self.clip_side, self.bundle)
            text.append(_table(clip.name, ("psnr", "seconds"), found))
        CONSOLE.print("\n".join(text), highlight=False)
        if self.markdown is not None:
            self.markdown.write_text("\n".join(text), "utf8")


def _table(name: str, columns: tuple[str, ...], rows: list[tuple[str, dict[str, float]]]) -> str:
    lines = [f"| {name} | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for row, figures in rows:
        cells = [f"{figures[column]:.3g}" if column in figures else "" for column in columns]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with exit_on_user_error():
        tyro.cli(ReconstructorBenchmark).run()
