"""`ns-neoverse ablate`: what parts of the method are worth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.cli.evaluate import Evaluate
from neoverse_ns.cli.measuring import MeasuringFlags
from neoverse_ns.console import CONSOLE, say


@dataclass
class Ablate(MeasuringFlags):
    """Measure a method under a protocol again and again, each time without one of its parts.

    ns-neoverse ablate dycheck-neoverse@1 --data iphone --rows no-opacity forward-motion generation

    Rows come in the paper's order, each with its difference from the row that has all, scene by scene: no-opacity,
    forward-motion, static, reconstruction, generation, clean-generation, nearest, keyframes-11, -21, -41 and -81. Each
    is a setting that every run has, and that ns-neoverse evaluate takes behind ours:.
    """

    protocol: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="PROTOCOL")]]
    """Alias, such as dycheck-neoverse@1; ns-neoverse evaluate list shows all."""
    method: str = "ours"
    """What is ablated, with settings behind a colon: ours:steps=500,reconstructor=bundle."""
    rows: tuple[str, ...] = ()
    """Names of rows; by default all but those of keyframes."""
    generator: str = "internal"
    """Who refines in rows with generation."""
    times: bool = False
    """Measure times of the keyframes' rows as well: four more runs each of the first scene, one of them to warm up."""
    output_dir: Path | None = None
    """Where results go; by default evaluation/PROTOCOL-ablation in the current folder."""

    def run(self) -> None:
        """Measure, print the table, and write it as ablation.md and ablation.json.

        Raises:
            ClipError, SettingsError, PackageError, WeightsError: It cannot be begun.
            SystemExit: With 130 where the keyboard stopped it; what was measured stays.
        """
        from neoverse_ns.evaluation.ablations.measure import ablate
        from neoverse_ns.evaluation.ablations.rows import chosen_rows
        from neoverse_ns.evaluation.ablations.table import ablation_markdown, ablation_plain
        from neoverse_ns.evaluation.protocol.aliases import protocol
        from neoverse_ns.evaluation.results.store import put

        methods = [row.method(self.method, self.generator) for row in chosen_rows(self.rows, self.method)]
        output = self.output_dir or Path("evaluation") / f"{protocol(self.protocol).alias}-ablation"
        command = self._evaluation(",".join(dict.fromkeys(methods)), output)
        if self.dry_run:
            command.run()
            return
        try:
            ablation = ablate(self._evaluation(self.method, output).request(), self.rows, self.generator, self.times)
        except KeyboardInterrupt:
            say("stopped; the same command goes on from here")
            raise SystemExit(130) from None
        table = ablation_markdown(ablation)
        CONSOLE.print(table, markup=False, highlight=False)
        put(output, {"ablation.md": table, "ablation.json": json.dumps(ablation_plain(ablation), indent=1)})
        say(f"wrote {output}/ablation.md and ablation.json")

    def _evaluation(self, methods: str, output: Path) -> Evaluate:
        return Evaluate(self.protocol, methods=methods, output_dir=output, **self.shared())
