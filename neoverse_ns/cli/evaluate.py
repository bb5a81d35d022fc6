"""`ns-neoverse evaluate`: figures under named protocols."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from neoverse_ns.cli.measuring import MeasuringFlags
from neoverse_ns.console import CONSOLE, say
from neoverse_ns.errors import ClipError, SettingsError

if TYPE_CHECKING:
    from neoverse_ns.evaluation.evaluate import Request

LIST = "list"
"""What is typed in the stead of a protocol to see all of them."""


@dataclass
class Evaluate(MeasuringFlags):
    """Measure methods under a protocol: frames, cameras, metrics and means as its id says, nothing left out silently.

    ns-neoverse evaluate list

    ns-neoverse evaluate dycheck-neoverse@1 --data iphone --methods ours,repeat --output-dir results --dry-run

    The output folder gets result.json (everything) and result.md (tables), written after every scene: the same command
    goes on where it was stopped. What each protocol is, and where its data is had, stands in docs/evaluation.md.
    """

    protocol: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="PROTOCOL")]]
    """Alias, such as dycheck-neoverse@1, or full id; `list` shows all."""
    methods: Annotated[str, tyro.conf.arg(aliases=["--method"])] = ""
    """Who is measured, separated by commas. Views: ours, repeat, flow; cameras and depth: bundle, network, da3, colmap,
    glomap, openmvg. Settings behind a colon: ours:steps=0,reconstructor=network. By default ours, or bundle."""
    output_dir: Path | None = None
    """Where results go; by default evaluation/PROTOCOL in the current folder."""

    def run(self) -> None:
        """Measure, and print the table.

        Raises:
            ClipError, SettingsError, PackageError, WeightsError: It cannot be begun.
            SystemExit: With 1 where a scene had no answer, with 130 where the keyboard stopped it.
        """
        if self.protocol == LIST:
            self._list()
            return
        from neoverse_ns.evaluation.evaluate import evaluate, plan

        asked = self.request()
        if self.dry_run:
            planned = plan(asked)
            for line in planned.lines():
                CONSOLE.print(line, markup=False, highlight=False)
            say("nothing was done")
            return
        try:
            results = evaluate(asked)
        except KeyboardInterrupt:
            say("stopped; the same command goes on from here")
            raise SystemExit(130) from None
        from neoverse_ns.evaluation.results.tables import means_table

        CONSOLE.print(means_table(results), markup=False, highlight=False)
        say(f"wrote {asked.output}/result.json and result.md")
        if any(scene.failed for run in results.methods for scene in run.scenes):
            raise SystemExit(1)

    def request(self) -> Request:
        """What was asked for.

        Raises:
            ClipError, SettingsError: A folder or file is not there, or there is no such protocol.
        """
        from neoverse_ns.evaluation.evaluate import request
        from neoverse_ns.evaluation.metric_files import MetricFiles
        from neoverse_ns.evaluation.protocol.aliases import protocol

        found = protocol(self.protocol)
        if self.data is None:
            raise SettingsError(f"--data: give the folder of the data set, of the layout {found.data}")
        if not self.data.expanduser().exists():
            raise ClipError(f"--data {self.data}: there is no such folder")
        for flag, file in (("--lpips-weights", self.lpips_weights), ("--vgg-weights", self.vgg_weights)):
            if file is not None and not file.is_file():
                raise SettingsError(f"{flag} {file}: there is no such file")
        scenes = None if self.scenes is None else tuple(filter(None, map(str.strip, self.scenes.split(","))))
        if scenes is not None and not scenes:
            raise SettingsError("--scenes names none; leave it out to use all")
        output = self.output_dir or Path("evaluation") / found.alias
        return request(
            found.alias,
            self.data,
            self.methods,
            output=output,
            scenes=scenes,
            allow_missing=self.allow_missing,
            retry_failed=self.retry_failed,
            seed=self.seed,
            work=self.work_dir,
            weights=MetricFiles(self.lpips_weights, self.vgg_weights),
        )

    def _list(self) -> None:
        from neoverse_ns.evaluation.protocol.describe import overview

        for line in overview():
            CONSOLE.print(line, markup=False, highlight=False)
