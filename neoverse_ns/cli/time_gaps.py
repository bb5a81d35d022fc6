"""`ns-neoverse time-gaps`: quality over the gap between given frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from neoverse_ns.cli.evaluate import Evaluate
from neoverse_ns.cli.measuring import MeasuringFlags
from neoverse_ns.console import CONSOLE, say


@dataclass
class TimeGaps(MeasuringFlags):
    """Give every 2nd, 4th, 6th and 8th frame, and judge the same frames between them each time.

    ns-neoverse time-gaps clips --data videos --methods ours,flow,repeat

    Writes gaps.md (tables), gaps.json and gaps.svg (PSNR over the gap), and below them the results of the protocols
    FAMILY-gap-2@1 to FAMILY-gap-8@1.
    """

    family: tyro.conf.Positional[Annotated[Literal["clips", "tum"], tyro.conf.arg(metavar="{clips,tum}")]]
    """What the data is: folders of clips, or TUM RGB-D sequences."""
    methods: Annotated[str, tyro.conf.arg(aliases=["--method"])] = ""
    """Who is measured, separated by commas, as of ns-neoverse evaluate."""
    gaps: tuple[int, ...] = (2, 4, 6, 8)
    """Frames from one given frame to the next."""
    output_dir: Path | None = None
    """Where results go; by default evaluation/FAMILY-gaps in the current folder."""

    def run(self) -> None:
        """Measure all gaps, print the tables, and write them with the curve.

        Raises:
            ClipError, SettingsError, PackageError, WeightsError: It cannot be begun.
            SystemExit: With 130 where the keyboard stopped it; what was measured stays.
        """
        from neoverse_ns.evaluation.curves.time_gaps import gap_alias, measure_gaps
        from neoverse_ns.evaluation.results.store import put

        aliases = [gap_alias(self.family, gap) for gap in self.gaps]
        output = self.output_dir or Path("evaluation") / f"{self.family}-gaps"
        if self.dry_run:
            for alias in aliases:
                self._evaluation(alias, output).run()
            return
        try:
            curve = measure_gaps(self.family, self._evaluation(aliases[0], output).request(), self.gaps)
        except KeyboardInterrupt:
            say("stopped; the same command goes on from here")
            raise SystemExit(130) from None
        CONSOLE.print(curve.markdown(), markup=False, highlight=False)
        files = {
            "gaps.md": curve.markdown(),
            "gaps.json": json.dumps(curve.to_plain(), indent=1),
            "gaps.svg": curve.svg(),
        }
        put(output, files)
        say(f"wrote {', '.join(files)} in {output}")

    def _evaluation(self, alias: str, output: Path) -> Evaluate:
        return Evaluate(alias, methods=self.methods, output_dir=output, **self.shared())
