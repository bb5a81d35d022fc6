"""A protocol, and the frames that it takes of a scene, by what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkScene
from neoverse_ns.evaluation.protocol.aliases import protocol, protocols
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.plugin.benchmark.source import BenchmarkSource


@dataclass(frozen=True)
class OpenedBenchmark:
    """Where inputs and targets come from; no picture is read yet.

    Attributes:
        protocol: What is measured.
        scene: The scene of the data set.
        choice: Its inputs and targets.
    """

    protocol: Protocol
    scene: BenchmarkScene
    choice: Choice


def open_benchmark(source: BenchmarkSource) -> OpenedBenchmark:
    """Find the protocol, the scene and the frames.

    Raises:
        SettingsError: There is no such protocol, it judges no views, or which scene is meant stays open.
        ClipError: The folder is of another layout, or the scene lacks frames that the protocol needs.
    """
    chosen = chosen_protocol(source)
    if source.data is None:
        raise SettingsError(f"no data given: add --data FOLDER with scenes of {chosen.data} behind the data's name")
    folder = source.data.expanduser().absolute()
    if not folder.is_dir():
        raise ClipError(f"{folder}: no such folder; give one with scenes of {chosen.data}")
    layout = benchmark_data(chosen.data)
    scene = layout.open(*_scene_in(layout, folder, source.scene))
    return OpenedBenchmark(chosen, scene, chosen.rule(scene))


def chosen_protocol(source: BenchmarkSource) -> Protocol:
    """The protocol of a source.

    Raises:
        SettingsError: There is none, or it is none that ns-eval can judge by.
    """
    if not source.protocol:
        views = ", ".join(alias for alias, one in protocols().items() if one.kind == "views")
        raise SettingsError(f"no protocol given: add --protocol ALIAS, one of {views}")
    chosen = protocol(source.protocol)
    if source.family and chosen.alias.partition("@")[0].partition("-")[0].rstrip("0123456789") != source.family:
        raise SettingsError(f"{chosen.alias} is no protocol of {source.family}-data: use benchmark-data for it")
    if chosen.kind != "views":
        raise SettingsError(
            f"{chosen.alias} judges {chosen.kind}, which only ns-neoverse evaluate can; choose one of views"
        )
    if chosen.tto:
        raise SettingsError(
            f"{chosen.alias} moves judged cameras by their own pictures, which ns-eval does not do: use ns-neoverse "
            "evaluate for it"
        )
    return chosen


def _scene_in(layout: BenchmarkData, folder: Path, scene: str | None) -> tuple[Path, str]:
    """Folder of the data set, and name of the scene in it."""
    if scene is not None:
        return folder, scene
    try:
        found = layout.find(folder)
    except ClipError:
        if folder.name in _found(layout, folder.parent):
            return folder.parent, folder.name
        raise
    if len(found) == 1:
        return folder, found[0]
    raise SettingsError(f"{folder} holds {len(found)} scenes: add --scene, one of {', '.join(found)}")


def _found(layout: BenchmarkData, folder: Path) -> list[str]:
    try:
        return layout.find(folder)
    except ClipError:
        return []
