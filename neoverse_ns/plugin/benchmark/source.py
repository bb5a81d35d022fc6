"""What `ns-train` is to learn from: a clip, or the inputs of a protocol in a benchmark's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

import tyro


@dataclass(frozen=True)
class ClipSource:
    """A video file, a folder of images or an image: the one that --data names, ahead of this word."""


@dataclass(frozen=True)
class BenchmarkSource:
    """Inputs and targets of a protocol in one scene of a benchmark.

    Frozen, so that it can be a default of a class, which configs of older runs, that lack the field, fall back on.

    Attributes:
        family: First word of the protocols that are meant; "" for any.
    """

    family: Annotated[str, tyro.conf.Suppress] = ""
    data: Path | None = None
    """Folder of the data set, or of one of its scenes."""
    protocol: str = ""
    """Which frames are given and judged, how their cameras are placed, and by which metrics; an alias as of ns-neoverse
    evaluate."""
    scene: str | None = None
    """Name of the scene; may be left out where the folder holds one alone."""

    def run_name(self, data: Path | None = None) -> str:
        """What a run is called: the protocol without its version, and the scene, or the folder where none is named.

        Args:
            data: The folder where `data` does not say it.
        """
        folder = self.data or data
        scene = self.scene or ("" if folder is None else Path(folder).expanduser().absolute().name)
        return "-".join(part for part in (self.protocol.partition("@")[0] or self.family, scene) if part) or "benchmark"


Source = ClipSource | BenchmarkSource

FAMILIES: dict[str, tuple[str, str]] = {
    "dycheck": ("dycheck-neoverse@1", "DyCheck's iPhone scenes: two static test cameras beside a moving one"),
    "adt": ("adt-neoverse@1", "Aria Digital Twin: every other frame of one path"),
    "nvidia": ("nvidia-mono12@1", "NVIDIA's dynamic scenes: twelve cameras"),
    "tum": ("tum-gap-6@1", "TUM RGB-D: frames between the given ones"),
    "kitti": ("kitti-stereo@1", "KITTI: the right camera beside the left one"),
    "vrnerf": ("vrnerf-ours@1", "VR-NeRF's EyefulTower: rooms that stand still"),
    "scannetpp": ("scannetpp-ours@1", "ScanNet++: rooms that stand still"),
}
"""By first word of its protocols: the protocol that is meant where none is named, and what it is."""


def _choices() -> Any:
    clip = Annotated[ClipSource, tyro.conf.subcommand("clip-data", default=ClipSource())]
    benchmarks = [
        Annotated[
            BenchmarkSource,
            tyro.conf.subcommand(f"{family}-data", default=BenchmarkSource(family, None, alias), description=words),
        ]
        for family, (alias, words) in FAMILIES.items()
    ]
    anything = Annotated[
        BenchmarkSource,
        tyro.conf.subcommand(
            "benchmark-data", default=BenchmarkSource(), description="Any protocol that judges views, by --protocol"
        ),
    ]
    return tyro.conf.OmitSubcommandPrefixes[Union[(clip, *benchmarks, anything)]]


if TYPE_CHECKING:
    AnySource = Source
else:
    AnySource = _choices()
    """The sources as subcommands: `ns-train neoverse dycheck-data --data FOLDER`."""
