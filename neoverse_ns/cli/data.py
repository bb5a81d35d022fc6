"""`ns-neoverse data`: clips with truth, for training the reconstructor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from neoverse_ns.console import CONSOLE, say, warn
from neoverse_ns.errors import ClipError, SettingsError

if TYPE_CHECKING:
    from neoverse_ns.training.data.check.report import CheckedSample, CheckReport

_Folder = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="FOLDER")]]


@dataclass
class Check:
    """Look at a data set: draw samples, hold cameras, depth and motion against the pictures, and say what is wrong.

    For example:

    ns-neoverse data check POINT_ODYSSEY --output looked_at

    Every sample is a line: share of pixels with depth; difference of depth between two frames; pixels between measured
    optical flow and where depth, cameras and motion lead, for what stands and for what moves (below 0.5 is good); grey
    levels along the way, and without moving; and what counts as 1 in training, the mean distance of what is seen, in
    the set's unit. Where they do not agree, the usual mistakes are tried, such as inverted
    poses, OpenGL's axes, another unit of depth, distance instead of z-depth, intrinsics of another size, or exchanged
    motion. Exit code 1 says that something is wrong.
    """

    folder: _Folder
    """Folder of the data set, whose layout is known; no manifest, shards, or `worlds` without a folder."""
    dataset: str | None = None
    """Its layout; recognised by its files without."""
    samples: int = 10
    """How many samples are drawn."""
    seed: int = 0
    """Draws them."""
    output: Path | None = None
    """Folder that gets a picture of every sample."""

    def run(self) -> None:
        """Look, and say what was found.

        Raises:
            SettingsError: A setting is out of range.
            ClipError: The folder holds no clips, or something is wrong with them.
            RunError: Pictures cannot be written.
        """
        if self.samples < 1:
            raise SettingsError(f"--samples must be at least 1, got {self.samples}")
        from neoverse_ns.training.data.check.report import check_data
        from neoverse_ns.training.data.sets.detect import detect
        from neoverse_ns.training.data.sets.registry import data_set
        from neoverse_ns.training.runs.output import check_output

        if self.output is not None:
            check_output(self.output)
        name = self.dataset or detect(self.folder)
        report = check_data(data_set(name), self.folder, self.samples, self.seed, self.output)
        say(f"{self.folder}: {report.rows} clips of {name}")
        _show(report)
        for note in report.notes:
            say(note)
        if report.wrong:
            for sentence in report.wrong:
                warn(sentence)
            what = "does not fit its pictures" if report.contradicted else "holds clips that cannot be used"
            raise ClipError(f"{self.folder}: {what}; see above")
        some = "" if report.used == len(report.samples) else f" in {report.used} of {len(report.samples)} samples"
        say(f"cameras, depth and motion agree with the pictures{some}, as far as was looked")


@dataclass
class WriteManifest:
    """List the clips of a data set in a file, one JSON object a line, which trainings read instead of the folder.

    For example:

    ns-neoverse data manifest POINT_ODYSSEY --output POINT_ODYSSEY/clips.jsonl
    """

    folder: _Folder
    """Folder of the data set."""
    output: Path
    """File that is written; beside it lies an index of its lines. Best in the data set's folder, with which it can be
    moved; elsewhere it leads to that folder from where it lies."""
    dataset: str | None = None
    """Its layout; recognised by its files without."""

    def run(self) -> None:
        """Find them, and write.

        Raises:
            ClipError: The folder holds no clips, or the file cannot be written.
        """
        from neoverse_ns.folders import make_folder
        from neoverse_ns.training.data.manifest import write_manifest
        from neoverse_ns.training.data.row import seen_from
        from neoverse_ns.training.data.sets.detect import detect
        from neoverse_ns.training.data.sets.registry import data_set

        rows = data_set(self.dataset or detect(self.folder)).find(self.folder)
        try:
            make_folder(self.output.parent)
        except OSError as error:
            raise ClipError(f"{self.output}: cannot be written ({error.strerror or error})") from error
        count = write_manifest(seen_from(self.output.parent, self.folder, rows), self.output)
        splits = sorted({row.split for row in rows})
        say(f"{self.output}: {count} clips ({', '.join(splits)}), {sum(row.frames for row in rows)} frames")


@dataclass
class DataCommand:
    """Look at data sets for training the reconstructor, or list their clips."""

    action: tyro.conf.OmitArgPrefixes[
        Annotated[Check, tyro.conf.subcommand(name="check")]
        | Annotated[WriteManifest, tyro.conf.subcommand(name="manifest")]
    ]

    def run(self) -> None:
        """Do what was asked for."""
        self.action.run()


def _show(report: CheckReport) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    # Eighty columns hold every figure whole; names are broken instead.
    names = ("valid", "depth", "still\npx", "moving\npx", "moves", "colour", "unmoved", "unit")
    figures = [Column(name, no_wrap=True, justify="right") for name in names]
    table = Table(Column("sample", overflow="fold"), *figures, box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for sample in report.samples:
        if sample.refused is None or sample.measures is not None:
            table.add_row(escape(sample.name.partition(" ")[2].replace(" frames ", " ")), *_figures(sample))
    CONSOLE.print(table)
    for sample in report.samples:
        if sample.refused is not None:
            warn(f"not usable: {sample.refused}")


def _figures(sample: CheckedSample) -> list[str]:
    m = sample.measures
    measured = (
        ("-",) * 6
        if m is None
        else (
            _figure(100 * m.valid, "{:.0f} %"),
            _figure(100 * m.depth, "{:.2f} %"),
            _figure(m.still, "{:.2f}"),
            _figure(m.moving, "{:.2f}"),
            _figure(m.colour, "{:.1f}"),
            _figure(m.unmoved, "{:.1f}"),
        )
    )
    moves = _figure(100 * sample.moving, "{:.0f} %")
    return [*measured[:4], moves, *measured[4:], _figure(sample.scale, "{:.4g}")]


def _figure(value: float, form: str) -> str:
    return "-" if math.isnan(value) else form.format(value)
