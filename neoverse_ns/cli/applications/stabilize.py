"""`ns-neoverse stabilize`: a shaky clip in, a steady one out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.applications.stabilize.config import StabilizeConfig
from neoverse_ns.cli.applications.video import FinishFlags, SceneFlags
from neoverse_ns.console import say, warn


@dataclass
class Stabilize(FinishFlags, SceneFlags):
    """Show a clip's own moments from a smooth path, or from a tripod.

    For example, as steady as cutting away a tenth of width and height allows:

    ns-neoverse stabilize RUN --max-crop 0.1 --output steady.mp4

    From a tripod, nothing cut away, and what the clip never saw painted by what learns from the clip itself:

    ns-neoverse stabilize RUN --lock --crop none --refiner internal --output tripod.mp4

    Where a frame's own camera saw what the steady one sees, its own pixels are shown; the rest comes from the scene,
    which all frames made. The last lines say how much the camera shook before and shakes now.
    """

    steady: Annotated[StabilizeConfig, tyro.conf.arg(name="", prefix_name=False)] = field(
        default_factory=StabilizeConfig
    )
    """How steady, and what becomes of the borders."""
    output: Path = Path("steady.mp4")
    """The video to write."""

    def run(self) -> None:
        """Smooth, draw, and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError: It cannot be done as asked.
        """
        self.steady.validate()
        from neoverse_ns.applications.finish import checked_refiner
        from neoverse_ns.generate.video import check_output, write_video_whole

        check_output(self.output)
        checked_refiner(self.refine)
        from neoverse_ns.applications.stabilize.steady import stabilize
        from neoverse_ns.plugin.open_scene import open_scene
        from neoverse_ns.trajectory.checks.check import UNSEEN

        opened = open_scene(self.run_path)
        refine = self.kept(self.run_path)
        made = stabilize(opened.scene, self.steady, refine, opened.background)
        write_video_whole(self.output, made.frames, made.fps)
        how = "from a tripod" if made.seconds is None else f"smoothed by {made.seconds:.2g} s"
        say(f"shake before, root mean square: {made.before}")
        say(f"shake after,  root mean square: {made.after}")
        say(f"{how}; {made.part.cut:.1%} of width and height cut away")
        worst = max(made.unseen)
        if worst > 0:
            by = "is drawn as a guess" if refine.refiner == "none" else f"was painted by {refine.refiner}"
            told = f"at most {worst:.1%} of a picture was never seen (frame {made.unseen.index(worst)}) and {by}"
            (warn if worst > UNSEEN else say)(told)
        say(f"wrote {self.output}: {len(made.frames)} frames, {made.fps:.4g} per second")
